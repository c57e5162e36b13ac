"""Converts OpenAPI schemas to the JSON Schemas that hosts of tools understand and that arguments are checked with."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import references, resolve_reference
from contentgroove._openapi.schemas import has_subschemas, map_subschemas, translate_bounds

from .arguments import is_supported_pattern
from .errors import SpecError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

INLINED = 1000
"""Characters of a schema without references up to which it is inlined: some hosts do not follow `$ref`."""

MAX_TOOL = 512 * 1024
"""Characters of one tool's schema."""

_KEPT = frozenset(
    {
        "type", "enum", "const", "default", "format", "deprecated",
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength",
        "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "dependentRequired",
        "minContains", "maxContains", "contentEncoding", "contentMediaType",
    }
)  # fmt: skip
_TEXTS = frozenset({"title", "description"})
_COMPOSED = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})


class Converter:
    """Converts schemas of one document; shared schemas are converted once.

    Args:
        document: The document that `$ref`s refer to.
        closed: Whether objects that list their properties refuse others by default.
    """

    def __init__(self, document: Json, *, closed: bool) -> None:
        self._document = document
        self._closed = closed
        self._names: dict[str, str] = {}
        self._definitions: dict[str, Any] = {}
        self._inline: dict[str, Any] = {}

    def convert(self, schema: Any) -> Any:
        """Return the schema as JSON Schema 2020-12, with references to `#/$defs/…`."""
        return self._convert(schema, composed=False)

    def definitions(self, schema: Any, what: str) -> Json:
        """Return the `$defs` that a converted schema needs.

        Raises:
            SpecError: They are too large for a tool.
        """
        found: Json = {}
        size = len(json.dumps(schema))
        pending = sorted(_references(schema))
        while pending:
            name = pending.pop(0)
            if name not in found:
                found[name] = self._definitions[name]
                size += len(json.dumps(found[name]))
                if size > MAX_TOOL:
                    raise SpecError(f"{what} has a schema of more than {MAX_TOOL:,} characters.")
                pending.extend(sorted(_references(found[name])))
        return found

    def _convert(self, schema: Any, *, composed: bool) -> Any:
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else {}
        members = cast("Json", schema)
        if "$ref" in members:
            return self._reference(members, composed=composed)
        converted: Json = {}
        for keyword, value in members.items():
            name = "propertyNames" if keyword == "x-propertyNames" else keyword
            if _is_supported_keyword(name, value):
                converted[name] = value
            elif has_subschemas(name, value) and name != "$defs":
                convert = functools.partial(self._convert, composed=composed or name in _COMPOSED)
                converted[name] = map_subschemas(name, value, convert)
        _drop_unsupported_patterns(converted)
        _without_read_only(members, converted)
        translate_bounds(converted)
        open_ended = composed or _COMPOSED & converted.keys() - {"not"}
        if self._closed and not open_ended and "properties" in converted:
            converted.setdefault("additionalProperties", False)
        return _nullable(converted) if members.get("nullable") is True else converted

    def _reference(self, members: Json, *, composed: bool) -> Any:
        reference = str(members["$ref"])
        key = f"{reference} {composed}"
        if key not in self._names:
            self._names[key] = name = self._unused_name(reference)
            self._definitions[name] = self._convert(resolve_reference(self._document, reference), composed=composed)
            definition = self._definitions[name]
            if not _references(definition) and len(json.dumps(definition)) <= INLINED:
                self._inline[key] = definition
        if key not in self._inline:
            return {"$ref": f"#/$defs/{self._names[key]}"}
        inlined: Any = self._inline[key]
        if isinstance(inlined, dict) and isinstance(members.get("description"), str):
            return cast("Json", inlined) | {"description": members["description"]}
        return cast("Any", inlined)

    def _unused_name(self, reference: str) -> str:
        last = re.sub(r"[^A-Za-z0-9._-]", "_", reference.rpartition("/")[2])
        taken = set(self._names.values())
        name, number = last, 2
        while name in taken:
            name, number = f"{last}_{number}", number + 1
        return name


def _is_supported_keyword(name: str, value: Any) -> bool:
    if name == "pattern":
        return isinstance(value, str) and is_supported_pattern(value)
    return name in _KEPT or (name in _TEXTS and isinstance(value, str))


def _references(schema: Any) -> set[str]:
    prefix = "#/$defs/"
    return {reference.removeprefix(prefix) for reference in references(schema) if reference.startswith(prefix)}


def _drop_unsupported_patterns(converted: Json) -> None:
    if isinstance(named := converted.get("patternProperties"), dict):
        kept = {name: schema for name, schema in cast("Json", named).items() if is_supported_pattern(name)}
        converted["patternProperties"] = kept


def _without_read_only(members: Json, converted: Json) -> None:
    # They are for responses only; a request should not contain them (OpenAPI 3.0.4, "Schema Object").
    properties = members.get("properties")
    if not isinstance(properties, dict):
        return
    for name, schema in cast("Json", properties).items():
        if isinstance(schema, dict) and cast("Json", schema).get("readOnly") is True:
            del converted["properties"][name]
            if isinstance(converted.get("required"), list):
                converted["required"] = [other for other in converted["required"] if other != name]


def _nullable(converted: Json) -> Json:
    kind = converted.get("type")
    if not isinstance(kind, str) or _COMPOSED & converted.keys():
        return {"anyOf": [converted, {"type": "null"}]}
    widened = {**converted, "type": [kind, "null"]}
    if isinstance(widened.get("enum"), list) and None not in widened["enum"]:
        widened["enum"] = [*widened["enum"], None]
    return widened
