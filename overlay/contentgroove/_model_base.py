"""The base class of all models, which are flat, immutable views of decoded structs, and pages of them."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import msgspec
from contentgroove_api.types import check_levels, decoder

from ._core.redaction import redact_text
from ._core.tracebacks import with_safe_repr
from .errors import MissingFieldError, ResponseDecodeError

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from contentgroove_api.models.links import Links
    from contentgroove_api.models.to_many import ToMany

    from ._partial_structs import Json

W = TypeVar("W", bound=msgspec.Struct)
T = TypeVar("T")


class JsonSource:
    """The JSON text that models were decoded from, and their path in it; it is split again only when it is needed."""

    __slots__ = ("_elements", "content", "path")

    def __init__(self, content: bytes, path: tuple[str, ...]) -> None:
        self.content = content
        self.path = path
        self._elements: Sequence[msgspec.Raw] | None = None

    def text(self, index: int | None) -> bytes:
        """Return the JSON text of the object, or of the one at an index of the list.

        Raises:
            ResponseDecodeError: A part that no model reads is nested too deeply.
        """
        if self._elements is None:
            # Decoders of models skip what they do not know, as deeply nested as the stack allows.
            try:
                check_levels(self.content)
            except msgspec.DecodeError as error:
                raise _unknown_part_error(error) from error
            part = msgspec.Raw(self.content)
            for step in self.path:
                part = decoder(dict[str, msgspec.Raw]).decode(part)[step]
            # Kept, because models of one list are often pickled one after the other.
            self._elements = [part] if index is None else decoder(list[msgspec.Raw]).decode(part)
        return bytes(self._elements[index or 0])


def _unknown_part_error(error: Exception) -> ResponseDecodeError:
    return ResponseDecodeError(
        "The part of the response that this version does not know cannot be decoded: "
        f"{redact_text(str(error))}. The known fields are unaffected.",
        status_code=200,
    )


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

    _module: ClassVar[str]
    """The name of the module of the generated struct, which is named like the model."""
    _attributes: ClassVar[tuple[str, ...]]
    _relationships: ClassVar[Mapping[str, str]] = {}
    _repr_fields: ClassVar[tuple[str, ...]] = ()
    _needed: ClassVar[tuple[str, ...]] = ()
    """Attributes without which a resource is of no use, in addition to the id."""

    def __init_subclass__(cls) -> None:
        # All properties of a model are fields of the contract, except for these and the relationships.
        others = {"id", "is_finished", "fields_set", *cls._relationships}
        properties = [name for name, member in vars(cls).items() if isinstance(member, property)]
        cls._attributes = tuple(name for name in properties if name not in others)

    @classmethod
    def _struct(cls) -> Any:
        """Return the generated struct of the resource, which is imported only for what needs it."""
        return getattr(import_module(f"contentgroove_api.models.{cls._module}"), cls.__name__)

    @classmethod
    def _read(cls, content: Json, source: JsonSource, index: int | None = None) -> Self:
        """Create a model from its own JSON, which must not be nested too deeply.

        Raises:
            UnreadableError: There is no readable id, or another field that the next call needs is not readable.
        """
        struct = cls._struct()
        try:
            wire: Any = decoder(struct).decode(content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            from ._partial_structs import UnreadableError, read_partly

            wire = read_partly(struct, content, cls.__name__, cls._relationships)
            try:
                for name in cls._needed:
                    getattr(wire.attributes, name)
            except MissingFieldError as error:
                raise UnreadableError(error.reason) from None
        return cls(wire, source, index)

    @classmethod
    def _from_json(cls, content: bytes) -> Self:
        check_levels(content)
        return cls._read(content, JsonSource(content, ()))

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
        # A model's own JSON only: that of a page has its other items, too.
        return self._from_json, (self._source.text(self._index),)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def __repr__(self) -> str:
        missing = self.missing
        fields = ", ".join(
            f"{name}={'<missing>' if name in missing else repr(getattr(self, name))}"
            for name in ("id", *self._repr_fields)
        )
        return redact_text(f"{type(self).__name__}({fields})")

    def to_dict(self) -> dict[str, Any]:
        """Return the values of all public attributes by name, except `extra` and those that are `missing`."""
        names = ("id", *self._attributes, *self._relationships)
        if missing := self.missing:
            names = tuple(name for name in names if name not in missing)
        return {name: getattr(self, name) for name in names}

    @property
    def missing(self) -> frozenset[str]:
        """The attributes that cannot be read, because the service sent them otherwise than its contract says.

        Reading one of them raises a MissingFieldError, which says why. It is empty for responses that match the
        contract: what the contract lets the service omit or send as null is None instead.
        """
        if isinstance(self._wire, msgspec.Struct):
            return _NONE
        return frozenset(name for name in (*self._attributes, *self._relationships) if not self._can_read(name))

    def _can_read(self, name: str) -> bool:
        try:
            getattr(self, name)
        except MissingFieldError:
            return False
        return True

    @property
    def fields_set(self) -> frozenset[str]:
        """The attributes that the service sent, readable or null or not.

        The others are None because it omitted them, or `missing` if its contract does not let it.
        """
        wire: Any = self._wire
        names = {name for name in self._attributes if was_sent(wire.attributes, name)}
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for name, relationship in self._relationships.items():
            if relationships is not None and was_sent(relationships, relationship):
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
        wire: Any = self._wire
        unknown: dict[str, Any] = {}
        sent = decoder(dict[str, msgspec.Raw]).decode(self._source.text(self._index))
        relationships = unset_to_none(getattr(wire, "relationships", msgspec.UNSET))
        for part, known in (
            (_members(sent.get("attributes")), wire.attributes),
            (_members(sent.get("relationships")), relationships),
            (sent, wire),
        ):
            # The contract leaves some parts empty; those are decoded as plain dicts, which have no fields.
            names: set[str] = set(getattr(known, "__struct_encode_fields__", ()))
            if part is sent:
                # The structs of webhooks have `type` as a tag, not as a field.
                names |= {"type", "attributes", "relationships"}
            for name, value in part.items():
                if name not in names and name not in unknown:
                    unknown[name] = _decode_unknown(value)
        return unknown


def was_sent(part: Any, name: str) -> bool:
    """Return whether a struct or its stand-in has a field, readable or null or not."""
    if isinstance(part, msgspec.Struct):
        return getattr(part, name) is not msgspec.UNSET
    sent: bool = part.was_sent(name)
    return sent


def _members(content: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """Return the members of an object; none if it is absent or not an object."""
    try:
        return {} if content is None else decoder(dict[str, msgspec.Raw]).decode(content)
    except msgspec.ValidationError:
        return {}


def _decode_unknown(content: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _unknown_part_error(error) from error


_NONE: frozenset[str] = frozenset()
_slots: Any = Model
_set_wire = _slots._wire.__set__  # noqa: SLF001 - this module's own
_set_source = _slots._source.__set__  # noqa: SLF001 - as above
_set_index = _slots._index.__set__  # noqa: SLF001 - as above


class UnreadableItem(msgspec.Struct, frozen=True):
    """An item of a list that cannot be read, because it has no readable id.

    Attributes:
        index: Its position in what the service sent, from 0.
        reason: What is wrong with it.
        content: Its JSON text as sent.
    """

    index: int
    reason: str
    content: bytes

    def __repr__(self) -> str:
        # Without the content, which may contain credentials.
        return f"UnreadableItem(index={self.index}, reason={self.reason!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("index", self.index), ("reason", self.reason)]


@with_safe_repr
class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: The resources, in the service's order.
        number: The page's number, from 1.
        unreadable: What else is in the list and cannot be read, because it has no readable id.
    """

    __slots__ = ("_links", "items", "number", "unreadable")

    def __init__(
        self, items: tuple[T, ...], number: int, links: Links | None, unreadable: tuple[UnreadableItem, ...] = ()
    ) -> None:
        self.items = items
        self.number = number
        self.unreadable = unreadable
        self._links = links

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        odd = f", unreadable={len(self.unreadable)}" if self.unreadable else ""
        return f"Page(number={self.number}, items={len(self.items)}{odd})"

    def first(self, count: int) -> Page[T]:
        """Return the same page with only its first `count` items."""
        return Page(self.items[:count], self.number, self._links, self.unreadable)

    def without(self, ids: Container[str]) -> Page[T]:
        """Return the same page without the items that have these ids."""
        items: tuple[Any, ...] = self.items
        return Page(tuple([item for item in items if item.id not in ids]), self.number, self._links, self.unreadable)

    @property
    def next_link(self) -> str | None:
        """The service's link to the next page; None if it is missing, empty or not a text.

        It starts with `http://` in the service's own examples: iterate over `pages()` instead of requesting it.
        """
        return None if self._links is None else unset_to_none(self._links.next_) or None

    @property
    def is_last(self) -> bool:
        """True if the service reports the end of the list: its link to the next page is null or empty, not missing."""
        return self._links is not None and self._links.next_ in {None, ""}
