"""Lists: which resources, in what order, which page of them, and the links between pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote

from contentgroove_mock.simulator.core.filtering import Condition, parse
from contentgroove_mock.simulator.core.refusals import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from contentgroove_mock.simulator.core.filtering import Kind

Query: TypeAlias = "Sequence[tuple[str, str]]"

_FILTER = re.compile(r"filter\[(?P<name>[^\[\]]+)\](?:\[\d*\])?")


class ListQuery(NamedTuple):
    """What a list request asks for.

    Attributes:
        sort: The attribute to sort by; None for the order of making.
        number: The page's number, from 1.
        size: Items on a page.
    """

    conditions: tuple[Condition, ...]
    sort: str | None
    descending: bool
    number: int
    size: int


class Page(NamedTuple):
    """One page of a list, and the number of the last page there is."""

    items: list[Any]
    last: int


def read_query(query: Query, kinds: Mapping[str, Kind], sorts: Sequence[str], default_size: int) -> ListQuery:
    """Read a list request's query; parameters that nobody knows are ignored.

    Args:
        query: Names and values, decoded, in order.
        kinds: The attributes that can be filtered by.
        sorts: The attributes that can be sorted by.
        default_size: Items on a page if the query does not say.

    Raises:
        Refusal: A filter, sort or page that does not exist.
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
        raise bad_request(f"sort={sort} is not offered; offered are {offered}.")
    return ListQuery(
        tuple(parse(name, values, kinds) for name, values in filters.items()),
        attribute,
        sort is not None and sort.startswith("-"),
        _positive("page[number]", settings["page[number]"]),
        _positive("page[size]", settings["page[size]"]),
    )


def select(items: Iterable[Any], asked: ListQuery, attributes: Callable[[Any], Mapping[str, Any]]) -> Page:
    """Filter, sort and cut out one page.

    Args:
        items: All of the account's records, in the order of their making.
        asked: The request.
        attributes: Writes the attributes of one record, by which it is filtered and sorted.
    """
    chosen = list(items)
    if asked.conditions:
        chosen = [item for item in chosen if _accepted(attributes(item), asked.conditions)]
    if asked.sort is not None:
        sort = asked.sort

        def key(item: object) -> tuple[bool, Any]:
            value = attributes(item)[sort]
            return value is None, value

        # Nulls come last ascending and first descending, PostgreSQL's order.
        chosen.sort(key=key, reverse=asked.descending)
    begin = (asked.number - 1) * asked.size
    return Page(chosen[begin : begin + asked.size], max(1, -(-len(chosen) // asked.size)))


def links(url: str, query: Query, number: int, last: int) -> dict[str, str | None]:
    """Link a page to itself and to others; the key that may be in the query is in none of the links.

    Args:
        url: The list's address without a query.
        query: The request's query, decoded.
        number: This page's number.
        last: The last page's number.
    """
    kept = [(name, f"{quote(name, safe='[]')}={quote(value, safe='')}") for name, value in query if name != "api_key"]
    rest = "".join(f"{written}&" for name, written in kept if name != "page[number]")

    def page(target: int) -> str:
        return f"{url}?{rest}page[number]={target}"

    return {
        "self": f"{url}?{'&'.join(written for _, written in kept)}" if kept else url,
        "current": page(number),
        "first": page(1),
        "prev": page(number - 1) if number > 1 else None,
        "next": page(number + 1) if number < last else None,
        "last": page(last),
    }


def _accepted(attributes: Mapping[str, Any], conditions: tuple[Condition, ...]) -> bool:
    return all(condition.accepts(attributes) for condition in conditions)


def _positive(name: str, value: str) -> int:
    # Nine digits are more than any list has, and keep hostile numbers small.
    if re.fullmatch(r"0*[1-9][0-9]{0,8}", value, re.ASCII) is None:
        raise bad_request(f"{name} is a whole number from 1, not {value[:40]!r}.")
    return int(value)
