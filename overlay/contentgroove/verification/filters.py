"""Checks of filters: each looks for what a filter must find, and for what it must not, so that it cannot be ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .checks import UNKNOWN_ID, Finding, NotTriedError, Probe, attribute, check, described, ids_of, judge, number
from .exchanges import Exchange, entries, member

if TYPE_CHECKING:
    from collections.abc import Callable

_OK = 200
_BAD_REQUEST = 400
_NONSENSE = "xq-contentgroove-doctor-qx"
_LARGE = "1000000"
"""Seconds: no clip is so long, and as a text it is smaller than most of them."""

_PAGE = ("page[size]", "100")
_FEW = 25
"""Fewer items than any page is full with (assumed: page-default-size)."""

_MIN_NAME = 4
_PART = 2
_FUTURE = "2999-01-01T00:00:00Z"


def _found(probe: Probe, resource: str, *filters: tuple[str, str]) -> tuple[list[str], Exchange]:
    """Return the ids that filters find, none if they are refused, and the exchange."""
    query = [(f"filter[{name.removesuffix('[]')}]{'[]' * name.endswith('[]')}", value) for name, value in filters]
    exchange = probe.get(f"/{resource}", *query, _PAGE)
    return ids_of(entries(exchange.data)) if exchange.status == _OK else [], exchange


def _finds(probe: Probe, resource: str, item: Any, hit: tuple[str, str], *misses: tuple[str, str]) -> Finding:
    """Judge whether one filter finds an item, and others do not: what nothing has finds nothing at all."""
    found, first = _found(probe, resource, hit)
    others = [_found(probe, resource, miss) for miss in misses]
    wrong = [exchange for ids, exchange in others if exchange.status != _OK or ids]
    seen = f"{hit[0]}: {described(first)} with {len(found)} items; of nothing: {_shown(others)}."
    if not wrong:
        _require_whole(first, found, item)
    return judge(str(member(item, "id")) in found and not wrong, seen, first, *(wrong or [others[0][1]]))


def _shown(results: list[tuple[list[str], Exchange]]) -> str:
    return ", ".join(f"{exchange.status} with {len(ids)}" for ids, exchange in results)


def _require_whole(exchange: Exchange, found: list[str], item: Any) -> None:
    """Raise a `NotTriedError` if an item is not among those of a page, but may be on a later one."""
    is_full = len(found) >= _FEW or member(exchange.json, "links", "next") is not None
    if found and is_full and str(member(item, "id")) not in found:
        raise NotTriedError("So much matches that the item may be on a later page.")


def _excludes(probe: Probe, resource: str, item: Any, hit: tuple[str, str], what: str) -> Finding:
    """Judge whether a filter does not find an item that it would find if it meant something else."""
    found, exchange = _found(probe, resource, hit)
    _require_whole(exchange, found, item)
    holds = exchange.status == _OK and str(member(item, "id")) not in found
    return judge(holds, f"{what}: {described(exchange)}, {'without' if holds else 'with'} the item.", exchange)


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
    """Filter by a name, by a part of it, and by a name that nothing has."""
    resource, item, name = _named(probe, _has_parts)
    finding = _finds(probe, resource, item, ("name_eq", name), ("name_eq", _NONSENSE))
    return finding if finding.verdict == "refuted" else _without(probe, resource, item, ("name_eq", name[1:]), finding)


def _without(probe: Probe, resource: str, item: Any, miss: tuple[str, str], finding: Finding) -> Finding:
    """Return the finding, or the refutation if a filter finds an item although it must not."""
    other = _excludes(probe, resource, item, miss, f"{miss[0]} of another part")
    return other if other.verdict == "refuted" else finding


def _has_parts(name: str) -> bool:
    """Return whether the start of a name, its middle and its rest differ, so that they tell matchers apart."""
    rest = name[1:]
    return len(name) >= _MIN_NAME and rest == rest.strip() and not name.startswith(rest[:_PART])


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
    """Filter by a part of a name that is not its start."""
    resource, item, name = _named(probe, _has_parts)
    return _finds(probe, resource, item, ("name_cont", name[1:-1].rstrip()), ("name_cont", _NONSENSE))


@check("filter-start")
def filter_start(probe: Probe) -> Finding:
    """Filter by the start of a name, and by another part of it."""
    resource, item, name = _named(probe, _has_parts)
    finding = _finds(probe, resource, item, ("name_start", name[:-1].rstrip()), ("name_start", _NONSENSE))
    return (
        finding if finding.verdict == "refuted" else _without(probe, resource, item, ("name_start", name[1:]), finding)
    )


@check("filter-end")
def filter_end(probe: Probe) -> Finding:
    """Filter by the end of a name, and by another part of it."""
    resource, item, name = _named(probe, _has_parts)
    finding = _finds(probe, resource, item, ("name_end", name[1:]), ("name_end", _NONSENSE))
    other = ("name_end", name[:-1].rstrip())
    return finding if finding.verdict == "refuted" else _without(probe, resource, item, other, finding)


@check("filter-not")
def filter_not(probe: Probe) -> Finding:
    """Filter by another name than that of an item, and by another than nothing has."""
    resource, item, name = _named(probe)
    for matcher in ("name_not_eq", "name_not_cont"):
        found, first = _found(probe, resource, (matcher, _NONSENSE))
        missed, second = _found(probe, resource, (matcher, name))
        own = str(member(item, "id"))
        if first.status == second.status == _OK and own not in missed:
            _require_whole(first, found, item)
        if first.status != _OK or second.status != _OK or own not in found or own in missed:
            seen = f"{matcher}: {first.status} with {len(found)} items; of its own name: {second.status}."
            return judge(False, seen, first, second)  # noqa: FBT003
    return judge(True, f"name_not_eq and name_not_cont exclude the item: {second.status}.", first, second)  # noqa: FBT003


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


@check("filter-case-ignored")
def filter_case_ignored(probe: Probe) -> Finding:
    """Filter by a name in the other case: by a part, by the start, the end and a pattern, and by the whole name."""
    resource, item, name = _named(probe, lambda name: name.isascii() and name.swapcase() != name and _has_parts(name))
    parts = ("name_cont", "name_start", "name_end", "name_matches")
    for matcher in (*parts, "name_eq"):
        _control(_finds(probe, resource, item, (matcher, name), (matcher, _NONSENSE)))
    _control(_excludes(probe, resource, item, ("name_eq", name[1:]), "name_eq of a part"))
    found = [_finds(probe, resource, item, (matcher, name.swapcase()), (matcher, _NONSENSE)) for matcher in parts]
    refuted = [finding for finding in found if finding.verdict == "refuted"]
    return refuted[0] if refuted else _without(probe, resource, item, ("name_eq", name.swapcase()), found[0])


@check("filter-wildcards-literal")
def filter_wildcards_literal(probe: Probe) -> Finding:
    """Filter by a name whose first character is a wildcard of SQL."""
    resource, item, name = _named(probe)
    _control(_finds(probe, resource, item, ("name_cont", name), ("name_cont", _NONSENSE)))
    return _excludes(probe, resource, item, ("name_cont", f"_{name[1:]}"), "name_cont with _ for a character")


@check("filter-stripped")
def filter_stripped(probe: Probe) -> Finding:
    """Filter by a name with blanks around it, as a value and in a list of values."""
    resource, item, name = _named(probe)
    padded = f" {name} "
    for matcher in ("name_in[]", "name_eq"):
        _control(_finds(probe, resource, item, (matcher, name), (matcher, _NONSENSE)))
    finding = _finds(probe, resource, item, ("name_eq", padded), ("name_eq", _NONSENSE))
    return finding if finding.verdict == "refuted" else _without(probe, resource, item, ("name_in[]", padded), finding)


@check("filter-blank-dropped")
def filter_blank_dropped(probe: Probe) -> Finding:
    """Filter by an empty id and by a blank one, which nothing has, and by a part of a name that may be empty."""
    resource, items = probe.some(1)
    _control(_by_id(probe, resource, items[0]))
    if _found(probe, resource, ("name_cont_any[]", _NONSENSE))[0]:
        raise NotTriedError("name_cont_any does not work, which this check builds on.")
    whole, _ = _found(probe, resource)
    blanks = [_found(probe, resource, ("id_eq", value)) for value in ("", " ")]
    several = _found(probe, resource, ("name_cont_any[]", ""), ("name_cont_any[]", _NONSENSE))
    wrong = [exchange for found, exchange in blanks if exchange.status != _OK or found != whole]
    wrong += [exchange for found, exchange in [several] if exchange.status != _OK or found]
    seen = (
        f"An empty id_eq and a blank one: {_shown(blanks)} of {len(whole)} items; an empty part: {_shown([several])}."
    )
    return judge(not wrong, seen, *(wrong or [blanks[0][1]]))


@check("filter-and")
def filter_and(probe: Probe) -> Finding:
    """Send one filter that finds an item together with one that finds nothing, in both orders."""
    resource, item, name = _named(probe)
    hit, miss = ("name_eq", name), ("created_at_gt", _FUTURE)
    nothing, first = _found(probe, resource, miss)
    something, _ = _found(probe, resource, hit)
    if nothing or first.status != _OK or str(member(item, "id")) not in something:
        raise NotTriedError("The single filters do not work, which this check builds on.")
    both = [_found(probe, resource, hit, miss), _found(probe, resource, miss, hit)]
    wrong = [exchange for found, exchange in both if found or exchange.status != _OK]
    return judge(not wrong, f"Both filters together, in both orders: {_shown(both)} items.", *(wrong or [both[0][1]]))


@check("filter-or")
def filter_or(probe: Probe) -> Finding:
    """Filter by one value in two attributes: once it is in the first, once in the second."""
    resource, item, name = _named(probe)
    _control(_by_id(probe, resource, item))
    by_id = ("name_or_id_eq", str(member(item, "id")))
    finding = _finds(probe, resource, item, by_id, ("name_or_id_eq", UNKNOWN_ID))
    if finding.verdict == "refuted":
        return finding
    return _finds(probe, resource, item, ("name_or_id_eq", name), ("name_or_id_eq", UNKNOWN_ID))


@check("filter-in")
def filter_in(probe: Probe) -> Finding:
    """Filter by a list of two ids, and by one that nothing has."""
    resource, items = probe.some(2)
    _control(_by_id(probe, resource, items[0]))
    wanted = ids_of(items)[:2]
    found, exchange = _found(probe, resource, *(("id_in[]", identifier) for identifier in wanted))
    missed, other = _found(probe, resource, ("id_in[]", UNKNOWN_ID))
    holds = sorted(found) == sorted(wanted) and other.status == _OK and not missed
    seen = f"{described(exchange)} with {len(found)} items for two ids, {len(missed)} for an unknown one."
    return judge(holds, seen, exchange, other)


@check("filter-any")
def filter_any(probe: Probe) -> Finding:
    """Filter by any of several parts of a name."""
    resource, item, name = _named(probe)
    any_of = "name_cont_any[]"
    miss, last = _found(probe, resource, (any_of, _NONSENSE), (any_of, UNKNOWN_ID))
    hits = [
        _found(probe, resource, (any_of, one), (any_of, other)) for one, other in ((_NONSENSE, name), (name, _NONSENSE))
    ]
    is_ignored = last.status != _OK or miss
    if not is_ignored:
        for found, exchange in hits:
            _require_whole(exchange, found, item)
    holds = all(str(member(item, "id")) in found for found, _ in hits) and not is_ignored
    seen = f"In both orders: {_shown(hits)} items; of nothing: {last.status} with {len(miss)}."
    return judge(holds, seen, *(exchange for _, exchange in hits), last)


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
    newest = max(items, key=lambda item: str(attribute(item, "created_at")))
    hit = ("created_at_gteq", str(attribute(newest, "created_at")))
    return _finds(probe, resource, newest, hit, ("created_at_gteq", _FUTURE))


@check("filter-numbers")
def filter_numbers(probe: Probe) -> Finding:
    """Filter clips by an end that is larger as a number, and smaller as a text."""
    _, item = probe.some_with(
        lambda item: str(attribute(item, "end_time")) > _LARGE and (number(attribute(item, "end_time")) or 0) >= 1,
        "that is a clip whose end tells numbers from texts",
        "clips",
    )
    found, first = _found(probe, "clips", ("end_time_lt", _LARGE))
    missed, second = _found(probe, "clips", ("end_time_gteq", _LARGE))
    own = str(member(item, "id"))
    if first.status == second.status == _OK and own not in missed:
        _require_whole(first, found, item)
    holds = own in found and second.status == _OK and own not in missed
    seen = (
        f"Ends below {_LARGE}: {first.status} with {len(found)} clips; from it on: {second.status} with {len(missed)}."
    )
    return judge(holds, seen, first, second)


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
    wrong = [item for item in entries(exchange.data) if attribute(item, "source_url") is not None]
    if exchange.status == _OK and not wrong:
        _require_whole(exchange, found, without)
        _require_whole(exchange, found, having)
    holds = exchange.status == _OK and not wrong and str(member(without, "id")) in found
    return judge(holds, f"{described(exchange)} with {len(found)} items, {len(wrong)} of them with a URL.", exchange)


@check("filter-null-matches-nothing")
def filter_null_matches_nothing(probe: Probe) -> Finding:
    """Filter medias by another source_url than that of one, and look for one that has none."""
    without, having = _with_and_without_url(probe)
    found, exchange = _found(probe, "medias", ("source_url_not_eq", str(attribute(having, "source_url"))))
    if exchange.status != _OK or str(member(having, "id")) in found:
        raise NotTriedError("source_url_not_eq does not exclude its value, which this check builds on.")
    wrong = [item for item in entries(exchange.data) if attribute(item, "source_url") is None]
    if not wrong:
        _require_whole(exchange, found, without)
    return judge(not wrong, f"source_url_not_eq finds {len(wrong)} medias without source_url.", exchange)


@check("filter-unknown-refused")
def filter_unknown_refused(probe: Probe) -> Finding:
    """Filter by an attribute that nothing has."""
    exchange = probe.get("/medias", ("filter[nothing_eq]", "1"))
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for filter[nothing_eq]=1.", exchange)


@check("filter-value-refused")
def filter_value_refused(probe: Probe) -> Finding:
    """Filter by a time that is a word."""
    probe.read("/medias", ("filter[created_at_gt]", _FUTURE))
    exchange = probe.get("/medias", ("filter[created_at_gt]", "soon"))
    return judge(exchange.status == _BAD_REQUEST, f"{described(exchange)} for filter[created_at_gt]=soon.", exchange)


def _control(finding: Finding) -> None:
    if finding.verdict != "confirmed":
        raise NotTriedError(f"The plain filter does not work, which this check builds on. {finding.seen}")


def _with_and_without_url(probe: Probe) -> tuple[Any, Any]:
    _, without = probe.some_with(lambda item: attribute(item, "source_url") is None, "without source_url", "medias")
    _, having = probe.some_with(lambda item: attribute(item, "source_url"), "with a source_url", "medias")
    return without, having
