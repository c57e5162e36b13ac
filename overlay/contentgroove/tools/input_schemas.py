"""Converts OpenAPI schemas to the JSON Schemas that hosts of tools understand and that arguments are checked with."""

from __future__ import annotations

import functools
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs

from contentgroove._openapi.pointers import references, resolve_reference
from contentgroove._openapi.schemas import has_subschemas, map_subschemas, translate_bounds

from .results import SpecError, ToolError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from contentgroove._openapi.documents import Json

INLINED = 1000
"""Characters of a schema without references up to which it is inlined: some hosts do not follow `$ref`."""

MAX_TOOL = 512 * 1024
"""Characters of one tool's schema."""

MAX_PROBLEMS = 5
"""Problems in one message."""

MAX_MESSAGE = 300
"""Characters for one problem: it can quote a whole value."""

# A pattern in a document that was added can need exponential time.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


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
        for pattern in [*converted.get("patternProperties", ())]:
            if not is_supported_pattern(pattern):
                del converted["patternProperties"][pattern]
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
            last = re.sub(r"[^A-Za-z0-9._-]", "_", reference.rpartition("/")[2])
            self._names[key] = name = unused_name(last, self._names.values(), "_")
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


def unused_name(name: str, taken: Collection[str], separator: str = "") -> str:
    """Return a name, with a number at its end if it is taken."""
    numbered = (f"{name}{separator}{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], numbered) if free not in taken)


def _is_supported_keyword(name: str, value: Any) -> bool:
    if name == "pattern":
        return isinstance(value, str) and is_supported_pattern(value)
    return name in _KEPT or (name in _TEXTS and isinstance(value, str))


def _references(schema: Any) -> set[str]:
    prefix = "#/$defs/"
    return {reference.removeprefix(prefix) for reference in references(schema) if reference.startswith(prefix)}


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


@functools.lru_cache(maxsize=4096)
def is_supported_pattern(pattern: str) -> bool:
    """Return whether a regular expression can be used here; some documents have those of other languages."""
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
    except ValueError:
        return False
    return True


def compile_schema(schema: Json, what: str) -> jsonschema_rs.Validator:
    """Create the validator of a tool's arguments.

    Raises:
        SpecError: The schema is not valid.
    """
    try:
        return jsonschema_rs.Draft202012Validator(schema, pattern_options=_PATTERNS, validate_formats=False)
    except (ValueError, TypeError, RecursionError, jsonschema_rs.ReferencingError) as error:
        # The first line has the reason; the others quote the schema.
        reason = str(error).partition("\n")[0][:MAX_MESSAGE]
        raise SpecError(f"{what} has a schema that is not a valid JSON Schema: {reason}.") from error


def check_arguments(validator: jsonschema_rs.Validator, arguments: Json, tool: str) -> None:
    """Check a tool's arguments.

    Raises:
        ToolError: They do not match; the message and the details name each field.
    """
    problems: list[Json] = []
    for error in validator.iter_errors(arguments):
        problems.extend({"field": field, "problem": problem[:MAX_MESSAGE]} for field, problem in _explain(error))
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        text = "; ".join(f"{problem['field']}: {problem['problem']}" for problem in problems)
        raise ToolError("invalid_input", f"{tool} was not called. {text}.", details=problems)


def _explain(error: jsonschema_rs.ValidationError) -> Iterator[tuple[str, str]]:
    kind: Any = error.kind
    path = [str(step) for step in error.instance_path]

    def field(*further: str) -> str:
        return ".".join((*path, *further)) or "arguments"

    match str(kind.name):
        case "required":
            yield field(kind.property), "is required"
        case "additionalProperties":
            for name in kind.unexpected:
                yield field(name), "is not known"
        case "falseSchema":
            # An object without any properties reports this instead.
            yield field(), "is not known"
        case "propertyNames":
            yield field(kind.error.instance), f"is not an allowed name: {kind.error.message}"
        case "not":
            # The rule comes first in the message; the value after it may be long, and the caller knows it.
            rule = error.message.partition(" is not allowed for ")[0]
            yield field(), f"does not match any allowed combination of members; it must not match: {rule}"
        case _:
            yield field(), error.message
