"""Compiled JSON Schemas: one validator for each schema, and findings in the contract's terms."""

from __future__ import annotations

import functools
import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import jsonschema_rs
from contentgroove._openapi.schemas import COMPONENTS, DIALECT, Schema, bundle, map_subschemas, to_json_schema
from msgspec import Struct

from contentgroove_mock.contract.preparation import Preparation
from contentgroove_mock.contract.rules import BY_NAME
from contentgroove_mock.contract.violations import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract.rules import Rule, ValueRule

Side: TypeAlias = Literal["request", "response", "either"]
"""In which message a value is: it decides what `readOnly` and `writeOnly` mean; in an example by itself, nothing."""

_RULES: dict[str, Rule] = {"type": "type", "const": "enum", "format": "format"}
_CONTRACT = "urn:contract"
_FORBIDDEN: dict[Side, str] = {"request": "readOnly", "response": "writeOnly"}


class Finding(Struct, frozen=True):
    """An error in a value; `steps` is its location in the value, from the root."""

    steps: tuple[str | int, ...]
    rule: Rule
    message: str
    actual: str


class CompiledSchema:
    """One schema, closed: objects must not have members that it does not declare.

    Attributes:
        resolved: The prepared schema; if that is a reference, the schema that it names.
    """

    def __init__(self, schema: Schema, components: Components, name: str, side: Side) -> None:
        self.resolved = components.resolved(schema)
        self._components = components
        self._name = name
        self._side: Side = side
        self._with_other: jsonschema_rs.Draft202012Validator | None = None

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return self._components.validator(self._name, self._side)

    def is_valid_with(self, other: Schema, value: object) -> bool:
        """Return whether there are no errors in a value by this schema and another one, the same at each call."""
        if self._with_other is None:
            self._with_other = self._components.validator(self._name, self._side, other)
        return self._with_other.is_valid(value)

    def is_valid(self, value: object) -> bool:
        """Return whether there are no errors in a value."""
        return self._validator.is_valid(value)

    def findings(self, value: object) -> list[Finding]:
        """Return the errors in a value; a valid one is the common and fast case."""
        if self._validator.is_valid(value):
            return []
        # Two parts of a composition can demand the same.
        return [*dict.fromkeys(_explain_all([*self._validator.iter_errors(value)], value, self._side))]


