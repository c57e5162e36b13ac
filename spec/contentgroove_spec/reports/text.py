"""The report for terminals."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from .report import action_for, compared, count_text, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.changes import Change

    from .report import Group, Level, Report

MAX_SHOWN = 8
"""Locations of a change, subjects of the same change, and parts that could not be compared; the rest is counted.

The other formats list more."""

_MIN_WIDTH = 40

COLOURS: dict[Level, str] = {
    "breaking_for_you": "bold red",
    "breaking": "yellow",
    "safe": "green",
    "documentation": "dim",
}


def as_text(report: Report) -> str:
    """Write a report as text. Its texts come from the documents and may contain control characters."""
    return "".join(f"{line}\n" for line, _ in text_lines(report))


def text_lines(report: Report, width: int = 0) -> Iterator[tuple[str, Level | None]]:
    """Yield the lines of a report, each with the level of the group whose title it is.

    Args:
        report: The report.
        width: The columns of a line; longer ones are wrapped, and 0 wraps none.
    """
    for part in compared(report):
        for text, indent, level in _lines(part):
            for line in _wrapped(text, indent, width):
                yield line, level


def _wrapped(text: str, indent: int, width: int) -> list[str]:
    if not text or width < _MIN_WIDTH:
        return [" " * indent + text]
    return textwrap.wrap(
        text,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _lines(report: Report) -> Iterator[tuple[str, int, Level | None]]:
    """Yield the lines of one comparison, with their indents."""
    comparison = report.comparison
    if report.title:
        yield f"== {report.title} ==", 0, None
    yield f"{comparison.old} → {comparison.new}: {headline(report)}", 0, None
    for group in groups(report):
        yield "", 0, None
        yield f"{group.title} ({len(group.changes):,})", 0, group.level
        for changes in same_changes(group.changes):
            yield f"{changes[0].what} {changes[0].reason}", 2, None
            yield from ((text, indent, None) for text, indent in _positions(group, changes))
    if comparison.not_compared:
        yield "", 0, None
        yield f"Not compared ({len(comparison.not_compared):,})", 0, "breaking"
        for part in comparison.not_compared[:MAX_SHOWN]:
            yield f"{part.pointer or '/'} in the {part.document} document: {part.reason}", 2, None
        if len(comparison.not_compared) > MAX_SHOWN:
            yield f"… and {count_text(len(comparison.not_compared) - MAX_SHOWN, 'more part')}", 2, None
    for section in report.sections:
        yield "", 0, None
        yield f"{section.title}: {section.summary}", 0, None
        for advice in section.advice:
            yield advice.what, 2, None
            yield f"→ {advice.action}", 4, None
    if report.beside is not None:
        yield "", 0, None


def _positions(group: Group, changes: list[Change]) -> Iterator[tuple[str, int]]:
    for change in changes[:MAX_SHOWN]:
        subject, locations = reached(change, MAX_SHOWN)
        yield subject, 4
        yield from ((location, 6) for location in locations)
    if len(changes) > MAX_SHOWN:
        yield f"… and {len(changes) - MAX_SHOWN:,} more", 4
    if group.level == "breaking_for_you":
        yield from ((f"→ {action}", 4) for action in dict.fromkeys(map(action_for, changes)))
