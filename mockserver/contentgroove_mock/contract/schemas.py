"""Compiled schemas: one validator a schema, and violations in the words of the contract."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import jsonschema_rs
from contentgroove._openapi.schemas import Schema, bundle, validator_schema
from msgspec import Struct

from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove_mock.contract.violations import Rule

Steps: TypeAlias = "Sequence[str | int]"

_COMPONENTS = "#/components/schemas/"
_RULES: dict[str, Rule] = {"type": "type", "const": "enum", "format": "format"}


class Finding(Struct, frozen=True):
    """What is wrong with a value.

    Attributes:
        steps: Where in it.
    """

    steps: tuple[str | int, ...]
    rule: Rule
    message: str
    seen: str

    def to_violation(self, operation: str | None, place: str) -> Violation:
        """Make a violation of it."""
        return Violation(operation=operation, location=place, rule=self.rule, message=self.message, actual=self.seen)


class CompiledSchema:
    """One schema, closed: objects have no members that it does not declare.

    Attributes:
        schema: The schema as the contract has it.
    """

    def __init__(self, schema: Schema, components: Components) -> None:
        self.schema = schema
        self._validator = jsonschema_rs.Draft202012Validator(
            validator_schema(schema, components.definitions, closed=True), validate_formats=True
        )

    def findings(self, value: object) -> list[Finding]:
        """Say what is wrong with a value; nothing, mostly, which is the fast case."""
        if self._validator.is_valid(value):
            return []
        found: list[Finding] = []
        for error in self._validator.iter_errors(value):
            found.extend(_explain(error, value))
        return found


class Components:
    """The schemas that a document shares, and validators of schemas that may refer to them."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self.definitions = bundle(schemas, closed=True)
        self._schemas = schemas
        self._compiled: dict[str, CompiledSchema] = {}

    def compiled(self, schema: Schema) -> CompiledSchema:
        """Compile a schema, each different one once."""
        name = json.dumps(schema, sort_keys=True)
        if name not in self._compiled:
            self._compiled[name] = CompiledSchema(schema, self)
        return self._compiled[name]

    def resolved(self, schema: Schema) -> Schema:
        """Follow a reference to a shared schema."""
        while "$ref" in schema:
            schema = self._schemas[str(schema["$ref"]).removeprefix(_COMPONENTS)]
        return schema


def pointer(steps: Steps) -> str:
    """Write a JSON pointer (RFC 6901)."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)


def _explain(error: jsonschema_rs.ValidationError, value: object) -> Iterator[Finding]:
    kind: Any = error.kind
    name = str(kind.name)
    steps = tuple(error.instance_path)
    if name in {"anyOf", "oneOf"}:
        branch = _closest_branch(getattr(kind, "context", ()), len(steps))
        if branch:
            for inner in branch:
                yield from _explain(inner, value)
            return
    if name == "required":
        yield Finding((*steps, str(kind.property)), "missing-field", f'"{kind.property}" is required', "nothing")
    elif name in {"additionalProperties", "unevaluatedProperties"}:
        for member in kind.unexpected:
            found = cast("dict[str, Any]", _at(value, steps))[member]
            yield Finding((*steps, member), "undeclared-field", f'"{member}" is not declared', short_repr(found))
    elif name == "enum":
        offered = ", ".join(str(option) for option in kind.options)
        yield Finding(steps, "enum", f"one of {offered}", short_repr(_at(value, steps)))
    elif name == "not":
        # The schema that must not fit is a puzzle to read; what is there says more.
        message = "these members do not go together, or one that is needed is missing"
        yield Finding(steps, "schema", message, short_repr(_at(value, steps)))
    else:
        yield Finding(steps, _RULES.get(name, "schema"), str(error.message), short_repr(_at(value, steps)))


def _closest_branch(
    branches: Sequence[list[jsonschema_rs.ValidationError]], depth: int
) -> list[jsonschema_rs.ValidationError]:
    """Choose the branch that the value was meant for: of its type, and wrong in the fewest places."""
    fitting = [
        errors
        for errors in branches
        if not any(str(error.kind.name) == "type" and len(error.instance_path) == depth for error in errors)
    ]
    if not fitting:
        return []
    nearest: list[jsonschema_rs.ValidationError] = min(fitting, key=len)
    return nearest


def _at(value: object, steps: Steps) -> object:
    found: Any = value
    for step in steps:
        found = found[step]
    return found
