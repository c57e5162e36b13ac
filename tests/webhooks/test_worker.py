"""Workers: events are handled as they arrive, failures as they are due, and a stop finishes the current event."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove import ConfigurationError
from contentgroove.webhooks import Backoff, InboxError, MemoryInbox, SQLiteInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove.webhooks import MediaProcessingFinished

EVENT: Final = "media.processing_finished"
NEVER = 3_600.0
"""Seconds between checks, so that only a wake-up can make a test pass."""

LONG = 10.0
"""Seconds after which a test gives up."""


class Handled:
    """A handler that records its events, and can be waited for."""

    def __init__(self) -> None:
        self.medias: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, event: MediaProcessingFinished) -> None:
        """Handle an event."""
        with self._changed:
            self.medias.append(event.media.id)
            self._changed.notify_all()

    def wait_for(self, count: int) -> bool:
        """Wait for a number of events; False if they do not come."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.medias) >= count, LONG)


def test_events_are_handled_as_they_arrive() -> None:
    """Those recorded before the start, and those that arrive later."""
    receiver, handled = WebhookReceiver(MemoryInbox()), Handled()
    receiver.on(EVENT)(handled)
    receiver.receive(body(finished("m-1")))
    receiver.start_worker(poll_interval=NEVER)
    assert handled.wait_for(1)
    receiver.receive(body(finished("m-2")))
    assert handled.wait_for(2)
    assert receiver.stop_worker(LONG)
    assert handled.medias == ["m-1", "m-2"]


def test_failed_events_are_handled_when_they_are_due() -> None:
    """The worker wakes by itself for a retry."""
    receiver, handled = WebhookReceiver(MemoryInbox(), backoff=Backoff(first=0.01)), Handled()

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        if event.attempt < 3:
            raise LookupError("not yet")
        handled(event)

    receiver.start_worker(poll_interval=NEVER)
    receiver.receive(body(finished()))
    assert handled.wait_for(1)
    assert receiver.stop_worker(LONG)


def test_events_of_other_processes_are_found(tmp_path: Path) -> None:
    """They notify no Wakeup here."""
    with SQLiteInbox(tmp_path / "events.db") as inbox, SQLiteInbox(tmp_path / "events.db") as other:
        receiver, handled = WebhookReceiver(inbox), Handled()
        receiver.on(EVENT)(handled)
        receiver.start_worker(poll_interval=0.01)
        WebhookReceiver(other).receive(body(finished()))
        assert handled.wait_for(1)
        assert receiver.stop_worker(LONG)


def test_a_stop_finishes_the_current_event_only() -> None:
    """It is handled and completed; the next one waits for another worker."""
    inbox = MemoryInbox()
    receiver, handled = WebhookReceiver(inbox), Handled()
    started, gate = threading.Event(), threading.Event()

    @receiver.on(EVENT, name="slow")
    def slow(event: MediaProcessingFinished) -> None:
        started.set()
        assert gate.wait(LONG)
        handled(event)

    receiver.receive(body(finished("m-1")))
    receiver.receive(body(finished("m-2")))
    receiver.start_worker(poll_interval=NEVER)
    assert started.wait(LONG)
    assert not receiver.stop_worker(0.01)
    gate.set()
    assert receiver.stop_worker(LONG)
    assert handled.medias == ["m-1"]
    assert [(event.key.split(":")[2], event.state) for event in inbox.events()] == [("m-2", "pending"), ("m-1", "done")]


def test_a_worker_outlives_failures_of_the_inbox(caplog: pytest.LogCaptureFixture) -> None:
    """It logs them and continues."""

    class Shaky(MemoryInbox):
        """Fails at first, in both methods."""

        failures = 2

        def claim(self, lease: float) -> Any:
            """Fail once."""
            self.fail()
            return super().claim(lease)

        def next_due(self) -> float | None:
            """Fail once."""
            self.fail()
            return super().next_due()

        def fail(self) -> None:
            """Fail while failures are left."""
            if self.failures:
                self.failures -= 1
                raise InboxError("the database is away")

    receiver, handled = WebhookReceiver(Shaky()), Handled()
    receiver.on(EVENT)(handled)
    receiver.receive(body(finished()))
    receiver.start_worker(poll_interval=0.01)
    assert handled.wait_for(1)
    assert receiver.stop_worker(LONG)
    assert caplog.text.count("failed and tries again: InboxError: the database is away") == 2


