"""The canonical form of operations: one form for all that is equal on the wire, by the rules of OpenAPI 3.1.

Texts for people and generators are omitted; default values are explicit or omitted everywhere alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.operations import METHODS
from contentgroove._openapi.schemas import map_subschemas, translate_bounds

from . import PipelineError
from .operations import RECURSION, Operation, ReferenceResolver, operations, parameter_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

Key: TypeAlias = tuple[str, str]

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
_STYLES = {"query": "form", "cookie": "form", "path": "simple", "header": "simple"}
_UNIONS = ("oneOf", "anyOf")


@dataclass(frozen=True, slots=True)
class ComparedDocument:
    """One of the two documents.

    Attributes:
        document: The document as published.
        expanded: The same with its references expanded; it must not be changed.
        followed: The references that are reachable from an operation.
        operations: Its operations.
        canonical: The same in canonical form.
    """

    document: Document
    expanded: Document
    followed: frozenset[str]
    operations: dict[Key, Operation]
    canonical: dict[Key, Document]

    @classmethod
    def load(cls, document: Document, name: str) -> ComparedDocument:
        """Prepare a document for comparison.

        Raises:
            PipelineError: A reference names nothing, or the document is too large or not valid.
        """
        references, canonical = ReferenceResolver(document, name), Canonical()
        expanded = references.expand({key: value for key, value in document.items() if key != "components"})
        try:
            found = {operation.wire_key: operation for operation in operations(expanded)}
            forms = {key: canonical.operation(operation.definition, operation.path) for key, operation in found.items()}
        except (AttributeError, DocumentError, KeyError, TypeError, ValueError) as error:
            raise PipelineError(
                f"{name} is not a valid OpenAPI document and cannot be compared ({type(error).__name__}: {error})."
            ) from error
        return cls(document, expanded, frozenset(references.followed), found, forms)


def shared_operations(before: ComparedDocument, after: ComparedDocument) -> Iterator[tuple[Key, Operation, Operation]]:
    """Yield the key, the old and the new form of each operation that both documents have."""
    for key, operation in after.operations.items():
        if key in before.operations:
            yield key, before.operations[key], operation


class Canonical:
    """Converts the operations of one document, whose references are expanded, to canonical form.

    The same schema object is converted once; the result must not be changed.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Any]] = {}

    def operation(self, definition: Document, path: str = "") -> Document:
        """Return an operation in canonical form."""
        numbers = parameter_numbers(path)
        parameters = [self._parameter(parameter, numbers) for parameter in definition.get("parameters", [])]
        responses = {str(status): self._response(item) for status, item in definition.get("responses", {}).items()}
        result = _without_empty(
            parameters=sorted(parameters, key=lambda parameter: (parameter["in"], parameter["name"])),
            callbacks={name: self._callback(item) for name, item in definition.get("callbacks", {}).items()},
            security=definition.get("security"),
            deprecated=bool(definition.get("deprecated")),
        )
        result["responses"] = {status: item for status, item in responses.items() if not status.startswith("x-")}
        if "requestBody" in definition:
            body = definition["requestBody"]
            result["requestBody"] = {"required": body.get("required", False), "content": self._content(body)}
        return result

    def _callback(self, callback: Document) -> Document:
        return {
            expression: {method: self.operation(item[method]) for method in METHODS if method in item}
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
        flags = ("required", "allowReserved", "allowEmptyValue", "deprecated")
        return result | {flag: True for flag in flags if holder.get(flag)}

    def _response(self, response: Document) -> Document:
        headers = {name.lower(): self._value(header, "simple") for name, header in response.get("headers", {}).items()}
        # Redocly treats an empty object as a missing response.
        return {"description": "", **_without_empty(content=self._content(response), headers=headers)}

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
            canonical = {
                keyword: map_subschemas(keyword, value, self.schema)
                for keyword, value in members.items()
                if keyword == RECURSION or not (keyword in SCHEMA_DOCUMENTATION or keyword.startswith("x-"))
            }
            # The schema is kept alive, because a freed object's id may be used again.
            self._known[id(members)] = (members, _normalise(canonical))
        return self._known[id(members)][1]


def _without_empty(**members: Any) -> Document:
    return {name: value for name, value in members.items() if value}


def _normalise(schema: Document) -> Document:
    schema = _with_parts_merged(schema)
    translate_bounds(schema)
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


class BranchAligner:
    """Aligns pairs of canonical values where only one schema is a union, or where branches have another order.

    Equal pairs are aligned once and shared.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[Any, Any, tuple[Any, Any]]] = {}

    def align(self, old: Any, new: Any) -> tuple[Any, Any]:
        """Return both values in forms that can be compared part by part.

        A schema that becomes one of several is treated as a union of one to which others are added.
        """
        if old is new or old == new:
            return new, new
        key = (id(old), id(new))
        if key not in self._known:
            # The pair is kept alive, because a freed object's id may be used again.
            self._known[key] = (old, new, self._align(old, new))
        return self._known[key][2]

    def _align(self, old: Any, new: Any) -> tuple[Any, Any]:
        if isinstance(old, dict) and isinstance(new, dict):
            return self._objects(cast("Document", old), cast("Document", new))
        if isinstance(old, list) and isinstance(new, list):
            return self._lists(cast("list[Any]", old), cast("list[Any]", new))
        return old, new  # pyright: ignore[reportUnknownVariableType] - of any kind

    def _objects(self, old: Document, new: Document) -> tuple[Document, Document]:
        for keyword in _UNIONS:
            if isinstance(new.get(keyword), list) and keyword not in old and _is_plain(old):
                old = {keyword: [old]}
            elif isinstance(old.get(keyword), list) and keyword not in new and _is_plain(new):
                new = {keyword: [new]}
        before, after = dict(old), dict(new)
        for name in old.keys() & new.keys():
            before[name], after[name] = self.align(old[name], new[name])
        return before, after

    def _lists(self, old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any]]:
        if not all(isinstance(item, dict) and "name" not in item for item in [*old, *new]):
            return old, new
        same = [item for item in old if item in new]
        other_old = [item for item in old if item not in same]
        other_new = [item for item in new if item not in same]
        pairs = [self.align(before, after) for before, after in zip(other_old, other_new, strict=False)]
        before = [*same, *(pair[0] for pair in pairs), *other_old[len(pairs) :]]
        after = [*same, *(pair[1] for pair in pairs), *other_new[len(pairs) :]]
        return before, after


def _is_plain(schema: Document) -> bool:
    return isinstance(schema.get("type"), (str, list)) and not any(keyword in schema for keyword in _UNIONS)
