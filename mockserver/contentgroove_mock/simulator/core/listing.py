"""Lists: filters, order, pages and the links between pages.

The filters are ransack's matchers, as in its documentation (assumed: filter-eq, filter-cont, filter-start,
filter-matches, filter-i-cont, filter-null, filter-any, filter-or, filter-and, filter-in, filter-by-id, filter-media-id,
filter-times, filter-numbers, filter-booleans). Where databases differ: `matches`, `cont`, `start` and `end` are
case-sensitive, `i_cont` is not; and as in SQL, a null value satisfies no comparison, not even a negative one (assumed:
filter-case-sensitive, filter-null-matches-nothing). Values count as they are, with their blanks, or empty (assumed:
filter-not-stripped, filter-blank-counts).

Unknown attributes or matchers are rejected, because a filter that is silently ignored hides mistakes (assumed:
filter-unknown-refused). Unknown parameters and sort orders are ignored, because a client in use sends some (assumed:
parameter-unknown-ignored, sort-unknown-ignored).
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote

from contentgroove_mock.contract.filters import LISTS, STATES, like_pattern, split_name
from contentgroove_mock.simulator.core.errors import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contentgroove_mock.contract.filters import FilterName, Kind

Value: TypeAlias = "str | float | bool | dt.datetime"
Query: TypeAlias = "Sequence[tuple[str, str]]"
Condition: TypeAlias = "Callable[[Mapping[str, Any]], bool]"
"""A parsed filter: returns whether attributes satisfy it."""

_FILTER = re.compile(r"filter\[(?P<name>[^\[\]]+)\](?:\[\d*\])?")


def _attributes(**names: str) -> dict[str, Kind]:
    kinds: tuple[Kind, ...] = ("text", "number", "boolean", "time")
    return {name: kind for kind in kinds for name in names[kind].split()}


MEDIA_ATTRIBUTES = _attributes(
    text="id description external_id name source_file_content_type source_file_preview_image_url source_url",
    number="source_file_duration source_file_height source_file_width",
    boolean="has_fetch_error is_processing",
    time="created_at original_created_at processing_started_at source_created_at",
)
CLIP_ATTRIBUTES = _attributes(
    text="id media_id external_id media_file_content_type media_file_preview_image_url media_file_url name text",
    number="end_char end_time media_file_duration media_file_height media_file_width rank start_char start_time",
    boolean="is_processing",
    time="created_at processing_started_at",
)
SUBSCRIPTION_ATTRIBUTES = _attributes(
    text="id subscribed_events url", number="", boolean="active", time="created_at updated_at"
)


class ListQuery(NamedTuple):
    """The parsed query of a list request.

    Attributes:
        sort: The attribute to sort by; None means the order of creation.
        number: The page's number, from 1.
        size: How many items a page has.
    """

    conditions: tuple[Condition, ...]
    sort: str | None
    descending: bool
    number: int
    size: int

    def select(self, items: list[Any], attributes: Callable[[Any], Mapping[str, Any]]) -> tuple[list[Any], int]:
        """Filter and sort records by their attributes, and return one page and the number of the last page."""
        selected = items
        if self.conditions:
            selected = [item for item in items if self._accepts(attributes(item))]
        if self.sort is not None:
            sort = self.sort

            def key(item: object) -> tuple[bool, Any]:
                value = attributes(item)[sort]
                return value is None, value

            # (assumed: sort-nulls, sort-order)
            # Nulls come last ascending and first descending, PostgreSQL's order.
            selected = sorted(selected, key=key, reverse=self.descending)
        # (assumed: page-size, page-number, page-beyond-end, page-size-uncapped, order-default)
        begin = (self.number - 1) * self.size
        return selected[begin : begin + self.size], max(1, -(-len(selected) // self.size))

    def _accepts(self, attributes: Mapping[str, Any]) -> bool:
        return all(condition(attributes) for condition in self.conditions)


def read_query(query: Query, kinds: Mapping[str, Kind], sorts: Sequence[str], default_size: int) -> ListQuery:
    """Parse a list request's decoded query; parameters that do not concern lists are ignored.

    Raises:
        ErrorResponse: 400, because a filter, sort or page is unknown.
    """
    filters: dict[str, list[str]] = {}
    settings = {"page[number]": "1", "page[size]": str(default_size)}
    sort: str | None = None
    for name, value in query:
        if found := _FILTER.fullmatch(name):
            filters.setdefault(found["name"], []).append(value)
        elif name in settings:
            settings[name] = value
        elif name == "sort":
            sort = value
        elif name.startswith(("filter", "page")):
            # (assumed: page-unknown-refused)
            raise bad_request(f"The query parameter {name} is not known: write filter[…] or page[number].")
    attribute = None if sort is None else sort.removeprefix("-")
    if attribute not in sorts:
        attribute = None
    return ListQuery(
        tuple(parse_filter(name, values, kinds) for name, values in filters.items()),
        attribute,
        sort is not None and sort.startswith("-"),
        _positive("page[number]", settings["page[number]"]),
        _positive("page[size]", settings["page[size]"]),
    )


# (assumed: links-self, links-current, links-next, links-next-null, links-keep-query, links-hide-key)
def links(url: str, query: Query, number: int, last: int) -> dict[str, str | None]:
    """Return the links of a page to itself and to others; a key in the decoded query is not repeated in them."""
    kept = [(name, f"{quote(name, safe='[]')}={quote(value, safe='')}") for name, value in query if name != "api_key"]
    remaining = "".join(f"{text}&" for name, text in kept if name != "page[number]")

    def page(target: int) -> str:
        return f"{url}?{remaining}page[number]={target}"

    return {
        "self": f"{url}?{'&'.join(text for _, text in kept)}" if kept else url,
        "current": page(number),
        "first": page(1),
        "prev": page(number - 1) if number > 1 else None,
        "next": page(number + 1) if number < last else None,
        "last": page(last),
    }


def _positive(name: str, value: str) -> int:
    # (assumed: page-zero, page-not-number)
    # Nine digits are enough for any list, and keep hostile numbers small.
    if re.fullmatch(r"0*[1-9][0-9]{0,8}", value, re.ASCII) is None:
        raise bad_request(f"{name} must be a whole number of at least 1, not {value[:40]!r}.")
    return int(value)


def parse_filter(name: str, values: Sequence[str], kinds: Mapping[str, Kind]) -> Condition:
    """Parse one filter, such as `name_or_description_cont`; only matchers that take lists may have several values.

    Raises:
        ErrorResponse: 400, because the filter is unknown, or a value does not fit the attribute.
    """
    attributes, joint, matcher, several = _split(name, kinds)
    own_kinds: set[Kind] = {kinds[attribute] for attribute in attributes}
    if len(own_kinds) > 1:
        raise bad_request(f"filter[{name}] combines attributes of different kinds: {', '.join(sorted(own_kinds))}.")
    if several and matcher not in _COMPARISONS:
        raise bad_request(f"filter[{name}]: {matcher} cannot be combined with {several}.")
    if matcher in STATES:
        test = _state_test(name, matcher, _single(name, values))
    else:
        matcher, several = LISTS.get(matcher, (matcher, several))
        test = _comparison_test(name, matcher, several, values, own_kinds.pop())
    join = all if joint == "_and_" else any
    return lambda resource: join([test(resource.get(attribute)) for attribute in attributes])


def _comparison_test(
    name: str, matcher: str, several: str, values: Sequence[str], kind: Kind
) -> Callable[[Any], bool]:  # of any JSON value
    compare = _COMPARISONS[matcher]
    # Patterns are text, whatever the attribute's kind; comparisons need values of that kind.
    matching = matcher in _PATTERNS
    if not several:
        values = [_single(name, values)]
    operands: list[Any] = [value if matching else _read(name, value, kind) for value in values]
    combine = any if several == "_any" else all

    def test(value: Any) -> bool:
        if value is None:
            return False
        subject = _as_text(value) if matching else _comparable(value, kind)
        return combine([compare(subject, operand) for operand in operands])

    return test


# (assumed: filter-end, filter-not)
_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "matches": lambda value, operand: bool(like_pattern(operand).fullmatch(value)),
    "cont": lambda value, operand: operand in value,
    "i_cont": lambda value, operand: operand.casefold() in value.casefold(),
    "start": lambda value, operand: value.startswith(operand),
    "end": lambda value, operand: value.endswith(operand),
}
_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "not_eq": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
}


def _negated(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool]:
    return lambda value, operand: not compare(value, operand)


_PATTERNS = _POSITIVE | {
    "does_not_match" if name == "matches" else f"not_{name}": _negated(compare) for name, compare in _POSITIVE.items()
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {**_ORDERED, **_PATTERNS}


def _split(name: str, kinds: Mapping[str, Kind]) -> FilterName:
    found = split_name(name, kinds)
    if found is None:
        raise bad_request(f"filter[{name}] is not known: write attribute_matcher, such as name_eq.")
    return found


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) != 1:
        raise bad_request(f"filter[{name}] must have one value, not {len(values)}; _in, _any and _all take lists.")
    return values[0]


_TRUE = frozenset({"true", "t", "1", "yes", "y", "on"})
_FALSE = frozenset({"false", "f", "0", "no", "n", "off", ""})


def _boolean(name: str, value: str) -> bool:
    if value.lower() not in _TRUE | _FALSE:
        raise bad_request(f"filter[{name}] must be true or false, not {value[:40]!r}.")
    return value.lower() in _TRUE


def _state_test(name: str, matcher: str, value: str) -> Callable[[Any], bool]:
    # The value false negates each of these, as in ransack.
    expected = _boolean(name, value)
    if matcher in {"present", "blank"}:
        return lambda item: (item is None or item in ("", [])) is (expected is (matcher == "blank"))
    if matcher in {"null", "not_null"}:
        return lambda item: (item is None) is (expected is (matcher == "null"))
    truth = expected is (matcher in {"true", "not_false"})
    return lambda item: item is truth


def _read(name: str, value: str, kind: Kind) -> Value:
    # (assumed: filter-value-refused)
    try:
        if kind == "number":
            return float(value)
        if kind == "time":
            time = dt.datetime.fromisoformat(value)
            return time if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except ValueError:
        raise bad_request(f"filter[{name}] must be a {kind}, not {value[:40]!r}.") from None
    return _boolean(name, value) if kind == "boolean" else value


def _comparable(value: Any, kind: Kind) -> Value:  # any JSON value
    if kind == "time":
        return dt.datetime.fromisoformat(value)
    return _as_text(value) if kind == "text" else value


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return str(value)
