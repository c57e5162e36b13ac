"""Lists: filters, order, pages and the links between pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote

from contentgroove_mock.simulator.core.errors import bad_request
from contentgroove_mock.simulator.core.filtering import Condition, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from contentgroove_mock.simulator.core.filtering import Kind

Query: TypeAlias = "Sequence[tuple[str, str]]"

_FILTER = re.compile(r"filter\[(?P<name>[^\[\]]+)\](?:\[\d*\])?")


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


class Page(NamedTuple):
    """One page of a list, and the number of the last page."""

    items: list[Any]
    last: int


def read_query(query: Query, kinds: Mapping[str, Kind], sorts: Sequence[str], default_size: int) -> ListQuery:
    """Parse a list request's query; unknown parameters are ignored.

    Args:
        query: Names and values, decoded, in order.
        kinds: The attributes that can be filtered by.
        sorts: The attributes that can be sorted by.
        default_size: How many items a page has by default.

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
            raise bad_request(f"The query parameter {name} is not known: write filter[…] or page[number].")
    attribute = None if sort is None else sort.removeprefix("-")
    if attribute is not None and attribute not in sorts:
        offered = ", ".join(f"{name}, -{name}" for name in sorts)
        raise bad_request(f"sort must be one of {offered}, not {sort}.")
    return ListQuery(
        tuple(parse(name, values, kinds) for name, values in filters.items()),
        attribute,
        sort is not None and sort.startswith("-"),
        _positive("page[number]", settings["page[number]"]),
        _positive("page[size]", settings["page[size]"]),
    )


def select(items: Iterable[Any], list_query: ListQuery, attributes: Callable[[Any], Mapping[str, Any]]) -> Page:
    """Filter, sort and return one page.

    Args:
        items: All of the account's records, in the order of creation.
        list_query: The request's query.
        attributes: Returns the attributes of one record, by which it is filtered and sorted.
    """
    selected = list(items)
    if list_query.conditions:
        selected = [item for item in selected if _accepted(attributes(item), list_query.conditions)]
    if list_query.sort is not None:
        sort = list_query.sort

        def key(item: object) -> tuple[bool, Any]:
            value = attributes(item)[sort]
            return value is None, value

        # Nulls come last ascending and first descending, PostgreSQL's order.
        selected.sort(key=key, reverse=list_query.descending)
    begin = (list_query.number - 1) * list_query.size
    return Page(selected[begin : begin + list_query.size], max(1, -(-len(selected) // list_query.size)))


def links(url: str, query: Query, number: int, last: int) -> dict[str, str | None]:
    """Return the links to this page and to others; a key in the query is not repeated in them.

    Args:
        url: The list's URL without a query.
        query: The request's query, decoded.
        number: This page's number.
        last: The last page's number.
    """
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


def _accepted(attributes: Mapping[str, Any], conditions: tuple[Condition, ...]) -> bool:
    return all(condition.accepts(attributes) for condition in conditions)


def _positive(name: str, value: str) -> int:
    # Nine digits are enough for any list, and keep hostile numbers small.
    if re.fullmatch(r"0*[1-9][0-9]{0,8}", value, re.ASCII) is None:
        raise bad_request(f"{name} must be a whole number of at least 1, not {value[:40]!r}.")
    return int(value)
