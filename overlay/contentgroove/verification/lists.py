"""Checks of pages, links between them, order and unknown parameters."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .checks import RESOURCES, Finding, NotTriedError, Probe, attribute, check, described, ids_of, items_of, judge
from .exchanges import Exchange, entries, member

_OK = 200
_BAD_REQUEST = 400
_DEFAULT_SIZE = 25
_MAX_SIZE = 30
_LARGE = 100
_FAR = "1000000"
_SINGLE, _PAIR = ("page[size]", "1"), ("page[size]", "2")
_FILTER = "filter[created_at_gt]"
_NO_CHANCE = 5
"""So many items are in order by chance in less than one of a hundred cases."""


def _single_pages(probe: Probe) -> tuple[str, Exchange]:
    """GET the first page, of one item, of a list that has more; raises a `NotTriedError` if the size is ignored."""
    resource, _ = probe.some(2)
    return resource, _single_page(probe, resource)


def _single_page(probe: Probe, resource: str) -> Exchange:
    items, exchange = probe.list_items(resource, ("page[size]", "1"))
    if len(items) != 1:
        raise NotTriedError(f"page[size]=1 returned {len(items)} items, which this check builds on.")
    return exchange


def _require_numbers(probe: Probe) -> str:
    """Return a list whose pages are counted; raises a `NotTriedError` if page 2 is that without a number."""
    resource, first = _single_pages(probe)
    second, _ = probe.list_items(resource, ("page[number]", "2"), ("page[size]", "1"))
    if ids_of(second) == ids_of(items_of(first)):
        raise NotTriedError("page[number] is ignored, which this check builds on.")
    return resource


@check("page-size")
def page_size(probe: Probe) -> Finding:
    """Request one item of several."""
    resource, items = probe.some(2)
    found, exchange = probe.list_items(resource, ("page[size]", "1"))
    return judge(len(found) == 1, f"{len(found)} of at least {len(items)} items with page[size]=1.", exchange)


@check("page-number")
def page_number(probe: Probe) -> Finding:
    """Request two pages of one item, and compare them with the first two items."""
    resource, _ = _single_pages(probe)
    wanted = ids_of(probe.list_items(resource, _PAIR)[0])
    one, first = probe.list_items(resource, ("page[number]", "1"), _SINGLE)
    two, second = probe.list_items(resource, ("page[number]", "2"), _SINGLE)
    if ids_of(probe.list_items(resource, _PAIR)[0]) != wanted:
        raise NotTriedError("The list has changed in the meantime.")
    positions = [wanted.index(name) + 1 if name in wanted else 0 for name in ids_of(one + two)]
    shown = " and ".join(str(position or "another") for position in positions)
    return judge(positions == [1, 2], f"Pages 1 and 2 have the items {shown or 'none'} of the list.", first, second)


@check("subscriptions-paged")
def subscriptions_paged(probe: Probe) -> Finding:
    """Request one subscription of several; with a callback URL, there are two."""
    if len(probe.items("webhook_subscriptions")) < 2:  # noqa: PLR2004 - a page of one must not be the whole list
        probe.subscribe_again()
    probe.some(2, "webhook_subscriptions")
    _single_page(probe, probe.some(2, "medias", "clips")[0])
    _, all_items = probe.some(2, "webhook_subscriptions")
    items, exchange = probe.list_items("webhook_subscriptions", ("page[size]", "1"))
    return judge(len(items) == 1, f"{len(items)} of at least {len(all_items)} with page[size]=1.", exchange)


@check("page-default-size")
def page_default_size(probe: Probe) -> Finding:
    """Count the items of a page whose size was not requested, in a list that has more than that."""
    for resource in RESOURCES:
        items, exchange = probe.list_items(resource)
        if items and _has_second_page(probe, resource, items):
            return judge(len(items) == _DEFAULT_SIZE, f"{len(items)} items without page[size].", exchange)
    raise NotTriedError(f"The account has no list of more than {_DEFAULT_SIZE} items, or no pages of it.")


def _has_second_page(probe: Probe, resource: str, items: list[Any], *query: tuple[str, str]) -> bool:
    """Return whether a list has more items than its first page."""
    more, _ = probe.list_items(resource, ("page[number]", "2"), *query)
    # A service that ignores the number returns the first page again.
    return bool(more) and ids_of(more)[:1] != ids_of(items)[:1]


@check("page-size-capped")
def page_size_capped(probe: Probe) -> Finding:
    """Request a large page, and compare it with the next one."""
    size = ("page[size]", str(_LARGE))
    for resource in RESOURCES:
        if len(probe.items(resource)) < 2:  # noqa: PLR2004 - one item fills no page
            continue
        _single_page(probe, resource)
        items, first = probe.list_items(resource, size)
        if len(items) > _MAX_SIZE or _has_second_page(probe, resource, items, size):
            seen = f"{len(items)} items with page[size]={_LARGE}{'' if len(items) > _MAX_SIZE else ', and a page 2'}."
            return judge(len(items) == _MAX_SIZE, seen, first)
    raise NotTriedError(f"The account has no list of more than {_MAX_SIZE} items.")


@check("page-beyond-end")
def page_beyond_end(probe: Probe) -> Finding:
    """Request a page that no list has."""
    resource = _require_numbers(probe)
    exchange = probe.get(f"/{resource}", ("page[number]", _FAR))
    holds = exchange.status == _OK and exchange.data == []
    return judge(holds, f"{described(exchange)} for page {_FAR}, data: {_count(exchange.data)}.", exchange)


@check("page-zero")
def page_zero(probe: Probe) -> Finding:
    """Request page 0."""
    resource = _require_numbers(probe)
    exchange = probe.get(f"/{resource}", ("page[number]", "0"))
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for page 0.", exchange)


@check("page-not-number")
def page_not_number(probe: Probe) -> Finding:
    """Request a page that is a word, and one of no items."""
    resource = _require_numbers(probe)
    exchanges = [probe.get(f"/{resource}", pair) for pair in (("page[number]", "two"), ("page[size]", "0"))]
    holds = all(exchange.status == _BAD_REQUEST for exchange in exchanges)
    seen = f"A word as the number returned {exchanges[0].status}, the size 0 {exchanges[1].status}."
    return judge(holds, seen, *exchanges)


@check("page-unknown-ignored")
def page_unknown_ignored(probe: Probe) -> Finding:
    """Request a part of a list by another parameter."""
    return _ignored(probe, "page[offset]=1", probe.get("/medias", ("page[offset]", "1")))


@check("links-next")
def links_next(probe: Probe) -> Finding:
    """Read the link of a page that is not the last."""
    _, exchange = _single_pages(probe)
    link = member(exchange.json, "links", "next")
    number = dict(parse_qsl(urlsplit(link).query)).get("page[number]") if isinstance(link, str) else None
    return judge(number == "2", f"links.next of page 1 leads to page {number}.", exchange)


@check("links-next-null")
def links_next_null(probe: Probe) -> Finding:
    """Read the link of a page that is the last."""
    exchange = _last_page(probe)
    is_there = "next" in (member(exchange.json, "links") or {})
    holds = is_there and member(exchange.json, "links", "next") is None
    found = "null" if holds else "not null" if is_there else "missing"
    return judge(holds, f"links.next of the last page is {found}.", exchange)


@check("links-keep-query")
def links_keep_query(probe: Probe) -> Finding:
    """Read the query of a link to the next page of a sorted and filtered list."""
    resource, _ = _single_pages(probe)
    exchange = probe.read(f"/{resource}", ("sort", "-created_at"), (_FILTER, "2000-01-01T00:00:00Z"), _SINGLE)
    link = member(exchange.json, "links", "next")
    if not isinstance(link, str):
        raise NotTriedError("The list has no links.next, which this check builds on.")
    query = dict(parse_qsl(urlsplit(link).query))
    holds = query.get("sort") == "-created_at" and _FILTER in query and query.get("page[size]") == "1"
    return judge(holds, f"links.next has the parameters {', '.join(sorted(query))}.", exchange)


@check("links-current")
def links_current(probe: Probe) -> Finding:
    """Read the link of a page to itself."""
    exchange = probe.read("/medias")
    link = member(exchange.json, "links", "current")
    number = dict(parse_qsl(urlsplit(link).query)).get("page[number]") if isinstance(link, str) else None
    return judge(number == "1", f"links.current of the first page leads to page {number}.", exchange)


def _last_page(probe: Probe) -> Exchange:
    """GET the last page of a list: one with items if there is a list of a single page."""
    for resource in RESOURCES:
        if 0 < len(probe.items(resource)) < _LARGE:
            exchange = probe.read(f"/{resource}", ("page[size]", str(_LARGE)))
            # A service may return fewer items than were asked for.
            if probe.read(f"/{resource}", ("page[size]", str(_LARGE)), ("page[number]", "2")).data == []:
                return exchange
    exchange = probe.read("/medias", ("page[number]", _FAR))
    if exchange.data != []:
        raise NotTriedError("No page is known to be the last.")
    return exchange


def _times(items: list[Any]) -> list[str]:
    return [str(attribute(item, "created_at")) for item in items]


def _of_several_times(probe: Probe) -> str:
    counts = {resource: len(set(_times(probe.items(resource)))) for resource in RESOURCES}
    best = max(counts, key=lambda resource: counts[resource])
    if counts[best] > 1:
        return best
    raise NotTriedError("The account has no two items of a kind that were created at different times.")


@check("order-default")
def order_default(probe: Probe) -> Finding:
    """Compare the times of a list without `sort`."""
    resource = _of_several_times(probe)
    items, exchange = probe.list_items(resource)
    times = _times(items)
    holds = times == sorted(times)
    # Two items are in some order by chance, and one time has none.
    if len(set(times)) < (_NO_CHANCE if holds else 2):
        raise NotTriedError(f"The account has no {_NO_CHANCE} {resource} that were created at different times.")
    return judge(holds, f"The first of {len(times)} {resource} is {_position(times)}.", exchange)


@check("sort-order")
def sort_order(probe: Probe) -> Finding:
    """Compare the times of a list in both orders."""
    resource = _of_several_times(probe)
    up, ascending = probe.list_items(resource, ("sort", "created_at"))
    down, descending = probe.list_items(resource, ("sort", "-created_at"))
    holds = _times(up) == sorted(_times(up)) and _times(down) == sorted(_times(down), reverse=True)
    holds = holds and _times(up)[:1] != _times(down)[:1]
    return judge(holds, f"{resource}: both orders {'are' if holds else 'are not'} as requested.", ascending, descending)


@check("sort-unknown-ignored")
def sort_unknown_ignored(probe: Probe) -> Finding:
    """Send the sort order that a client in use sends, and its opposite, and compare the order with that of neither."""
    exchanges = [probe.get("/medias", ("sort", order)) for order in ("-createdAt", "createdAt")]
    return _ignored(probe, "sort=-createdAt", *exchanges)


@check("parameter-unknown-ignored")
def parameter_unknown_ignored(probe: Probe) -> Finding:
    """Send the parameter that a client in use sends, with a value that would change the list."""
    return _ignored(probe, "size=1", probe.get("/medias", ("size", "1")))


def _ignored(probe: Probe, what: str, *exchanges: Exchange) -> Finding:
    """Judge whether a list is the same with a parameter as without."""
    refusals = [exchange for exchange in exchanges if exchange.status != _OK]
    if refusals:
        return judge(False, f"{described(refusals[0])} for {what}.", refusals[0])  # noqa: FBT003
    plain = ids_of(probe.list_items("medias")[0])
    if len(plain) < 2:  # noqa: PLR2004 - one item has no order
        raise NotTriedError(f"{what} is not refused, but the account has too few medias to show whether it is ignored.")
    others = [exchange for exchange in exchanges if ids_of(items_of(exchange)) != plain]
    return judge(not others, f"{what} {'changes the list' if others else 'changes nothing'}.", *(others or exchanges))


def _position(times: list[str]) -> str:
    return "the oldest" if times[0] == min(times) else "the newest" if times[0] == max(times) else "neither end"


def _count(data: Any) -> str:
    return f"{len(entries(data))} items" if isinstance(data, list) else type(data).__name__
