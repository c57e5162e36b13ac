"""The coverage report for browsers: one file that loads nothing, to keep or to attach to a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._pages.page import (
    Html,
    Segment,
    badge,
    bar,
    breakable,
    document,
    element,
    figures,
    join,
    legend,
    section,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove_mock.coverage.matrix import CoverageMatrix, Event, Row


def html_report(matrix: CoverageMatrix) -> str:
    """Return the coverage as an HTML page."""
    return document(
        f"{matrix.percent:g} % of the contract seen",
        _summary(matrix),
        _legend(),
        _violations(matrix),
        _responses(matrix),
        _missing(matrix),
        _webhooks(matrix.events),
        _faults(matrix.faults),
        _usage(matrix),
        about="Contract coverage",
        lead=_lead(matrix),
        footer=f"Contract (SHA-256): {matrix.contract}",
    )


def _lead(matrix: CoverageMatrix) -> str:
    seen = f"{matrix.covered_count} of {matrix.total} documented responses and webhooks were seen in this run"
    if not matrix.violations:
        return f"{seen}. Nothing violated the contract."
    return f"{seen}. {_counted(len(matrix.violations), 'violation')} of the contract: see below."


def _summary(matrix: CoverageMatrix) -> Html:
    called = sum(1 for row in matrix.rows if row.call_count)
    undocumented = sum(len(row.undocumented) for row in matrix.rows)
    numbers = figures(
        [
            ("Coverage", f"{matrix.percent:g} %", None if matrix.missing else "good"),
            ("Operations called", f"{called} of {len(matrix.rows)}", None),
            ("Calls", f"{sum(row.call_count for row in matrix.rows):,}", None),
            ("Not seen", f"{len(matrix.missing)}", "warn" if matrix.missing else "good"),
            ("Undocumented statuses", f"{undocumented}", "bad" if undocumented else "good"),
            ("Violations", f"{len(matrix.violations)}", "bad" if matrix.violations else "good"),
        ]
    )
    share = matrix.covered_count / matrix.total if matrix.total else 1.0
    return join([numbers, section("Seen of what is documented", bar([Segment(0, share, "good")]))])


def _legend() -> Html:
    return legend(
        [
            (badge("good", "3"), "The contract documents this status, and it was received: so often."),
            (badge("warn", "none"), "It documents this status, and no test of this run received it."),
            (badge("bad", "2"), "It does not document this status, which was received: so often."),
            (element("span", "empty", class_="quiet"), "It does not document this status, and it was not received."),
        ]
    )


def _violations(matrix: CoverageMatrix) -> Html:
    if not matrix.violations:
        return Html()
    return section("Violations", *(element("pre", violation) for violation in matrix.violations))


def _responses(matrix: CoverageMatrix) -> Html:
    statuses = matrix.statuses
    rows = ([_operation(row), *(_cell(row, status) for status in statuses)] for row in matrix.rows)
    caption = "How often each operation responded with each status."
    return section("Responses", table(caption, ["operation", *statuses], rows, class_="matrix"))


def _operation(row: Row) -> Html:
    return join([breakable(row.name), element("small", element("code", f"{row.method.upper()} ", breakable(row.path)))])


def _cell(row: Row, status: str) -> Html:
    if status in row.undocumented:
        return element("td", badge("bad", str(row.undocumented[status])), class_="wrong")
    if status not in row.documented:
        return element("td")
    if times := row.documented[status]:
        return element("td", badge("good", str(times)), class_="seen")
    return element("td", badge("warn", "none"), class_="unseen")


def _missing(matrix: CoverageMatrix) -> Html:
    if not matrix.missing:
        return Html()
    by_operation: dict[str, list[str]] = {}
    for missing in matrix.missing:
        name, _, what = missing.rpartition(" ")
        by_operation.setdefault(name, []).append(what)
    rows = ([breakable(name), ", ".join(found)] for name, found in by_operation.items())
    caption = "What the contract documents and no test of this run received."
    return section("Not seen", table(caption, ["operation", "responses"], rows))


def _webhooks(events: Iterable[Event]) -> Html:
    rows = (
        [
            element("code", breakable(event.name)),
            badge("good", f"{event.deliveries}") if event.deliveries else badge("warn", "none"),
        ]
        for event in events
    )
    return section("Webhooks", table("How often each event was delivered.", ["event", "deliveries"], rows))


def _faults(faults: dict[str, int]) -> Html:
    if not faults:
        return section("Faults", element("p", "The simulator was asked for none.", class_="quiet"))
    rows = ([element("code", name), f"{times:,}"] for name, times in faults.items())
    return section("Faults", table("What went wrong on purpose.", ["fault", "times"], rows))


def _usage(matrix: CoverageMatrix) -> Html:
    used = [_used(row) for row in matrix.rows if row.call_count]
    used += [
        _details(f"{event.name} ({_counted(event.deliveries, 'delivery', 'deliveries')})", [("Read", event.fields)])
        for event in matrix.events
        if event.deliveries
    ]
    return section("What was used", *(used or [element("p", "No operation was called.", class_="quiet")]))


def _used(row: Row) -> Html:
    parts = [("Query", row.query), ("Sent", row.request_fields), ("Read", row.response_fields)]
    return _details(f"{row.name} ({_counted(row.call_count, 'call')})", parts)


def _details(summary: str, parts: Iterable[tuple[str, tuple[str, ...]]]) -> Html:
    inner = [element("p", f"{name}: ", _codes(items)) for name, items in parts if items]
    inner = inner or [element("p", "Nothing was sent with it, and no field was read.", class_="quiet")]
    return element("details", element("summary", summary), *inner)


def _codes(items: Iterable[str]) -> Html:
    return join(_separated(element("code", item) for item in items))


def _separated(items: Iterable[str]) -> Iterator[str]:
    for number, item in enumerate(items):
        if number:
            yield ", "
        yield item


def _counted(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
