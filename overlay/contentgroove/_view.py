"""The base of all models: a flat, immutable view on a wire model."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import msgspec
from contentgroove_api.types import check_levels

from ._core.redaction import redact_url
from .errors import ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_api.models.to_many import ToMany

W = TypeVar("W", bound=msgspec.Struct)
V = TypeVar("V")


class JsonSource:
    """The JSON text that models came from, and where in it; read again only when `extra` is asked for."""

    __slots__ = ("content", "path")

    def __init__(self, content: bytes, path: tuple[str, ...]) -> None:
        self.content = content
        self.path = path

    def read(self, index: int | None) -> dict[str, Any]:
        """Give the object, or the one at an index of the list, as plain JSON.

        Raises:
            ResponseDecodeError: What no model reads, and so nothing has looked at, is no JSON.
        """
        try:
            check_levels(self.content)
            value: Any = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ResponseDecodeError(
                f"What this version does not know of an answer cannot be read: {redact_url(str(error))}. What it "
                "knows is not concerned.",
                status_code=200,
            ) from error
        for step in self.path:
            value = value[step]
        return cast("dict[str, Any]", value if index is None else value[index])


def unset_to_none(value: V | msgspec.UnsetType | None) -> V | None:
    return None if isinstance(value, msgspec.UnsetType) else value


def to_utc(moment: dt.datetime) -> dt.datetime:
    # The service's examples are all UTC; a time without a zone is read as the same.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def utc_or_none(value: dt.datetime | msgspec.UnsetType | None) -> dt.datetime | None:
    sent = unset_to_none(value)
    return None if sent is None else to_utc(sent)


def ids_of(relationship: ToMany | msgspec.UnsetType | None) -> tuple[str, ...]:
    sent = unset_to_none(relationship)
    return () if sent is None else tuple(item.id for item in sent.data)


class Model(Generic[W]):
    """A flat view on one JSON:API resource."""

    __slots__ = ("_index", "_source", "_wire")

    _attributes: ClassVar[tuple[str, ...]]
    _relationships: ClassVar[Mapping[str, str]] = {}
    _shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, wire: W, source: JsonSource, index: int | None = None) -> None:
        # The slots' own setters: half the time of object.__setattr__, and lists make thousands of these.
        _set_wire(self, wire)
        _set_source(self, source)
        _set_index(self, index)

    if TYPE_CHECKING:
        _wire: W
        _source: JsonSource
        _index: int | None

        @property
        def id(self) -> str: ...

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed (tried to set {name})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed (tried to delete {name})")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._wire, self._source, self._index)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("id", *self._shown))
        return redact_url(f"{type(self).__name__}({shown})")

    def to_dict(self) -> dict[str, Any]:
        """Give all public attributes by name, `extra` left out; values as the attributes have them."""
        return {name: getattr(self, name) for name in ("id", *self._attributes, *self._relationships)}

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, null or not; the others are None because it left them out."""
        wire: Any = self._wire
        names = {name for name in self._attributes if getattr(wire.attributes, name) is not msgspec.UNSET}
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for name, relationship in self._relationships.items():
            if relationships is not None and getattr(relationships, relationship) is not msgspec.UNSET:
                names.add(name)
        return frozenset(names | {"id"})

    @property
    def extra(self) -> dict[str, Any]:
        """What the service sent and this version of the library does not know, as plain JSON.

        Unknown attributes are given by their names; then unknown relationships and unknown members of the
        resource itself, where no attribute has the name.

        Raises:
            ResponseDecodeError: It cannot be read, such as a number too large for any JSON reader.
        """
        sent = self._source.read(self._index)
        wire: Any = self._wire
        found: dict[str, Any] = {}
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for part, known in (
            (sent.get("attributes"), wire.attributes),
            (sent.get("relationships"), relationships),
            (sent, wire),
        ):
            if isinstance(part, dict):
                # A part that the contract leaves empty is a plain dict.
                names: set[str] = set(getattr(known, "__struct_encode_fields__", ()))
                if part is sent:
                    # A struct that a webhook was read by has its `type` as a tag, not as a field.
                    names |= {"type", "attributes", "relationships"}
                for name, value in cast("dict[str, Any]", part).items():
                    if name not in names:
                        found.setdefault(name, value)
        return found


_slots: Any = Model
_set_wire = _slots._wire.__set__  # noqa: SLF001 - this module's own
_set_source = _slots._source.__set__  # noqa: SLF001 - as above
_set_index = _slots._index.__set__  # noqa: SLF001 - as above
