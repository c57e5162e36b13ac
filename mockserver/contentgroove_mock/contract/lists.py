"""Rules about one page of a list: it satisfies the filters, is in order, and not too long."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from contentgroove._openapi.documents import as_list, as_object
from msgspec import Struct

from contentgroove_mock.contract.matchers import read_number, read_time
from contentgroove_mock.contract.resources import read_count, values_of
from contentgroove_mock.contract.values import texts_of
from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contentgroove_mock.contract.conventions import Conventions, Json
    from contentgroove_mock.contract.exchanges import CheckedRequest
    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.contract.operations import Operation
    from contentgroove_mock.contract.rules import Rule

_SORT = "sort"
_IN_ORDER_OF_CREATION = frozenset({"", "created_at"})


class Reading(Struct, eq=False):
    """A page of a list.

    Attributes:
        key: What is equal for all pages of the list, None if its pages cannot be compared: filters and other orders
            than that of creation move items while it is read.
        number: The number of the page.
        ids: Of its items.
        violations: What is wrong with it.
    """

    key: tuple[tuple[str, str], ...] | None
    number: int
    ids: list[str]
    violations: list[Violation]


def check_list(request: CheckedRequest, operation: Operation, conventions: Conventions, body: object) -> Reading:
    """Check a page of a list."""
    items = [as_object(item) for item in as_list(as_object(body).get("data"))]
    query = request.target.partition("?")[2]
    found = operation.query.read(query)
    page = found.deep.get(conventions.page_parameter or "", {})
    filters = found.deep.get(conventions.filter_parameter or "", {})
    sort = found.plain.get(_SORT, [""])[0]
    rows = [values_of(item) for item in items]
    violations = [
        *_check_size(operation.name, page.get("size"), len(items)),
        *_check_filters(operation, filters, rows),
        *_check_order(operation.name, sort, operation.kinds, rows),
        *_check_next(operation.name, query, conventions, body),
    ]
    ids = [str(item.get("id")) for item in items]
    for index, identifier in enumerate(ids):
        if identifier in ids[:index]:
            message = f"it is on this page already, at {ids.index(identifier)}"
            where = f"response.body#/data/{index}"
            violations.append(Violation(operation.name, where, "repeated-over-pages", message, short_repr(identifier)))
    number = read_count(str(page.get("number", "1")))
    comparable = number > 0 and not filters and sort in _IN_ORDER_OF_CREATION
    page_key = f"{conventions.page_parameter}[number]"
    rest = sorted(pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] != page_key)
    return Reading(tuple(rest) if comparable else None, number, ids, violations)


def _check_size(operation: str, size: object, length: int) -> Iterator[Violation]:
    if 0 < read_count(str(size)) < length:
        message = f"a page has at most {size} items"
        yield Violation(operation, "response.body#/data", "page-size-ignored", message, f"{length} items")


def _check_filters(operation: Operation, filters: Mapping[str, Any], rows: Sequence[Json]) -> Iterator[Violation]:
    rules = operation.query.filters
    if rules is None:
        return
    for key, tree in filters.items():
        for index, row in enumerate(rows):
            if rules.satisfies(key, tree, row) is False:
                name = rules.split(key)
                shown = {} if name is None else {attribute: row.get(attribute) for attribute in name.attributes}
                message = f"it does not satisfy filter[{key}]={short_repr(','.join(texts_of(tree)))}"
                where = f"response.body#/data/{index}"
                yield Violation(operation.name, where, "filter-ignored", message, short_repr(shown))
        if any(rules.excludes_when_blank(key, tree, row) for row in rows):
            where = f"request.query.{rules.parameter}[{key}]"
            message = "the filter has no value, and the list contains items as if it were not there: leave it out"
            yield Violation(operation.name, where, "blank-filter", message, short_repr(",".join(texts_of(tree))))


def _check_order(operation: str, sort: str, kinds: Mapping[str, Kind], rows: Sequence[Json]) -> Iterator[Violation]:
    name = sort.removeprefix("-")
    if name not in kinds:
        return
    keys = [_order_keys(row.get(name), kinds[name]) for row in rows]
    known = [(index, key) for index, key in enumerate(keys) if key]
    for (_, first), (index, second) in itertools.pairwise(known):
        before, after = (second, first) if sort.startswith("-") else (first, second)
        if all(one > other for one, other in zip(before, after, strict=True)):
            where, message = f"response.body#/data/{index}/attributes/{name}", f"the items are in the order {sort}"
            yield Violation(operation, where, "sort-ignored", message, short_repr(rows[index].get(name)))


def _order_keys(value: object, kind: Kind) -> tuple[Any, ...]:
    """Return the values by which databases sort; they differ for texts, and where they put null."""
    key: Any
    match kind:
        case "time":
            key = read_time(value) if isinstance(value, str) else None
        case "number":
            key = read_number(value)
        case "boolean":
            key = value if isinstance(value, bool) else None
        case _:
            if not isinstance(value, str):
                return ()
            folded = value.casefold()
            return value, folded, "".join(filter(str.isalnum, folded))
    return () if key is None else (key,)


def _check_next(operation: str, query: str, conventions: Conventions, body: object) -> Iterator[Violation]:
    links = as_object(as_object(body).get("links"))
    page = conventions.page_parameter
    asked = {
        pair
        for pair in parse_qsl(query, keep_blank_values=True)
        if pair[0] == f"{page}[size]" or pair[0] == _SORT or pair[0].startswith(f"{conventions.filter_parameter}[")
    }
    rule: Rule = "query-lost"
    for name in ("next", "prev"):
        if not isinstance(link := links.get(name), str):
            continue
        try:
            linked = parse_qsl(urlsplit(link).query, keep_blank_values=True)
        except ValueError:
            continue
        if lost := asked - {*linked}:
            message = f"the link keeps {', '.join(sorted(name for name, _ in lost))} of the request"
            yield Violation(operation, f"response.body#/links/{name}", rule, message, short_repr(link))
