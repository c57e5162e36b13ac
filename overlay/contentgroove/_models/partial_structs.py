"""Stand-ins for generated structs whose JSON matches the contract only in parts.

They are the fallback of the decoders: those read a struct as a whole or not at all, these read each field by itself.
What cannot be read raises a MissingFieldError when it is read, so nothing else needs to check for it.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, get_args, get_origin

import msgspec
from contentgroove_api.types import decoder

from contentgroove.errors import MissingFieldError

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger("contentgroove")

Json: TypeAlias = "bytes | msgspec.Raw"
"""JSON text that is not decoded yet, and is not nested too deeply."""

DECODE_ERRORS = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

_EXPECTED = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dt.datetime: "a time",
    list: "an array",
}
UNREADABLE = b'[{"unreadable":true}]'
"""In the JSON that `from_dict()` writes, what `to_dict()` could not read: no field can be read from it."""

_KINDS = {b'"': "a string", b"{": "an object", b"[": "an array", b"t": "true", b"f": "false", b"n": "null"}
_INTEGER = re.compile(rb"0|-?[1-9][0-9]{0,99}")
_INDEX = re.compile(r"\[[0-9]+\]")
_ESCAPES = re.compile(rb"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)")
"""In JSON text: an escaped backslash, a pair of surrogates, or, as the group, a surrogate without the other one."""

BOM = b"\xef\xbb\xbf"

_logged: dict[tuple[str, str], object] = {}
"""What was logged: at most once for each field of a model, of which there are few."""


class UnreadableError(ValueError):
    """JSON lacks what is needed to read anything of it; the message names the field."""


class _Defect(NamedTuple):
    """Why a field cannot be read: the location of what is wrong, and what is wrong with it."""

    location: str
    reason: str


class PartialStruct:
    """Has the attributes of a generated struct, of which some raise a MissingFieldError.

    Attributes:
        __struct_encode_fields__: The names of all fields in JSON, like those of structs.
    """

    def __init__(
        self,
        reader: _Reader,
        kind: type[msgspec.Struct],
        sent: Mapping[str, msgspec.Raw],
        values: Mapping[str, Any],
        defects: Mapping[str, _Defect],
    ) -> None:
        self.__struct_encode_fields__ = kind.__struct_encode_fields__
        self._reader = reader
        self._sent = sent
        self._defects = defects
        vars(self).update(values)

    def __getattr__(self, name: str) -> Any:
        # Called for names that are not set. Python looks up special names, too.
        defect = vars(self).get("_defects", {}).get(name)
        if defect is None:
            raise AttributeError(f"{type(self).__name__} has no attribute {name}")
        raise self._reader.error(defect)

    def was_sent(self, name: str) -> bool:
        """Return whether the JSON has a member of this name, whatever it is."""
        return name in self._sent

    def to_builtins(self) -> dict[str, Any]:
        """Return all that was sent as plain JSON.

        Raises:
            MissingFieldError: Nothing was: this stands in for what cannot be read at all.
        """
        if not self._sent:
            for defect in self._defects.values():
                raise self._reader.error(defect)
            for part in vars(self).values():
                if isinstance(part, PartialStruct):
                    part.to_builtins()
        return {name: msgspec.json.decode(part) for name, part in self._sent.items()}

    def sent_text(self, name: str) -> str | None:
        """Return the JSON text of a member, None if there is none."""
        found = self._sent.get(name)
        return None if found is None else bytes(found).decode(errors="replace")


def read_partly(
    kind: type[msgspec.Struct], content: Json, model: str, relationships: Mapping[str, str], *, log: bool = True
) -> Any:
    """Read a resource, field by field, and log what cannot be read.

    Args:
        kind: The generated struct of the resource.
        content: Its JSON.
        model: The name of the public class.
        relationships: The public names of relationships, with their names in JSON.
        log: False if the service did not send it.

    Raises:
        UnreadableError: It is not an object with a readable id.
    """
    sent = members(content, "it")
    names = {name: public for public, name in relationships.items()}
    reader = _Reader(model, _read_id(sent.get("id"), "id"), names, log=log)
    return reader.read(kind, sent, "")


def without_half_characters(content: bytes) -> bytes:
    """Return JSON text in which halves of characters are bytes that are not UTF-8.

    JSON allows such escapes, the first of a pair of surrogates without the second. Decoders refuse the whole text for
    one of them, but for such a byte only the string that has it.
    """
    return _ESCAPES.sub(lambda escape: b"\xff" if escape[1] else escape[0], content)


def members(content: Json, title: str) -> dict[str, msgspec.Raw]:
    """Return the members of an object, not decoded; `title` names it in the error.

    Raises:
        UnreadableError: It is not an object.
    """
    try:
        return decoder(dict[str, msgspec.Raw]).decode(content)
    except UnicodeDecodeError:
        # The name of a member is not text. Structs do not decode names that they do not know.
        return _known_members(content)
    except DECODE_ERRORS:
        raise UnreadableError(f"{title} is {json_kind(content)}, not an object") from None


def _known_members(content: Json) -> dict[str, msgspec.Raw]:
    found = decoder(_any_struct()).decode(content)
    values = ((name, getattr(found, field)) for field, name in _FIELDS.items())
    return {name: value for name, value in values if value is not msgspec.UNSET}


@cache
def _any_struct() -> type[msgspec.Struct]:
    """Create a struct with the names of all members that the contract knows."""
    import contentgroove_api.models as generated

    kinds = [getattr(generated, name) for name in generated.__all__]
    known = {name for kind in kinds for name in getattr(kind, "__struct_encode_fields__", ())}
    _FIELDS.update({f"field_{index}": name for index, name in enumerate(sorted(known | {"type"}))})
    fields = [(field, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for field in _FIELDS]
    return msgspec.defstruct("AnyStruct", fields, rename=_FIELDS)


_FIELDS: dict[str, str] = {}
"""The names of the members that the contract knows, by the attributes of `_any_struct`."""


def member(sent: Mapping[str, msgspec.Raw], name: str) -> msgspec.Raw:
    """Return a member that is needed.

    Raises:
        UnreadableError: There is none.
    """
    try:
        return sent[name]
    except KeyError:
        raise UnreadableError(f"{name} is absent") from None


def elements(content: Json, title: str) -> list[msgspec.Raw]:
    """Return the elements of an array, not decoded; `title` names it in the error.

    Raises:
        UnreadableError: It is not an array.
    """
    try:
        return decoder(list[msgspec.Raw]).decode(content)
    except DECODE_ERRORS:
        raise UnreadableError(f"{title} is {json_kind(content)}, not an array") from None


def json_kind(content: Json) -> str:
    """Return what kind of value a JSON text is; never a part of it, because it may be a secret."""
    return _KINDS.get(bytes(content).lstrip()[:1], "a number")


def log_once(model: str, field: str, subject: str, reason: str) -> None:
    """Log that a field deviates from the contract, once for each field of a model and process."""
    mark = object()
    # One step, so that of several threads only one logs.
    if _logged.setdefault((model, _INDEX.sub("[]", field)), mark) is mark:
        logger.warning(
            "%s differs from the API's contract: %s. The rest can be read. Further ones are not logged.",
            subject,
            reason,
        )


def _read_id(content: msgspec.Raw | None, location: str) -> str:
    if content is None:
        raise UnreadableError(f"{location} is absent")
    if _INTEGER.fullmatch(bytes(content)):
        # (assumed: ids-uuid)
        # JSON:API requires strings. A number still identifies the resource, and URLs contain its text.
        return bytes(content).decode()
    try:
        return decoder(str).decode(content)
    except DECODE_ERRORS:
        raise UnreadableError(f"{location} is {_deviation(content, str)}") from None


def _is_null(content: msgspec.Raw) -> bool:
    return bytes(content) == b"null"


def _deviation(content: Json, expected: type) -> str:
    actual, wanted = json_kind(content), _EXPECTED.get(expected, "an object")
    return f"{actual} that cannot be decoded" if actual == wanted else f"{actual}, not {wanted}"


class _Field(NamedTuple):
    """A field of a generated struct.

    Attributes:
        name: Its name in Python.
        key: Its name in JSON.
        declared: Its type as declared.
        kind: Its type without null and absence.
        struct: Its type if that is a struct, else None.
        element: The type of its elements if it is a list of structs, else None.
        default: Its value if it is absent; NODEFAULT if it is required.
    """

    name: str
    key: str
    declared: Any
    kind: Any
    struct: type[msgspec.Struct] | None
    element: type[msgspec.Struct] | None
    default: Any


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[_Field, ...]:
    found: list[_Field] = []
    for item in msgspec.structs.fields(struct):
        declared: Any = item.type
        is_list = get_origin(declared) is list
        kinds = [] if is_list else [part for part in get_args(declared) if part not in {type(None), msgspec.UnsetType}]
        kind = kinds[0] if kinds else declared
        element = get_args(kind)[0] if get_origin(kind) is list else None
        found.append(
            _Field(item.name, item.encode_name, declared, kind, _as_struct(kind), _as_struct(element), item.default)
        )
    return tuple(found)


def _as_struct(kind: Any) -> type[msgspec.Struct] | None:
    return kind if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else None


class _Reader:
    """Reads the parts of one resource."""

    def __init__(self, model: str, resource_id: str, names: Mapping[str, str], *, log: bool) -> None:
        self._model = model
        self._logs = log
        self._id = resource_id
        # The service chooses it, and logs are often read in a terminal.
        self._subject = f"{model} {resource_id if resource_id.isprintable() else ascii(resource_id)}"
        self._names = names

    def error(self, defect: _Defect) -> MissingFieldError:
        """Create the error of reading a field."""
        field = self._public_name(defect.location)
        return MissingFieldError(
            f"{self._subject}: {field} cannot be read, because {defect.reason} in what the service sent. "
            "Everything that is not in `missing` can be read.",
            model=self._model,
            resource_id=self._id,
            field=field,
            reason=defect.reason,
        )

    def read(self, kind: type[msgspec.Struct], sent: Mapping[str, msgspec.Raw], path: str) -> PartialStruct:
        """Read an object; `path` is where it is in the resource, with a dot at its end unless it is empty."""
        values: dict[str, Any] = {}
        defects: dict[str, _Defect] = {}
        for field in _fields(kind):
            location = path + field.key
            try:
                values[field.name] = self._value(field, sent.get(field.key), location)
            except UnreadableError as error:
                defect = _Defect(location, str(error))
                self._log(defect)
                if field.struct is None:
                    defects[field.name] = defect
                else:
                    # Absence and null leave out what may be left out; anything else says nothing about it.
                    content = sent.get(field.key)
                    is_absent = content is None or _is_null(content)
                    values[field.name] = self._stand_in(field.struct, defect, keep_optional=is_absent)
        return PartialStruct(self, kind, sent, values, defects)

    def _value(self, field: _Field, content: msgspec.Raw | None, location: str) -> Any:
        if content is None:
            if field.default is not msgspec.NODEFAULT:
                return field.default
            raise UnreadableError(f"{location} is absent")
        if field.key == "id":
            return _read_id(content, location)
        if bytes(content) == UNREADABLE:
            raise UnreadableError(f"{location} is a value that to_dict() could not read")
        try:
            return decoder(field.declared).decode(content)
        except DECODE_ERRORS:
            pass
        if _is_null(content):
            if field.element is not None:
                # JSON:API has an empty array for no resources; null says the same.
                return []
            raise UnreadableError(f"{location} is null")
        if field.struct is not None:
            return self.read(field.struct, members(content, location), f"{location}.")
        if field.element is not None:
            return self._elements(field.element, content, location)
        raise UnreadableError(f"{location} is {_deviation(content, get_origin(field.kind) or field.kind)}")

    def _elements(self, struct: type[msgspec.Struct], content: msgspec.Raw, location: str) -> list[Any]:
        """Read an array of resources: as a whole or not at all, because a shorter one would not show what it lacks."""
        found: list[Any] = []
        for index, element in enumerate(elements(content, location)):
            title = f"{location}[{index}]"
            sent = members(element, title)
            _read_id(sent.get("id"), f"{title}.id")
            found.append(self.read(struct, sent, f"{title}."))
        return found

    def _stand_in(self, struct: type[msgspec.Struct], defect: _Defect, *, keep_optional: bool) -> PartialStruct:
        """Stand for an object that cannot be read: none of its fields can be, unless they are optional and absent."""
        values: dict[str, Any] = {}
        defects: dict[str, _Defect] = {}
        for field in _fields(struct):
            inner = _Defect(f"{defect.location}.{field.key}", defect.reason)
            if keep_optional and field.default is not msgspec.NODEFAULT:
                values[field.name] = field.default
            elif field.struct is not None:
                values[field.name] = self._stand_in(field.struct, inner, keep_optional=keep_optional)
            else:
                defects[field.name] = inner
        return PartialStruct(self, struct, {}, values, defects)

    def _log(self, defect: _Defect) -> None:
        if self._logs:
            log_once(self._model, defect.location, self._subject, defect.reason)

    def _public_name(self, location: str) -> str:
        first, *others = location.split(".")
        if first == "attributes" and others:
            return others[0]
        if first == "relationships" and others:
            first = others[0]
        return self._names.get(first, first)
