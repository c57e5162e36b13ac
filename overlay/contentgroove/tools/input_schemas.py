"""Converts OpenAPI schemas to the JSON Schemas that hosts of tools understand and that arguments are checked with.

Schemas that several operations share are converted once. They are converted one after the other and not inside each
other, so that neither the number of references nor their length matters.
"""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.identifiers import References, Scope
from contentgroove._openapi.pointers import references
from contentgroove._openapi.schemas import has_subschemas, map_subschemas, translate_bounds

from .argument_checks import check_schema, is_supported_pattern
from .binary_values import BINARY_SCHEMA, is_binary
from .names import unused_name

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.identifiers import Target

INLINED = 1000
"""Characters of a schema without references up to which it is inlined: some hosts do not follow `$ref`."""

MAX_TOOL = 128 * 1024
"""Characters of the shared schemas of one tool; those beyond it are not described, and the service checks them."""

_PREFIX = "#/$defs/"
UNDESCRIBED: Json = {"description": "Too large to be described here; the service checks it."}
"""The schema of what is beyond it."""

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
_ALTERNATIVES = frozenset({"anyOf", "oneOf"})
# What a schema may have beside `$ref` without a further effect on values.
_ANNOTATIONS = frozenset(
    {
        "$ref", "title", "description", "example", "examples", "deprecated", "readOnly", "writeOnly", "default",
        "$id", "$anchor", "$dynamicAnchor", "$defs", "$comment", "$schema",
    }
)  # fmt: skip

Form: TypeAlias = Literal["", "body", "field"]


class Context(NamedTuple):
    """What the conversion of a schema depends on beside the schema.

    Attributes:
        composed: Whether it is a part of another schema, which may add properties.
        form: Whether it is the body of a form, or a field of one, whose binary values are bytes and not text.
        read_only: The names that another part declares as read-only.
        base: The URI that its references are relative to.
        scope: The dynamic anchors around it.
    """

    composed: bool = False
    form: Form = ""
    read_only: frozenset[str] = frozenset()
    base: str = ""
    scope: Scope = ()


class _Definition(NamedTuple):
    """A shared schema: converted, its size, and the names that it refers to."""

    schema: Any
    size: int
    names: tuple[str, ...]


