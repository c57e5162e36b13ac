"""Checks of path, query and header parameters: text that represents values of a schema."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from contentgroove_mock.contract.schemas import CompiledSchema, Components
    from contentgroove_mock.contract.violations import Rule

_KEYED = re.compile(r"(?P<name>[^\[\]]+)\[(?P<key>[^\[\]]*)\](?P<item>\[\d*\])?")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_MAX_NUMBER_LENGTH = 40


class Parameter(Struct, frozen=True):
    """A parameter as the contract declares it.

    Attributes:
        deep: True if it is an object, written `name[key]=value` (style deepObject).
    """

    name: str
    required: bool
    deep: bool
    compiled: CompiledSchema

    @classmethod
    def from_declaration(cls, declaration: dict[str, Any], components: Components) -> Parameter:
        """Compile a parameter object or a header object of the contract."""
        return cls(
            str(declaration.get("name", "")),
            bool(declaration.get("required", False)),
            declaration.get("style") == "deepObject",
            components.compiled(declaration.get("schema", {})),
        )

    def findings(self, text: str, components: Components, operation: str, location: str, rule: Rule) -> list[Violation]:
        """Check one value."""
        value = _read(text, components.resolved(self.compiled.schema), components)
        return [
            Violation(
                operation=operation, location=location, rule=rule, message=finding.message, actual=short_repr(text)
            )
            for finding in self.compiled.findings(value)
        ]


class Query:
    """The query parameters of an operation."""

    def __init__(self, parameters: Sequence[Parameter], credentials: frozenset[str], components: Components) -> None:
        self._plain = {parameter.name: parameter for parameter in parameters if not parameter.deep}
        self._deep = {parameter.name: parameter for parameter in parameters if parameter.deep}
        self.required = [parameter for parameter in parameters if parameter.required]
        self.credentials = credentials
        self._components = components

    def check(self, pairs: Sequence[tuple[str, str]], operation: str) -> Iterator[Violation]:
        """Check a query.

        Args:
            pairs: Names and values, decoded, in order.
            operation: The operation's name, for violations.
        """
        objects: dict[str, dict[str, list[str]]] = {}
        lists: set[tuple[str, str]] = set()
        present: set[str] = set()
        for name, text in pairs:
            if name in self.credentials:
                continue
            location = f"request.query.{name}"
            keyed = _KEYED.fullmatch(name)
            if name in self._plain:
                if name in present:
                    message = f"{name} is given more than once"
                    yield Violation(
                        operation=operation,
                        location=location,
                        rule="parameter-value",
                        message=message,
                        actual=short_repr(text),
                    )
                present.add(name)
                yield from self._plain[name].findings(text, self._components, operation, location, "parameter-value")
            elif keyed and keyed["name"] in self._deep:
                present.add(keyed["name"])
                objects.setdefault(keyed["name"], {}).setdefault(keyed["key"], []).append(text)
                if keyed["item"]:
                    lists.add((keyed["name"], keyed["key"]))
            else:
                yield self._unknown(name, text, operation)
        for name, members in objects.items():
            yield from self._object(self._deep[name], members, lists, operation)
        for parameter in self.required:
            if parameter.name not in present:
                message = f"{parameter.name} is required"
                location = f"request.query.{parameter.name}"
                yield Violation(
                    operation=operation, location=location, rule="missing-parameter", message=message, actual="nothing"
                )

    def _object(
        self, parameter: Parameter, members: dict[str, list[str]], lists: set[tuple[str, str]], operation: str
    ) -> Iterator[Violation]:
        schema = self._components.resolved(parameter.compiled.schema)
        value = {
            key: texts
            if len(texts) > 1 or (parameter.name, key) in lists
            else _read(texts[0], self._member(schema, key), self._components)
            for key, texts in members.items()
        }
        findings = parameter.compiled.findings(value)
        if any(not finding.steps for finding in findings):
            # Names that match no pattern are reported for the object: find out which they are.
            yield from self._unknown_keys(parameter, members, operation)
        for finding in findings:
            if not finding.steps:
                continue
            key = str(finding.steps[0])
            known = finding.rule != "undeclared-field"
            yield Violation(
                operation=operation,
                location=f"request.query.{parameter.name}[{key}]",
                rule="parameter-value" if known else "unknown-key",
                message=finding.message if known else self._not_declared_message(schema, parameter.name, key),
                actual=short_repr(",".join(members.get(key, ["nothing"]))),
            )

    def _unknown_keys(self, parameter: Parameter, members: dict[str, list[str]], operation: str) -> Iterator[Violation]:
        for key, texts in members.items():
            if any(not finding.steps for finding in parameter.compiled.findings({key: texts[0]})):
                yield Violation(
                    operation=operation,
                    location=f"request.query.{parameter.name}[{key}]",
                    rule="unknown-key",
                    message=f"{key!r} is not an attribute with a matcher that the contract offers",
                    actual=short_repr(",".join(texts)),
                )

    def _unknown(self, name: str, text: str, operation: str) -> Violation:
        offered = [*self._plain, *(f"{deep}[…]" for deep in self._deep)]
        message = f"the contract offers {', '.join(offered)}" if offered else "the contract offers no parameters"
        location = f"request.query.{name}"
        return Violation(
            operation=operation, location=location, rule="unknown-parameter", message=message, actual=short_repr(text)
        )

    @staticmethod
    def _member(schema: dict[str, Any], key: str) -> dict[str, Any]:
        further = schema.get("additionalProperties")
        other = cast("dict[str, Any]", further) if isinstance(further, dict) else {}
        return cast("dict[str, Any]", schema.get("properties", {}).get(key, other))

    @staticmethod
    def _not_declared_message(schema: dict[str, Any], name: str, key: str) -> str:
        offered = ", ".join(f"{name}[{member}]" for member in schema.get("properties", {}))
        return f"{name}[{key}] is not declared; the contract offers {offered}"


def _read(text: str, schema: dict[str, Any], components: Components) -> object:
    """Return the text as the type that its schema declares; unchanged if that is impossible, which is then found."""
    resolved = components.resolved(schema)
    kind = resolved.get("type")
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    if kind == "integer" and len(text) <= _MAX_NUMBER_LENGTH and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and len(text) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(text):
        return float(text)
    return text
