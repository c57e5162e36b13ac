"""Write the report of a comparison as text, JSON and Markdown."""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .changes import Change, Comparison, Rating

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_SHOWN_LOCATIONS = 8
"""In the text report; the other formats list all."""

TITLES = {
    Rating.BREAKING: "Breaking",
    Rating.SAFE: "Safe",
    Rating.DOCUMENTATION: "Only in the documentation",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One consequence, and the action that it requires."""

    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Section:
    """The impact of the changes in one respect.

    Attributes:
        title: The respect.
        summary: The impact in one sentence.
        advice: Each consequence.
    """

    title: str
    summary: str
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The same change at several locations."""

    what: str
    reason: str
    locations: tuple[str, ...]


def group_changes(changes: Iterable[Change]) -> list[Group]:
    """Group changes with the same text, in the order of their first occurrence."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        found.setdefault((change.what, change.reason), []).append(str(change.location))
    return [Group(what, reason, tuple(dict.fromkeys(locations))) for (what, reason), locations in found.items()]


def headline(comparison: Comparison) -> str:
    """Summarise a comparison in one line."""
    if not comparison.changes:
        return "Nothing changed."
    counts = {rating: len(comparison.rated(rating)) for rating in Rating}
    return (
        f"{count_text(counts[Rating.BREAKING], 'breaking change')}, {counts[Rating.SAFE]} safe, "
        f"{counts[Rating.DOCUMENTATION]} only in the documentation"
    )


def count_text(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_text(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for terminals. Its texts come from the documents and may contain control characters."""
    return "\n".join(_text(comparison, sections)) + "\n"


def _text(comparison: Comparison, sections: Iterable[Section]) -> Iterator[str]:
    yield f"{comparison.old} → {comparison.new}: {headline(comparison)}"
    for rating in Rating:
        changes = comparison.rated(rating)
        if not changes:
            continue
        yield ""
        yield f"{TITLES[rating]} ({len(changes)})"
        for group in group_changes(changes):
            yield f"  {group.what} {group.reason}"
            for location in group.locations[:MAX_SHOWN_LOCATIONS]:
                yield f"    {location}"
            if len(group.locations) > MAX_SHOWN_LOCATIONS:
                yield f"    … and {len(group.locations) - MAX_SHOWN_LOCATIONS} more locations"
    for section in sections:
        yield ""
        yield f"{section.title}: {section.summary}"
        for advice in section.advice:
            yield f"  {advice.what}"
            yield f"    → {advice.action}"


def as_json(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for programs: `old`, `new`, `summary`, `changes` and `sections`."""
    report = {
        "version": 1,
        "old": comparison.old,
        "new": comparison.new,
        "summary": {rating.value: len(comparison.rated(rating)) for rating in Rating},
        "changes": [_change(change) for change in comparison.changes],
        "sections": [dataclasses.asdict(section) for section in sections],
    }
    return json.dumps(report, ensure_ascii=False, indent=2) + "\n"


def _change(change: Change) -> dict[str, Any]:
    location = change.location
    return {
        "rating": change.rating.value,
        "kind": change.kind,
        "location": str(location),
        "operation": location.operation or None,
        "webhook": location.webhook or None,
        "part": location.part,
        "name": location.name or None,
        "field": location.field or None,
        "what": change.what,
        "reason": change.reason,
        "old": change.old,
        "new": change.new,
    }


def as_markdown(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for pull requests."""
    return "\n".join(_markdown(comparison, sections)) + "\n"


def _markdown(comparison: Comparison, sections: Iterable[Section]) -> Iterator[str]:
    yield f"# {_escape(comparison.old)} → {_escape(comparison.new)}"
    yield ""
    yield _escape(headline(comparison))
    for rating in Rating:
        changes = comparison.rated(rating)
        if not changes:
            continue
        yield ""
        yield f"## {TITLES[rating]} ({len(changes)})"
        for group in group_changes(changes):
            yield ""
            yield f"**{_escape(group.what)}** {_escape(group.reason)}"
            yield ""
            yield from (f"- {_escape(location)}" for location in group.locations)
    for section in sections:
        yield ""
        yield f"## {_escape(section.title)}"
        yield ""
        yield _escape(section.summary)
        if section.advice:
            yield ""
        for advice in section.advice:
            yield f"- {_escape(advice.what)}  "
            yield f"  → {_escape(advice.action)}"


def _escape(text: str) -> str:
    """Escape text for Markdown; code in backticks stays code."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else re.sub(r"([\\`*_{}\[\]<>#|~@!])", r"\\\1", part) for index, part in enumerate(parts)
    )