class Converter:
    """Converts schemas of one document.

    Args:
        document: The document that `$ref`s refer to; it must not change.
        closed: Whether objects that list their properties refuse others by default.
    """

    def __init__(self, document: Json, *, closed: bool) -> None:
        self._references = References(document)
        # In OpenAPI 3.0, what is beside `$ref` does not count.
        self._siblings = str(document.get("openapi", "")) >= "3.1"
        self._closed = closed
        self._names: dict[tuple[str, Context], str] = {}
        self._targets: dict[str, tuple[Target, Context]] = {}
        self._started: dict[str, Any] = {}
        self._definitions: dict[str, _Definition] = {}
        self._inline: dict[str, Any] = {}
        self._root = Context(scope=self._references.scope_of((), ""))

    def convert(self, schema: Any, form: Form = "") -> Any:
        """Return the schema as JSON Schema 2020-12, with references to `#/$defs/…`.

        Args:
            schema: The schema.
            form: "body" if it describes a form: binary values of its fields are then bytes.

        Raises:
            DocumentError: A reference names nothing in the document.
            SpecError: It is not a JSON Schema.
        """
        converted = self._convert(schema, self._root._replace(form=form))
        for name in _references(converted):
            self._define(name)
        converted = self._inlined(converted)
        check_schema(converted, "The operation")
        return converted

    def follow(self, schema: Any) -> Json:
        """Return the schema that a schema's `$ref` names, or itself.

        Raises:
            DocumentError: It names nothing in the document.
        """
        members, base, seen = as_object(schema), "", set[str]()
        while isinstance(reference := members.get("$ref"), str) and reference not in seen:
            seen.add(reference)
            target = self._references.follow(reference, base)
            members, base = as_object(target.schema), target.base
        return members

    def definitions(self, schema: Any) -> Json:
        """Return the `$defs` that a converted schema needs; the nearest are described if there are too many."""
        found: Json = {}
        size = 0
        pending = _references(schema)
        for name in pending:
            if name in found:
                continue
            definition = self._definitions[name]
            size += definition.size
            found[name] = definition.schema if size <= MAX_TOOL else UNDESCRIBED
            if size <= MAX_TOOL:
                pending.extend(definition.names)
        return found

    def _define(self, first: str) -> None:
        """Convert a shared schema after those that it refers to, so that the small ones can be inlined."""
        stack, visited = [first], {first}
        while stack:
            name = stack[-1]
            if name in self._definitions:
                stack.pop()
                continue
            if name not in self._started:
                target, context = self._targets[name]
                self._started[name] = self._convert(target.schema, context)
            inner = [other for other in _references(self._started[name]) if other not in visited]
            if inner := [other for other in inner if other not in self._definitions]:
                visited.update(inner)
                stack.extend(reversed(inner))
                continue
            schema = self._inlined(self._started[name])
            check_schema(schema, f"The schema {self._targets[name][0].uri!r}")
            names, size = _references(schema), len(json.dumps(schema))
            self._definitions[name] = _Definition(schema, size, tuple(names))
            if not names and size <= INLINED:
                self._inline[name] = schema
            stack.pop()

    def _inlined(self, schema: Any) -> Any:
        """Replace the references to small schemas by these."""
        if isinstance(schema, list):
            return [self._inlined(item) for item in cast("list[Any]", schema)]
        if not isinstance(schema, dict):
            return schema
        members = cast("Json", schema)
        name = str(members.get("$ref", "")).removeprefix(_PREFIX)
        if name not in self._inline:
            return {key: self._inlined(value) for key, value in members.items()}
        inlined: Any = self._inline[name]
        beside = {key: value for key, value in members.items() if key != "$ref"}
        return as_object(inlined) | beside if isinstance(inlined, dict) else inlined

    def _convert(self, schema: Any, context: Context) -> Any:
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else {}
        members = cast("Json", schema)
        base, scope = self._references.enter(members, context.base, context.scope)
        context = context._replace(base=base, scope=scope)
        if isinstance(members.get("$ref"), str):
            return self._reference(members, context)
        if context.form == "field" and is_binary(members, untyped=self._siblings):
            return _described(BINARY_SCHEMA, members)
        context = context._replace(read_only=context.read_only | self._read_only(members, context))
        converted: Json = {}
        for keyword, value in members.items():
            name = "propertyNames" if keyword == "x-propertyNames" else keyword
            if _is_supported_keyword(name, value):
                converted[name] = value
            elif has_subschemas(name, value) and name != "$defs":
                convert = functools.partial(self._convert_part, keyword=name, context=self._below(name, context))
                converted[name] = map_subschemas(name, value, convert)
        for pattern in [*converted.get("patternProperties", ())]:
            if not is_supported_pattern(pattern):
                del converted["patternProperties"][pattern]
        if isinstance(members.get("$dynamicRef"), str):
            self._add_dynamic(converted, members["$dynamicRef"], context)
        _without_read_only(converted, context.read_only)
        translate_bounds(converted)
        open_ended = context.composed or _COMPOSED & converted.keys() - {"not"}
        if self._closed and not open_ended and "properties" in converted:
            converted.setdefault("additionalProperties", False)
        return _nullable(converted) if members.get("nullable") is True else converted

    def _convert_part(self, schema: Any, *, keyword: str, context: Context) -> Any:
        # An alternative that demands nothing but what is read-only would apply to everything without that demand.
        demands = set(as_list(as_object(schema).get("required"))) if keyword in _ALTERNATIVES else set[Any]()
        if demands and demands <= context.read_only and len(schema) == 1:
            context = context._replace(read_only=frozenset())
        return self._convert(schema, context)

    def _below(self, keyword: str, context: Context) -> Context:
        if keyword in {"not", "if"}:
            return context._replace(composed=self._closed, read_only=frozenset())
        if keyword in _COMPOSED:
            return context._replace(composed=self._closed)
        form: Form = ""
        if (context.form == "body" and keyword == "properties") or (context.form == "field" and keyword == "items"):
            form = "field"
        return Context(composed=context.composed, form=form, base=context.base, scope=context.scope)

    def _reference(self, members: Json, context: Context) -> Any:
        converted = self._named(self._references.follow(members["$ref"], context.base), context)
        beside = {key: value for key, value in members.items() if key not in _ANNOTATIONS and not key.startswith("x-")}
        if self._siblings and beside:
            # Not in a part of its own: `unevaluatedProperties` sees what is named beside it, and nothing else.
            combined: Json = self._convert(beside, context._replace(composed=self._closed))
            converted = {**combined, "allOf": [converted, *as_list(combined.get("allOf"))]}
        return _described(converted, members)

    def _add_dynamic(self, converted: Json, reference: str, context: Context) -> None:
        target = self._references.follow_dynamic(reference, context.base, context.scope)
        converted.setdefault("allOf", []).append(self._named(target, context))

    def _named(self, target: Target, context: Context) -> Json:
        """Return a reference to the conversion of a schema."""
        scope = self._references.scope_of(context.scope, target.base)
        key = (target.uri, context._replace(base=target.base, scope=scope))
        if key not in self._names:
            last = re.sub(r"[^A-Za-z0-9._-]", "_", re.split("[/#]", target.uri)[-1]) or "schema"
            self._names[key] = unused_name(last, self._targets, "_")
            self._targets[self._names[key]] = (target, key[1])
        return {"$ref": f"{_PREFIX}{self._names[key]}"}

    def _read_only(self, members: Json, context: Context) -> frozenset[str]:
        """Return the names of the properties that are read-only in an object or a part of its `allOf`."""
        found: set[str] = set()
        pending, seen = [(members, context.base)], set[str]()
        while pending:
            schema, base = pending.pop()
            reference = schema.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                target = self._references.follow(reference, base)
                pending.append((as_object(target.schema), target.base))
            for name, value in as_object(schema.get("properties")).items():
                if self._is_read_only(as_object(value), base):
                    found.add(name)
            pending += [(as_object(part), base) for part in as_list(schema.get("allOf"))]
        return frozenset(found)

    def _is_read_only(self, schema: Json, base: str) -> bool:
        # What one part of an `allOf` says, or what a `$ref` names, holds for the whole.
        pending, seen = [(schema, base)], set[str]()
        while pending:
            part, base = pending.pop()
            if part.get("readOnly") is True:
                return True
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                target = self._references.follow(reference, base)
                pending.append((as_object(target.schema), target.base))
            pending += [(as_object(inner), base) for inner in as_list(part.get("allOf"))]
        return False


