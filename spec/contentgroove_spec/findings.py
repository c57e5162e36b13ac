"""Collects what a comparison finds, each change of the documents once, and makes the reported changes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.pointers import join, split

from .changes import Change, Rating, Subject
from .rules import RULES
from .uses import BOTH, ORDER, Lazy, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Direction, Kind, Location, Use
    from .reading import Part
    from .rules import Rule, Verdict
    from .uses import Graph

_MAX_VALUE = 60
_UNUSED = "No operation uses it."
_OTHER_DIRECTION = "What is read-only is not sent, and what is write-only is not received."
_ADDED = ("-added", "-specified", "-set")
_REMOVED = ("-removed", "-unspecified")


@dataclass(slots=True)
class Finding:
    """One change of the documents.

    Attributes:
        rule: Its rule.
        old: What changed in the old document; None if it is only in the new one.
        new: What changed in the new document.
        pointers: The JSON pointers in the old and in the new document.
        name: What the rule's text names.
        sources: Where it was found.
    """

    rule: Rule
    old: Part | None
    new: Part | None
    pointers: tuple[str | None, str | None]
    name: str = ""
    sources: list[Source] = field(default_factory=list[Source])


class Findings:
    """Everything that a comparison has found."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None, str | None, str], Finding] = {}

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def add(
        self,
        rule_id: str,
        old: Part | None,
        new: Part | None,
        source: Source,
        *,
        name: str = "",
        parents: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """Add a change, or another location at which it was found.

        Args:
            rule_id: The id of its rule.
            old: What changed in the old document; None if it is only in the new one.
            new: What changed in the new document.
            source: Where it was found.
            name: What the rule's text names.
            parents: The JSON pointers of what contains it, used in the document that does not have it.
        """
        key = (rule_id, None if old is None else old.pointer, None if new is None else new.pointer, name)
        if key not in self._found:
            pointers = parents[0] if old is None else old.pointer, parents[1] if new is None else new.pointer
            self._found[key] = Finding(RULES[rule_id], old, new, pointers, name)
        self._found[key].sources.append(source)

    def at(
        self,
        rule_id: str,
        old: Part | None,
        new: Part | None,
        location: Location,
        direction: Direction | None = None,
        *,
        name: str = "",
        parents: tuple[str | None, str | None] = (None, None),
    ) -> None:
        """Add a change at a location of the API."""
        self.add(rule_id, old, new, Source(location, direction), name=name, parents=parents)


def change_of(finding: Finding, graph: Graph) -> Change:
    """Make the reported change of a finding."""
    rule, sources = finding.rule, finding.sources
    verdicts = [verdict for source in sources for verdict in source.verdicts(rule)]
    worst = min(verdicts, key=lambda verdict: ORDER[verdict.rating], default=None)
    rating, reason = (worst.rating, worst.reason) if worst is not None else _unused(rule, sources)
    old, new = (None if part is None else part.value for part in (finding.old, finding.new))

    def uses() -> list[Use]:
        """Find the uses, the gravest first."""
        found = (use for source in sources for use in source.uses(graph, rule))
        return sorted(found, key=lambda use: ORDER[use.rating])

    return Change(
        rule.id,
        rating,
        _kind(finding),
        _subject(finding, graph),
        describe(rule, finding.name, old, new),
        reason,
        old,
        new,
        *finding.pointers,
        Lazy(uses),
        newly_required=rule.newly_required,
    )


def _unused(rule: Rule, sources: list[Source]) -> tuple[Rating, str]:
    """Return the rating and the reason of a change that reaches no location."""
    verdict: Verdict = rule.sent
    if verdict.rating is Rating.DOCUMENTATION:
        return verdict.rating, verdict.reason
    is_reached = any(source.node is not None and source.node.states for source in sources)
    return Rating.SAFE, _OTHER_DIRECTION if is_reached else _UNUSED


def _kind(finding: Finding) -> Kind:
    if finding.rule.id.endswith(_ADDED) and finding.old is None:
        return "added"
    return "removed" if finding.rule.id.endswith(_REMOVED) and finding.new is None else "changed"


def _subject(finding: Finding, graph: Graph) -> Subject:
    pointer = finding.pointers[1 if finding.new is not None else 0] or next(filter(None, finding.pointers), "")
    steps = split(pointer)
    if steps[:1] == ["components"] and len(steps) > 2:  # noqa: PLR2004 - section and name
        return Subject(join(steps[:3]), join(steps[3:]))
    # Where the change has no effect, it still has a location.
    anywhere = (source._replace(mask=BOTH) for source in finding.sources)
    uses = (use for source in anywhere for use in source.uses(graph, finding.rule))
    first = next(uses, None)
    return Subject("", pointer, None if first is None else first.location)


def describe(rule: Rule, name: str, old: Any, new: Any) -> str:
    """Describe a change in one sentence, without its location."""
    return rule.text.format(name=name, old=short(old), new=short(new), change=describe_change(old, new))


def describe_change(old: Any, new: Any) -> str:
    """Describe the change from one value to another."""
    if old is None:
        return f"was set to {short(new)}"
    if new is None:
        return f"was removed (it was {short(old)})"
    return f"changed from {short(old)} to {short(new)}"


def short(value: Any) -> str:
    """Write a value for people, shortened."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"
    return text if "`" in text else f"`{text}`"
