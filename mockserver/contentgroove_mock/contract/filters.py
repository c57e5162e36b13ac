"""Filters by ransack's matchers: their names, the types of their values, and whether an item satisfies them.

An item is refused only if no database would return it: where they differ, in case, blanks, collations and nulls, the
result is not known.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from contentgroove._openapi.documents import as_object

from contentgroove_mock.contract.values import member_schema, texts_of, types_of
from contentgroove_mock.contract.violations import short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from contentgroove_mock.contract.rules import Rule
    from contentgroove_mock.contract.schemas import Components
    from contentgroove_mock.contract.values import Tree

Kind: TypeAlias = Literal["text", "number", "boolean", "time"]
Known: TypeAlias = bool | None
"""Whether something is so; None if that cannot be known."""

ORDERED = ("eq", "not_eq", "lt", "lteq", "gt", "gteq")
POSITIVE_PATTERNS = ("matches", "cont", "i_cont", "start", "end")
NEGATIVE_PATTERNS = ("does_not_match", *(f"not_{name}" for name in POSITIVE_PATTERNS[1:]))
STATES = frozenset({"present", "blank", "null", "not_null", "true", "not_true", "false", "not_false"})
LISTS = {"in": ("eq", "_any"), "not_in": ("not_eq", "_all")}
"""Matchers that take a list, and what they mean for each of its values."""

_MATCHERS = "|".join(sorted([*ORDERED, *POSITIVE_PATTERNS, *NEGATIVE_PATTERNS, *STATES, *LISTS], key=len, reverse=True))
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TRUE, _FALSE = frozenset({"true", "t", "1"}), frozenset({"false", "f", "0"})
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "not_eq": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}
_UNKNOWN: Any = object()
_MAX_NAMES = 1000


class FilterName(NamedTuple):
    """The parts of a filter's name, such as `name_or_description_cont_any`.

    Attributes:
        attributes: Their names in snake case.
        joint: `_or_`, `_and_`, or nothing for one attribute.
        matcher: Without `_any` and `_all`.
        several: `_any`, `_all` or nothing.
    """

    attributes: tuple[str, ...]
    joint: str
    matcher: str
    several: str


def split_name(name: str, attributes: Iterable[str]) -> FilterName | None:
    """Split a filter's name; None if it is not made of these attributes and one matcher.

    Attributes may be in camel case (assumed: filter-camel-case).
    """
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: f"_{found[1].lower()}", name)
    known = "|".join(sorted(map(re.escape, attributes), key=len, reverse=True))
    joined = rf"(?:(?:{known})(?:_or_(?:{known}))*|(?:{known})(?:_and_(?:{known}))+)"
    found = re.fullmatch(rf"(?P<attributes>{joined})_(?P<matcher>{_MATCHERS})(?P<several>_any|_all)?", snake)
    if found is None:
        return None
    joint = "_and_" if "_and_" in found["attributes"] else "_or_"
    names = tuple(re.split(joint, found["attributes"]))
    return FilterName(names, joint if len(names) > 1 else "", found["matcher"], found["several"] or "")


class Filters:
    """The filters of a list.

    Attributes:
        parameter: The name of the parameter that contains them.
        kinds: The kinds of the attributes of its items.
    """

    def __init__(self, parameter: str, kinds: Mapping[str, Kind]) -> None:
        self.parameter = parameter
        self.kinds: dict[str, Kind] = {"id": "text", **kinds}
        self._names: dict[str, FilterName | None] = {}

    def split(self, key: str) -> FilterName | None:
        """Return the parts of a filter's name; an attribute that is not among the kinds makes it None."""
        if key not in self._names:
            if len(self._names) > _MAX_NAMES:
                self._names.clear()
            self._names[key] = split_name(key, self.kinds)
        return self._names[key]

    def findings(self, members: Mapping[str, Tree]) -> Iterator[tuple[str, Rule, str, str]]:
        """Yield the key, the rule, the message and the value of each filter that is wrong."""
        for key, tree in members.items():
            if (name := self.split(key)) is None:
                continue
            texts = texts_of(tree)
            if name.matcher in LISTS or name.several:
                if not any(map(str.strip, texts)):
                    yield key, "empty-filter", f"{name.matcher}{name.several} takes at least one value", "nothing"
                    continue
            elif len(texts) > 1:
                message = f"{name.matcher} takes one value; _in, _any and _all take several"
                yield key, "filter-value", message, short_repr(",".join(texts))
            if (kinds := self._kinds_of_values(name)) and (
                wrong := [text for text in texts if all(_read(text, kind) is None for kind in kinds)]
            ):
                yield key, "filter-value", f"the value is a {' or a '.join(kinds)}", short_repr(wrong[0])

    def satisfies(self, key: str, tree: Tree, attributes: Mapping[str, Any]) -> Known:
        """Return whether an item satisfies a filter."""
        if (name := self.split(key)) is None:
            return None
        texts = texts_of(tree)
        found = (
            _test(attributes.get(attribute, _UNKNOWN), name, texts, self.kinds[attribute])
            for attribute in name.attributes
        )
        return _all(found) if name.joint == "_and_" else _any(found)

    def _kinds_of_values(self, name: FilterName) -> list[Kind]:
        """Return the kinds that a value may have; none if it may be any text."""
        if name.matcher in STATES:
            return ["boolean"]
        kinds: list[Kind] = sorted({self.kinds[attribute] for attribute in name.attributes})
        return [] if "text" in kinds or name.matcher in POSITIVE_PATTERNS + NEGATIVE_PATTERNS else kinds


