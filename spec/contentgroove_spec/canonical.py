"""The canonical form of operations: one form for all that is equal on the wire, by the rules of OpenAPI 3.1.

Texts for people and generators are omitted; default values are explicit or omitted everywhere alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.operations import METHODS

from .operations import Operation, parameter_numbers
from .references import RECURSION

if TYPE_CHECKING:
    from .documents import Document

SCHEMA_DOCUMENTATION = frozenset(
    {"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "$id", "$schema", "$anchor"}
)

# A keyword with this value means the same as without it.
_DEFAULTS: dict[str, Any] = {
    "required": [],
    "readOnly": False,
    "writeOnly": False,
    "deprecated": False,
    "uniqueItems": False,
    "additionalProperties": True,
    "minLength": 0,
    "minItems": 0,
    "minProperties": 0,
    "nullable": False,
    "properties": {},
}
_SCHEMA_MAPS = ("properties", "patternProperties", "dependentSchemas", "$defs")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMAS = ("items", "not", "additionalProperties", "if", "then", "else", "contains", "propertyNames")
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}


class Canonical:
    """Converts the operations of one document, whose references are expanded, to canonical form.

    The same schema object is converted once; the result must not be changed.
    """

    def __init__(self) -> None:
        """Start without known schemas."""
        self._known: dict[int, tuple[Any, Any]] = {}

    def operation(self, operation: Operation) -> Document:
        """Return an operation in canonical form."""
        return self._operation(operation.definition, parameter_numbers(operation.path))

    def _operation(self, definition: Document, numbers: dict[str, str]) -> Document:
        result: Document = {}
        parameters = [self._parameter(parameter, numbers) for parameter in definition.get("parameters", [])]
        if parameters:
            result["parameters"] = sorted(parameters, key=lambda parameter: (parameter["in"], parameter["name"]))
        if "requestBody" in definition:
            body = definition["requestBody"]
            result["requestBody"] = {"required": body.get("required", False), "content": self._content(body)}
        responses = {str(status): self._response(item) for status, item in definition.get("responses", {}).items()}
        result["responses"] = {status: item for status, item in responses.items() if not status.startswith("x-")}
        callbacks = {name: self._callback(item) for name, item in definition.get("callbacks", {}).items()}
        if callbacks:
            result["callbacks"] = callbacks
        if definition.get("security"):
            result["security"] = definition["security"]
        if definition.get("deprecated"):
            result["deprecated"] = True
        return result

    def _callback(self, callback: Document) -> Document:
        return {
            expression: {method: self._operation(item[method], {}) for method in METHODS if method in item}
            for expression, item in callback.items()
            if not expression.startswith("x-")
        }

    def _parameter(self, parameter: Document, numbers: dict[str, str]) -> Document:
        location, name = str(parameter.get("in")), str(parameter.get("name"))
        if location == "path":
            name = numbers.get(name, name)
        elif location == "header":
            name = name.lower()
        return {"name": name, "in": location, **self._value(parameter, _STYLES.get(location, "simple"))}

    def _value(self, holder: Document, style: str) -> Document:
        """Convert what parameters and headers have in common."""
        result: Document = {}
        if "content" in holder:
            result["content"] = self._content(holder)
        else:
            result["style"] = holder.get("style", style)
            result["explode"] = holder.get("explode", result["style"] == "form")
            if "schema" in holder:
                result["schema"] = self.schema(holder["schema"])
        for flag in ("required", "allowReserved", "allowEmptyValue", "deprecated"):
            if holder.get(flag):
                result[flag] = True
        return result

    def _response(self, response: Document) -> Document:
        # Redocly treats an empty object as a missing response.
        result: Document = {"description": ""}
        content = self._content(response)
        if content:
            result["content"] = content
        headers = {name.lower(): self._value(header, "simple") for name, header in response.get("headers", {}).items()}
        if headers:
            result["headers"] = headers
        return result

    def _content(self, holder: Document) -> Document:
        result: Document = {}
        for name, media in holder.get("content", {}).items():
            canonical = {"schema": self.schema(media["schema"])} if "schema" in media else {}
            if media.get("encoding"):
                canonical["encoding"] = media["encoding"]
            result[name.lower().replace(" ", "")] = canonical
        return result

    def schema(self, schema: Any) -> Any:
        """Return a schema in canonical form, as JSON Schema 2020-12."""
        if not isinstance(schema, dict):
            return schema
        members = cast("Document", schema)
        if id(members) not in self._known:
            # The schema is kept alive, because a freed object's id may be used again.
            self._known[id(members)] = (members, _normalise(self._members(members)))
        return self._known[id(members)][1]

    def _members(self, schema: Document) -> Document:
        result: Document = {}
        for keyword, value in schema.items():
            if keyword in SCHEMA_DOCUMENTATION or (keyword.startswith("x-") and keyword != RECURSION):
                continue
            if keyword in _SCHEMA_MAPS and isinstance(value, dict):
                members = cast("Document", value)
                result[keyword] = {name: self.schema(member) for name, member in members.items()}
            elif keyword in _SCHEMA_LISTS and isinstance(value, list):
                result[keyword] = [self.schema(member) for member in cast("list[Any]", value)]
            elif keyword in _SCHEMAS:
                result[keyword] = self.schema(value)
            else:
                result[keyword] = value
        return result


def _normalise(schema: Document) -> Document:
    schema = _with_parts_merged(schema)
    _normalise_bounds(schema)
    kinds = schema.get("type")
    names = list(cast("list[str]", kinds)) if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []
    if schema.pop("nullable", False) and names and "null" not in names:
        names.append("null")
    if not names:
        # A schema with properties or items means objects or arrays, even without a type.
        names = ["object"] if schema.get("properties") else ["array"] if "items" in schema else []
    if names:
        schema["type"] = names[0] if len(names) == 1 else sorted(names)
    for keyword in ("enum", "required"):
        if isinstance(schema.get(keyword), list):
            schema[keyword] = sorted(schema[keyword], key=repr)
    if schema.get("additionalProperties") == {}:
        del schema["additionalProperties"]
    # Types are compared as well, because 0 == False in Python.
    return {
        keyword: value
        for keyword, value in schema.items()
        if keyword not in _DEFAULTS or type(value) is not type(_DEFAULTS[keyword]) or value != _DEFAULTS[keyword]
    }


def _normalise_bounds(schema: Document) -> None:
    """Convert OpenAPI 3.0's boolean bounds to numbers."""
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and bound in schema:
            schema[exclusive] = schema.pop(bound)


def _with_parts_merged(schema: Document) -> Document:
    """Merge the parts of an `allOf` with the keywords next to it, unless two of them disagree."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or not parts:
        return schema
    own = {keyword: value for keyword, value in schema.items() if keyword != "allOf"}
    result: Document = {}
    for part in [*cast("list[Any]", parts), own]:
        if not isinstance(part, dict):
            return schema
        for keyword, value in cast("Document", part).items():
            if keyword not in result or result[keyword] == value:
                result[keyword] = value
            elif keyword == "required":
                result[keyword] = list(dict.fromkeys([*result[keyword], *value]))
            elif keyword == "properties" and all(result[keyword].get(k, v) == v for k, v in value.items()):
                result[keyword] = {**result[keyword], **value}
            else:
                return schema
    return result
