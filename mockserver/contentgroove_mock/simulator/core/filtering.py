"""Filters: ransack's matchers as PostgreSQL evaluates them, as far as the sources of both and of Rails say.

The matchers (assumed: filter-eq, filter-cont, filter-start, filter-end, filter-not, filter-matches, filter-i-cont,
filter-null, filter-any, filter-or, filter-and, filter-in, filter-by-id, filter-media-id, filter-times, filter-numbers,
filter-booleans) ignore case where they look for parts of a text, and `_eq` does not (assumed: filter-case-ignored). Of
these, only `_matches` has wildcards (assumed: filter-wildcards-literal). As in SQL, a null value satisfies no
comparison, not even a negative one (assumed: filter-null-matches-nothing).

Values are stripped, and a filter without a value is left out, so that it finds everything (assumed: filter-stripped,
filter-blank-dropped). Unknown filters and values of another type are refused, because a filter that is silently ignored
hides mistakes (assumed: filter-unknown-refused, filter-value-refused); `Policy` can ignore them, as ransack does.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove_mock.contract.matchers import (
    COMPARISONS,
    LISTS,
    PATTERNS,
    STATES,
    FilterName,
    has_part,
    is_blank,
    read_boolean,
    read_number,
    read_time,
    split_name,
)
from contentgroove_mock.simulator.core.errors import ErrorResponse, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.simulator.core.policies import Policy

Value: TypeAlias = "str | float | bool | dt.datetime"
Condition: TypeAlias = "Callable[[Mapping[str, Any]], bool]"
"""A parsed filter: returns whether attributes satisfy it."""

_NAME = re.compile(r"filter\[(?P<name>[^\[\]]+)\](?P<brackets>\[\d*\])?")
_BLANKS = " \t\n\v\f\r\0"
"""What Ruby strips."""


def read_filters(pairs: Iterable[tuple[str, str]], kinds: Mapping[str, Kind], policy: Policy) -> tuple[Condition, ...]:
    """Parse the filters of a decoded query.

    Raises:
        ErrorResponse: 400, because the policy refuses an unknown filter, or a value that does not fit the attribute.
    """
    filters: dict[str, list[str]] = {}
    for parameter, value in pairs:
        found = _NAME.fullmatch(parameter)
        # Ransack strips texts, and no members of lists.
        text = value if found is None or found["brackets"] else value.strip(_BLANKS)
        filters.setdefault(parameter if found is None else found["name"], []).append(text)
    conditions: list[Condition] = []
    for name, values in filters.items():
        try:
            condition = parse_filter(name, values, kinds)
        except ErrorResponse:
            if policy.refuses_wrong_values:
                raise
        else:
            if condition is not None:
                conditions.append(condition)
    return tuple(conditions)


def parse_filter(name: str, values: Sequence[str], kinds: Mapping[str, Kind]) -> Condition | None:
    """Parse one filter, such as `name_or_description_cont`; None if it has no value, and so is left out.

    Raises:
        ErrorResponse: 400, because the filter is unknown, a value does not fit the attribute, or there are several
            although the matcher takes one.
    """
    found = split_name(name, kinds)
    if found is None:
        raise bad_request(f"filter[{name}] is not known: write attribute_matcher, such as name_eq.")
    own_kinds: set[Kind] = {kinds[attribute] for attribute in found.attributes}
    if len(own_kinds) > 1:
        raise bad_request(f"filter[{name}] combines attributes of different kinds: {', '.join(sorted(own_kinds))}.")
    if found.several and found.matcher in STATES | LISTS.keys():
        raise bad_request(f"filter[{name}]: {found.matcher} cannot be combined with {found.several}.")
    if all(map(is_blank, values)):
        return None
    if found.matcher in STATES:
        test = _state_test(name, found.matcher, _single(name, values))
    else:
        test = _comparison_test(name, found, values, own_kinds.pop())
    join = all if found.joint == "_and_" else any
    return lambda resource: join([test(resource.get(attribute)) for attribute in found.attributes])


def _comparison_test(
    name: str, found: FilterName, values: Sequence[str], kind: Kind
) -> Callable[[Any], bool]:  # of any JSON value
    matcher, several = LISTS.get(found.matcher, (found.matcher, found.several))
    # Of several, empty ones are left out.
    texts = [text for text in values if text] if several else [_single(name, values)]
    combine = all if several == "_all" else any
    if matcher in PATTERNS:
        # Patterns are text, whatever the attribute's kind; comparisons need values of that kind.
        positive, is_negated = PATTERNS[matcher]
        parts = [text.lower() for text in texts]
        return lambda value: (
            value is not None
            and combine([has_part(_as_text(value).lower(), positive, part) is not is_negated for part in parts])
        )
    compare, operands = COMPARISONS[matcher], [_read(name, text, kind) for text in texts]
    return lambda value: (
        value is not None and combine([compare(_comparable(value, kind), operand) for operand in operands])
    )


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise bad_request(f"filter[{name}] must have one value, not {len(values)}; _in, _any and _all take lists.")
    return values[0]


def _state_test(name: str, matcher: str, value: str) -> Callable[[Any], bool]:
    # The value false negates each of these, as in ransack.
    expected = _read(name, value, "boolean")
    if matcher in {"present", "blank"}:
        return lambda item: (item is None or item in ("", [])) is (expected is (matcher == "blank"))
    if matcher in {"null", "not_null"}:
        return lambda item: (item is None) is (expected is (matcher == "null"))
    truth = expected is (matcher in {"true", "not_false"})
    return lambda item: item is truth


def _read(name: str, text: str, kind: Kind) -> Value:
    value: Value | None
    match kind:
        case "number":
            value = read_number(text)
        case "time":
            value = read_time(text)
        case "boolean":
            value = read_boolean(text)
        case _:
            value = text
    if value is None:
        # (assumed: filter-value-refused)
        expected = "true or false" if kind == "boolean" else f"a {kind}"
        raise bad_request(f"filter[{name}] must be {expected}, not {text[:40]!r}.")
    return value


def _comparable(value: Any, kind: Kind) -> Value:  # any JSON value
    if kind == "time":
        return dt.datetime.fromisoformat(value)
    return _as_text(value) if kind == "text" else value


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)
