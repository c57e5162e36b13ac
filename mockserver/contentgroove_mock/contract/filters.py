"""Filters by ransack's matchers: the types of their values, and whether an item satisfies them.

An item is refused only if no database would return it: where they differ, in case, blanks, collations and nulls, the
result is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove._openapi.documents import as_object

from contentgroove_mock.contract.matchers import (
    COMPARISONS,
    LISTS,
    PATTERNS,
    STATES,
    has_part,
    is_blank,
    read_boolean,
    read_number,
    read_time,
    split_name,
)
from contentgroove_mock.contract.values import member_schema, texts_of, types_of
from contentgroove_mock.contract.violations import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from contentgroove_mock.contract.matchers import FilterName, Kind
    from contentgroove_mock.contract.rules import Rule
    from contentgroove_mock.contract.schemas import Components
    from contentgroove_mock.contract.values import Tree

Known: TypeAlias = bool | None
"""Whether something is so; None if that cannot be known."""

_UNKNOWN: Any = object()
_MAX_NAMES = 1000


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
                if all(map(is_blank, texts)):
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
        """Return whether an item satisfies a filter; None for filters without a value, which ransack leaves out."""
        name, texts = self.split(key), texts_of(tree)
        return None if name is None or any(map(is_blank, texts)) else self._are_satisfied(name, texts, attributes)

    def excludes_when_blank(self, key: str, tree: Tree, attributes: Mapping[str, Any]) -> bool:
        """Return whether a filter for one text has a blank value, by which it would exclude an item."""
        name, texts = self.split(key), texts_of(tree)
        if name is None or name.several or name.matcher in LISTS or not all(map(is_blank, texts)):
            return False
        return self._are_satisfied(name, [""], attributes) is False

    def _are_satisfied(self, name: FilterName, texts: list[str], attributes: Mapping[str, Any]) -> Known:
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
        return [] if "text" in kinds or name.matcher in PATTERNS else kinds


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
            return read_boolean(text)
        case _:
            return text


def _test(value: Any, name: FilterName, texts: list[str], kind: Kind) -> Known:
    matcher, several = LISTS.get(name.matcher, (name.matcher, name.several))
    if value is _UNKNOWN:
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
        return None if matcher == "not_eq" or PATTERNS.get(matcher, ("", False))[1] else False
    if matcher in PATTERNS:
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
    return None if actual is None or operand is None else COMPARISONS[matcher](actual, operand)


def _has_pattern(value: str, matcher: str, text: str) -> Known:
    positive, is_negated = PATTERNS[matcher]
    exact = has_part(value, positive, text)
    at_all = has_part(value.casefold(), positive, text.strip().casefold())
    if is_negated:
        return False if exact else None if at_all else True
    return True if exact else None if at_all else False


def _any(found: Iterable[Known]) -> Known:
    results = [*found]
    return True if True in results else None if None in results else False


def _all(found: Iterable[Known]) -> Known:
    results = [*found]
    return False if False in results else None if None in results else True