def test_only_one_thread_works_and_it_can_start_again() -> None:
    """A second start raises."""
    receiver, handled = WebhookReceiver(MemoryInbox()), Handled()
    receiver.on(EVENT)(handled)
    assert receiver.stop_worker()
    receiver.start_worker(poll_interval=NEVER)
    with pytest.raises(ConfigurationError, match="already running"):
        receiver.start_worker()
    assert receiver.stop_worker(LONG)
    receiver.start_worker(poll_interval=NEVER)
    receiver.receive(body(finished()))
    assert handled.wait_for(1)
    assert receiver.stop_worker(LONG)


def test_a_process_can_work_in_its_only_thread() -> None:
    """Until a stop is requested in either way; a second worker raises."""
    receiver, medias = WebhookReceiver(MemoryInbox()), list[str]()

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        medias.append(event.media.id)
        if event.media.id == "m-1":
            with pytest.raises(ConfigurationError, match="already running"):
                receiver.work()
            receiver.receive(body(finished("m-2")))
        if event.media.id == "m-3":
            assert receiver.stop_worker()

    receiver.receive(body(finished("m-1")))
    receiver.work(poll_interval=NEVER, should_stop=lambda: "m-2" in medias)
    assert medias == ["m-1", "m-2"]
    receiver.receive(body(finished("m-3")))
    receiver.receive(body(finished("m-4")))
    receiver.work(poll_interval=NEVER)
    assert medias == ["m-1", "m-2", "m-3"]


def test_async_handlers_run_in_the_thread() -> None:
    """In a private event loop."""
    receiver, handled = WebhookReceiver(MemoryInbox()), Handled()

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        handled(event)

    receiver.start_worker(poll_interval=NEVER)
    receiver.receive(body(finished()))
    assert handled.wait_for(1)
    assert receiver.stop_worker(LONG)


@pytest.mark.process
def test_the_end_of_the_program_finishes_the_current_event(tmp_path: Path) -> None:
    """Without a call of stop_worker."""
    script = textwrap.dedent(f"""
        import sys, threading
        sys.path.insert(0, {str(tmp_path)!r})
        from contentgroove.webhooks import SQLiteInbox, WebhookReceiver

        started = threading.Event()
        inbox = SQLiteInbox({str(tmp_path / "events.db")!r})
        receiver = WebhookReceiver(inbox)

        @receiver.on("*")
        def handle(event):
            started.set()
            threading.main_thread().join()  # until the program is about to end
            print("handled", event.event)

        receiver.receive(b'{{"event": "ping"}}')
        receiver.start_worker(poll_interval=3600)
        assert started.wait(10)
    """)
    done = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "handled ping\n", "")
    with SQLiteInbox(tmp_path / "events.db") as inbox:
        assert [event.state for event in inbox.events()] == ["done"]


@pytest.mark.process
@pytest.mark.anyio
async def test_a_task_handles_events_as_they_arrive() -> None:
    """While its context is entered, sync and async handlers alike."""
    receiver, handled = WebhookReceiver(MemoryInbox()), Handled()
    arrived = anyio.Event()
    receiver.on(EVENT, name="sync")(handled)

    @receiver.on(EVENT, name="async")
    async def handle(_: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        arrived.set()

    async with receiver.worker(poll_interval=NEVER):
        await receiver.areceive(body(finished()))
        with anyio.fail_after(LONG):
            await arrived.wait()
    assert handled.medias == ["m-1"]


@pytest.mark.anyio
async def test_leaving_a_task_finishes_the_current_event() -> None:
    """And starts no other."""
    inbox = MemoryInbox()
    receiver = WebhookReceiver(inbox)
    started, gate = anyio.Event(), anyio.Event()
    handled: list[str] = []

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        started.set()
        await gate.wait()
        await anyio.lowlevel.checkpoint()
        handled.append(event.media.id)

    receiver.receive(body(finished("m-1")))
    receiver.receive(body(finished("m-2")))
    with anyio.fail_after(LONG):
        async with receiver.worker(poll_interval=NEVER):
            await started.wait()
            gate.set()
    assert handled == ["m-1"]
    assert [event.state for event in inbox.events()] == ["pending", "done"]


@pytest.mark.process
@pytest.mark.anyio
async def test_a_task_outlives_failures_and_ends_when_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    """Idle or not."""
    receiver = WebhookReceiver(MemoryInbox(), backoff=Backoff(first=0.01))
    succeeded = anyio.Event()

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        if event.attempt == 1:
            raise LookupError("not yet")
        succeeded.set()

    receiver.receive(body(finished()))
    with anyio.fail_after(LONG), anyio.CancelScope() as scope:
        async with receiver.worker(poll_interval=NEVER):
            await succeeded.wait()
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert "LookupError: not yet" in caplog.text
