"""The coverage of the contract: recorded usage compared with what the contract documents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.operations import operations
from contentgroove._openapi.pointers import resolve_reference
from msgspec import Struct

from contentgroove_mock.coverage.collected import CoverageData, OperationUsage, fields_of
from contentgroove_mock.coverage.listed_values import listed_body_values, listed_query_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contentgroove._openapi.documents import Json

    from contentgroove_mock.contract import Checker


class Row(Struct, frozen=True):
    """The coverage of one operation.

    Attributes:
        path: Its path template, with the server's base path.
        documented: How often each documented status was received.
        undocumented: How often other statuses were received.
    """

    name: str
    method: str
    path: str
    documented: dict[str, int]
    undocumented: dict[str, int]
    query: tuple[str, ...]
    request_fields: tuple[str, ...]
    response_fields: tuple[str, ...]
    query_values: dict[str, list[str]]
    request_values: dict[str, list[str]]

    @property
    def call_count(self) -> int:
        """The number of calls."""
        return sum(self.documented.values()) + sum(self.undocumented.values())


class Event(Struct, frozen=True):
    """The coverage of one webhook; `fields` are JSON pointers of the fields that were read from it."""

    name: str
    deliveries: int
    fields: tuple[str, ...]


class CoverageMatrix(Struct, frozen=True):
    """Coverage of a contract by a test run; `contract` is its SHA-256, which identifies it for later readers."""

    contract: str
    rows: tuple[Row, ...]
    events: tuple[Event, ...]
    faults: dict[str, int]
    violations: tuple[str, ...]

    @property
    def statuses(self) -> list[str]:
        """All statuses that are documented or were received, in order."""
        return sorted({status for row in self.rows for status in (*row.documented, *row.undocumented)})

    @property
    def missing(self) -> list[str]:
        """What was not covered, such as `getMedias 401` and `webhook media.processing_finished`."""
        responses = [
            f"{row.name} {status}" for row in self.rows for status, times in row.documented.items() if not times
        ]
        return responses + [f"webhook {event.name}" for event in self.events if not event.deliveries]

    @property
    def total(self) -> int:
        """The number of documented responses and webhooks."""
        return sum(len(row.documented) for row in self.rows) + len(self.events)

    @property
    def covered_count(self) -> int:
        """The number of those that were covered."""
        return self.total - len(self.missing)

    @property
    def percent(self) -> float:
        """The covered share in percent; rounded down, so that only complete coverage is 100."""
        return math.floor(self.covered_count * 10_000 / self.total) / 100 if self.total else 100.0


def matrix(collected: CoverageData, checker: Checker) -> CoverageMatrix:
    """Compare coverage data with a contract."""
    reads: dict[str, set[str]] = {}
    for read in collected.reads:
        reads.setdefault(read.partition(".")[0], set()).add(read)

    def read_fields(schema: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(sorted(set(_walk(schema, checker.document, reads))))

    documented = {found.operation_id or str(found): found for found in operations(checker.document)}
    rows: list[Row] = []
    for name, operation in checker.operations.items():
        usage = collected.operations.get(name, OperationUsage())
        row = Row(
            name,
            operation.method,
            checker.base_path + operation.path,
            {status: usage.statuses.get(status, 0) for status in sorted(operation.statuses)},
            {status: times for status, times in sorted(usage.statuses.items()) if status not in operation.statuses},
            tuple(sorted(usage.query)),
            tuple(sorted(usage.request_fields)),
            read_fields(operation.success) if usage.statuses else (),
            listed_query_values(documented[name], usage.query_values),
            listed_body_values(documented[name], usage.request_values),
        )
        rows.append(row)
    events = tuple(
        Event(name, collected.webhooks.get(name, 0), read_fields(schema) if name in collected.webhooks else ())
        for name, schema in checker.event_schemas.items()
    )
    faults = dict(sorted(collected.faults.items()))
    return CoverageMatrix(checker.digest, tuple(rows), events, faults, tuple(collected.violations))


def _walk(
    schema: Mapping[str, Any],
    document: Json,
    reads: Mapping[str, set[str]],
    pointer: str = "",
    above: frozenset[str] = frozenset(),
) -> Iterator[str]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in above:
            return
        above |= {reference}
        schema = resolve_reference(document, reference)
    # A model's name is the title of its schema in the contract, because the generator takes it from there.
    title = str(schema.get("title", ""))
    if title in reads:
        for read in reads[title]:
            yield from (pointer + field for field in fields_of(read, schema.get("properties", {})))
        return
    for name, inner in schema.get("properties", {}).items():
        yield from _walk(inner, document, reads, f"{pointer}/{name}", above)
    if "items" in schema:
        yield from _walk(schema["items"], document, reads, f"{pointer}/*", above)
    for composition in ("allOf", "anyOf", "oneOf"):
        for part in cast("list[Mapping[str, Any]]", schema.get(composition, [])):
            yield from _walk(part, document, reads, pointer, above)