class Components:
    """The shared schemas of a document, and validators of schemas that may refer to them.

    Attributes:
        document: The document.
        value_rules: Further rules for bodies.
        problems: What cannot be checked because of mistakes in it.
    """

    def __init__(self, document: Json, value_schemas: Mapping[ValueRule, Schema] | None = None) -> None:
        self.document = document
        self.value_rules = ValueRules(value_schemas or {})
        self._preparation = Preparation(document)
        self.problems = self._preparation.problems
        text = json.dumps(document)
        self._is_directed = any(f'"{name}": true' in text for name in _FORBIDDEN.values())
        self._compiled: dict[tuple[str, Side], CompiledSchema] = {}
        self._inline: dict[str, Schema] = {}
        self._registries: dict[Side, jsonschema_rs.Registry] = {}

    def compiled(self, schema: Any, side: Side, location: str = "a schema") -> CompiledSchema:
        """Prepare and compile a schema of the document; equal schemas are compiled once, when they are first used."""
        prepared: Any = self._preparation.prepare(schema, location)
        if isinstance(prepared, bool):
            prepared = {} if prepared else {"not": {}}
        return self.compiled_as_it_is(prepared, side)

    def compiled_as_it_is(self, prepared: Schema, side: Side) -> CompiledSchema:
        """Compile a part of a prepared schema."""
        if not self._is_directed:
            side = "either"
        text = json.dumps(prepared, sort_keys=True)
        if (text, side) not in self._compiled:
            # A colon is in no name of a document's own.
            name = f"inline:{len(self._inline)}"
            self._inline[name] = prepared
            self._registries.clear()
            self._compiled[text, side] = CompiledSchema(prepared, self, name, side)
        return self._compiled[text, side]

    def resolved(self, schema: Any) -> Schema:
        """Return a prepared schema, or the shared schema that it refers to; an empty one if it is not an object."""
        seen: set[str] = set()
        while isinstance(schema, dict) and (reference := cast("Schema", schema).get("$ref")) is not None:
            if reference in seen:
                return {}
            seen.add(reference)
            schema = self._preparation.shared.get(str(reference).removeprefix(COMPONENTS))
        return cast("Schema", schema) if isinstance(schema, dict) else {}

    def validator(self, name: str, side: Side, other: Schema | None = None) -> jsonschema_rs.Draft202012Validator:
        """Return the validator of the inline schema with a name, and of another; one that accepts all if it fails."""
        if side not in self._registries:
            definitions = {"$schema": DIALECT, "$defs": self._definitions(side)}
            self._registries[side] = jsonschema_rs.Registry([(_CONTRACT, definitions)])
        root = {**(other or {}), "$schema": DIALECT, "$ref": f"{_CONTRACT}#/$defs/{name}"}
        try:
            return jsonschema_rs.Draft202012Validator(root, registry=self._registries[side], validate_formats=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            self.problems.append(f"a schema is not checked, because it cannot be compiled: {error!s:.200}")
            return jsonschema_rs.Draft202012Validator({})

    def _definitions(self, side: Side) -> Schema:
        shared = {name: self._for_side(schema, side) for name, schema in self._preparation.shared.items()}
        definitions = bundle(shared, closed=True)
        for name, (member, values) in self._preparation.children.items():
            # Another value names a schema that the document does not have, so any further members are possible.
            chain: Schema = {"$ref": f"#/$defs/open.{name}"}
            for value, child in values.items():
                condition = {"required": [member], "properties": {member: {"const": value}}}
                chain = {"if": condition, "then": {"$ref": f"#/$defs/closed.{child}"}, "else": chain}
            definitions[f"closed.{name}"] = chain
        for name, schema in self._inline.items():
            definitions[name] = to_json_schema(self._for_side(schema, side), closed=True)
        return definitions

    def _for_side(self, schema: Any, side: Side, above: frozenset[str] = frozenset()) -> Any:
        """Forbid the members that a side must not send, and do not require them.

        `above` has those that the schema of which this one is a part declares.
        """
        if not self._is_directed or side == "either" or not isinstance(schema, dict):
            return schema
        members = cast("Schema", schema)
        properties: Schema = members.get("properties", {})
        own = {name for name, inner in properties.items() if self.resolved(inner).get(_FORBIDDEN[side]) is True}
        for part in members.get("allOf", ()):
            for name, inner in self.resolved(part).get("properties", {}).items():
                if self.resolved(inner).get(_FORBIDDEN[side]) is True:
                    own.add(name)
        hidden = above | own
        result: Schema = {}
        for keyword, value in members.items():
            below = hidden if keyword in {"allOf", "anyOf", "oneOf", "if", "then", "else"} else frozenset[str]()
            convert = functools.partial(self._for_side, side=side, above=below)
            result[keyword] = map_subschemas(keyword, value, convert)
        for name in own & properties.keys():
            result["properties"][name] = False
        if hidden and isinstance(members.get("required"), list):
            result["required"] = [name for name in members["required"] if name not in hidden]
        return result


class ValueRules:
    """Schemas of whole bodies by their rules."""

    def __init__(self, schemas: Mapping[ValueRule, Schema]) -> None:
        self._all: Schema = {}
        self._validators: dict[ValueRule, jsonschema_rs.Draft202012Validator] = {}
        for rule, schema in schemas.items():
            self._all = _merged(self._all, schema)
            self._validators[rule] = jsonschema_rs.Draft202012Validator(schema)

    def findings(self, compiled: CompiledSchema, value: object) -> Iterator[Finding]:
        """Yield the errors in a body, by its own schema and by the rules; a valid one is the common and fast case.

        A value that its own schema refuses is reported for that alone.
        """
        if compiled.is_valid_with(self._all, value):
            return
        own = compiled.findings(value)
        yield from own
        refused = {finding.steps for finding in own}
        for rule, validator in self._validators.items():
            for error in validator.iter_errors(value):
                steps = tuple(error.instance_path)
                if steps not in refused:
                    yield Finding(steps, rule, BY_NAME[rule].statement, short_repr(at(value, steps)))


def _merged(first: Schema, second: Schema) -> Schema:
    """Return one schema for two: each value is then visited once."""
    result = dict(first)
    for keyword, value in second.items():
        if keyword not in result or result[keyword] == value:
            result[keyword] = value
        elif isinstance(value, dict) and isinstance(result[keyword], dict):
            result[keyword] = _merged(result[keyword], cast("Schema", value))
        else:
            return {"allOf": [first, second]}
    return result


def _explain_all(errors: Sequence[jsonschema_rs.ValidationError], value: object, side: Side) -> Iterator[Finding]:
    for error in errors:
        if not _is_consequence(error, errors):
            yield from _explain(error, value, side)


def _is_consequence(error: jsonschema_rs.ValidationError, errors: Sequence[jsonschema_rs.ValidationError]) -> bool:
    """Return whether an object's members count as undeclared only because a part of its composition does not match."""
    if str(error.kind.name) != "unevaluatedProperties":
        return False
    steps = tuple(error.instance_path)
    return any(
        other is not error
        and tuple(other.instance_path)[: len(steps)] == steps
        and str(other.kind.name) not in {"unevaluatedProperties", "additionalProperties"}
        for other in errors
    )


def _explain(error: jsonschema_rs.ValidationError, value: object, side: Side) -> Iterator[Finding]:
    kind: Any = error.kind
    name = str(kind.name)
    steps = tuple(error.instance_path)
    branch = _closest_branch(kind.context, len(steps)) if name in {"anyOf", "oneOf"} else []
    if branch:
        yield from _explain_all(branch, value, side)
    elif name == "required":
        yield Finding((*steps, str(kind.property)), "missing-field", f'"{kind.property}" is required', "nothing")
    elif name in {"additionalProperties", "unevaluatedProperties"}:
        for member in kind.unexpected:
            found = cast("dict[str, Any]", at(value, steps))[member]
            yield Finding((*steps, member), "undeclared-field", f'"{member}" is not declared', short_repr(found))
    elif name == "falseSchema":
        message = f"{json.dumps(str(steps[-1])) if steps else 'a value'} must not be in a {side}"
        yield Finding(steps, "undeclared-field", message, short_repr(at(value, steps)))
    elif name == "enum":
        offered = ", ".join(str(option) for option in kind.options)
        yield Finding(steps, "enum", f"one of {offered}", short_repr(at(value, steps)))
    elif name == "not":
        # The schema that must not match is hard to read; the value is clearer.
        message = "does not match any allowed combination of members"
        yield Finding(steps, "schema", message, short_repr(at(value, steps)))
    else:
        yield Finding(steps, _RULES.get(name, "schema"), str(error.message), short_repr(at(value, steps)))


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


def at(value: object, steps: tuple[str | int, ...]) -> object:
    """Return what is at a location in a value."""
    found: Any = value
    for step in steps:
        found = found[step]
    return found
