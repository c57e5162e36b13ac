"""Coverage: what was seen, held against what the contract has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from contentgroove_mock.coverage.collected import CoverageData, OperationUsage
from contentgroove_mock.coverage.reads import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contentgroove_mock.contract import Checker

_COMPONENTS = "#/components/schemas/"


class Row(Struct, frozen=True):
    """One operation of the contract.

    Attributes:
        path: On the wire, the server's base path included.
        documented: How often each documented status was answered.
        undocumented: How often others were.
    """

    name: str
    method: str
    path: str
    documented: dict[str, int]
    undocumented: dict[str, int]
    query: tuple[str, ...]
    request_fields: tuple[str, ...]
    response_fields: tuple[str, ...]

    @property
    def call_count(self) -> int:
        """How often it was called."""
        return sum(self.documented.values()) + sum(self.undocumented.values())


class Event(Struct, frozen=True):
    """One webhook of the contract.

    Attributes:
        fields: JSON pointers of what was read of it.
    """

    name: str
    deliveries: int
    fields: tuple[str, ...]


class CoverageMatrix(Struct, frozen=True):
    """Coverage of a contract by a test run.

    Attributes:
        contract: The SHA-256 of the contract, so that a later reader knows which one it was.
    """

    contract: str
    rows: tuple[Row, ...]
    events: tuple[Event, ...]
    faults: dict[str, int]
    violations: tuple[str, ...]

    @property
    def statuses(self) -> list[str]:
        """Every status that some operation documents or has answered, in order."""
        return sorted({status for row in self.rows for status in (*row.documented, *row.undocumented)})

    @property
    def missing(self) -> list[str]:
        """What was not seen, such as `getMedias 401` and `webhook media.processing_finished`."""
        answers = [f"{row.name} {status}" for row in self.rows for status, times in row.documented.items() if not times]
        return answers + [f"webhook {event.name}" for event in self.events if not event.deliveries]

    @property
    def total(self) -> int:
        """How many documented answers and webhooks there are."""
        return sum(len(row.documented) for row in self.rows) + len(self.events)

    @property
    def covered_count(self) -> int:
        """How many of them were seen."""
        return self.total - len(self.missing)

    @property
    def percent(self) -> float:
        """The share that was seen, in percent; rounded down, so that only all of it is 100."""
        return math.floor(self.covered_count * 10_000 / self.total) / 100 if self.total else 100.0


def matrix(collected: CoverageData, checker: Checker) -> CoverageMatrix:
    """Hold what was seen against a contract."""
    rows: list[Row] = []
    schemas = checker.document.get("components", {}).get("schemas", {})
    reads = _by_model(collected.reads)
    for name, operation in checker.operations.items():
        used = collected.operations.get(name, OperationUsage())
        documented = {status: used.statuses.get(status, 0) for status in operation.statuses}
        rows.append(
            Row(
                name,
                operation.method,
                checker.base_path + operation.path,
                dict(sorted(documented.items())),
                {status: times for status, times in sorted(used.statuses.items()) if status not in documented},
                tuple(sorted(used.query)),
                tuple(sorted(used.request_fields)),
                tuple(sorted(set(_read_of(operation.success, schemas, reads)))) if used.statuses else (),
            )
        )
    events = [
        Event(
            name,
            collected.webhooks.get(name, 0),
            tuple(sorted(set(_read_of(schema, schemas, reads)))) if name in collected.webhooks else (),
        )
        for name, schema in checker.event_schemas.items()
    ]
    return CoverageMatrix(
        checker.digest,
        tuple(rows),
        tuple(events),
        dict(sorted(collected.faults.items())),
        tuple(collected.violations),
    )


def _by_model(reads: set[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for read in reads:
        found.setdefault(read.partition(".")[0], set()).add(read)
    return found


def _read_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], reads: Mapping[str, set[str]]) -> Iterator[str]:
    """Give the pointers of the fields that were read of whatever resources a body holds."""
    yield from _walk(schema, schemas, reads, "", frozenset())


def _walk(
    schema: Mapping[str, Any],
    schemas: Mapping[str, Any],
    reads: Mapping[str, set[str]],
    pointer: str,
    above: frozenset[str],
) -> Iterator[str]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in above:
            return
        above |= {reference}
        schema = schemas[reference.removeprefix(_COMPONENTS)]
    # A model has the name that the contract's schema has as its title, because the generator takes it from there.
    title = str(schema.get("title", ""))
    if title in reads:
        for read in reads[title]:
            yield from (pointer + field for field in fields_of(read, schema.get("properties", {})))
        return
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, schemas, reads, f"{pointer}/{name}", above)
    if "items" in schema:
        yield from _walk(schema["items"], schemas, reads, f"{pointer}/*", above)
    for composition in ("allOf", "anyOf", "oneOf"):
        for part in cast("list[Mapping[str, Any]]", schema.get(composition, [])):
            yield from _walk(part, schemas, reads, pointer, above)
