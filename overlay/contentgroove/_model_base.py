"""The base class of all models, which are flat, immutable views of decoded structs, and pages of them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

import msgspec
from contentgroove_api.types import check_levels

from ._core.redaction import redact_text
from ._core.tracebacks import with_safe_repr
from .errors import ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from contentgroove_api.models.links import Links
    from contentgroove_api.models.to_many import ToMany

W = TypeVar("W", bound=msgspec.Struct)
T = TypeVar("T")


class JsonSource:
    """The JSON text that models were decoded from, and their path in it; it is parsed again only for `extra`."""

    __slots__ = ("content", "path")

    def __init__(self, content: bytes, path: tuple[str, ...]) -> None:
        self.content = content
        self.path = path

    def read(self, index: int | None) -> dict[str, Any]:
        """Return the object, or the one at an index of the list, as plain JSON.

        Raises:
            ResponseDecodeError: A part that no model reads is not valid JSON.
        """
        try:
            check_levels(self.content)
            value: Any = msgspec.json.decode(self.content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise ResponseDecodeError(
                "The part of the response that this version does not know cannot be decoded: "
                f"{redact_text(str(error))}. The known fields are unaffected.",
                status_code=200,
            ) from error
        for step in self.path:
            value = value[step]
        return cast("dict[str, Any]", value if index is None else value[index])


def unset_to_none(value: T | msgspec.UnsetType | None) -> T | None:
    return None if isinstance(value, msgspec.UnsetType) else value


def to_utc(moment: dt.datetime) -> dt.datetime:
    # All times in the service's examples are UTC, so a time without a zone is read as UTC.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def utc_or_none(value: dt.datetime | msgspec.UnsetType | None) -> dt.datetime | None:
    sent = unset_to_none(value)
    return None if sent is None else to_utc(sent)


def ids_of(relationship: ToMany | msgspec.UnsetType | None) -> tuple[str, ...]:
    sent = unset_to_none(relationship)
    return () if sent is None else tuple(item.id for item in sent.data)


@with_safe_repr
class Model(Generic[W]):
    """A flat, immutable view of one JSON:API resource."""

    __slots__ = ("_index", "_source", "_wire")

    _attributes: ClassVar[tuple[str, ...]]
    _relationships: ClassVar[Mapping[str, str]] = {}
    _repr_fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        # All properties of a model are fields of the contract, except for these and the relationships.
        others = {"id", "is_finished", "fields_set", *cls._relationships}
        properties = [name for name, member in vars(cls).items() if isinstance(member, property)]
        cls._attributes = tuple(name for name in properties if name not in others)

    def __init__(self, wire: W, source: JsonSource, index: int | None = None) -> None:
        # The slots' own setters take half the time of object.__setattr__, and lists create thousands of models.
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
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in ("id", *self._repr_fields))
        return redact_text(f"{type(self).__name__}({fields})")

    def to_dict(self) -> dict[str, Any]:
        """Return the values of all public attributes by name, except `extra`."""
        return {name: getattr(self, name) for name in ("id", *self._attributes, *self._relationships)}

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, null or not. The others are None because it omitted them."""
        wire: Any = self._wire
        names = {name for name in self._attributes if getattr(wire.attributes, name) is not msgspec.UNSET}
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for name, relationship in self._relationships.items():
            if relationships is not None and getattr(relationships, relationship) is not msgspec.UNSET:
                names.add(name)
        return frozenset(names | {"id"})

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that the service sent and this version of the library does not know, as plain JSON.

        They are the unknown attributes, then the unknown relationships and members of the resource itself whose
        names are still free.

        Raises:
            ResponseDecodeError: They cannot be decoded, such as a number too large for JSON parsers.
        """
        sent = self._source.read(self._index)
        wire: Any = self._wire
        unknown: dict[str, Any] = {}
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for part, known in (
            (sent.get("attributes"), wire.attributes),
            (sent.get("relationships"), relationships),
            (sent, wire),
        ):
            if isinstance(part, dict):
                # The contract leaves some parts empty; those are decoded as plain dicts, which have no fields.
                names: set[str] = set(getattr(known, "__struct_encode_fields__", ()))
                if part is sent:
                    # The structs of webhooks have `type` as a tag, not as a field.
                    names |= {"type", "attributes", "relationships"}
                for name, value in cast("dict[str, Any]", part).items():
                    if name not in names:
                        unknown.setdefault(name, value)
        return unknown


_slots: Any = Model
_set_wire = _slots._wire.__set__  # noqa: SLF001 - this module's own
_set_source = _slots._source.__set__  # noqa: SLF001 - as above
_set_index = _slots._index.__set__  # noqa: SLF001 - as above


@with_safe_repr
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: The resources, in the service's order.
        number: The page's number, from 1.
    """

    __slots__ = ("_links", "items", "number")

    def __init__(self, items: tuple[T, ...], number: int, links: Links) -> None:
        self.items = items
        self.number = number
        self._links = links

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"Page(number={self.number}, items={len(self.items)})"

    def first(self, count: int) -> Page[T]:
        """Return the same page with only its first `count` items."""
        return Page(self.items[:count], self.number, self._links)

    def without(self, ids: Container[str]) -> Page[T]:
        """Return the same page without the items that have these ids."""
        items: tuple[Any, ...] = self.items
        return Page(tuple([item for item in items if item.id not in ids]), self.number, self._links)

    @property
    def next_link(self) -> str | None:
        """The service's link to the next page; None if it is missing or empty.

        It starts with `http://` in the service's own examples: iterate over `pages()` instead of requesting it.
        """
        return unset_to_none(self._links.next_) or None

    @property
    def is_last(self) -> bool:
        """True if the service reports the end of the list: its link to the next page is null or empty, not missing."""
        return self._links.next_ in {None, ""}
