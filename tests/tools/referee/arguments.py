"""Generates arguments from a tool's input schema: the same ones in each run, and never from the code under test.

A generated value need not match its schema: who generates arguments checks them afterwards, as a call does.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import random
import re
from typing import Any, Literal, TypeAlias, cast

import hypothesis
from contentgroove.tools.binary_values import BINARY_SCHEMA
from contentgroove.tools.input_schemas import UNDESCRIBED
from hypothesis import strategies
from hypothesis.errors import HypothesisException

Json: TypeAlias = dict[str, Any]
Effort: TypeAlias = Literal["required", "everything", "edges"]
"""Only what is required; everything with plain values; everything with values that are hard to write."""

EFFORTS: tuple[Effort, ...] = ("required", "everything", "edges")

MAX_LEVELS = 5
MAX_VALUES = 300
"""Values of one call; beyond it, only what is required is generated."""

HARD_TEXT = "a,b;c.d|e f&g=h/i%41?#[k]+\"'{}\\ü€😀:@!$(*)~^`<>"
HARD_HEADER = "a;c.d|e f&g=h/i%41?#[k]+\"'{}\\:@!$(*)~^`<>"
"""A header has no percent-encoding: neither other letters nor its own comma can be in an array's item."""

_FORMATS = {
    "date": "2024-02-29",
    "date-time": "2024-02-29T12:34:56.789Z",
    "time": "12:34:56Z",
    "uuid": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "email": "a.b@example.com",
    "uri": "https://example.com/a?b=c&d=e#f",
    "url": "https://example.com/a?b=c&d=e#f",
    "uri-reference": "/a?b=c",
    "hostname": "a.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "AP/+",
    "duration": "P1DT2H",
}
_LIMITS = {"int32": 2**31 - 1, "int64": 2**53 - 1}


class ImpossibleError(Exception):
    """No value can be generated for a schema."""