def _described(converted: Json, members: Json) -> Json:
    if isinstance(members.get("description"), str):
        return converted | {"description": members["description"]}
    return converted


def _is_supported_keyword(name: str, value: Any) -> bool:
    if name == "pattern":
        return isinstance(value, str) and is_supported_pattern(value)
    return name in _KEPT or (name in _TEXTS and isinstance(value, str))


def _references(schema: Any) -> list[str]:
    """Return the names of the shared schemas that a converted one refers to, each once, in order."""
    return [name.removeprefix(_PREFIX) for name in dict.fromkeys(references(schema)) if name.startswith(_PREFIX)]


def _without_read_only(converted: Json, names: frozenset[str]) -> None:
    # They are for responses only; a request should not contain them (OpenAPI 3.0.4, "Schema Object").
    properties = as_object(converted.get("properties"))
    for name in names & properties.keys():
        del properties[name]
    if names and isinstance(converted.get("required"), list):
        converted["required"] = [name for name in converted["required"] if name not in names]


def _nullable(converted: Json) -> Json:
    kind = converted.get("type")
    if not isinstance(kind, str) or _COMPOSED & converted.keys():
        return {"anyOf": [converted, {"type": "null"}]}
    widened = {**converted, "type": [kind, "null"]}
    if isinstance(widened.get("enum"), list) and None not in widened["enum"]:
        widened["enum"] = [*widened["enum"], None]
    return widened
