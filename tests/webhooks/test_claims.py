"""Claims: renewed while a handler runs, handed back when a worker stops, and never written to once they are lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove.webhooks import HandlerError, InboxError, MemoryInbox, SQLiteInbox

from tests.platforms import SIGNALS
from tests.webhooks.payloads import body, finished, received

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove.webhooks import Claim, Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock, Store

EVENT: Final = "media.processing_finished"
LONG = 10.0
NONE: frozenset[str] = frozenset()


class RenewedInbox(MemoryInbox):
    """An inbox in which a test waits for renewals."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.renewals = 0
        self.fails = 0
        self._changed = threading.Condition()

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Count it, or fail."""
        with self._changed:
            self.renewals += 1
            self._changed.notify_all()
            if self.fails:
                self.fails -= 1
                raise InboxError("the database is away")
        return super().progress(claim, handled, lease)

    def wait_for(self, renewals: int) -> bool:
        """Wait until the claim was renewed that often."""
        with self._changed:
            return self._changed.wait_for(lambda: self.renewals >= renewals, LONG)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_slow_handler_keeps_its_claim(clock: Clock, process: Any, *, is_async: bool) -> None:
    """It may take many leases, although some renewals fail, and no other worker gets the event."""
    inbox = RenewedInbox(clock=clock)
    inbox.fails = 1
    receiver = received(inbox, "m-1", lease=0.3)

    def check() -> None:
        for _ in range(4):
            assert inbox.wait_for(inbox.renewals + 2)
            assert inbox.claim(60) is None
            clock.now += 0.2

    @receiver.on(EVENT, name="slow")
    def slow(_: MediaProcessingFinished) -> None:
        check()

    async def aslow(_: MediaProcessingFinished) -> None:
        await anyio.to_thread.run_sync(check)

    if is_async:
        receiver.on(EVENT, name="aslow")(aslow)
    assert process(receiver) == 1
    (event,) = inbox.events()
    assert (event.state, event.claims) == ("done", 1)


def test_renewing_forgets_no_handler(clock: Clock) -> None:
    """A renewal stores the handlers that have succeeded so far."""
    inbox = RenewedInbox(clock=clock)
    receiver = received(inbox, "m-1", lease=0.1)
    receiver.on(EVENT, name="first")(lambda _: None)
    seen: list[frozenset[str]] = []

    @receiver.on(EVENT, name="second")
    def second(_: MediaProcessingFinished) -> None:
        assert inbox.wait_for(inbox.renewals + 2)
        seen.append(inbox.events()[0].handled)

    assert receiver.process_pending() == 1
    assert seen == [{"first"}]


def test_a_claim_that_is_lost_while_a_handler_runs_is_noticed(
    clock: Clock, process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """By the renewal: the handler's failure is not written over the other worker's claim."""
    inbox = RenewedInbox(clock=clock)
    receiver = received(inbox, "m-1", lease=0.3)
    other: list[Any] = []

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        clock.now += 0.3
        other.append(inbox.claim(60))
        assert inbox.wait_for(inbox.renewals + 1)
        raise LookupError("too late")

    with pytest.raises(HandlerError):
        process(receiver)
    assert "Another worker has claimed it" in caplog.text
    assert [(event.state, event.error) for event in inbox.events()] == [("claimed", "")]
    assert inbox.done(other[0])


def test_no_handler_starts_after_a_process_slept_for_longer_than_its_lease(
    inbox: Inbox, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen process asks whether the event is still its own before it calls the next handler."""
    received(inbox, "m-1")
    calls: list[str] = []
    now = [0.0]
    monkeypatch.setattr("contentgroove.webhooks.claims.time.monotonic", lambda: now[0])

    def confirm(_: str) -> Any:
        now[0] += 61
        clock.now += 61
        assert inbox.claim(60) is not None, "another worker claims it meanwhile"
        return finished_media()

    receiver = received(inbox, confirm=confirm, lease=60)
    receiver.on(EVENT)(lambda _: calls.append("called"))
    assert receiver.process_pending() == 0
    assert calls == []
    assert [(event.state, event.claims) for event in inbox.events()] == [("claimed", 2)]


def finished_media() -> Any:
    """Return the media that the API reports."""
    from contentgroove.webhooks import MediaProcessingFinished, parse_event

    event = parse_event(body(finished("m-1")))
    assert isinstance(event, MediaProcessingFinished)
    return event.media


@pytest.mark.anyio
@pytest.mark.parametrize("way", ["scope", "task"])
@pytest.mark.parametrize("entered", ["worker", "aprocess_pending", "ahandle"])
async def test_cancelling_hands_the_event_back_at_once(store: Store, way: str, entered: str) -> None:
    """Whether a scope or a task is cancelled; no attempt is counted, and the next worker handles the event."""
    inbox = store.open()
    receiver = received(inbox, "m-1")
    started = anyio.Event()
    calls: list[int] = []

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.attempt)
        if len(calls) == 1:
            started.set()
            await anyio.sleep_forever()

    async def work() -> None:
        if entered == "worker":
            async with receiver.worker(poll_interval=3_600):
                await anyio.sleep_forever()
        elif entered == "ahandle":
            await receiver.ahandle(inbox.events()[0].key)
        else:
            await receiver.aprocess_pending()

    scope = anyio.CancelScope()

    async def scoped() -> None:
        with scope:
            await work()

    with anyio.fail_after(LONG):
        task = asyncio.create_task(scoped())
        await started.wait()
        if way == "scope":
            scope.cancel()
        else:
            task.cancel()
        await asyncio.wait([task])
        assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]
        assert await receiver.aprocess_pending() == 1
    assert calls == [1, 1]


