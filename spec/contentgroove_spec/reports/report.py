"""What every report shows: a true headline, and the changes in groups, those that break the reader's app first."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from contentgroove_spec.changes import Change, Comparison, Direction, NotCompared, Rating
from contentgroove_spec.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from contentgroove_spec.changes import Location, Use

    from .lines import Sources, SourceText

_Item = TypeVar("_Item")

MAX_LOCATIONS = 100
"""The locations of one change that reports list; the rest is counted. A change can reach every field of a large API."""

Level: TypeAlias = Literal["breaking_for_you", "breaking", "safe", "documentation"]


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
class Affected:
    """What a comparison means for one app.

    Attributes:
        changes: The changes that reach what it uses, with only the uses that are its own, rated by these.
        not_compared: The parts that it uses and that could not be compared.
    """

    changes: tuple[Change, ...]
    not_compared: tuple[NotCompared, ...] = ()

    def breaking(self) -> tuple[Change, ...]:
        """Return the changes that break the app."""
        return tuple(change for change in self.changes if change.rating is Rating.BREAKING)


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison, and what it means.

    Attributes:
        comparison: The comparison.
        affected: What it means for an app; None if no coverage was given.
        sections: What it means in other respects.
        title: What is compared; empty if that is obvious.
        beside: A further comparison that is shown below.
        sources: The texts of both documents, whose lines some formats name; None if they are not known.
    """

    comparison: Comparison
    affected: Affected | None = None
    sections: tuple[Section, ...] = ()
    title: str = ""
    beside: Report | None = None
    sources: Sources | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one level, in the order in which reports show them."""

    level: Level
    title: str
    changes: tuple[Change, ...]


def headline(report: Report) -> str:
    """Summarise a comparison in one sentence that is true: that nothing changed is said only if nothing did."""
    comparison = report.comparison
    counts = {rating: len(comparison.rated(rating)) for rating in Rating}
    if counts[Rating.BREAKING] or counts[Rating.SAFE]:
        breaking = count_text(counts[Rating.BREAKING], "breaking change")
        if report.affected is not None and counts[Rating.BREAKING]:
            breaking += f" ({len(report.affected.breaking()):,} for you)"
        sentence = f"{breaking}, {counts[Rating.SAFE]:,} safe, {counts[Rating.DOCUMENTATION]:,} only in texts"
    elif counts[Rating.DOCUMENTATION]:
        sentence = f"{count_text(counts[Rating.DOCUMENTATION], 'change')}, only in texts; the wire is the same"
    elif comparison.identical:
        sentence = "Nothing changed"
    else:
        sentence = "The documents are written differently and mean the same"
    if comparison.not_compared:
        count = count_text(len(comparison.not_compared), "part")
        sentence = f"{count} could not be compared; otherwise: {sentence[0].lower()}{sentence[1:]}"
    return f"{sentence}."


def compared(report: Report) -> Iterator[Report]:
    """Yield a report and those that are shown below it."""
    current: Report | None = report
    while current is not None:
        yield current
        current = current.beside


def groups(report: Report) -> Iterator[Group]:
    """Yield the groups that have changes: breaking for the app, breaking for others, safe, only texts.

    A change that reaches the app and others is shown once, with those of its uses that are the app's.
    """
    comparison, own = report.comparison, () if report.affected is None else report.affected.breaking()
    if own:
        yield Group("breaking_for_you", "Breaking for you", own)
    known = {identity(change) for change in own}
    breaking = tuple(change for change in comparison.rated(Rating.BREAKING) if identity(change) not in known)
    titles: dict[Rating, tuple[Level, str]] = {
        Rating.BREAKING: ("breaking", "Breaking" if report.affected is None else "Breaking for others"),
        Rating.SAFE: ("safe", "Safe"),
        Rating.DOCUMENTATION: ("documentation", "Only in texts"),
    }
    for rating, (level, title) in titles.items():
        changes = breaking if rating is Rating.BREAKING else comparison.rated(rating)
        if changes:
            yield Group(level, title, changes)


def identity(change: Change) -> tuple[str, str, str, str]:
    """Return what makes a change the same one, whichever of its uses are shown."""
    return change.rule, change.subject.component, f"{change.old_pointer} {change.new_pointer}", change.what


def same_changes(changes: tuple[Change, ...]) -> list[list[Change]]:
    """Return the changes in lists of those with the same text and reason, in the order of their first occurrence."""
    found: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        found.setdefault((change.what, change.reason), []).append(change)
    return list(found.values())


def reached(change: Change, limit: int = MAX_LOCATIONS) -> tuple[str, list[str]]:
    """Return a change's subject, and the locations that it reaches if these say more; the last line counts the rest."""
    subject = str(change.subject)
    locations = list(dict.fromkeys(use.location for use in change.uses))
    if len(locations) == 1 and str(locations[0]) == subject:
        return subject, []
    shown = first_of(locations, limit, _operation)
    lines = list(map(str, shown))
    if len(shown) < len(locations):
        lines.append(f"… and {count_text(len(locations) - len(shown), 'more location')}")
    return subject, lines


def first_uses(change: Change) -> tuple[list[Use], int]:
    """Return as many uses as reports list, and the number of the others."""
    # `list` would ask for the length first, which finds all of them once more.
    uses = list(iter(change.uses))
    shown = first_of(uses, MAX_LOCATIONS, lambda use: _operation(use.location))
    return shown, len(uses) - len(shown)


def first_of(items: Sequence[_Item], limit: int, kind: Callable[[_Item], Hashable]) -> list[_Item]:
    """Return at most a number of items: one of each kind first."""
    if len(items) <= limit:
        return list(items)
    kinds: dict[Hashable, _Item] = {}
    for item in items:
        kinds.setdefault(kind(item), item)
    found = list(kinds.values())[:limit]
    taken = set(map(id, found))
    rest = (item for item in items if id(item) not in taken)
    return found + list(itertools.islice(rest, limit - len(found)))


def _operation(location: Location) -> tuple[str, str]:
    return location.operation, location.webhook


def action_for(change: Change) -> str:
    """Return what an app must do about a change that breaks it."""
    use = change.uses[0] if change.uses else None
    if use is None or not use.location.operation:
        return "Every call is affected: try one before you release."
    if use.location.part == "operation" and change.kind == "removed":
        return "Replace your use of it, or keep the old version while it works."
    if use.direction is Direction.RECEIVED:
        return "Check where your app reads it, and handle the new values."
    if RULES[change.rule].newly_required:
        return "Send it with every call."
    return "Check where your app sends it, and send only accepted values."


def position_of(report: Report, part: Change | NotCompared) -> tuple[SourceText, int] | None:
    """Return the document and the line at which a part is shown; None if the texts are not known."""
    if report.sources is None:
        return None
    return report.sources.position(part) if isinstance(part, Change) else report.sources.position_of_part(part)


def count_text(count: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
