"""Coverage data of a test run: what was sent and received, and which attributes of models were read."""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import parse_qsl

from contentgroove import models
from contentgroove._openapi.pointers import escape
from msgspec import Struct, field

from contentgroove_mock.contract.values import decode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
    from types import FrameType

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Operation, Violation
    from contentgroove_mock.simulator.core.faults import Kind

MODELS: tuple[type[Any], ...] = (
    models.Media,
    models.Clip,
    models.Transcription,
    models.WebhookSubscription,
    models.DirectUpload,
)
MAX_VALUE = 64
"""Characters of a value that is recorded; those that a contract lists are short."""
MAX_VALUES = 100
"""Values that are recorded of one parameter or field."""

_BASE_MODULE = models.Media.__mro__[1].__module__
_ABOUT_FIELDS = frozenset({"fields_set", "extra"})
_CONTAINERS = ("attributes", "relationships")


class OperationUsage(Struct):
    """The usage of one operation.

    Attributes:
        statuses: How often each status was received.
        query: The names of the query parameters that were sent, such as `page[size]`.
        request_fields: JSON pointers of the fields of request bodies, with `*` for the items of lists.
        query_values: The short values that were sent, by the parameter's name. Reports contain those that the contract
            lists, and no others, because they can be personal.
        request_values: The same by the field's JSON pointer.
    """

    statuses: dict[str, int] = field(default_factory=dict[str, int])
    query: set[str] = field(default_factory=set[str])
    request_fields: set[str] = field(default_factory=set[str])
    query_values: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    request_values: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


class CoverageData(Struct):
    """What was sent, received and read.

    Attributes:
        operations: The usage of operations by operationId.
        webhooks: How often each event was delivered: sent, with a 200 as the response.
        faults: How often each fault happened, as `kind operation`.
        reads: The attributes that were read from models, as `Media.name`.
        violations: The violations of the contract.
        late_violations: Those that were found after the reports of their tests were complete.
    """

    operations: dict[str, OperationUsage] = field(default_factory=dict[str, OperationUsage])
    webhooks: dict[str, int] = field(default_factory=dict[str, int])
    faults: dict[str, int] = field(default_factory=dict[str, int])
    reads: set[str] = field(default_factory=set[str])
    violations: list[str] = field(default_factory=list[str])
    late_violations: list[str] = field(default_factory=list[str])

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
        _add(usage.statuses, {str(response.status): 1})
        pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
        sent = [(name, value) for name, value in pairs if name not in operation.query.credentials]
        usage.query |= {name for name, _ in sent}
        for name, value in sent:
            for item in value.split(","):
                _add_value(usage.query_values, name, item)
        with contextlib.suppress(ValueError):
            for pointer, value in _leaves(decode_json(request.content), ""):
                usage.request_fields.add(pointer)
                _add_value(usage.request_values, pointer, value)

    def add_delivery(self, event: str) -> None:
        """Add one delivered webhook."""
        _add(self.webhooks, {event: 1})

    def add_faults(self, happened: Mapping[tuple[Kind, str], int]) -> None:
        """Add the faults of one simulator."""
        _add(self.faults, {f"{kind} {operation}": times for (kind, operation), times in happened.items()})

    def merge(self, other: Self) -> None:
        """Add the data of another process."""
        for name, other_usage in other.operations.items():
            usage = self.operations.setdefault(name, OperationUsage())
            _add(usage.statuses, other_usage.statuses)
            usage.query |= other_usage.query
            usage.request_fields |= other_usage.request_fields
            for mine, others in (
                (usage.query_values, other_usage.query_values),
                (usage.request_values, other_usage.request_values),
            ):
                for key, values in others.items():
                    mine[key] = mine.get(key, set()) | values
        _add(self.webhooks, other.webhooks)
        _add(self.faults, other.faults)
        self.reads |= other.reads
        self.violations.extend(other.violations)
        self.late_violations.extend(other.late_violations)


def _add(counts: dict[str, int], more: Mapping[str, int]) -> None:
    for name, times in more.items():
        counts[name] = counts.get(name, 0) + times


def _add_value(values: dict[str, set[str]], key: str, value: Any) -> None:
    if isinstance(value, str) and len(value) <= MAX_VALUE and len(values.get(key, ())) < MAX_VALUES:
        values.setdefault(key, set()).add(value)


def _leaves(value: Any, parent: str) -> Iterator[tuple[str, Any]]:
    """Yield the JSON pointers and values of everything that is neither an object nor a list."""
    if isinstance(value, dict):
        for name, member in cast("dict[str, Any]", value).items():
            yield from _leaves(member, f"{parent}/{escape(name)}")
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _leaves(item, f"{parent}/*")
    else:
        yield parent, value


@contextlib.contextmanager
def recorded_reads(reads: set[str]) -> Generator[None]:
    """Record each attribute that is read from a model, as `Media.name`, while the context is entered."""
    with contextlib.ExitStack() as undo:
        for model in MODELS:
            for name, attribute in list(vars(model).items()):
                if isinstance(attribute, property) and name not in _ABOUT_FIELDS:
                    undo.callback(setattr, model, name, attribute)
                    setattr(model, name, _recording(attribute, f"{model.__name__}.{name}", reads))
        yield


def fields_of(read: str, properties: Mapping[str, Any]) -> list[str]:
    """Return the fields that an attribute is computed from, as JSON pointers: `Media.is_finished` from `is_processing`.

    `properties` are those of the resource's schema.
    """
    model_name, _, name = read.partition(".")
    model = next(model for model in MODELS if model.__name__ == model_name)
    getter = inspect.unwrap(cast("Callable[[Any], Any]", vars(model)[name].fget))
    # The getter looks up names of the generated struct, which are those of the contract.
    mentioned = getter.__code__.co_names
    pointers = {f"/{name}": name for name in properties if name not in _CONTAINERS}
    for container in _CONTAINERS:
        inner = properties.get(container, {}).get("properties", {})
        pointers |= {f"/{container}/{name}": name for name in inner}
    return [pointer for pointer, name in pointers.items() if name in mentioned]


def _is_user_code(frame: FrameType | None) -> bool:
    """Return whether an attribute is read by an application: directly or by `to_dict`, but not by a wait of the SDK."""
    caller = None if frame is None else frame.f_back
    while caller is not None and caller.f_globals.get("__name__") == _BASE_MODULE:
        caller = caller.f_back
    name = "" if caller is None else str(caller.f_globals.get("__name__", ""))
    return name.partition(".")[0] != "contentgroove"


def _recording(attribute: property, read: str, reads: set[str]) -> property:
    getter = cast("Callable[[Any], Any]", attribute.fget)

    @functools.wraps(getter)
    def recording(self: Any) -> Any:
        if _is_user_code(inspect.currentframe()):
            reads.add(read)
        return getter(self)

    return property(recording, doc=attribute.__doc__)