def attribute_kinds(items: Any, components: Components) -> dict[str, Kind]:
    """Return the kinds of the attributes of a resource by the prepared schema of a list of it, or of one."""
    data = components.resolved(member_schema("data", components.resolved(items), components))
    resource = components.resolved(data["items"]) if "items" in data else data
    attributes = components.resolved(member_schema("attributes", resource, components))
    kinds: dict[str, Kind] = {f"{name}_id": "text" for name in _to_one(resource, components)}
    for name, schema in as_object(attributes.get("properties")).items():
        types = types_of(schema, components)
        if {"number", "integer"} & types:
            kinds[name] = "number"
        elif "boolean" in types:
            kinds[name] = "boolean"
        else:
            kinds[name] = "time" if components.resolved(schema).get("format") == "date-time" else "text"
    return kinds


def read_time(text: str) -> dt.datetime | None:
    """Return a time in ISO 8601, in UTC if it names no zone; None for other texts."""
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=dt.UTC)


def read_number(value: object) -> float | None:
    """Return a number, also one in a text; None for other values."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _to_one(resource: Mapping[str, Any], components: Components) -> Iterator[str]:
    relationships = components.resolved(member_schema("relationships", dict(resource), components))
    for name, schema in as_object(relationships.get("properties")).items():
        data = member_schema("data", components.resolved(schema), components)
        if "array" not in types_of(data, components):
            yield name


def _read(text: str, kind: str) -> Any:
    """Return the value of a kind that a text stands for, None if it is another."""
    match kind:
        case "number":
            return read_number(text)
        case "time":
            return read_time(text)
        case "boolean":
            return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
        case _:
            return text


def _test(value: Any, name: FilterName, texts: list[str], kind: Kind) -> Known:
    matcher, several = LISTS.get(name.matcher, (name.matcher, name.several))
    if value is _UNKNOWN or not all(map(str.strip, texts)):
        # Ransack leaves conditions without a value out.
        return None
    if matcher in STATES:
        return _has_state(value, matcher, expected=_read(texts[0], "boolean"))
    tests = (_compare(value, matcher, text, kind) for text in texts)
    return _all(tests) if several == "_all" else _any(tests)


def _has_state(value: Any, matcher: str, *, expected: bool | None) -> Known:
    """Return whether a value has a state; the value false negates it, as in ransack."""
    if expected is None:
        return None
    if matcher in {"null", "not_null"}:
        return (value is None) is (expected is (matcher == "null"))
    if matcher in {"present", "blank"}:
        if isinstance(value, bool) or (isinstance(value, str) and value and not value.strip()):
            return None
        return (value is None or value in ("", [])) is (expected is (matcher == "blank"))
    truth = expected is (matcher in {"true", "not_false"})
    # Whether null is not true, or nothing at all, differs.
    return (None if truth is False or matcher.startswith("not") else False) if value is None else value is truth


def _compare(value: Any, matcher: str, text: str, kind: Kind) -> Known:
    if value is None:
        # Null satisfies no comparison in SQL, but negative ones elsewhere.
        return None if matcher == "not_eq" or matcher in NEGATIVE_PATTERNS else False
    if matcher not in ORDERED:
        return _has_pattern(value, matcher, text) if isinstance(value, str) and kind == "text" else None
    # Texts are ordered by a collation that is not known, and compared with or without the blanks around them.
    if kind == "text" and (matcher not in {"eq", "not_eq"} or text != text.strip()):
        return None
    actual: Any
    match kind:
        case "time":
            actual = read_time(value) if isinstance(value, str) else None
        case "number":
            actual = read_number(value)
        case _:
            actual = None if isinstance(value, list) else value
    operand = _read(text, kind)
    return None if actual is None or operand is None else _COMPARE[matcher](actual, operand)


def _has_pattern(value: str, matcher: str, text: str) -> Known:
    def has(subject: str, part: str) -> bool:
        match matcher.removeprefix("not_"):
            case "start":
                return subject.startswith(part)
            case "end":
                return subject.endswith(part)
            case "matches" | "does_not_match":
                return like_pattern(part).fullmatch(subject) is not None
            case _:
                return part in subject

    exact, at_all = has(value, text), has(value.casefold(), text.strip().casefold())
    if matcher in NEGATIVE_PATTERNS:
        return False if exact else None if at_all else True
    return True if exact else None if at_all else False


def like_pattern(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a pattern of SQL's LIKE; a backslash escapes the next character."""
    wild = {"_": ".", "%": ".*"}
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)


def _any(found: Iterable[Known]) -> Known:
    results = [*found]
    return True if True in results else None if None in results else False


def _all(found: Iterable[Known]) -> Known:
    results = [*found]
    return False if False in results else None if None in results else True
