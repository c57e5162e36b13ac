"""The impact of changes on an app, by the coverage that its own tests wrote (`--contentgroove-coverage=FILE`)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contentgroove_api.types import check_levels

from . import PipelineError
from .changes import Direction, Rating
from .operations import with_numbered_parameters
from .reports import Advice, Section, count_text, group_changes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .changes import Change, Comparison, Location, Use


@dataclass(frozen=True, slots=True)
class Usage:
    """An app's use of one operation or one webhook.

    Attributes:
        name: Its name in the coverage file.
        statuses: The statuses that the app's tests received.
        parameters: The names of the query parameters that it sends.
        written: The fields of the body that it sends, as JSON pointers with `*` for items of lists.
        read: The fields that it reads.
    """

    name: str
    statuses: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Coverage:
    """An app's use of the API.

    Attributes:
        operations: The use of operations, by method and path with numbers in braces, so that renamed ids and parameters
            do not matter.
        webhooks: The use of webhooks, by the event's name.
    """

    operations: dict[tuple[str, str], Usage] = dataclasses.field(default_factory=dict[tuple[str, str], Usage])
    webhooks: dict[str, Usage] = dataclasses.field(default_factory=dict[str, Usage])


def read_coverage(path: Path) -> Coverage:
    """Read the file that the pytest plugin wrote.

    Raises:
        PipelineError: It cannot be read, or is not such a file.
    """
    try:
        content = path.read_bytes()
        check_levels(content)
        return _parse(json.loads(content.decode()))
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{path} is not a coverage file of version 1: {type(error).__name__} {error}. "
            "Write it again: pytest --contentgroove-coverage=FILE"
        ) from error


def _parse(data: dict[str, Any]) -> Coverage:
    if data["version"] != 1:
        raise ValueError(f"its version is {data['version']!r}")
    return Coverage(
        {
            (str(entry["method"]).lower(), with_numbered_parameters(str(entry["path"]))): Usage(
                name,
                frozenset(entry.get("statuses", ())),
                frozenset(entry.get("query", ())),
                frozenset(entry.get("request_fields", ())),
                frozenset(entry.get("response_fields", ())),
            )
            for name, entry in data.get("operations", {}).items()
            if any(status.get("calls") for status in entry.get("statuses", {}).values())
        },
        {
            name: Usage(name, read=frozenset(entry.get("fields", ())))
            for name, entry in data.get("webhooks", {}).items()
            if entry.get("deliveries")
        },
    )


def impact_on_app(comparison: Comparison, coverage: Coverage) -> tuple[Comparison, Section]:
    """Keep only the changes and uses that affect an app, and summarise them in a section."""
    kept = [change for change in (_affecting(change, coverage) for change in comparison.changes) if change is not None]
    affecting = dataclasses.replace(comparison, changes=tuple(kept))
    breaking, used = comparison.rated(Rating.BREAKING), affecting.rated(Rating.BREAKING)
    groups = group_changes(used).items()
    names = "; ".join(f"{locations[0]}: {what.rstrip('.')}" for (what, _), locations in groups)
    summary = f"{count_text(len(breaking), 'breaking change')}; you use {len(used)}{': ' + names if names else ''}."
    advice = tuple(
        Advice(
            f"{change.uses[0].location if change.uses else change.subject}: {change.what} {change.reason}",
            _action(change),
        )
        for change in used
    )
    return affecting, Section("What it means for your app", summary, advice)


def _action(change: Change) -> str:
    use = change.uses[0] if change.uses else None
    if use is None or not use.location.operation:
        return "Every call is affected: try one before you release."
    if use.location.part == "operation" and change.kind == "removed":
        return "Replace your use of it, or keep the old version while it works."
    if use.direction is Direction.RECEIVED:
        return "Check where your app reads it, and handle the new values."
    return "Check where your app sends it, and send only accepted values."


def _affecting(change: Change, coverage: Coverage) -> Change | None:
    """Return a change with only the uses that affect an app; None if there are none."""
    affecting = tuple(use for use in change.uses if affects(use, coverage, newly_required=change.newly_required))
    if not affecting:
        return None
    worst = min(affecting, key=lambda use: list(Rating).index(use.rating))
    return dataclasses.replace(change, uses=affecting, rating=worst.rating, reason=worst.reason)


def affects(use: Use, coverage: Coverage, *, newly_required: bool = False) -> bool:
    """Return whether a use of what changed is one of an app's.

    A change of a body affects an app that uses the field or one inside it. A change without a field affects every app
    that calls the operation.
    """
    location = use.location
    if not location.operation:
        return use.rating is not Rating.DOCUMENTATION
    if location.webhook:
        usage = coverage.webhooks.get(location.webhook)
        return usage is not None and (not location.field or uses(usage.read, location.field))
    method, _, path = location.operation.partition(" ")
    usage = coverage.operations.get((method.lower(), with_numbered_parameters(path)))
    return usage is not None and _affects_operation(location, usage, newly_required=newly_required)


def _affects_operation(location: Location, usage: Usage, *, newly_required: bool) -> bool:
    match location.part:
        case "parameter" if location.name.endswith(" in query"):
            name = location.name.removesuffix(" in query")
            # filter[name_eq] is sent for the parameter `filter`.
            sent = any(used == name or used.startswith(f"{name}[") for used in usage.parameters)
            return sent != newly_required
        case "response":
            received = location.name in {*usage.statuses, "default", f"{location.name[:1]}XX"}
            return received and (not location.field or uses(usage.read, location.field))
        case "request" if location.field:
            return uses(usage.written, location.field) != newly_required
        case _:
            return True


def uses(used: Iterable[str], field: str) -> bool:
    """Return whether a field, or one inside it, is used."""
    steps = field.split("/")
    return any(
        len(names) >= len(steps) and all("*" in pair or pair[0] == pair[1] for pair in zip(names, steps, strict=False))
        for names in (path.split("/") for path in used)
    )
