"""Status: counts, ages and workers, for probes, metrics and people; a worker that has died shows."""

from __future__ import annotations

import datetime as dt
import threading
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove import InvalidInputError
from contentgroove.webhooks import Backoff, HandlerError, InboxError, MemoryInbox, ReceiverStatus, WebhookReceiver
from contentgroove.webhooks.status import read_status

from tests.webhooks.payloads import body, finished, received

if TYPE_CHECKING:
    from contentgroove.webhooks import Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock

EVENT: Final = "media.processing_finished"
LONG = 10.0


def test_a_status_counts_events_and_measures_ages(inbox: Inbox, clock: Clock) -> None:
    """Of any inbox, by its own clock."""
    receiver = received(inbox, "m-1", "m-2", backoff=Backoff(attempts=1))

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        if event.media.id == "m-2":
            raise LookupError("no")

    with pytest.raises(HandlerError):
        receiver.process_pending()
    recorded = clock.now
    receiver.receive(body(finished("m-3")))
    receiver.receive(body(finished("m-4")))
    inbox.claim(60)
    clock.now += 40
    status = read_status(inbox, overdue=30, clock=clock)
    assert (status.pending, status.claimed, status.done, status.dead) == (1, 1, 1, 1)
    assert status.oldest_pending == 40
    assert status.overdue
    assert not status.healthy
    assert status.last_handled_at == dt.datetime.fromtimestamp(recorded, dt.UTC)
    assert (status.worker_seen_at, status.worker_running, status.worker_since) == (None, None, None)
    assert read_status(inbox, overdue=50, clock=clock).healthy


def test_an_empty_inbox_is_healthy(inbox: Inbox) -> None:
    """There is nothing to do."""
    receiver = WebhookReceiver(inbox)
    status = receiver.status()
    assert (status.oldest_pending, status.overdue, status.last_handled_at, status.last_error) == (
        None,
        False,
        None,
        None,
    )
    assert receiver.healthy


def test_a_running_worker_shows(inbox: Inbox) -> None:
    """In its own process, and by its signs of life in others; a stopped one is not missed."""
    seen = threading.Event()
    receiver = WebhookReceiver(inbox, on_metrics=lambda _: seen.set())
    receiver.on(EVENT)(lambda _: None)
    started = dt.datetime.now(dt.UTC)
    receiver.start_worker(poll_interval=3_600)
    assert seen.wait(LONG)
    status = receiver.status()
    assert status.worker_running
    assert status.worker_since is not None
    assert dt.timedelta(seconds=-1) < status.worker_since - started < dt.timedelta(seconds=LONG)
    other = read_status(inbox)
    assert other.worker_seen_at is not None
    assert other.worker_running is None
    assert receiver.stop_worker(LONG)
    assert receiver.status().worker_running is None
    assert receiver.healthy


@pytest.mark.parametrize("in_task", [False, True])
def test_a_worker_shows_before_its_first_event(inbox: Inbox, *, in_task: bool) -> None:
    """After a restart, a backlog of slow events must not make it look dead."""
    receiver = received(inbox, "m-1")
    seen: list[bool] = []
    handled = threading.Event()

    @receiver.on(EVENT)
    def handle(_: object) -> None:
        seen.append(read_status(inbox).worker_seen_at is not None)
        handled.set()

    async def work() -> None:
        async with receiver.worker(poll_interval=3_600):
            await anyio.to_thread.run_sync(handled.wait, LONG)

    if in_task:
        anyio.run(work)
    else:
        receiver.work(poll_interval=3_600, should_stop=handled.is_set)
    assert seen == [True]


def test_a_worker_that_has_died_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is known to end its thread, but if something did, a probe would see it."""
    receiver = WebhookReceiver(MemoryInbox())
    receiver.on(EVENT)(lambda _: None)
    ended = threading.Event()

    def end(args: Any) -> None:
        del args
        ended.set()

    monkeypatch.setattr(threading, "excepthook", end)
    from contentgroove.webhooks.worker import Worker

    def die(*_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(Worker, "_report_and_wait", die)
    receiver.start_worker(poll_interval=3_600)
    assert ended.wait(LONG)
    while receiver.status().worker_running:
        pass
    assert not receiver.healthy
    assert receiver.stop_worker(LONG)
    assert receiver.healthy


def test_an_inbox_that_fails_is_not_healthy() -> None:
    """The probe gets False, not an exception; `status` raises."""

    class Broken(MemoryInbox):
        """Cannot be read."""

        def counts(self) -> Any:
            """Fail."""
            raise InboxError("away")

    receiver = WebhookReceiver(Broken())
    assert not receiver.healthy
    with pytest.raises(InboxError, match="away"):
        receiver.status()


def test_metrics_come_while_events_are_handled() -> None:
    """At most once for each interval, however many events there are; the first before any is handled."""
    seen: list[ReceiverStatus] = []
    inbox, done = MemoryInbox(), threading.Event()
    receiver = received(inbox, *(f"m-{number}" for number in range(50)), on_metrics=seen.append)

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        if event.media.id == "m-49":
            done.set()

    receiver.start_worker(poll_interval=3_600)
    assert done.wait(LONG)
    assert receiver.stop_worker(LONG)
    assert [status.done for status in seen] == [0]


def test_a_hook_for_metrics_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The worker goes on."""
    handled, failed = threading.Event(), threading.Event()

    def fail(_: ReceiverStatus) -> None:
        failed.set()
        raise LookupError("no metrics")

    receiver = WebhookReceiver(MemoryInbox(), on_metrics=fail)
    receiver.on(EVENT)(lambda _: handled.set())
    receiver.start_worker(poll_interval=3_600)
    assert failed.wait(LONG)
    receiver.receive(body(finished()))
    assert handled.wait(LONG)
    assert receiver.stop_worker(LONG)
    assert "could not report its metrics: LookupError: no metrics" in caplog.text


@pytest.mark.parametrize("name", ["on_metrics", "between_events"])
def test_a_hook_must_be_a_plain_function(name: str) -> None:
    """It runs in a worker's thread."""

    async def hook(*_: Any) -> None: ...

    options: Any
    for options in ({name: hook}, {name: 5}):
        with pytest.raises(InvalidInputError, match=name):
            WebhookReceiver(MemoryInbox(), **options)


def test_a_worker_without_handlers_does_not_spin(caplog: pytest.LogCaptureFixture) -> None:
    """It warns once, and waits although an event is due."""
    calls = 0
    twice = threading.Event()

    class Counting(MemoryInbox):
        """Counts how often it is asked."""

        def next_due(self) -> float | None:
            """Count it."""
            nonlocal calls
            calls += 1
            if calls == 2:
                twice.set()
            return super().next_due()

    receiver = received(Counting(), "m-1")
    receiver.start_worker(poll_interval=3_600)
    assert twice.wait(LONG)
    assert receiver.stop_worker(LONG)
    assert calls <= 3
    assert caplog.text.count("No webhook handler is registered") == 1
