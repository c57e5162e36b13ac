"""Parameters of paths, queries, headers and cookies: texts in the styles that OpenAPI defines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_plus

from contentgroove._core.secret import REDACTED
from contentgroove._openapi.documents import as_object
from msgspec import Struct

from contentgroove_mock.contract.schemas import Finding
from contentgroove_mock.contract.values import decode_json, member_schema, read_tree, scalars, texts_of, types_of
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from contentgroove_mock.contract.filters import Filters
    from contentgroove_mock.contract.rules import Rule
    from contentgroove_mock.contract.schemas import CompiledSchema, Components, Side
    from contentgroove_mock.contract.values import Tree

_KEYED = re.compile(r"(?P<name>[^\[\]]+)(?P<keys>(?:\[[^\[\]]*\])+)")
_KEY = re.compile(r"\[([^\[\]]*)\]")
_STYLES = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
# A separator that is encoded, too: many clients encode the commas between values.
_SEPARATORS = {
    "form": re.compile(r",|%2[cC]"),
    "spaceDelimited": re.compile(r" |\+|%20"),
    "pipeDelimited": re.compile(r"\||%7[cC]"),
    "simple": re.compile(","),
    "label": re.compile(","),
    "matrix": re.compile(","),
}
_MIN_CREDENTIAL = 8


class Parameter(Struct, frozen=True):
    """A declared parameter, or a property of a form.

    Attributes:
        name: Its name.
        location: `query`, `path`, `header` or `cookie`.
        required: Whether it must be there.
        style: How it is written, such as `form` or `deepObject`.
        explode: Whether each value of a list, and each member of an object, is written by itself.
        is_json: Whether its text is JSON (`content` instead of `schema`).
        may_be_empty: Whether an empty text is not checked (`allowEmptyValue`).
        side: Who sends it.
        compiled: Its schema.
        types: The JSON types of its values; empty if any are allowed.
        components: The shared schemas.
    """

    name: str
    location: str
    required: bool
    style: str
    explode: bool
    is_json: bool
    may_be_empty: bool
    side: Side
    compiled: CompiledSchema
    types: frozenset[str]
    components: Components

    @classmethod
    def from_declaration(
        cls, declaration: dict[str, Any], components: Components, side: Side, location: str
    ) -> Parameter:
        """Compile a parameter object, or a header object of a response; `location` is for messages."""
        where = str(declaration.get("in", "header"))
        media_type, media = next(iter(as_object(declaration.get("content")).items()), ("", None))
        schema = as_object(media).get("schema", {}) if media_type else declaration.get("schema", {})
        style = str(declaration.get("style", _STYLES.get(where, "form")))
        compiled = components.compiled(schema, side, location)
        return cls(
            str(declaration.get("name", "")),
            where,
            bool(declaration.get("required", False)),
            style,
            bool(declaration.get("explode", style in {"form", "deepObject"})),
            "json" in media_type,
            declaration.get("allowEmptyValue") is True,
            side,
            compiled,
            types_of(compiled.resolved, components),
            components,
        )

    @property
    def deep(self) -> bool:
        """True if it is written `name[key]=value` (style deepObject)."""
        return self.style == "deepObject"

    @property
    def is_spread(self) -> bool:
        """True if the members of an object are written like parameters of their own."""
        return self.style == "form" and self.explode and not self.is_json and {*self.types} == {"object"}

    def findings(self, texts: Sequence[str], decode: Callable[[str], str] = unquote) -> list[Finding]:
        """Return the errors in what was sent; `texts` are as they were sent, `decode` removes their encoding."""
        if self.may_be_empty and not any(texts):
            return []
        if self.is_json:
            try:
                return self.compiled.findings(decode_json(decode(texts[0]).encode()))
            except ValueError as error:
                return [Finding((), "json", f"the value is JSON: {error}", short_repr(texts[0]))]
        return self.compiled.findings(self.value(texts, decode))

    def value(self, texts: Sequence[str], decode: Callable[[str], str]) -> Any:
        """Return the first value that the schema accepts of those that the texts can stand for, or else the first."""
        values = [*self._values(texts, decode)]
        if len(values) == 1:
            return values[0]
        return next((value for value in values if self.compiled.is_valid(value)), values[0])

    def read(self, tree: Tree) -> Any:
        """Return what texts stand for that a style has written in lists and objects."""
        return read_tree(tree, self.compiled.resolved, self.components, self.side)

    def check(
        self,
        texts: Sequence[str],
        operation: str,
        location: str,
        rule: Rule,
        decode: Callable[[str], str] = unquote,
    ) -> list[Violation]:
        """Check what was sent."""
        return [
            Violation(operation, location, rule, finding.message, short_repr(decode(",".join(texts))))
            for finding in self.findings(texts, decode)
        ]

    def _values(self, texts: Sequence[str], decode: Callable[[str], str]) -> Iterator[Any]:
        """Yield the values that the texts can stand for; the most likely one comes first."""
        types = self.types
        if "array" in types or (not types and len(texts) > 1):
            yield self.read([decode(part) for part in self._parts(texts)])
        if "object" in types:
            parts = [decode(part) for part in self._parts(texts)]
            if self.explode:
                yield self.read({name: value for name, _, value in (part.partition("=") for part in parts)})
            else:
                yield self.read(dict(zip(parts[::2], parts[1::2], strict=False)))
        if not types or types - {"array", "object"}:
            yield from scalars(decode(self._body(texts[0])), types - {"array", "object"})

    def _body(self, text: str) -> str:
        if self.style == "label":
            return text.removeprefix(".")
        return text.removeprefix(f";{self.name}=") if self.style == "matrix" else text

    def _parts(self, texts: Sequence[str]) -> list[str]:
        """Split a list, or the names and values of an object."""
        text = texts[0]
        if self.location == "query" and self.explode:
            return [*texts]
        if self.style == "label":
            return text.removeprefix(".").split("." if self.explode else ",")
        if self.style == "matrix" and self.explode:
            parts = text.removeprefix(";").split(";")
            return parts if "object" in self.types else [part.partition("=")[2] for part in parts]
        body = self._body(text)
        parts = _SEPARATORS.get(self.style, _SEPARATORS["form"]).split(body) if body else []
        return [part.strip() for part in parts] if self.location == "header" else parts


class Query:
    """The query parameters of an operation, or the properties of a form.

    Attributes:
        required: The parameters that must be there.
        filters: The rules of the parameter that has filters, if the API's conventions name one.
    """

    def __init__(self, parameters: Sequence[Parameter], credentials: frozenset[str], components: Components) -> None:
        self._deep = {parameter.name: parameter for parameter in parameters if parameter.deep}
        self._spread = {parameter.name: parameter for parameter in parameters if parameter.is_spread}
        self._plain = {
            parameter.name: parameter
            for parameter in parameters
            if parameter.name not in self._deep and parameter.name not in self._spread
        }
        self.required = [parameter for parameter in parameters if parameter.required]
        self.filters: Filters | None = None
        self.credentials = credentials
        self._components = components

    def check(self, query: str, operation: str) -> Iterator[Violation]:
        """Check a query as it was sent."""
        found = self.read(query)
        for name, texts in found.plain.items():
            parameter, location = self._plain[name], f"request.query.{name}"
            if len(texts) > 1 and not (parameter.explode and parameter.types & {"array"}) and parameter.types:
                message = f"{name} is given more than once"
                yield Violation(operation, location, "parameter-value", message, short_repr(unquote_plus(texts[1])))
            yield from parameter.check(texts, operation, location, "parameter-value", unquote_plus)
        for name, text in found.unknown:
            offered = [*self._plain, *self._spread, *(f"{deep}[…]" for deep in self._deep)]
            message = f"the contract offers {', '.join(offered) or 'no parameters'}"
            # Its meaning is unknown, so a long value may be a credential.
            shown = short_repr(text) if len(text) < _MIN_CREDENTIAL else REDACTED
            yield Violation(operation, f"request.query.{name}", "unknown-parameter", message, shown)
        for name, members in found.deep.items():
            yield from self._check_object(self._deep[name], members, operation)
            if self.filters is not None and name == self.filters.parameter:
                for key, rule, message, actual in self.filters.findings(members):
                    yield Violation(operation, f"request.query.{name}[{key}]", rule, message, actual)
        for name, members in found.spread.items():
            parameter = self._spread[name]
            for finding in parameter.compiled.findings(parameter.read(members)):
                location = f"request.query.{finding.steps[0] if finding.steps else name}"
                yield Violation(operation, location, "parameter-value", finding.message, finding.actual)
        for parameter in self.required:
            if parameter.name not in found.plain.keys() | found.deep.keys() | found.spread.keys():
                location, message = f"request.query.{parameter.name}", f"{parameter.name} is required"
                yield Violation(operation, location, "missing-parameter", message, "nothing")

    def read(self, query: str) -> _Found:
        """Find the parameters in a query as it was sent."""
        found = _Found({}, {}, {}, [])
        for pair in query.split("&") if query else ():
            encoded, _, text = pair.partition("=")
            name = unquote_plus(encoded)
            if not pair or name in self.credentials:
                continue
            keyed = _KEYED.fullmatch(name)
            if name in self._plain:
                found.plain.setdefault(name, []).append(text)
            elif keyed and self._can_have(keyed["name"], keys := _KEY.findall(keyed["keys"])):
                _put(found.deep.setdefault(keyed["name"], {}), keys, unquote_plus(text))
            elif (spread := self._owner(name)) is not None:
                _put(found.spread.setdefault(spread.name, {}), [name], unquote_plus(text))
            else:
                found.unknown.append((name, unquote_plus(text)))
        return found

    def value_of(self, name: str, texts: Sequence[str]) -> Any:
        """Return what the texts of a plain parameter stand for."""
        return self._plain[name].value(texts, unquote_plus)

    def read_members(self, name: str, members: dict[str, Tree]) -> Any:
        """Return the object whose members were found."""
        return (self._deep.get(name) or self._spread[name]).read(members)

    def _can_have(self, name: str, keys: Sequence[str]) -> bool:
        """Return whether a parameter in style deepObject can have a member below keys."""
        if name not in self._deep:
            return False
        schema = self._deep[name].compiled.resolved
        for index, key in enumerate(keys[:-1]):
            schema = self._components.resolved(member_schema(key, schema, self._components))
            types = types_of(schema, self._components)
            if types and "object" not in types and not (index == len(keys) - 2 and _is_position(keys[-1])):
                return False
        return True

    def _owner(self, name: str) -> Parameter | None:
        """Return the parameter whose object has a member that is written like a parameter of its own."""
        open_one: Parameter | None = None
        for parameter in self._spread.values():
            schema = parameter.compiled.resolved
            if name in schema.get("properties", {}):
                return parameter
            if schema.get("additionalProperties", "properties" not in schema) is not False:
                open_one = parameter
        return open_one

    def _check_object(self, parameter: Parameter, members: dict[str, Tree], operation: str) -> Iterator[Violation]:
        name, schema = parameter.name, parameter.compiled.resolved
        declared: dict[str, Any] = schema.get("properties", {})
        value: Any = parameter.read(members)

        def violation(key: str, rule: Rule, message: str) -> Violation:
            actual = short_repr(",".join(texts_of(members.get(key, "nothing"))))
            return Violation(operation, f"request.query.{name}[{key}]", rule, message, actual)

        findings = parameter.compiled.findings(value)
        if isinstance(value, dict) and any(not finding.steps for finding in findings):
            # Names that match no pattern are reported for the object: find out which they are.
            for key, tree in members.items():
                first = texts_of(tree)[0]
                if any(not finding.steps for finding in parameter.compiled.findings({key: first})):
                    message = f"{key!r} is not an attribute with a matcher that the contract offers"
                    yield violation(key, "unknown-key", message)
        for finding in findings:
            if not finding.steps:
                if not isinstance(value, dict):
                    yield violation("", "parameter-value", finding.message)
                continue
            key = str(finding.steps[0])
            if finding.rule == "undeclared-field":
                offered = ", ".join(f"{name}[{member}]" for member in declared)
                yield violation(key, "unknown-key", f"{name}[{key}] is not declared; the contract offers {offered}")
            else:
                yield violation(key, "parameter-value", finding.message)


class _Found(Struct):
    """The parameters in a query.

    Attributes:
        plain: The texts of each, as they were sent.
        deep: Those in style deepObject, as trees of decoded texts.
        spread: The members of each object whose members are written like parameters.
        unknown: The names and decoded texts of what is not declared.
    """

    plain: dict[str, list[str]]
    deep: dict[str, dict[str, Tree]]
    spread: dict[str, dict[str, Tree]]
    unknown: list[tuple[str, str]]


def check_texts(
    parameters: Sequence[Parameter], texts: Mapping[str, str], operation: str, side: str
) -> Iterator[Violation]:
    """Check headers or cookies by name; those that are not declared do not count."""
    for parameter in parameters:
        kind = "headers" if parameter.location == "header" else "cookies"
        name = parameter.name.lower() if kind == "headers" else parameter.name
        location = f"{side}.{kind}.{name}"
        text = texts.get(name)
        if text is not None:
            rule: Rule = "header-value" if kind == "headers" else "parameter-value"
            decode = str if kind == "headers" else unquote
            yield from parameter.check([text], operation, location, rule, decode)
        elif parameter.required:
            missing: Rule = "missing-header" if kind == "headers" else "missing-parameter"
            yield Violation(operation, location, missing, f"{name} is required", "nothing")


def _put(tree: dict[str, Tree], keys: Sequence[str], text: str) -> None:
    """Put a text into an object; one that is given more than once, or by position, becomes a list."""
    key, *rest = keys
    if rest and not (len(rest) == 1 and _is_position(rest[0])):
        below = tree.setdefault(key, {})
        if isinstance(below, dict):
            _put(below, rest, text)
        return
    before = tree.get(key)
    if isinstance(before, list):
        before.append(text)
    elif before is None:
        tree[key] = [text] if rest else text
    else:
        tree[key] = [before, text]


def _is_position(key: str) -> bool:
    return not key or key.isdecimal()
