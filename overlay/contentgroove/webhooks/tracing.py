"""OpenTelemetry spans: from the receipt of an event to its handling, in one trace.

Nothing is imported: spans exist only if the application, or its automatic instrumentation, has imported
`opentelemetry.trace`.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from .failures import describe_error, failure_text

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

NAME = "contentgroove.webhooks"

MAX_TRACE = 64
"""The length of a `traceparent` is 55."""


class Span:
    """A span, or nothing."""

    def __init__(self, span: Any = None) -> None:
        self._span = span

    @property
    def trace(self) -> str | None:
        """The W3C `traceparent` of the span; None if it is not recorded."""
        if self._span is None:
            return None
        context = self._span.get_span_context()
        if not context.is_valid:
            return None
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def set(self, **attributes: str | int | bool) -> None:
        """Add attributes, below `contentgroove.webhook`."""
        if self._span is not None:
            self._span.set_attributes({f"contentgroove.webhook.{name}": value for name, value in attributes.items()})

    def fail(self, error: BaseException) -> None:
        """Record an exception. OpenTelemetry's own method would record credentials in its text."""
        if self._span is None:
            return
        from opentelemetry.trace import Status, StatusCode

        text = describe_error(error)
        self._span.add_event(
            "exception",
            {
                "exception.type": type(error).__qualname__,
                "exception.message": text,
                "exception.stacktrace": failure_text(error),
            },
        )
        self._span.set_status(Status(StatusCode.ERROR, text))


NO_SPAN = Span()
NOTHING = nullcontext(NO_SPAN)


def span(name: str, parent: str | None = None) -> AbstractContextManager[Span]:
    """Start a span; with a parent, in the trace of that `traceparent`."""
    trace = sys.modules.get("opentelemetry.trace")
    return NOTHING if trace is None else _start(trace, name, parent)


@contextmanager
def _start(trace: Any, name: str, parent: str | None) -> Generator[Span]:
    tracer = trace.get_tracer(NAME)
    # Exceptions are recorded by `Span.fail`.
    with tracer.start_as_current_span(
        f"{NAME}.{name}",
        context=None if parent is None else _parent_context(parent[:MAX_TRACE]),
        kind=trace.SpanKind.CONSUMER,
        record_exception=False,
        set_status_on_exception=False,
    ) as started:
        yield Span(started)


def _parent_context(parent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})
