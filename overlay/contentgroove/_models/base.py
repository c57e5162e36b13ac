"""The base class of all models, which are flat, immutable views of decoded structs."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeVar

import msgspec
from contentgroove_api.types import check_levels, decoder

from contentgroove._core.redaction import redact_text
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import MissingFieldError, ResponseDecodeError

from .display import Table, cell_text, short_repr
from .json_views import JsonView, Shape, to_json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contentgroove_api.models.to_many import ToMany
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from .partial_structs import Json

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


def plain_or_none(value: object) -> Any:
    """Return a nested object as plain JSON; if a part of it cannot be read, all as it was sent.

    Raises:
        MissingFieldError: Nothing of it can be read.
    """
    return msgspec.to_builtins(unset_to_none(value), enc_hook=lambda part: part.to_builtins())


def to_utc(moment: dt.datetime) -> dt.datetime:
    # (assumed: times-utc)
    # All times in the service's examples are UTC, so a time without a zone is read as UTC.
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def utc_or_none(value: dt.datetime | msgspec.UnsetType | None) -> dt.datetime | None:
    sent = unset_to_none(value)
    return None if sent is None else to_utc(sent)


def ids_of(relationship: ToMany | msgspec.UnsetType | None) -> tuple[str, ...]:
    sent = unset_to_none(relationship)
    return () if sent is None else tuple(item.id for item in sent.data)


@with_safe_repr
class Model(JsonView, Generic[W]):
    """A flat, immutable view of one JSON:API resource."""

    __slots__ = ("_index", "_source", "_wire")

    _module: ClassVar[str]
    """The name of the module of the generated struct, which is named like the model."""
    _kind: ClassVar[str]
    """The resource's `type` in JSON:API."""
    _attributes: ClassVar[tuple[str, ...]]
    _relationships: ClassVar[Mapping[str, str]] = {}
    _repr_fields: ClassVar[tuple[str, ...]] = ()
    _needed: ClassVar[tuple[str, ...]] = ()
    """Attributes without which a resource is of no use, in addition to the id."""
    _hidden: ClassVar[tuple[str, ...]] = ()
    """Attributes that are credentials as a whole, which no table shows."""

    # `[]` would let `iter()` try it with numbers.
    __iter__: ClassVar[None] = None

    def __init_subclass__(cls) -> None:
        # All properties of a model are fields of the contract, except for these and the relationships.
        others = {"id", "is_finished", "fields_set", *cls._relationships}
        properties = [name for name, member in vars(cls).items() if isinstance(member, property)]
        cls._attributes = tuple(name for name in properties if name not in others)

    @classmethod
    def _struct(cls, suffix: Literal["", "Document", "List"] = "") -> Any:
        """Return the generated struct of the resource, of a document of one, or of a list of them.

        It is imported only for what needs it.
        """
        module = f"{cls._module}_{suffix}".lower().rstrip("_")
        return getattr(import_module(f"contentgroove_api.models.{module}"), cls.__name__ + suffix)

    @classmethod
    def _read(cls, content: Json, source: JsonSource, index: int | None = None, *, log: bool = True) -> Self:
        """Create a model from its own JSON, which must not be nested too deeply; `log` what cannot be read.

        Raises:
            UnreadableError: There is no readable id, or another field that the next call needs is not readable.
        """
        struct = cls._struct()
        try:
            wire: Any = decoder(struct).decode(content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            from .partial_structs import UnreadableError, read_partly

            wire = read_partly(struct, content, cls.__name__, cls._relationships, log=log)
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
        return self._values() == other._values()

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._readable_names()}

    def __hash__(self) -> int:
        return hash((type(self), self.id))

    def __repr__(self) -> str:
        missing = self.missing
        fields = ", ".join(f"{name}={self._shown(name, missing, short_repr)}" for name in ("id", *self._repr_fields))
        return f"{type(self).__name__}({fields})"

    def _shown(self, name: str, missing: frozenset[str], write: Callable[[object], str]) -> str:
        return "<missing>" if name in missing else write(getattr(self, name))

    def _table_row(self) -> dict[str, str]:
        missing = self.missing
        names = ("id", *self._repr_fields)
        return {name: self._shown(name, missing, cell_text) for name in names if name not in self._hidden}

    def _table(self) -> Table:
        missing = self.missing
        names = [name for name in self._readable_names() if name not in self._hidden]
        rows = [(name, cell_text(getattr(self, name))) for name in names if getattr(self, name) is not None]
        rows += [(name, "<missing>") for name in sorted(missing)]
        return Table(("attribute", "value"), rows)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], /) -> Self:
        """Create a model from what `to_dict()` returned, in this process or another, by this version or another.

        Nothing is lost: the model is equal, and has the same `extra`, `missing` and, if nothing is missing,
        `fields_set`. Keys that this version does not know go to `extra`.

        Args:
            data: Values by the names of attributes; times as `datetime`s or as ISO 8601. An attribute that the
                contract requires must be there, or be named in `data["missing"]`.

        Raises:
            InvalidInputError: A value has a wrong type, or a required one is absent; the message names it.
        """
        from .dicts import invalid_dict, resource_json, undeclared
        from .partial_structs import UnreadableError

        shape = cls._shape()
        content = resource_json(shape, data)
        try:
            found = cls._read(content, JsonSource(content, ()), log=False)
            for name in undeclared(shape, found.missing, data):
                getattr(found, name)
        except UnreadableError as error:
            problem = str(error)
        except MissingFieldError as error:
            problem = f"{error.field} cannot be read, because {error.reason}"
        else:
            return found
        raise invalid_dict(shape, data, problem)

    @classmethod
    def _shape(cls) -> Shape:
        return Shape(cls.__name__, cls._kind, cls._struct(), cls._names(), cls._relationships)

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return ("id", *cls._attributes, *cls._relationships)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from .pydantic_schemas import model_core_schema

        return model_core_schema(cls, cls.from_dict)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from .pydantic_schemas import model_json_schema

        return model_json_schema(cls, cls._shape())

    def _readable_names(self) -> tuple[str, ...]:
        missing = self.missing
        return tuple(name for name in self._names() if name not in missing)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of `to_dict()`: all readable attributes, then of these those that are not empty.

        - `extra`: what this version does not know;
        - `missing`: the names of the attributes that cannot be read, and `extra` if that cannot be;
        - `absent`: the names of the attributes that the service omitted, whose values are None.
        """
        return (*self._readable_names(), *self._others())

    def _others(self) -> dict[str, Any]:
        missing, sent = self.missing, self.fields_set
        unread = sorted(missing)
        try:
            extra = self.extra
        except ResponseDecodeError:
            extra, unread = {}, sorted({*missing, "extra"})
        absent = [name for name in self._names() if name not in sent and name not in missing]
        return {name: value for name, value in (("extra", extra), ("missing", unread), ("absent", absent)) if value}

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes as the types of JSON, which `json.dumps` writes: times as ISO 8601 with their zone.

        `keys()` says what else it has. `from_dict()` takes it.
        """
        return {name: self[name] for name in self._readable_names()} | self._others()

    def __getitem__(self, name: str, /) -> Any:
        if name in {"extra", "missing", "absent"}:
            return self._others()[name]
        if name not in self._names():
            raise KeyError(name)
        return to_json_value(getattr(self, name))

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
        sent = _members(self._source.text(self._index))
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


def _members(content: Json | None) -> dict[str, msgspec.Raw]:
    """Return the members of an object; none if it is absent or not an object."""
    try:
        return {} if content is None else decoder(dict[str, msgspec.Raw]).decode(content)
    except msgspec.ValidationError:
        return {}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        # One of their names is not text.
        raise _unknown_part_error(error) from error


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
