"""The report for pull requests: Markdown as GitHub reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .report import action_for, compared, count_text, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.changes import Change

    from .report import Group, Report

MAX_CHARACTERS = 60_000
"""GitHub rejects the text of a pull request or comment with more than 65,536 characters."""

_OPEN, _CLOSE = "<details>\n<summary>Show</summary>", "</details>"
_CHUNK = 20
"""Changes in one list, which is shown as a whole or not."""

# On GitHub, an @ before a user's name sends a message, escaped or not; an invisible character prevents that.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def as_markdown(report: Report) -> str:
    """Write a report for pull requests; if it is too long for one, it ends with the number of changes left out."""
    kept: list[str] = []
    size, total, omitted = 0, 0, 0
    for text, count in (block for part in compared(report) for block in _blocks(part)):
        total += count
        # What was opened is closed, whatever is omitted in between.
        if text not in {_OPEN, _CLOSE} and size + len(text) > MAX_CHARACTERS:
            omitted += count
            continue
        kept.append(text)
        size += len(text) + 2
    if omitted:
        kept.append(f"**{omitted:,} of {count_text(total, 'change')} did not fit here: `--format html` shows all.**")
    return "\n\n".join(kept) + "\n"


def _blocks(report: Report) -> Iterator[tuple[str, int]]:
    """Yield the blocks of one comparison, each with the number of changes that it shows."""
    comparison = report.comparison
    if report.title:
        yield f"# {escaped(report.title)}", 0
    yield f"{'##' if report.title else '#'} {escaped(comparison.old)} → {escaped(comparison.new)}", 0
    yield escaped(headline(report)), 0
    for group in groups(report):
        yield from _group(group)
    if comparison.not_compared:
        yield f"## Not compared ({len(comparison.not_compared):,})", 0
        for part in comparison.not_compared:
            pointer, reason = escaped(part.pointer or "/"), escaped(part.reason)
            yield f"- {pointer} in the {part.document} document: {reason}", 0
    for section in report.sections:
        yield f"## {escaped(section.title)}", 0
        yield escaped(section.summary), 0
        for advice in section.advice:
            yield f"- {escaped(advice.what)}  \n  → {escaped(advice.action)}", 0


def _group(group: Group) -> Iterator[tuple[str, int]]:
    yield f"## {group.title} ({len(group.changes):,})", 0
    # What breaks is shown; the rest opens with a click.
    folded = group.level in {"safe", "documentation"}
    if folded:
        yield _OPEN, 0
    for changes in same_changes(group.changes):
        title = f"**{escaped(changes[0].what)}** {escaped(changes[0].reason)}\n\n"
        for start in range(0, len(changes), _CHUNK):
            chunk = changes[start : start + _CHUNK]
            lines = "\n".join(line for change in chunk for line in _positions(change))
            yield f"{'' if start else title}{lines}", len(chunk)
        if group.level == "breaking_for_you":
            yield "\n".join(f"→ {escaped(action)}" for action in dict.fromkeys(map(action_for, changes))), 0
    if folded:
        yield _CLOSE, 0


def _positions(change: Change) -> Iterator[str]:
    subject, locations = reached(change)
    yield f"- {escaped(subject)}"
    yield from (f"  - {escaped(location)}" for location in locations)


def escaped(text: str) -> str:
    """Escape text for Markdown, so that a document's texts stay texts; code in backticks stays code."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else _MARKUP.sub(r"\\\1", part).replace("@", "@\u200b") for index, part in enumerate(parts)
    )
