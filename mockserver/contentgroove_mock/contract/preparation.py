"""Prepares the schemas of any document for compilation.

Documents contain references to everything, discriminators, keywords of other dialects and mistakes. Afterwards each
reference names a shared schema, a discriminator is a condition, and what no validator would accept is left out and
reported: a defect makes checks more lenient, but never impossible.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

import jsonschema_rs
from contentgroove._openapi.documents import DocumentError, as_object
from contentgroove._openapi.pointers import escape, is_local, resolve_reference
from contentgroove._openapi.schemas import COMPONENTS, SUBSCHEMAS, has_subschemas

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.schemas import Schema

_ANNOTATIONS = frozenset(
    {"title", "description", "default", "example", "examples", "externalDocs", "xml", "deprecated", "$comment"}
)
_IDENTITIES = frozenset({"$id", "$schema", "$anchor", "$dynamicAnchor", "$vocabulary", "$defs", "definitions", "id"})
_DIALECT = frozenset({"nullable", "discriminator", "readOnly", "writeOnly", "exclusiveMinimum", "exclusiveMaximum"})
_COMPOSITIONS = ("oneOf", "anyOf")
_CONTENTS = frozenset({"properties", "patternProperties", "additionalProperties", "allOf", "anyOf", "oneOf", "not",
                       "if", "unevaluatedProperties", "x-propertyNames", "propertyNames", "$ref",
                       "maxProperties"})  # fmt: skip
_SAFE = re.compile(r"[\w.-]+", re.ASCII)
_MAX_BRANCHES = 100
"""A condition for each branch is inside that of the branch before; validators limit the depth."""


class Preparation:
    """The shared schemas of a document, prepared, and what makes the others so.

    Attributes:
        shared: The prepared schemas by the names that prepared references have.
        children: The discriminators of schemas that others extend by `allOf`: by the name of the schema, the property
            and the name of the schema for each of its values.
        problems: What was left out, each with its location and the reason.
    """

    def __init__(self, document: Json) -> None:
        self._document = document
        self._has_siblings = not str(document.get("openapi", "")).startswith("3.0")
        self._names: dict[str, str] = {}
        self._pointers: dict[str, str] = {}
        self._pending: list[str] = []
        self._anchors: dict[str, Any] | None = None
        self.shared: dict[str, Schema] = {}
        self.children: dict[str, tuple[str, dict[str, str]]] = {}
        self.problems: list[str] = []
        components = as_object(as_object(document.get("components")).get("schemas"))
        for name in components:
            self._name_of(f"{COMPONENTS}{escape(name)}")
        self._finish()
        for name, schema in components.items():
            self._find_children(name, as_object(schema), components)

    def prepare(self, schema: Any, location: str) -> Any:
        """Prepare a schema, and the shared schemas that it refers to; messages contain its location."""
        prepared = self._prepare(schema, location)
        self._finish()
        return prepared

    def _finish(self) -> None:
        # Not where a reference is read: chains of references can be longer than Python's stack.
        while self._pending:
            pointer = self._pending.pop()
            target: Any = resolve_reference(self._document, pointer)
            self.shared[self._names[pointer]] = self._prepare(target, pointer.removeprefix("#/"))

    def _prepare(self, schema: Any, location: str) -> Any:
        if isinstance(schema, bool):
            return schema
        if not isinstance(schema, dict):
            self._report(location, f"it is {schema!r:.40}, not a schema")
            return {}
        members = cast("Schema", schema)
        reference = members.get("$ref", members.get("$dynamicRef", members.get("$recursiveRef")))
        if reference is not None:
            named = self._reference(reference, location)
            rest = {key: value for key, value in members.items() if key not in {"$ref", "$dynamicRef", "$recursiveRef"}}
            if not self._has_siblings or not rest.keys() - _ANNOTATIONS - _IDENTITIES - _DIALECT:
                return named
            others = self._prepare(rest, location)
            return {**others, "allOf": [named, *others.get("allOf", ())]}
        return self._keywords(members, location)

    def _keywords(self, members: Schema, location: str) -> Schema:
        result: Schema = {}
        for keyword, value in members.items():
            if keyword in _ANNOTATIONS or keyword in _IDENTITIES:
                continue
            if keyword in SUBSCHEMAS:
                if not has_subschemas(keyword, value) or (isinstance(value, list) and SUBSCHEMAS[keyword] == "schema"):
                    self._report(f"{location}/{keyword}", "it has another form than JSON Schema's")
                elif value != []:
                    result[keyword] = self._subschemas(keyword, value, f"{location}/{keyword}")
            elif keyword in _DIALECT or keyword.startswith("x-") or _is_usable(keyword, value):
                result[keyword] = value
            else:
                self._report(f"{location}/{keyword}", f"{value!r:.60} is not a value of this keyword")
        patterns = result.get("patternProperties")
        if isinstance(patterns, dict):
            for pattern in [key for key in cast("Schema", patterns) if not _is_usable("pattern", key)]:
                del patterns[pattern]
                self._report(f"{location}/patternProperties", f"{pattern!r:.60} is not a regular expression")
        for bound in ("exclusiveMinimum", "exclusiveMaximum"):
            if bound in result and not isinstance(result[bound], (int, float)):
                del result[bound]
                self._report(f"{location}/{bound}", "it is neither a boolean nor a number")
        if result.get("type") == "object" and not _CONTENTS & result.keys():
            # The OpenAPI Specification calls this a free-form object.
            result["additionalProperties"] = True
        self._choose(result, members.get("discriminator"))
        return result

    def _subschemas(self, keyword: str, value: Any, location: str) -> Any:
        match SUBSCHEMAS[keyword]:
            case "map":
                members = cast("Schema", value)
                return {name: self._prepare(inner, f"{location}/{escape(name)}") for name, inner in members.items()}
            case "list":
                items = cast("list[Any]", value)
                return [self._prepare(inner, f"{location}/{index}") for index, inner in enumerate(items)]
            case _:
                return self._prepare(value, location)

    def _choose(self, schema: Schema, discriminator: Any) -> None:
        """Put the branch that a discriminator names before the composition that it belongs to."""
        name = as_object(discriminator).get("propertyName")
        keyword = next((key for key in _COMPOSITIONS if key in schema), None)
        if not isinstance(name, str) or keyword is None:
            return
        values = self._values(as_object(as_object(discriminator).get("mapping")), schema[keyword])
        if not values or len(values) > _MAX_BRANCHES:
            return
        chain: Schema = {keyword: schema[keyword]}
        for reference, texts in values.items():
            condition = {"required": [name], "properties": {name: {"enum": texts}}}
            chain = {"if": condition, "then": {"$ref": reference}, "else": chain}
        schema[keyword] = [chain]

    def _values(self, mapping: Json, branches: list[Any]) -> dict[str, list[str]]:
        """Return the discriminator's values of each branch that is a reference, by that reference."""
        found: dict[str, list[str]] = {}
        for branch in branches:
            reference = as_object(branch).get("$ref")
            if isinstance(reference, str):
                pointer = self._pointers.get(reference.removeprefix(COMPONENTS), "")
                found[reference] = [unquote(pointer).rpartition("/")[2]]
        for value, target in mapping.items():
            reference = self._mapped(target)
            if reference in found:
                found[reference].append(value)
        return found

    def _mapped(self, target: Any) -> str:
        """Return the prepared reference to what a discriminator's mapping names: a reference, or a schema's name."""
        text = str(target)
        pointer = text if is_local(text) else f"{COMPONENTS}{escape(text)}"
        return f"{COMPONENTS}{self._names.get(unquote(pointer), '')}"

    def _find_children(self, name: str, schema: Schema, components: Json) -> None:
        discriminator = as_object(schema.get("discriminator"))
        property_name = discriminator.get("propertyName")
        if not isinstance(property_name, str) or any(key in schema for key in _COMPOSITIONS):
            return
        own = f"{COMPONENTS}{self._names[f'{COMPONENTS}{escape(name)}']}"
        values: dict[str, str] = {}
        for child, candidate in components.items():
            parts = as_object(candidate).get("allOf")
            if isinstance(parts, list) and any(
                self._mapped(as_object(part).get("$ref")) == own for part in cast("list[Any]", parts)
            ):
                values[child] = self._mapped(child)
        for value, target in as_object(discriminator.get("mapping")).items():
            values[value] = self._mapped(target)
        chosen = {value: target for value, target in values.items() if target not in {own, COMPONENTS}}
        if chosen:
            self.children[own.removeprefix(COMPONENTS)] = (
                property_name,
                {value: target.removeprefix(COMPONENTS) for value, target in chosen.items()},
            )

    def _reference(self, reference: Any, location: str) -> Schema:
        if isinstance(reference, str) and reference.startswith("#") and not is_local(reference):
            return self._anchor(reference, location)
        if not is_local(reference):
            self._report(location, f"$ref {reference!r:.80} names another document")
            return {}
        try:
            resolve_reference(self._document, reference)
        except DocumentError:
            self._report(location, f"$ref {reference!r:.80} names nothing")
            return {}
        return {"$ref": f"{COMPONENTS}{self._name_of(unquote(reference))}"}

    def _anchor(self, reference: str, location: str) -> Schema:
        """Return a reference to the schema with an anchor; a dynamic one is read where it stands."""
        if self._anchors is None:
            self._anchors = dict(_anchors(self._document))
        pointer = self._anchors.get(unquote(reference[1:]))
        if pointer is None:
            self._report(location, f"$ref {reference!r:.80} names nothing")
            return {}
        return {"$ref": f"{COMPONENTS}{self._name_of(pointer)}"}

    def _name_of(self, pointer: str) -> str:
        """Return the name of the shared schema that a pointer names; it is prepared later if it is new."""
        if pointer not in self._names:
            own = pointer.removeprefix(COMPONENTS)
            # A colon is in no name that is used as it is, so that the names cannot be the same.
            name = own if _SAFE.fullmatch(own) else f"at:{len(self._names)}"
            self._names[pointer], self._pointers[name] = name, pointer
            self._pending.append(pointer)
        return self._names[pointer]

    def _report(self, location: str, reason: str) -> None:
        self.problems.append(f"{location}: {reason}; it is not checked")


def _anchors(value: Any, pointer: str = "#") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if isinstance(value, dict):
        members = cast("Json", value)
        found += [(members[key], pointer) for key in ("$anchor", "$dynamicAnchor") if isinstance(members.get(key), str)]
        for key, item in members.items():
            found += _anchors(item, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            found += _anchors(item, f"{pointer}/{index}")
    return found


def _is_usable(keyword: str, value: Any) -> bool:
    """Return whether a validator accepts a keyword that contains no schemas."""
    try:
        jsonschema_rs.Draft202012Validator({keyword: value})
    except (ValueError, jsonschema_rs.ValidationError):
        return False
    return True