class Generator:
    """Generates the arguments of calls of one tool.

    Args:
        schema: The tool's input schema.
        effort: What is generated.
        choice: Which of several alternatives to use first.

    Attributes:
        encoded: The bytes that each generated base64 stands for, where a tool says that it decodes it.
    """

    def __init__(self, schema: Json, effort: Effort, choice: int = 0) -> None:
        self.encoded: dict[str, bytes] = {}
        self._schema = schema
        self._effort = effort
        self._choice = choice
        self._text = HARD_TEXT
        self._values = 0

    def arguments(self, plain: frozenset[str] = frozenset(), headers: frozenset[str] = frozenset()) -> Json:
        """Return arguments.

        Args:
            plain: Arguments whose values contain nothing that must be encoded.
            headers: Arguments that are sent as headers.

        Raises:
            ImpossibleError: A required one has no value.
        """
        found: Json = {}
        effort = self._effort
        for name, schema in self._schema["properties"].items():
            if effort == "required" and name not in self._schema["required"]:
                continue
            self._effort = "everything" if name in plain and effort == "edges" else effort
            self._text = HARD_HEADER if name in headers else HARD_TEXT
            try:
                found[name] = self._value(schema, 0)
            except ImpossibleError:
                if name in self._schema["required"]:
                    raise
            finally:
                self._effort = effort
        return found

    def _value(self, schema: Any, level: int) -> Any:  # noqa: C901, PLR0911, PLR0912 - one branch for each kind
        if schema is False or schema == UNDESCRIBED or level > 4 * MAX_LEVELS:
            raise ImpossibleError
        if not isinstance(schema, dict):
            return "x"
        members = self._merged(cast("Json", schema))
        self._values += 1
        if members.get("anyOf") == BINARY_SCHEMA["anyOf"]:
            return self._binary()
        if "const" in members:
            return members["const"]
        if options := [option for option in members.get("enum", ()) if option is not None]:
            return options[self._choice % len(options)]
        for keyword in ("anyOf", "oneOf"):
            if keyword in members:
                return self._alternative(members, keyword, level)
        types = members.get("type") or _implied(members)
        kinds = [kind for kind in (types if isinstance(types, list) else [types]) if kind != "null"]
        match kinds[self._choice % len(kinds)] if kinds else "null":
            case "object":
                return self._object(members, level)
            case "array":
                return self._array(members, level)
            case "boolean":
                return self._effort != "edges"
            case "integer":
                return int(self._number(members, 1))
            case "number":
                return self._number(members, 0.5)
            case "null":
                return None
            case _:
                return self._string(members)

    def _merged(self, schema: Json) -> Json:
        """Return a schema with what it refers to and its `allOf` in one."""
        members: Json = {}
        pending, seen = [schema], set[str]()
        while pending:
            part = pending.pop(0)
            reference = part.get("$ref")
            if isinstance(reference, str) and reference not in seen:
                seen.add(reference)
                target = self._schema["$defs"][reference.removeprefix("#/$defs/")]
                if target in (False, UNDESCRIBED):
                    raise ImpossibleError
                pending.append(target if isinstance(target, dict) else {})
            pending += [inner for inner in part.get("allOf", ()) if isinstance(inner, dict)]
            for keyword, value in part.items():
                if keyword in {"$ref", "allOf"}:
                    continue
                former = members.get(keyword)
                if keyword == "properties" and former is not None:
                    both = {name: {"allOf": [former[name], value[name]]} for name in former.keys() & value.keys()}
                    members[keyword] = {**value, **former, **both}
                elif keyword == "required" and former is not None:
                    members[keyword] = [*dict.fromkeys([*former, *value])]
                elif keyword in {"minLength", "minItems", "minimum"} and former is not None:
                    members[keyword] = max(former, value)
                elif keyword in {"maxLength", "maxItems", "maximum"} and former is not None:
                    members[keyword] = min(former, value)
                else:
                    members.setdefault(keyword, value)
        return members

    def _alternative(self, members: Json, keyword: str, level: int) -> Any:
        outer = {key: value for key, value in members.items() if key != keyword}
        parts = [part for part in members[keyword] if part is not False]
        parts = [*(part for part in parts if not _is_null(part)), *(part for part in parts if _is_null(part))]
        for number in range(len(parts)):
            part = parts[(number + self._choice) % len(parts)]
            inner = self._merged(part) if isinstance(part, dict) else {}
            # A type that the alternative names counts more than one of its surroundings.
            try:
                return self._value({"allOf": [inner, outer]}, level + 1)
            except ImpossibleError:
                continue
        raise ImpossibleError

    def _object(self, members: Json, level: int) -> Json:
        found: Json = {}
        required = members.get("required", ())
        properties = members.get("properties", {})
        is_small = self._effort == "required" or level > MAX_LEVELS or self._values > MAX_VALUES
        for name in dict.fromkeys([*properties, *required]):
            if is_small and name not in required:
                continue
            try:
                found[name] = self._value(properties.get(name, members.get("additionalProperties", {})), level + 1)
            except ImpossibleError:
                if name in required:
                    raise
        additional = members.get("additionalProperties")
        if not properties and (not is_small or members.get("minProperties")) and additional is not False:
            found["a"] = self._value(additional or {}, level + 1)
        return found

    def _array(self, members: Json, level: int) -> list[Any]:
        least, most = members.get("minItems", 0), members.get("maxItems", 2)
        is_small = self._effort == "required" or level > MAX_LEVELS or self._values > MAX_VALUES
        length = max(least, min(1 if is_small else 2, most)) if level <= 2 * MAX_LEVELS else least
        items = members.get("items", {})
        prefix = members.get("prefixItems", [])
        if not length:
            return []
        try:
            found = [self._value(prefix[at] if at < len(prefix) else items, level + 1) for at in range(length)]
        except ImpossibleError:
            if least:
                raise
            return []
        if members.get("uniqueItems"):
            found = _different(found, self._merged(items) if isinstance(items, dict) else {}, least)
        return found

    def _string(self, members: Json) -> str:
        least, most = members.get("minLength", 0), members.get("maxLength", 10_000)
        formatted = _FORMATS.get(str(members.get("format")))
        if isinstance(pattern := members.get("pattern"), str):
            if (text := matching(pattern, least, most, formatted)) is None:
                raise ImpossibleError
            return text
        if formatted is not None:
            return formatted
        text = self._text if self._effort == "edges" else "text"
        return str((text * (least // len(text) + 1))[: max(least, min(len(text), most))])

    def _number(self, members: Json, usual: float) -> float:
        least, most = members.get("minimum"), members.get("maximum")
        step = members.get("multipleOf")
        if "exclusiveMinimum" in members:
            least = max(members["exclusiveMinimum"] + (step or 1), least if least is not None else -(10**300))
        if "exclusiveMaximum" in members:
            most = min(members["exclusiveMaximum"] - (step or 1), most if most is not None else 10**300)
        value = usual
        if self._effort == "edges":
            value = _LIMITS.get(str(members.get("format")), -7 if usual == 1 else 1e21)
        if least is not None:
            value = max(value, least)
        if most is not None:
            value = min(value, most)
        return value - value % step if step and value % step else value

    def _binary(self) -> str:
        content = bytes(range(256)) + b"\r\n--\r\n" if self._effort == "edges" else b"bytes"
        text = base64.b64encode(content).decode()
        self.encoded[text] = content
        return text


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and cast("Json", schema).get("type") == "null"


def _implied(members: Json) -> str:
    """Return the type that a schema without one is about."""
    if members.keys() & {"properties", "additionalProperties", "required", "minProperties"}:
        return "object"
    if members.keys() & {"items", "prefixItems", "minItems"}:
        return "array"
    if members.keys() & {"minimum", "maximum", "multipleOf"}:
        return "number"
    return "string"


def _different(found: list[Any], items: Json, least: int) -> list[Any]:
    options = items.get("enum")
    if isinstance(options, list):
        return cast("list[Any]", options)[: max(least, 1)]
    if all(isinstance(item, str) for item in found) and "pattern" not in items and "format" not in items:
        return [found[0], *(f"{number}{item}"[: len(item)] for number, item in enumerate(found[1:]))]
    if all(isinstance(item, int | float) for item in found):
        return [item - number if item > 1 else item + number for number, item in enumerate(found)]
    return found[: max(least, 1)]


_USUAL = ("text", "a", "A", "1", "abc", "AB", "a1", "12", "1234", "12345", "2024-02-29", "a.b@example.com", "0" * 12)


@functools.lru_cache(maxsize=4096)
def matching(pattern: str, least: int, most: int, first: str | None = None) -> str | None:
    """Return a text that matches a pattern; None if none was found."""
    with contextlib.suppress(re.error):
        for text in (first or "", (first or "").upper(), *_USUAL, "a" * least, "0" * least):
            if re.search(pattern, text) and least <= len(text) <= most:
                return text
    try:
        texts = strategies.from_regex(re.compile(pattern), alphabet=strategies.characters(codec="ascii"))
        return hypothesis.find(
            texts,
            lambda text: least <= len(text) <= most and text.isprintable(),
            settings=hypothesis.settings(database=None, phases=[hypothesis.Phase.generate], max_examples=50),
            random=random.Random(0),  # noqa: S311 - the same in each run
        )
    except (re.error, HypothesisException, OverflowError, RecursionError):
        return None
