"""The report for programs: JSON, described by the schema next to this module."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contentgroove_spec.changes import Rating

from .report import MAX_LOCATIONS, first_uses, headline, identity

if TYPE_CHECKING:
    from contentgroove_spec.changes import Change, Location, NotCompared, Use

    from .report import Report, Section

VERSION = 2
"""The version of the format; new members may be added without a new one."""


def as_json(report: Report) -> str:
    """Write a report for programs; `report.schema.json` describes it."""
    return json.dumps({"version": VERSION, **_report(report)}, ensure_ascii=False, indent=2) + "\n"


def _report(report: Report) -> dict[str, Any]:
    comparison, affected = report.comparison, report.affected
    own = {} if affected is None else {identity(change): change for change in affected.changes}
    summary: dict[str, int] = {rating.value: len(comparison.rated(rating)) for rating in Rating}
    summary["notCompared"] = len(comparison.not_compared)
    if affected is not None:
        summary["breakingForYou"] = len(affected.breaking())
    return {
        "title": report.title,
        "old": comparison.old,
        "new": comparison.new,
        "headline": headline(report),
        "identical": comparison.identical,
        "summary": summary,
        "changes": [
            _change(change) | ({} if affected is None else {"forYou": _for_app(own.get(identity(change)))})
            for change in comparison.changes
        ],
        "notCompared": [_not_compared(part) for part in comparison.not_compared],
        "sections": [_section(section) for section in report.sections],
        **({"beside": _report(report.beside)} if report.beside is not None else {}),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "rule": change.rule,
        "rating": change.rating.value,
        "kind": change.kind,
        "subject": str(change.subject),
        "component": change.subject.component or None,
        "what": change.what,
        "reason": change.reason,
        "old": change.old,
        "new": change.new,
        "oldPointer": change.old_pointer,
        "newPointer": change.new_pointer,
        "newlyRequired": change.newly_required,
        **_uses(change),
    }


def _for_app(change: Change | None) -> dict[str, Any] | None:
    if change is None:
        return None
    return {"rating": change.rating.value, **_uses(change)}


def _uses(change: Change) -> dict[str, Any]:
    shown, more = first_uses(change)
    return {"uses": list(map(_use, shown)), "moreUses": more}


def _use(use: Use) -> dict[str, Any]:
    direction = None if use.direction is None else use.direction.value
    return {**_location(use.location), "direction": direction, "rating": use.rating.value, "reason": use.reason}


def _location(location: Location) -> dict[str, Any]:
    return {
        "location": str(location),
        "operation": location.operation or None,
        "webhook": location.webhook or None,
        "part": location.part,
        "name": location.name or None,
        "field": location.field or None,
    }


def _not_compared(part: NotCompared) -> dict[str, Any]:
    shown = part.locations[:MAX_LOCATIONS]
    return {
        "document": part.document,
        "pointer": part.pointer,
        "reason": part.reason,
        "locations": list(map(_location, shown)),
        "moreLocations": len(part.locations) - len(shown),
    }


def _section(section: Section) -> dict[str, Any]:
    advice = [{"what": advice.what, "action": advice.action} for advice in section.advice]
    return {"title": section.title, "summary": section.summary, "advice": advice}
