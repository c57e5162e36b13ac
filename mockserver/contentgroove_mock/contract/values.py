"""Checks of values: path, query and header parameters, which are text, and bodies."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from contentgroove._core.secret import REDACTED
from contentgroove._openapi.pointers import join
from contentgroove_api.types import check_levels
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
_MIN_CREDENTIAL = 8
_JSON = "application/json"


class Parameter(Struct, frozen=True):
    """A declared parameter; `deep` is True if it is an object, written `name[key]=value` (style deepObject)."""

    name: str
    location: str
    required: bool
    deep: bool
    compiled: CompiledSchema

    @classmethod
    def from_declaration(cls, declaration: dict[str, Any], components: Components) -> Parameter:
        """Compile a parameter object or a header object of the contract."""
        return cls(
            str(declaration.get("name", "")),
            str(declaration.get("in", "header")),
            bool(declaration.get("required", False)),
            declaration.get("style") == "deepObject",
            components.compiled(declaration.get("schema", {})),
        )

    def check(self, text: str, operation: str, location: str, rule: Rule) -> list[Violation]:
        """Check one value."""
        return [
            Violation(operation, location, rule, finding.message, short_repr(text))
            for finding in self.compiled.findings(_parse(text, self.compiled.resolved))
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
        """Check the decoded names and values of a query, in their order."""
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
                    yield Violation(operation, location, "parameter-value", message, short_repr(text))
                present.add(name)
                yield from self._plain[name].check(text, operation, location, "parameter-value")
            elif keyed and keyed["name"] in self._deep:
                objects.setdefault(keyed["name"], {}).setdefault(keyed["key"], []).append(text)
                if keyed["item"]:
                    lists.add((keyed["name"], keyed["key"]))
            else:
                offered = [*self._plain, *(f"{deep}[…]" for deep in self._deep)]
                message = f"the contract offers {', '.join(offered) or 'no parameters'}"
                # Its meaning is unknown, so a long value may be a credential.
                shown = short_repr(text) if len(text) < _MIN_CREDENTIAL else REDACTED
                yield Violation(operation, location, "unknown-parameter", message, shown)
        for name, members in objects.items():
            yield from self._check_object(self._deep[name], members, lists, operation)
        for parameter in self.required:
            if parameter.name not in present | objects.keys():
                location, message = f"request.query.{parameter.name}", f"{parameter.name} is required"
                yield Violation(operation, location, "missing-parameter", message, "nothing")

    def _check_object(
        self, parameter: Parameter, members: dict[str, list[str]], lists: set[tuple[str, str]], operation: str
    ) -> Iterator[Violation]:
        name, schema = parameter.name, parameter.compiled.resolved
        declared: dict[str, Any] = schema.get("properties", {})
        value = {
            key: texts
            if len(texts) > 1 or (name, key) in lists
            else _parse(texts[0], self._components.resolved(declared.get(key, schema.get("additionalProperties"))))
            for key, texts in members.items()
        }

        def violation(key: str, rule: Rule, message: str) -> Violation:
            actual = short_repr(",".join(members.get(key, ["nothing"])))
            return Violation(operation, f"request.query.{name}[{key}]", rule, message, actual)

        findings = parameter.compiled.findings(value)
        if any(not finding.steps for finding in findings):
            # Names that match no pattern are reported for the object: find out which they are.
            for key, texts in members.items():
                if any(not finding.steps for finding in parameter.compiled.findings({key: texts[0]})):
                    message = f"{key!r} is not an attribute with a matcher that the contract offers"
                    yield violation(key, "unknown-key", message)
        for finding in findings:
            if not finding.steps:
                continue
            key = str(finding.steps[0])
            if finding.rule == "undeclared-field":
                offered = ", ".join(f"{name}[{member}]" for member in declared)
                yield violation(key, "unknown-key", f"{name}[{key}] is not declared; the contract offers {offered}")
            else:
                yield violation(key, "parameter-value", finding.message)


class BodySpec:
    """The body of a request or a response, as the contract describes it.

    Attributes:
        types: The media types that it may have; empty if there must not be a body.
        json_schema: The schema of a JSON body; empty if there is none.
    """

    def __init__(self, declaration: dict[str, Any], components: Components) -> None:
        content: dict[str, Any] = declaration.get("content", {})
        self.types = tuple(content)
        self._required = bool(declaration.get("required", False))
        self.json_schema: dict[str, Any] = content.get(_JSON, {}).get("schema", {})
        self._compiled = components.compiled(self.json_schema)

    def check(
        self, content: bytes, media_type: str | None, operation: str, side: str, *, required: bool = False
    ) -> Iterator[Violation]:
        """Check a body, decompressed, and its Content-Type.

        `side` is `request`, `response` or `webhook`. With `required`, a body is required even if the contract does not
        declare it as required.
        """
        location = f"{side}.body"
        if not self.types:
            if content:
                yield Violation(operation, location, "unexpected-body", "there is no body", short_repr(content[:200]))
            return
        if not content:
            if self._required or required:
                message = f"a body of {' or '.join(self.types)} is required"
                yield Violation(operation, location, "missing-body", message, "nothing")
            return
        declared = self._declared_type(media_type)
        if declared is None:
            message = f"the body is {' or '.join(self.types)}, in UTF-8"
            actual = "nothing" if media_type is None else short_repr(media_type)
            yield Violation(operation, f"{side}.headers.content-type", "media-type", message, actual)
        elif declared == _JSON:
            yield from self._check_json(content, operation, location)

    def _declared_type(self, media_type: str | None) -> str | None:
        if media_type is None or media_type in self.types:
            return media_type
        essence, _, parameters = media_type.partition(";")
        parameters = parameters.strip().lower().replace('"', "")
        if parameters.startswith("charset=") and parameters != "charset=utf-8":
            return None
        essence = essence.strip().lower()
        return essence if essence in self.types else None

    def _check_json(self, content: bytes, operation: str, location: str) -> Iterator[Violation]:
        try:
            value = decode_json(content)
        except ValueError as error:
            yield Violation(operation, location, "json", f"the body is JSON: {error}", short_repr(content[:200]))
            return
        for finding in self._compiled.findings(value):
            pointer = f"{location}#{join(finding.steps)}"
            yield Violation(operation, pointer, finding.rule, finding.message, finding.actual)


def decode_json(content: bytes) -> object:
    """Decode JSON; raise `ValueError` if the content is not JSON, or is nested too deeply."""
    try:
        check_levels(content)
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _parse(text: str, schema: dict[str, Any]) -> object:
    """Return the text as the type that its schema declares; unchanged if that is impossible, which is then found."""
    declared = schema.get("type")
    if declared == "boolean" and text in {"true", "false"}:
        return text == "true"
    if declared == "integer" and len(text) <= _MAX_NUMBER_LENGTH and _INTEGER.fullmatch(text):
        return int(text)
    if declared == "number" and len(text) <= _MAX_NUMBER_LENGTH and _NUMBER.fullmatch(text):
        return float(text)
    return text