@pytest.mark.anyio
async def test_a_cancellation_during_a_claim_loses_no_event() -> None:
    """The inbox's thread may have claimed one already."""
    claiming, gate = threading.Event(), threading.Event()

    class Slow(MemoryInbox):
        """Claims slowly."""

        def claim(self, lease: float) -> Claim | None:
            """Wait after the claim."""
            claim = super().claim(lease)
            claiming.set()
            assert gate.wait(LONG)
            return claim

    inbox = Slow()
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    async def handle(_: MediaProcessingFinished) -> None:
        await anyio.sleep_forever()

    task = asyncio.create_task(receiver.aprocess_pending())
    with anyio.fail_after(LONG):
        await anyio.to_thread.run_sync(claiming.wait, LONG)
        task.cancel()
        await anyio.lowlevel.checkpoint()
        gate.set()
        await asyncio.wait([task])
    assert task.cancelled()
    assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]


@pytest.mark.anyio
async def test_a_sync_handler_is_waited_for() -> None:
    """Nothing can interrupt it in its thread: its event is done, not handed to another worker meanwhile."""
    inbox = MemoryInbox()
    receiver = received(inbox, "m-1", "m-2")
    started, gate = threading.Event(), threading.Event()

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        started.set()
        assert gate.wait(LONG)

    task = asyncio.create_task(receiver.aprocess_pending())
    with anyio.fail_after(LONG):
        await anyio.to_thread.run_sync(started.wait, LONG)
        task.cancel()
        await anyio.lowlevel.checkpoint()
        assert inbox.events("claimed")
        gate.set()
        await asyncio.wait([task])
    assert [(event.state, event.claims) for event in inbox.events()] == [("pending", 0), ("done", 1)]


@pytest.mark.anyio
async def test_leaving_a_worker_gives_the_current_event_a_grace() -> None:
    """Then it is cancelled and handed back."""
    inbox = MemoryInbox()
    receiver = received(inbox, "m-1", grace=0.01)
    started = anyio.Event()

    @receiver.on(EVENT)
    async def handle(_: MediaProcessingFinished) -> None:
        started.set()
        await anyio.sleep_forever()

    with anyio.fail_after(LONG):
        async with receiver.worker(poll_interval=3_600):
            await started.wait()
    assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]


@pytest.mark.process
@SIGNALS
def test_an_application_that_ends_hands_the_event_back(tmp_path: Path) -> None:
    """If its worker's thread is still in a handler after the grace."""
    script = textwrap.dedent(f"""
        import sys, threading
        from contentgroove.webhooks import SQLiteInbox, WebhookReceiver
        started = threading.Event()
        receiver = WebhookReceiver(SQLiteInbox({str(tmp_path / "events.db")!r}), grace=0.05)

        @receiver.on("*")
        def handle(event):
            started.set()
            threading.Event().wait()

        receiver.receive(b'{{"event": "ping"}}')
        receiver.start_worker(poll_interval=3600)
        assert started.wait(10)
        sys.exit(3)
    """)
    done = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (3, "")
    with SQLiteInbox(tmp_path / "events.db") as inbox:
        assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]


def test_an_event_whose_success_cannot_be_stored_is_handed_back(clock: Clock) -> None:
    """After a short failure of the database, it need not wait until the claim expires; the error is raised."""
    inbox = RenewedInbox(clock=clock)
    inbox.fails = 1
    receiver = received(inbox, "m-1")
    receiver.on(EVENT)(lambda _: None)
    with pytest.raises(InboxError, match="away"):
        receiver.process_pending()
    assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]
    assert receiver.process_pending() == 1


def test_an_applications_own_inbox_needs_no_new_methods(clock: Clock, process: Any) -> None:
    """One that was written for an earlier release releases events instead, and is handled as before."""
    inner = MemoryInbox(clock=clock)

    class Old:
        """Has the methods of the first release."""

        def __getattr__(self, name: str) -> Any:
            if name in {
                "unclaim",
                "claim_key",
                "counts",
                "oldest_pending",
                "overdue",
                "last_done",
                "beat",
                "last_beat",
            }:
                raise AttributeError(name)
            return getattr(inner, name)

        def record(self, key: str, content: bytes) -> bool:
            """Record without a trace."""
            return inner.record(key, content)

    inbox: Any = Old()
    receiver = received(inbox, "m-1")
    calls: list[int] = []

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.attempt)
        if len(calls) == 1:
            raise ConnectionError("away")

    with pytest.raises(HandlerError):
        process(receiver)
    assert (receiver.status().pending, receiver.healthy) == (1, True)
    clock.now += 1
    assert process(receiver) == 1
    assert calls == [1, 2]
    receiver.start_worker(poll_interval=0.01)
    assert receiver.stop_worker(LONG)
