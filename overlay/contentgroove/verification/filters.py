"""Checks of filters: each looks for what a filter must find, and for what it must not, so that it cannot be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .checks import UNKNOWN_ID, Finding, NotTriedError, Probe, attribute, check, described, ids_of, judge
from .exchanges import Exchange, entries, member

if TYPE_CHECKING:
    from collections.abc import Callable

_OK = 200
_BAD_REQUEST = 400
_NONSENSE = "xq-contentgroove-doctor-qx"
_FUTURE = "2999-01-01T00:00:00Z"


def _found(probe: Probe, resource: str, *filters: tuple[str, str]) -> tuple[list[str], Exchange]:
    """Return the ids that filters find, none if they are refused, and the exchange."""
    query = [(f"filter[{name.removesuffix('[]')}]{'[]' * name.endswith('[]')}", value) for name, value in filters]
    exchange = probe.get(f"/{resource}", *query)
    return ids_of(entries(exchange.data)) if exchange.status == _OK else [], exchange


def _finds(probe: Probe, resource: str, item: Any, hit: tuple[str, str], miss: tuple[str, str]) -> Finding:
    """Judge whether one filter finds an item and another finds nothing."""
    found, first = _found(probe, resource, hit)
    missed, second = _found(probe, resource, miss)
    holds = str(member(item, "id")) in found and second.status == _OK and not missed
    seen = f"{hit[0]}: {described(first)} with {len(found)} items; of nothing: {second.status} with {len(missed)}."
    return judge(holds, seen, first, second)


def _named(probe: Probe, accept: Callable[[str], object] = bool) -> tuple[str, Any, str]:
    """Return a resource, an item with a name, and its name."""
    resource, item = probe.some_with(
        lambda item: isinstance(attribute(item, "name"), str) and _usable(attribute(item, "name"), accept),
        "with a usable name",
        "medias",
        "clips",
    )
    return resource, item, attribute(item, "name")


def _usable(name: str, accept: Callable[[str], object]) -> bool:
    # Wildcards of SQL, blanks that a service may strip and commas that may separate values would blur the result.
    return bool(name.strip()) and name == name.strip() and not set(name) & set("%_,\\") and bool(accept(name))


@check("filter-eq")
def filter_eq(probe: Probe) -> Finding:
    """Filter by a name."""
    resource, item, name = _named(probe)
    return _finds(probe, resource, item, ("name_eq", name), ("name_eq", _NONSENSE))


@check("filter-by-id")
def filter_by_id(probe: Probe) -> Finding:
    """Filter by an id."""
    resource, items = probe.some(1)
    return _by_id(probe, resource, items[0])


def _by_id(probe: Probe, resource: str, item: Any) -> Finding:
    return _finds(probe, resource, item, ("id_eq", str(member(item, "id"))), ("id_eq", UNKNOWN_ID))


@check("filter-media-id")
def filter_media_id(probe: Probe) -> Finding:
    """Filter clips by their media."""
    _, items = probe.some(1, "clips")
    media_id = str(member(items[0], "relationships", "media", "data", "id"))
    return _finds(probe, "clips", items[0], ("media_id_eq", media_id), ("media_id_eq", UNKNOWN_ID))


@check("filter-cont")
def filter_cont(probe: Probe) -> Finding:
    """Filter by a part of a name."""
    resource, item, name = _named(probe)
    return _finds(probe, resource, item, ("name_cont", name[:5].strip()), ("name_cont", _NONSENSE))


@check("filter-start")
def filter_start(probe: Probe) -> Finding:
    """Filter by the start of a name."""
    resource, item, name = _named(probe)
    return _finds(probe, resource, item, ("name_start", name[:3].strip()), ("name_start", _NONSENSE))


@check("filter-matches")
def filter_matches(probe: Probe) -> Finding:
    """Filter by a pattern of SQL."""
    resource, item, name = _named(probe)
    return _finds(probe, resource, item, ("name_matches", f"_{name[1:]}%"), ("name_matches", f"{_NONSENSE}%"))


@check("filter-i-cont")
def filter_i_cont(probe: Probe) -> Finding:
    """Filter by a name in the other case."""
    resource, item, name = _named(probe, lambda name: name.isascii() and name.swapcase() != name)
    return _finds(probe, resource, item, ("name_i_cont", name.swapcase()), ("name_i_cont", _NONSENSE))


@check("filter-case-sensitive")
def filter_case_sensitive(probe: Probe) -> Finding:
    """Filter by a name in the other case."""
    resource, item, name = _named(probe, lambda name: name.isascii() and name.swapcase() != name)
    _control(_finds(probe, resource, item, ("name_cont", name), ("name_cont", _NONSENSE)))
    found, exchange = _found(probe, resource, ("name_cont", name.swapcase()))
    holds = exchange.status == _OK and str(member(item, "id")) not in found
    return judge(holds, f"name_cont in the other case finds the item: {not holds}.", exchange)


@check("filter-not-stripped")
def filter_not_stripped(probe: Probe) -> Finding:
    """Filter by a name with blanks around it."""
    resource, item, name = _named(probe)
    _control(_finds(probe, resource, item, ("name_eq", name), ("name_eq", _NONSENSE)))
    found, exchange = _found(probe, resource, ("name_eq", f" {name} "))
    holds = exchange.status == _OK and str(member(item, "id")) not in found
    return judge(holds, f"name_eq with blanks around the name finds the item: {not holds}.", exchange)


@check("filter-blank-counts")
def filter_blank_counts(probe: Probe) -> Finding:
    """Filter by an empty id, which nothing has."""
    resource, items = probe.some(1)
    _control(_by_id(probe, resource, items[0]))
    found, exchange = _found(probe, resource, ("id_eq", ""))
    return judge(exchange.status == _OK and not found, f"An empty id_eq finds {len(found)} items.", exchange)


@check("filter-and")
def filter_and(probe: Probe) -> Finding:
    """Send one filter that finds an item together with one that finds nothing."""
    resource, item, name = _named(probe)
    nothing, first = _found(probe, resource, ("created_at_gt", _FUTURE))
    something, _ = _found(probe, resource, ("name_eq", name))
    if nothing or first.status != _OK or str(member(item, "id")) not in something:
        raise NotTriedError("The single filters do not work, which this check builds on.")
    found, exchange = _found(probe, resource, ("name_eq", name), ("created_at_gt", _FUTURE))
    return judge(exchange.status == _OK and not found, f"Both filters together find {len(found)} items.", exchange)


@check("filter-or")
def filter_or(probe: Probe) -> Finding:
    """Filter by one value in two attributes."""
    resource, items = probe.some(1, "medias", "clips")
    _control(_by_id(probe, resource, items[0]))
    hit = ("name_or_id_eq", str(member(items[0], "id")))
    return _finds(probe, resource, items[0], hit, ("name_or_id_eq", UNKNOWN_ID))


@check("filter-in")
def filter_in(probe: Probe) -> Finding:
    """Filter by a list of ids."""
    resource, items = probe.some(2)
    _control(_by_id(probe, resource, items[0]))
    wanted = ids_of(items)[:1]
    found, exchange = _found(probe, resource, ("id_in[]", wanted[0]), ("id_in[]", UNKNOWN_ID))
    return judge(found == wanted, f"{described(exchange)} with {len(found)} items, 1 expected.", exchange)


@check("filter-any")
def filter_any(probe: Probe) -> Finding:
    """Filter by any of several parts of a name."""
    resource, item, name = _named(probe)
    hit, first = _found(probe, resource, ("name_cont_any[]", _NONSENSE), ("name_cont_any[]", name))
    miss, second = _found(probe, resource, ("name_cont_any[]", _NONSENSE), ("name_cont_any[]", UNKNOWN_ID))
    holds = str(member(item, "id")) in hit and second.status == _OK and not miss
    return judge(holds, f"{described(first)} with {len(hit)} items; of nothing: {len(miss)}.", first, second)


@check("filter-camel-case")
def filter_camel_case(probe: Probe) -> Finding:
    """Filter by a name in camel case."""
    resource, items = probe.some(1)
    _control(_finds(probe, resource, items[0], ("created_at_lt", _FUTURE), ("created_at_gt", _FUTURE)))
    return _finds(probe, resource, items[0], ("createdAt_lt", _FUTURE), ("createdAt_gt", _FUTURE))


@check("filter-times")
def filter_times(probe: Probe) -> Finding:
    """Filter by a time."""
    resource, items = probe.some(1)
    hit = ("created_at_gteq", str(attribute(items[0], "created_at")))
    return _finds(probe, resource, items[0], hit, ("created_at_gteq", _FUTURE))


@check("filter-numbers")
def filter_numbers(probe: Probe) -> Finding:
    """Filter clips by their start."""
    _, items = probe.some(1, "clips")
    return _finds(probe, "clips", items[0], ("start_time_gteq", "0"), ("start_time_lt", "0"))


@check("filter-booleans")
def filter_booleans(probe: Probe) -> Finding:
    """Filter medias by both values."""
    probe.some(1, "medias")
    _, first = _found(probe, "medias", ("has_fetch_error_eq", "true"))
    _, second = _found(probe, "medias", ("has_fetch_error_eq", "false"))
    values = [[attribute(item, "has_fetch_error") for item in entries(exchange.data)] for exchange in (first, second)]
    holds = (
        first.status == second.status == _OK
        and any(values)
        and [set(value) <= {expected} for value, expected in zip(values, (True, False), strict=True)] == [True, True]
    )
    return judge(holds, f"true finds {len(values[0])} medias, false {len(values[1])}.", first, second)


@check("filter-null")
def filter_null(probe: Probe) -> Finding:
    """Filter medias by whether they have a source_url."""
    without, having = _with_and_without_url(probe)
    found, exchange = _found(probe, "medias", ("source_url_null", "true"))
    holds = str(member(without, "id")) in found and str(member(having, "id")) not in found
    return judge(holds, f"{described(exchange)} with {len(found)} items.", exchange)


@check("filter-null-matches-nothing")
def filter_null_matches_nothing(probe: Probe) -> Finding:
    """Filter medias by another source_url than that of one, and look for one that has none."""
    without, having = _with_and_without_url(probe)
    found, exchange = _found(probe, "medias", ("source_url_not_eq", str(attribute(having, "source_url"))))
    if exchange.status != _OK or str(member(having, "id")) in found:
        raise NotTriedError("source_url_not_eq does not exclude its value, which this check builds on.")
    holds = str(member(without, "id")) not in found
    return judge(holds, f"source_url_not_eq finds a media without source_url: {not holds}.", exchange)


@check("filter-unknown-refused")
def filter_unknown_refused(probe: Probe) -> Finding:
    """Filter by an attribute that nothing has."""
    exchange = probe.get("/medias", ("filter[nothing_eq]", "1"))
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for filter[nothing_eq]=1.", exchange)


def _control(finding: Finding) -> None:
    if finding.verdict != "confirmed":
        raise NotTriedError(f"The plain filter does not work, which this check builds on. {finding.seen}")


def _with_and_without_url(probe: Probe) -> tuple[Any, Any]:
    _, without = probe.some_with(lambda item: attribute(item, "source_url") is None, "without source_url", "medias")
    _, having = probe.some_with(lambda item: attribute(item, "source_url"), "with a source_url", "medias")
    return without, having
