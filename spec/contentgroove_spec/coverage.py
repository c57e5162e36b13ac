"""What changes mean for an app, by the coverage that its own tests wrote (`--contentgroove-coverage=FILE`)."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from .changes import Comparison, Rating
from .errors import PipelineError
from .folding import with_numbered_parameters
from .reports import Advice, Section, count_text, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .changes import Change

VERSION = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What an app uses of one operation, or of one webhook.

    Attributes:
        name: How the coverage calls it.
        statuses: The statuses that its tests met.
        parameters: Names of query parameters sent.
        written: Fields of the body that it sends, as JSON pointers with `*` for items of lists.
        read: Fields that it reads.
    """

    name: str
    statuses: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Coverage:
    """What an app uses.

    Attributes:
        operations: By method and path with numbers in braces, so that renamed ids and parameters do not matter.
        webhooks: By the event's name.
    """

    operations: dict[tuple[str, str], Usage] = dataclasses.field(default_factory=dict[tuple[str, str], Usage])
    webhooks: dict[str, Usage] = dataclasses.field(default_factory=dict[str, Usage])


def read_coverage(path: Path) -> Coverage:
    """Read the file that the pytest plugin wrote.

    Raises:
        PipelineError: It cannot be read, or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise PipelineError(f"{path} is no coverage file: {error}. {_AGAIN}") from error
    if not isinstance(data, dict) or cast("dict[str, Any]", data).get("version") != VERSION:
        raise PipelineError(f"{path} is no coverage file of version {VERSION}. {_AGAIN}")
    whole = cast("dict[str, Any]", data)
    try:
        return Coverage(
            {
                (str(one["method"]).lower(), with_numbered_parameters(str(one["path"]))): Usage(
                    name,
                    frozenset(one.get("statuses", ())),
                    frozenset(one.get("query", ())),
                    frozenset(one.get("request_fields", ())),
                    frozenset(one.get("response_fields", ())),
                )
                for name, one in whole.get("operations", {}).items()
                if any(status.get("calls") for status in one.get("statuses", {}).values())
            },
            {
                name: Usage(name, read=frozenset(one.get("fields", ())))
                for name, one in whole.get("webhooks", {}).items()
                if one.get("deliveries")
            },
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise PipelineError(f"{path} is no coverage file: {type(error).__name__} {error}. {_AGAIN}") from error


_AGAIN = "Write it anew: pytest --contentgroove-coverage=FILE"


def impact_on_app(comparison: Comparison, coverage: Coverage) -> tuple[Comparison, Section]:
    """Keep only the changes that touch what an app uses, and say how many there were."""
    kept = tuple(change for change in comparison.changes if affects(change, coverage))
    mine = Comparison(comparison.old, comparison.new, kept)
    breaking, used = comparison.rated(Rating.BREAKING), mine.rated(Rating.BREAKING)
    names = "; ".join(f"{group.places[0]}: {group.what.rstrip('.')}" for group in grouped(used))
    summary = f"{count_text(len(breaking), 'breaking change')}; you use {len(used)}{': ' + names if names else ''}."
    advice = tuple(Advice(f"{change.place}: {change.what} {change.reason}", _action(change)) for change in used)
    return mine, Section("What it means for your app", summary, advice)


def _action(change: Change) -> str:
    if not change.place.operation:
        return "Every call is concerned: try one before you release."
    if change.place.part == "operation" and change.kind == "removed":
        return "Find another way to what you use it for, or stay with the old version while it works."
    if change.place.is_received:
        return "Look where your app reads it, and handle what may come now."
    return "Look where your app sends it, and send what is accepted now."


def affects(change: Change, coverage: Coverage) -> bool:
    """Tell whether a change touches what an app uses.

    A change of a body touches an app that uses the field or one inside it. What nothing finer is known of touches
    everybody who calls the operation.
    """
    place = change.place
    if not place.operation:
        return change.rating is not Rating.DOCUMENTATION
    if place.webhook:
        usage = coverage.webhooks.get(place.webhook)
        return usage is not None and (not place.field or uses(usage.read, place.field))
    method, _, path = place.operation.partition(" ")
    usage = coverage.operations.get((method.lower(), with_numbered_parameters(path)))
    return usage is not None and _affects_operation(change, usage)


def _affects_operation(change: Change, usage: Usage) -> bool:
    place = change.place
    if place.part == "parameter":
        return _affects_parameter(change, usage)
    if place.part == "response":
        met = place.name in usage.statuses or f"{place.name[:1]}XX" == place.name or place.name == "default"
        return met and (not place.field or uses(usage.read, place.field))
    if place.part == "request" and place.field:
        return uses(usage.written, place.field) != change.demands
    return True


def _affects_parameter(change: Change, usage: Usage) -> bool:
    name, _, where = change.place.name.rpartition(" in ")
    if where != "query":
        return True
    # filter[name_eq] is sent for the parameter `filter`.
    sent = any(used == name or used.startswith(f"{name}[") for used in usage.parameters)
    return sent != change.demands


def uses(used: Iterable[str], field: str) -> bool:
    """Tell whether a field, or one inside it, is among those that are used."""
    wanted = field.split("/")
    return any(
        len(names) >= len(wanted)
        and all("*" in pair or pair[0] == pair[1] for pair in zip(names, wanted, strict=False))
        for names in (one.split("/") for one in used)
    )
