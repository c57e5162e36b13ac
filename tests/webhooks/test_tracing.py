"""OpenTelemetry: one trace from the receipt of an event to its handling, without credentials, if it is in use."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove.webhooks import HandlerError, WebhookReceiver
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from contentgroove.webhooks import Inbox, MediaProcessingFinished

EVENT: Final = "media.processing_finished"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans of the test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


@pytest.fixture(params=["plain", "coroutine"])
def handler(request: pytest.FixtureRequest) -> Any:
    """Write a handler that makes a span of its own, as instrumented libraries do."""

    def handle(_: MediaProcessingFinished) -> None:
        with trace.get_tracer("shop").start_as_current_span("shop"):
            pass

    async def handle_async(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        handle(event)

    return handle if request.param == "plain" else handle_async


def test_a_trace_leads_from_the_receipt_to_the_handler(
    inbox: Inbox, spans: InMemorySpanExporter, process: Any, handler: Any
) -> None:
    """Across processes, because the trace's context is stored with the event; the handler's spans are in it."""
    receiver = WebhookReceiver(inbox)
    receiver.on(EVENT)(handler)
    with trace.get_tracer("server").start_as_current_span("POST"):
        receiver.receive(body(finished()))
    assert process(receiver) == 1
    found = {span.name: span for span in spans.get_finished_spans()}
    names = ("POST", "contentgroove.webhooks.receive", "contentgroove.webhooks.handle", "shop")
    assert set(found) == set(names)
    contexts = {name: span.context for name, span in found.items()}
    assert len({context.trace_id for context in contexts.values() if context is not None}) == 1
    for parent, child in itertools.pairwise(names):
        found_parent, expected = found[child].parent, contexts[parent]
        assert found_parent is not None
        assert expected is not None
        assert found_parent.span_id == expected.span_id
    attributes = found["contentgroove.webhooks.handle"].attributes
    assert attributes is not None
    assert attributes["contentgroove.webhook.key"] == inbox.events()[0].key
    assert attributes["contentgroove.webhook.attempt"] == 1


def test_a_failure_is_on_its_span_without_credentials(inbox: Inbox, spans: InMemorySpanExporter, process: Any) -> None:
    """OpenTelemetry's own record of an exception would show them."""
    receiver = WebhookReceiver(inbox)
    receiver.receive(body(finished()))

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        raise OSError("403 of https://files.test/a.mp4?X-Amz-Signature=canary")

    with pytest.raises(HandlerError):
        process(receiver)
    (span,) = (span for span in spans.get_finished_spans() if span.name.endswith(".handle"))
    assert not span.status.is_ok
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert event.attributes["exception.type"] == "OSError"
    assert "in handle" in str(event.attributes["exception.stacktrace"])
    assert "canary" not in span.to_json()


def test_without_a_trace_nothing_is_stored(inbox: Inbox) -> None:
    """Nor is an event of an earlier release, which has none, refused."""
    receiver = WebhookReceiver(inbox)
    receiver.receive(body(finished()))
    assert [event.trace for event in inbox.events()] == [None]


def test_a_context_that_cannot_be_read_starts_a_new_trace(
    inbox: Inbox, spans: InMemorySpanExporter, process: Any
) -> None:
    """It is only text in a database."""
    receiver = WebhookReceiver(inbox)
    inbox.record("key", body(finished()), trace="00-zz")
    receiver.on(EVENT)(lambda _: None)
    assert process(receiver) == 1
    (span,) = spans.get_finished_spans()
    assert span.parent is None


@pytest.mark.process
def test_opentelemetry_is_not_imported() -> None:
    """Applications that do not use it do not pay for it."""
    program = """
import sys
from contentgroove.webhooks import MemoryInbox, WebhookReceiver
receiver = WebhookReceiver(MemoryInbox())
receiver.on("*")(lambda event: None)
receiver.receive(b'{"event": "ping"}')
assert receiver.process_pending() == 1
print(sorted({"opentelemetry", "django", "asyncio", "anyio"} & set(sys.modules)))
"""
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout == "[]\n"
