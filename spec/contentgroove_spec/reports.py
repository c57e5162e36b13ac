"""Writes what a comparison found: as text, JSON and Markdown."""

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
"""In text; the other forms name all."""

TITLES = {
    Rating.BREAKING: "Breaking",
    Rating.SAFE: "Safe",
    Rating.DOCUMENTATION: "Only in the documentation",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """One consequence, and what to do about it."""

    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Section:
    """What the changes mean for somebody.

    Attributes:
        title: For whom, or in which respect.
        summary: In one sentence.
        advice: One by one.
    """

    title: str
    summary: str
    advice: tuple[Advice, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The same change in several places."""

    what: str
    reason: str
    places: tuple[str, ...]


def grouped(changes: Iterable[Change]) -> list[Group]:
    """Put changes together that say the same, in the order in which each is met first."""
    found: dict[tuple[str, str], list[str]] = {}
    for change in changes:
        found.setdefault((change.what, change.reason), []).append(str(change.place))
    return [Group(what, reason, tuple(dict.fromkeys(places))) for (what, reason), places in found.items()]


def headline(comparison: Comparison) -> str:
    """Say in one line how much changed."""
    if not comparison.changes:
        return "Nothing changed."
    counts = {rating: len(comparison.rated(rating)) for rating in Rating}
    return (
        f"{count_text(counts[Rating.BREAKING], 'breaking change')}, {counts[Rating.SAFE]} safe, "
        f"{counts[Rating.DOCUMENTATION]} only in the documentation"
    )


def count_text(count: int, noun: str) -> str:
    """Say a number with its noun."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def as_text(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for terminals; the texts in it are the documents' own and may hold anything."""
    return "\n".join(_text(comparison, sections)) + "\n"


def _text(comparison: Comparison, sections: Iterable[Section]) -> Iterator[str]:
    yield f"{comparison.old} → {comparison.new}: {headline(comparison)}"
    for rating in Rating:
        changes = comparison.rated(rating)
        if not changes:
            continue
        yield ""
        yield f"{TITLES[rating]} ({len(changes)})"
        for group in grouped(changes):
            yield f"  {group.what} {group.reason}"
            for place in group.places[:MAX_SHOWN_LOCATIONS]:
                yield f"    {place}"
            if len(group.places) > MAX_SHOWN_LOCATIONS:
                yield f"    … and {len(group.places) - MAX_SHOWN_LOCATIONS} more places"
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
    place = change.place
    return {
        "rating": change.rating.value,
        "kind": change.kind,
        "place": str(place),
        "operation": place.operation or None,
        "webhook": place.webhook or None,
        "part": place.part,
        "name": place.name or None,
        "field": place.field or None,
        "what": change.what,
        "reason": change.reason,
        "old": change.old,
        "new": change.new,
    }


def as_markdown(comparison: Comparison, sections: Iterable[Section] = ()) -> str:
    """Write a report for pull requests."""
    return "\n".join(_markdown(comparison, sections)) + "\n"


def _markdown(comparison: Comparison, sections: Iterable[Section]) -> Iterator[str]:
    yield f"# {_escaped(comparison.old)} → {_escaped(comparison.new)}"
    yield ""
    yield _escaped(headline(comparison))
    for rating in Rating:
        changes = comparison.rated(rating)
        if not changes:
            continue
        yield ""
        yield f"## {TITLES[rating]} ({len(changes)})"
        for group in grouped(changes):
            yield ""
            yield f"**{_escaped(group.what)}** {_escaped(group.reason)}"
            yield ""
            yield from (f"- {_escaped(place)}" for place in group.places)
    for section in sections:
        yield ""
        yield f"## {_escaped(section.title)}"
        yield ""
        yield _escaped(section.summary)
        if section.advice:
            yield ""
        for advice in section.advice:
            yield f"- {_escaped(advice.what)}  "
            yield f"  → {_escaped(advice.action)}"


def _escaped(text: str) -> str:
    """Write text so that Markdown shows it as it is; code in backticks stays code."""
    parts = re.split(r"(`[^`\n]+`)", " ".join(text.split()))
    return "".join(
        part if index % 2 else re.sub(r"([\\`*_{}\[\]<>#|~@!])", r"\\\1", part) for index, part in enumerate(parts)
    )
