"""Lets openapi-core read values in the styles of OpenAPI, of URLs, headers and forms; its limits are in `reading`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import unquote, unquote_plus

from openapi_core.casting.schemas.exceptions import CastError
from openapi_core.deserializing.exceptions import DeserializeError
from openapi_core.deserializing.styles import StyleDeserializersFactory, style_deserializers
from openapi_core.deserializing.styles.deserializers import StyleDeserializer
from openapi_core.schema.schemas import get_properties
from openapi_core.validation.schemas.exceptions import ValidateError
from werkzeug.datastructures import Headers, ImmutableMultiDict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jsonschema_path import SchemaPath

Json: TypeAlias = dict[str, Any]

_KINDS = {dict: "object", list: "array", bool: "boolean", int: "integer", float: "number", type(None): "null"}


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a form, encoded."""


class Parts(ImmutableMultiDict[str, Any]):
    """The parts of a multipart body, bytes."""


def pairs_of(pairs: list[str], decode: Callable[[str], str]) -> list[tuple[str, str]]:
    split = (pair.partition("=") for pair in pairs if pair)
    return [(decode(name), value) for name, _, value in split]


def decoder(location: object) -> Callable[[Any], Any]:
    """Return how values at a location are decoded: those of headers are not encoded."""
    if isinstance(location, Headers):
        return str
    if isinstance(location, Parts):
        return bytes.decode
    return unquote_plus if isinstance(location, Fields) else unquote


def kinds_of(schema: SchemaPath, level: int = 0) -> set[str]:
    """Return the types that a schema allows, those of its parts and alternatives included."""
    named = schema.getkey("type")
    found = {named} if isinstance(named, str) else set(cast("list[str]", named or ()))
    for keyword in ("allOf", "anyOf", "oneOf"):
        if not found and keyword in schema and level < 5:
            found = {kind for part in schema / keyword for kind in kinds_of(part, level + 1)}
    if not found and "properties" in schema:
        found = {"object"}
    if not found:
        # Values that are listed say it, too.
        listed = [*schema.getkey("enum", ()), *([schema.getkey("const")] if "const" in schema else [])]
        found = {_KINDS.get(type(value), "string") for value in listed}
    return found - {"null"}


def all_properties(schema: SchemaPath, level: int = 0) -> dict[str, SchemaPath]:
    found = get_properties(schema)
    for keyword in ("allOf", "anyOf", "oneOf"):
        if keyword in schema and level < 5:
            for part in schema / keyword:
                found = {**all_properties(part, level + 1), **found}
    return found


def is_bytes(schema: SchemaPath) -> bool:
    return schema.getkey("format") == "binary" or "contentEncoding" in schema or "contentMediaType" in schema


class Styles(StyleDeserializersFactory):
    """Makes what reads a value in a style."""

    def create(self, style: str, explode: bool, schema: SchemaPath, name: str) -> StyleDeserializer:  # noqa: FBT001 - given
        """Make it."""
        caster = self.schema_casters_factory.create(schema)
        return _Style(style, explode, name, schema, caster, self.style_deserializers.get(style))


class _Style(StyleDeserializer):
    def deserialize(self, location: Mapping[str, Any]) -> Any:
        kinds = kinds_of(self.schema)
        kind = next(iter(kinds)) if len(kinds) == 1 else ""
        decode = decoder(location)
        if isinstance(location, Parts) and self.name in location:
            # A style writes texts; the bytes of a file have none.
            if is_bytes(self.schema):
                return location[self.name]
            if "items" in self.schema and is_bytes(self.schema / "items"):
                return location.getlist(self.name)
        try:
            value = self._split(kind, location, decode)
            return self._cast(value)
        except CastError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise DeserializeError(self.style, self.name) from error

    def _split(self, kind: str, location: Any, decode: Callable[[Any], Any]) -> Any:
        read = self.deserializer_callable
        assert read is not None
        if self.style == "form" and self.explode and kind == "object":
            return self._members(location, decode)
        if self.style == "deepObject":
            return _deep(self.name, location, decode)
        if self.style == "form" and self.explode and not kind and len(location.getlist(self.name)) > 1:
            kind = "array"
        if self.style in {"matrix", "label"}:
            name = f"{';' if self.style == 'matrix' else '.'}{self.name}{'*' if self.explode else ''}"
            location = {name: location[self.name]}
        elif self.style == "pipeDelimited" and not self.explode:
            location = {self.name: location[self.name].replace("%7C", "|")}
        elif self.style in {"spaceDelimited", "pipeDelimited"} and self.explode:
            read = style_deserializers["form"]
        return _each(read(self.explode, self.name, kind, location), decode)

    def _members(self, location: Any, decode: Callable[[Any], Any]) -> Json:
        found = {
            name: [decode(item) for item in location.getlist(name)] if "array" in kinds_of(schema) else
            decode(location[name])
            for name, schema in all_properties(self.schema).items()
            if name in location
        }  # fmt: skip
        found = found or {name: decode(location[name]) for name in location}
        if not found:
            raise KeyError(self.name)
        return found

    def _cast(self, value: Any) -> Any:
        # Nothing on the wire tells the type of a text. What the schema allows counts.
        validator = self.caster.schema_validator
        first: Exception | None = None
        candidates: tuple[Callable[[], Any], ...] = (lambda: self.caster.cast(_copy(value)), lambda: typed(value))
        for candidate in candidates:
            try:
                casted = candidate()
                validator.validate(casted)
            except (ValidateError, CastError, ValueError, TypeError, AttributeError) as error:
                first = first or error
            else:
                return casted
        if isinstance(first, ValidateError):
            return self.caster.cast(value)
        raise CastError(value, str(self.schema_type)) from first


def _copy(value: Any) -> Any:
    return dict(cast("Json", value)) if isinstance(value, dict) else value


def _each(value: Any, decode: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {decode(key): decode(item) for key, item in cast("Json", value).items()}
    return [decode(item) for item in cast("list[Any]", value)] if isinstance(value, list) else decode(value)


def typed(value: Any) -> Any:
    """Return a value whose texts are what they are in JSON, if they are that."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in cast("Json", value).items()}
    if isinstance(value, list):
        return [typed(item) for item in cast("list[Any]", value)]
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _deep(name: str, location: Any, decode: Callable[[Any], Any]) -> Any:
    """Read `name[a][b]`, as query strings are usually read; OpenAPI defines one level ("Style Values")."""
    if name in location:
        # A value that is not an object, which OpenAPI leaves undefined.
        return decode(location[name])
    found: Any = {}
    for key in location:
        if key.startswith(f"{name}[") and key.endswith("]"):
            steps = key[len(name) + 1 : -1].split("][")
            values = [decode(value) for value in location.getlist(key)]
            if steps[-1] == "":
                steps, value = steps[:-1], values
            else:
                value = values[0]
            if not steps:
                return value
            node = found
            for step in steps[:-1]:
                node = node.setdefault(step, {})
            node[steps[-1]] = value
    if not found:
        raise KeyError(name)
    return _as_lists(found)


def _as_lists(value: Any) -> Any:
    """Return objects whose members are numbered as arrays."""
    if not isinstance(value, dict):
        return value
    members = {key: _as_lists(item) for key, item in cast("Json", value).items()}
    if members and list(members) == [str(number) for number in range(len(members))]:
        return list(members.values())
    return members
