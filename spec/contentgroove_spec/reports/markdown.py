"""The report for pull requests: Markdown as GitHub reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .report import action_for, compared, count_text, groups, headline, reached, same_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .report import Group, Report

MAX_CHARACTERS = 60_000
"""GitHub rejects the text of a pull request or comment with more than 65,536 characters."""


def as_markdown(report: Report) -> str:
    """Write a report for pull requests. If it would be too long, it ends with the number of entries that are missing."""
    blocks = [block for part in compared(report) for block in _blocks(part)]
    kept: list[str] = []
    size, opened, omitted = 0, False, 0
    for block in blocks:
        if size + len(block) > MAX_CHARACTERS:
            omitted += 1
            continue
        kept.append(block)
        size += len(block) + 2
        opened = opened or block.startswith("<details>")
        opened = opened and block != "</details>"
    if omitted:
        if opened and kept[-1] != "</details>":
            kept.append("</details>")
        kept.append(f"**{count_text(omitted, 'further block')} did not fit here: write the whole report with `--format html`.**")
    return "\n\n".join(kept) + "\n"


def _blocks(report: Report) -> Iterator[str]:
    comparison = report.comparison
    if report.title:
        yield f"# {escaped(report.title)}"
    yield f"{'##' if report.title else '#'} {escaped(comparison.old)} → {escaped(comparison.new)}"
    yield escaped(headline(report))
    for group in groups(report):
        yield from _group(group)
    if comparison.not_compared:
        yield f"## Not compared ({len(comparison.not_compared)})"
        yield "\n".join(
            f"- {escaped(part.pointer or '/')} in the {part.document} document: {escaped(part.reason)}"
            for part in comparison.not_compared
        )
    for section in report.sections:
        yield f"## {escaped(section.title)}"
        yield escaped(section.summary)
        if section.advice:
            yield "\n".join(
                f"- {escaped(advice.what)}  \n  → {escaped(advice.action)}" for advice in section.advice
            )


def _group(group: Group) -> Iterator[str]:
    yield f"## {group.title} ({len(group.changes)})"
    # What breaks is shown; the rest opens with a click.
    folded = group.level in {"safe", "documentation"}
    if folded:
        yield "<details>\n<summary>Show</summary>"
    for changes in same_changes(group.changes):
        yield f"**{escaped(changes[0].what)}** {escaped(changes[0].reason)}"
        lines: list[str] = []
        for change in changes:
            subject, locations = reached(change)
            lines.append(f"- {escaped(subject)}")
            lines += [f"  - {escaped(location)}" for location in locations]
        yield "\n".join(lines)
        if group.level == "breaking_for_you":
            yield "\n".join(f"→ {escaped(action)}" for action in dict.fromkeys(map(action_for, changes)))
    if folded:
        yield "</details>"


def escaped(text: str) -> str:
    """Escape text for Markdown, so that a document's texts stay texts; code in backticks stays code."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else re.sub(r"([\\`*_{}\[\]<>#|~@!&])", r"\\\1", part) for index, part in enumerate(parts)
    )
