"""Compiled JSON Schemas: one validator for each schema, and findings in the contract's terms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import jsonschema_rs
from contentgroove._openapi.pointers import resolve
from contentgroove._openapi.schemas import Schema, bundle, validator_schema
from msgspec import Struct

from contentgroove_mock.contract.violations import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.violations import Rule

_RULES: dict[str, Rule] = {"type": "type", "const": "enum", "format": "format"}


class Finding(Struct, frozen=True):
    """An error in a value.

    Attributes:
        steps: The location in the value, from its root.
    """

    steps: tuple[str | int, ...]
    rule: Rule
    message: str
    actual: str


class CompiledSchema:
    """One schema, closed: objects must not have members that it does not declare.

    Attributes:
        resolved: The schema as it is in the contract; if that is a reference, the schema that it names.
    """

    def __init__(self, schema: Schema, components: Components) -> None:
        self.resolved = components.resolved(schema)
        self._validator = jsonschema_rs.Draft202012Validator(
            validator_schema(schema, components.definitions, closed=True), validate_formats=True
        )

    def findings(self, value: object) -> list[Finding]:
        """Return the errors in a value; a valid one is the common and fast case."""
        if self._validator.is_valid(value):
            return []
        return [finding for error in self._validator.iter_errors(value) for finding in _explain(error, value)]


class Components:
    """The shared schemas of a document, and validators of schemas that may refer to them."""

    def __init__(self, document: Json) -> None:
        self.definitions = bundle(document.get("components", {}).get("schemas", {}), closed=True)
        self._document = document
        self._compiled: dict[str, CompiledSchema] = {}

    def compiled(self, schema: Schema) -> CompiledSchema:
        """Compile a schema; equal schemas are compiled once."""
        name = json.dumps(schema, sort_keys=True)
        if name not in self._compiled:
            self._compiled[name] = CompiledSchema(schema, self)
        return self._compiled[name]

    def resolved(self, schema: Schema) -> Schema:
        """Return the schema, or the shared schema that it refers to."""
        return resolve(self._document, schema)


def _explain(error: jsonschema_rs.ValidationError, value: object) -> Iterator[Finding]:
    kind: Any = error.kind
    name = str(kind.name)
    steps = tuple(error.instance_path)
    branch = _closest_branch(kind.context, len(steps)) if name in {"anyOf", "oneOf"} else []
    if branch:
        for inner in branch:
            yield from _explain(inner, value)
    elif name == "required":
        yield Finding((*steps, str(kind.property)), "missing-field", f'"{kind.property}" is required', "nothing")
    elif name in {"additionalProperties", "unevaluatedProperties"}:
        for member in kind.unexpected:
            found = cast("dict[str, Any]", _at(value, steps))[member]
            yield Finding((*steps, member), "undeclared-field", f'"{member}" is not declared', short_repr(found))
    elif name == "enum":
        offered = ", ".join(str(option) for option in kind.options)
        yield Finding(steps, "enum", f"one of {offered}", short_repr(_at(value, steps)))
    elif name == "not":
        # The schema that must not match is hard to read; the value is clearer.
        message = "does not match any allowed combination of members"
        yield Finding(steps, "schema", message, short_repr(_at(value, steps)))
    else:
        yield Finding(steps, _RULES.get(name, "schema"), str(error.message), short_repr(_at(value, steps)))


def _closest_branch(
    branches: Sequence[list[jsonschema_rs.ValidationError]], depth: int
) -> list[jsonschema_rs.ValidationError]:
    """Choose the branch that the value was probably meant for: of its type, and with the fewest errors."""
    candidates = [
        errors
        for errors in branches
        if not any(str(error.kind.name) == "type" and len(error.instance_path) == depth for error in errors)
    ]
    return min(candidates, key=len) if candidates else []


def _at(value: object, steps: tuple[str | int, ...]) -> object:
    found: Any = value
    for step in steps:
        found = found[step]
    return found
