"""The report for terminals."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .report import action_for, compared, count_text, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_spec.changes import Change

    from .report import Group, Level, Report

MAX_SHOWN = 8
"""Locations of a change, subjects of the same change, and parts that could not be compared; the rest is counted. The other
formats list all."""

_COLOURS: dict[Level, str] = {
    "breaking_for_you": "red",
    "breaking": "yellow",
    "safe": "green",
    "documentation": "bright_black",
}


def as_text(report: Report, *, width: int = 0, colour: Callable[[str, str], str] | None = None) -> str:
    """Write a report for terminals. Its texts come from the documents and may contain control characters.

    Args:
        report: The report.
        width: The columns of a line; longer ones are wrapped, and 0 wraps none.
        colour: Returns a text in a colour of that name; None leaves all as it is.
    """
    lines = [line for part in compared(report) for line in _lines(part, width, colour)]
    return "\n".join(lines) + "\n"


def _lines(report: Report, width: int, colour: Callable[[str, str], str] | None) -> Iterator[str]:
    def wrapped(text: str, indent: int = 0) -> list[str]:
        if width <= indent + 20:
            return [" " * indent + text]
        return textwrap.wrap(
            text,
            width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]

    if report.title:
        yield from ("", *wrapped(f"== {report.title} =="))
    yield from wrapped(f"{report.comparison.old} → {report.comparison.new}: {headline(report)}")
    for group in groups(report):
        title = f"{group.title} ({len(group.changes)})"
        yield from ("", title if colour is None else colour(title, _COLOURS[group.level]))
        for changes in same_changes(group.changes):
            yield from wrapped(f"{changes[0].what} {changes[0].reason}", 2)
            for text, indent in _places(group, changes):
                yield from wrapped(text, indent)
    if report.comparison.not_compared:
        yield from ("", f"Not compared ({len(report.comparison.not_compared)})")
        for part in report.comparison.not_compared[:MAX_SHOWN]:
            yield from wrapped(f"{part.pointer or '/'} in the {part.document} document: {part.reason}", 2)
        if len(report.comparison.not_compared) > MAX_SHOWN:
            yield f"  … and {count_text(len(report.comparison.not_compared) - MAX_SHOWN, 'more part')}"
    for section in report.sections:
        yield from ("", *wrapped(f"{section.title}: {section.summary}"))
        for advice in section.advice:
            yield from wrapped(advice.what, 2)
            yield from wrapped(f"→ {advice.action}", 4)
    if report.beside is not None:
        yield ""


def _places(group: Group, changes: list[Change]) -> Iterator[tuple[str, int]]:
    for change in changes[:MAX_SHOWN]:
        subject, locations = reached(change)
        yield subject, 4
        for location in locations[:MAX_SHOWN]:
            yield location, 6
        if len(locations) > MAX_SHOWN:
            yield f"… and {count_text(len(locations) - MAX_SHOWN, 'more location')}", 6
    if len(changes) > MAX_SHOWN:
        yield f"… and {len(changes) - MAX_SHOWN:,} more", 4
    if group.level == "breaking_for_you":
        yield from ((f"→ {action}", 4) for action in dict.fromkeys(map(action_for, changes)))
