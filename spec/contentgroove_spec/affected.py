"""The changes that affect an app: those of an operation, a parameter, a field or a value that it uses."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from contentgroove._openapi.documents import as_list
from contentgroove._openapi.pointers import split
from msgspec import structs

from .changes import Location, Rating, field_of
from .coverage import Usage
from .field_paths import FieldPaths
from .operations import with_numbered_parameters
from .reports.report import Affected, Section, count_text
from .uses import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .changes import Change, Comparison, NotCompared, Use
    from .coverage import Coverage
    from .documents import Document

MAX_NAMED = 5
"""Changes that the summary names; the report shows all."""

_VALUES_REMOVED = "enum-values-removed"
_DEFAULTS = frozenset({"default-changed", "default-removed"})
_REQUIRED = "/required"


def affected_by(comparison: Comparison, coverage: Coverage, old: Document, new: Document) -> Affected:
    """Return what a comparison means for an app.

    Args:
        comparison: The comparison.
        coverage: What the app uses.
        old: The old document, in which the app's fields are looked up.
        new: The new one.
    """
    matcher = _Matcher(coverage, old, new)
    changes = [change for change in map(matcher.own, comparison.changes) if change is not None]
    changes.sort(key=lambda change: ORDER[change.rating])
    not_compared = tuple(part for part in comparison.not_compared if matcher.uses_part(part))
    return Affected(tuple(changes), not_compared)


def summary(comparison: Comparison, affected: Affected) -> Section:
    """Summarise what a comparison means for an app."""
    breaking = comparison.rated(Rating.BREAKING)
    own = affected.breaking()
    names = "; ".join(f"{change.uses[0].location}: {change.what.rstrip('.')}" for change in own[:MAX_NAMED])
    more = f"; … and {len(own) - MAX_NAMED} more" if len(own) > MAX_NAMED else ""
    text = f"{count_text(len(breaking), 'breaking change')}; you use {len(own)}{': ' + names if names else ''}{more}."
    if affected.not_compared:
        text += f" {count_text(len(affected.not_compared), 'part')} that you use could not be compared."
    return Section("What it means for your app", text)


class _Matcher:
    """Matches changes with what an app uses, in both documents."""

    def __init__(self, coverage: Coverage, old: Document, new: Document) -> None:
        self._coverage = coverage
        self._paths = FieldPaths(old, "old"), FieldPaths(new, "new")
        self._passed: dict[Location, set[tuple[str, str]]] = {}

    def own(self, change: Change) -> Change | None:
        """Return a change with only the uses that are the app's; None if there are none."""
        uses = [use for use in change.uses if self._affects(change, use)]
        if not uses:
            return None
        worst = min(uses, key=lambda use: ORDER[use.rating])
        return dataclasses.replace(change, uses=tuple(uses), rating=worst.rating, reason=worst.reason)

    def uses_part(self, part: NotCompared) -> bool:
        """Return whether the app uses what a part belongs to; a part of the whole document belongs to every app."""
        return not part.locations or any(
            not location.operation or self._usage(location) is not None for location in part.locations
        )

    def _usage(self, location: Location) -> Usage | None:
        if location.webhook:
            # Coverage has the contract's name of the webhook, and the published document has another.
            known = self._coverage.webhooks
            if location.webhook in known or not known:
                return known.get(location.webhook)
            read = frozenset(field for usage in known.values() for field in usage.read)
            return Usage(location.webhook, read=read)
        method, _, path = location.operation.partition(" ")
        return self._coverage.operations.get((method.lower(), with_numbered_parameters(path)))

    def _affects(self, change: Change, use: Use) -> bool:
        location = use.location
        if not location.operation:
            return use.rating is not Rating.DOCUMENTATION
        usage = self._usage(location)
        return usage is not None and self._affects_usage(change, location, usage)

    def _affects_usage(self, change: Change, location: Location, usage: Usage) -> bool:
        match location.part:
            case "request" if location.webhook:
                return self._field_is_used(change, location, usage.read)
            case "parameter" if location.name.endswith(" in query"):
                return _parameter_is_used(change, location, usage)
            case "response":
                received = location.name in {*usage.statuses, "default", f"{location.name[:1]}XX"}
                return received and self._field_is_used(change, location, usage.read)
            case "request":
                return self._request_is_affected(change, location, usage)
            case _:
                return True

    def _request_is_affected(self, change: Change, location: Location, usage: Usage) -> bool:
        if _affects_omission(change):
            # Who sends the object without the field is affected.
            parent = location.field.rpartition("/")[0]
            return not uses(usage.written, location.field) and (not parent or uses(usage.written, parent))
        if change.rule == _VALUES_REMOVED and not _sends_one_of(change, usage.written_values, location.field):
            return False
        return self._field_is_used(change, location, usage.written)

    def _field_is_used(self, change: Change, location: Location, used: frozenset[str]) -> bool:
        """Return whether a field that is used passes what changed, or is part of it."""
        if not location.field or uses(used, location.field):
            return True
        component = change.subject.component
        if not component:
            return False
        position = structs.replace(location, field="", detail="")
        if position not in self._passed:
            self._passed[position] = set().union(*(paths.passed(position, used) for paths in self._paths))
        inner = _field_in_component(change, location)
        return any(name == component and uses([rest], inner) for name, rest in self._passed[position])


def _field_in_component(change: Change, location: Location) -> str:
    pointer = change.subject.pointer
    if pointer.endswith(_REQUIRED):
        # The pointer is that of the list of names; the field is the one whose name was added or removed.
        parent = field_of(split(pointer.removesuffix(_REQUIRED)))
        return f"{parent}/{location.field.rpartition('/')[2]}"
    return field_of(split(pointer))


def _parameter_is_used(change: Change, location: Location, usage: Usage) -> bool:
    name = location.name.removesuffix(" in query")
    # `filter[name_eq]` is the property `name_eq` of the parameter `filter`.
    sent = {used: used[len(name) :].strip("[]").replace("][", "/") for used in usage.parameters if _is_of(used, name)}
    if _affects_omission(change):
        inside = [f"/{inner}" for inner in sent.values() if inner]
        return not sent if not location.field else bool(sent) and not uses(inside, location.field)
    if change.rule == _VALUES_REMOVED:
        return bool(sent) and _sends_one_of(change, usage.parameter_values, name)
    if not location.field or not any(sent.values()):
        return bool(sent)
    return uses([f"/{inner}" for inner in sent.values()], location.field)


def _affects_omission(change: Change) -> bool:
    """Return whether only apps are affected that do not send the value."""
    return change.newly_required or change.rule in _DEFAULTS


def _is_of(used: str, name: str) -> bool:
    return used == name or used.startswith(f"{name}[")


def _sends_one_of(change: Change, sent: Mapping[str, frozenset[str]], key: str) -> bool:
    """Return whether the app sends a value that was removed; it may if its values were not recorded."""
    removed = as_list(change.old) or [change.old]
    return key not in sent or any(str(value) in sent[key] for value in removed)


def uses(used: Iterable[str], field: str) -> bool:
    """Return whether a field, one inside it or one around it is used. What contains it may be read as a whole."""
    steps = field.split("/")
    return any(
        all("*" in pair or pair[0] == pair[1] for pair in zip(names, steps, strict=False))
        for names in (path.split("/") for path in used)
    )
