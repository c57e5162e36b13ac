"""Coverage data of a test run, merged from its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import msgspec
from contentgroove_api.types import check_levels
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Operation, Violation
    from contentgroove_mock.simulator.core.faults import Kind


class OperationUsage(Struct):
    """How one operation was usage.

    Attributes:
        statuses: How often each status was received.
        query: The names of the query parameters that were sent, such as `page[size]`.
        request_fields: JSON pointers of the fields of request bodies, with `*` for the items of lists.
    """

    statuses: dict[str, int] = field(default_factory=dict[str, int])
    query: set[str] = field(default_factory=set[str])
    request_fields: set[str] = field(default_factory=set[str])


class CoverageData(Struct):
    """What was sent, received and read.

    Attributes:
        operations: The usage of operations by operationId.
        webhooks: How often each event was delivered: sent, with a 200 as the response.
        faults: How often each fault happened, as `kind operation`.
        reads: The attributes that were read from models, as `Media.name`.
        violations: The violations of the contract.
    """

    operations: dict[str, OperationUsage] = field(default_factory=dict[str, OperationUsage])
    webhooks: dict[str, int] = field(default_factory=dict[str, int])
    faults: dict[str, int] = field(default_factory=dict[str, int])
    reads: set[str] = field(default_factory=set[str])
    violations: list[str] = field(default_factory=list[str])

    def add_exchange(
        self,
        operation: Operation | None,
        request: CheckedRequest,
        response: CheckedResponse,
        violations: Sequence[Violation],
    ) -> None:
        """Add one exchange; `operation` is None if the contract does not have it."""
        self.violations.extend(str(violation) for violation in violations)
        if operation is None:
            return
        usage = self.operations.setdefault(operation.name, OperationUsage())
        _count(usage.statuses, str(response.status))
        usage.query.update(_query_names(request.target, operation.query.credentials))
        usage.request_fields.update(_pointers(request.content))

    def add_delivery(self, event: str) -> None:
        """Add one delivered webhook."""
        _count(self.webhooks, event)

    def add_faults(self, happened: Mapping[tuple[Kind, str], int]) -> None:
        """Add the faults of one simulator."""
        for (kind, operation), times in happened.items():
            _count(self.faults, f"{kind} {operation}", times)

    def merge(self, other: Self) -> None:
        """Add the data of another process."""
        for name, other_usage in other.operations.items():
            usage = self.operations.setdefault(name, OperationUsage())
            for status, times in other_usage.statuses.items():
                _count(usage.statuses, status, times)
            usage.query |= other_usage.query
            usage.request_fields |= other_usage.request_fields
        for counts, other_counts in ((self.webhooks, other.webhooks), (self.faults, other.faults)):
            for name, times in other_counts.items():
                _count(counts, name, times)
        self.reads |= other.reads
        self.violations.extend(other.violations)

    def dump(self) -> str:
        """Return the data as text for another process."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def load(cls, text: str) -> Self:
        """Return the data that `dump` wrote."""
        return msgspec.json.decode(text.encode(), type=cls)


def _count(counts: dict[str, int], name: str, times: int = 1) -> None:
    counts[name] = counts.get(name, 0) + times


def _query_names(target: str, credentials: frozenset[str]) -> Iterator[str]:
    _, _, query = target.partition("?")
    if query:
        from urllib.parse import parse_qsl

        yield from (name for name, _ in parse_qsl(query, keep_blank_values=True) if name not in credentials)


def _pointers(content: bytes) -> Iterator[str]:
    if not content:
        return
    try:
        check_levels(content)
        value: object = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return
    yield from _leaf_pointers(value, "")


def _leaf_pointers(value: Any, pointer: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in cast("dict[str, Any]", value).items():
            yield from _leaf_pointers(member, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaf_pointers(item, f"{pointer}/*")
    else:
        yield pointer
