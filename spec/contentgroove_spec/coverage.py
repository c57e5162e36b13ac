"""What an app uses of the API, by the coverage that its own tests wrote (`--contentgroove-coverage=FILE`)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contentgroove_api.types import check_levels

from . import PipelineError
from .operations import with_numbered_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSION = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """An app's use of one operation or one webhook.

    Attributes:
        name: Its name in the coverage file.
        statuses: The statuses that the app's tests received.
        parameters: The names of the query parameters that it sends.
        written: The fields of the body that it sends, as JSON pointers with `*` for items of lists.
        read: The fields that it reads.
        parameter_values: The values that it sends of query parameters for which the contract lists the allowed ones.
        written_values: The same of fields of the body.
    """

    name: str
    statuses: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    read: frozenset[str] = frozenset()
    parameter_values: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    written_values: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


@dataclass(frozen=True, slots=True)
class Coverage:
    """An app's use of the API.

    Attributes:
        operations: The use of operations, by method and path with numbers in braces, so that renamed ids and parameters
            do not matter.
        webhooks: The use of webhooks, by the event's name.
    """

    operations: dict[tuple[str, str], Usage] = field(default_factory=dict[tuple[str, str], Usage])
    webhooks: dict[str, Usage] = field(default_factory=dict[str, Usage])


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
            f"{path} is not a coverage file of version {VERSION}: {type(error).__name__} {error}. "
            "Write it again: pytest --contentgroove-coverage=FILE"
        ) from error


def _parse(data: dict[str, Any]) -> Coverage:
    if data["version"] != VERSION:
        raise ValueError(f"its version is {data['version']!r}")
    return Coverage(
        {
            (str(entry["method"]).lower(), with_numbered_parameters(str(entry["path"]))): Usage(
                name,
                frozenset(entry.get("statuses", ())),
                frozenset(entry.get("query", ())),
                frozenset(entry.get("request_fields", ())),
                frozenset(entry.get("response_fields", ())),
                _values(entry, "query_values"),
                _values(entry, "request_values"),
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


def _values(entry: dict[str, Any], name: str) -> dict[str, frozenset[str]]:
    return {key: frozenset(values) for key, values in entry.get(name, {}).items()}
