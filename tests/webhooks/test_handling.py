"""Handling: every handler succeeds once, whatever fails around it; sync and async alike."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove.webhooks import Backoff, HandlerError, InboxError, MemoryInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock, Store

EVENT = "media.processing_finished"


@pytest.fixture(params=["sync", "async"])
def process(request: pytest.FixtureRequest) -> Callable[[WebhookReceiver], int]:
    """Process what is pending in both ways."""
    if request.param == "sync":
        return lambda receiver: receiver.process_pending()
    return lambda receiver: anyio.run(receiver.aprocess_pending)


@pytest.fixture(params=["plain", "coroutine"])
def written(request: pytest.FixtureRequest) -> Callable[[Callable[[Any], None]], Callable[[Any], object]]:
    """Write a handler as a plain or as a coroutine function."""

    def write(handler: Callable[[Any], None]) -> Callable[[Any], object]:
        if request.param == "plain":
            return handler

        async def handle(event: Any) -> None:
            await anyio.lowlevel.checkpoint()
            handler(event)

        return handle

    return write


def received(inbox: Inbox, *medias: str, **options: Any) -> WebhookReceiver:
    receiver = WebhookReceiver(inbox, **options)
    for media in medias:
        assert receiver.receive(body(finished(media))).status_code == 200
    return receiver


def test_handlers_get_events_in_order(inbox: Inbox, process: Any, written: Any) -> None:
    """The oldest event first, and for each event the handlers as they were registered; once."""
    receiver = received(inbox, "m-1", "m-2")
    calls: list[tuple[str, str, int]] = []
    for name in ("one", "two"):

        def note(event: MediaProcessingFinished, name: str = name) -> None:
            calls.append((name, event.media.id, event.attempt))

        receiver.on(EVENT, name=name)(written(note))
    assert process(receiver) == 2
    assert process(receiver) == 0
    assert calls == [("one", "m-1", 1), ("two", "m-1", 1), ("one", "m-2", 1), ("two", "m-2", 1)]
    assert [event.state for event in inbox.events()] == ["done", "done"]


def test_handlers_get_the_events_they_want(inbox: Inbox, process: Any) -> None:
    """By name, or all."""
    receiver = received(inbox, "m-1")
    receiver.receive(b'{"event": "clip.exported"}')
    calls: list[tuple[str, str]] = []
    for wanted in (EVENT, "clip.exported", "*"):
        receiver.on(wanted, name=wanted)(lambda event, wanted=wanted: calls.append((wanted, event.event)))
    assert process(receiver) == 2
    assert calls == [(EVENT, EVENT), ("*", EVENT), ("clip.exported", "clip.exported"), ("*", "clip.exported")]


def test_a_failure_stops_no_other_handler_and_repeats_none(
    inbox: Inbox, clock: Clock, process: Any, written: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """On the next attempt, only the handler that failed runs again."""
    receiver = received(inbox, "m-1", "m-2")
    calls: list[tuple[str, str, int]] = []

    def note(name: str) -> Callable[[MediaProcessingFinished], None]:
        def handle(event: MediaProcessingFinished) -> None:
            calls.append((name, event.media.id, event.attempt))
            if name == "fails once" and event.media.id == "m-1" and event.attempt == 1:
                raise LookupError("not yet")

        return handle

    for name in ("first", "fails once", "last"):
        receiver.on(EVENT, name=name)(written(note(name)))
    with pytest.raises(HandlerError, match=r"1 handler failed.*LookupError: not yet") as caught:
        process(receiver)
    assert [type(error) for error in caught.value.errors] == [LookupError]
    assert "fails once failed on webhook media.processing_finished:medias:m-1" in caplog.text
    assert [(name, media) for name, media, _ in calls] == [
        (name, media) for media in ("m-1", "m-2") for name in ("first", "fails once", "last")
    ]
    assert [(event.state, event.error) for event in inbox.events()] == [
        ("done", ""),
        ("pending", "LookupError: not yet"),
    ]
    calls.clear()
    assert process(receiver) == 0, "it is not due yet"
    clock.now += 1
    assert process(receiver) == 1
    assert calls == [("fails once", "m-1", 2)]


def test_retries_wait_longer_and_end(inbox: Inbox, clock: Clock, process: Any) -> None:
    """After the last attempt the event is dead, listed and replayed."""
    receiver = received(inbox, "m-1", backoff=Backoff(first=2, longest=5, attempts=4))
    attempts: list[int] = []
    broken = True

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        attempts.append(event.attempt)
        if broken:
            raise ValueError("broken")

    delays: list[float | None] = []
    for _ in range(4):
        with pytest.raises(HandlerError):
            process(receiver)
        delays.append(inbox.next_due())
        clock.now += delays[-1] or 0
    assert (attempts, delays) == ([1, 2, 3, 4], [2, 4, 5, None])
    clock.now += 1_000
    assert process(receiver) == 0
    (dead,) = inbox.events("dead")
    assert dead.error == "ValueError: broken"
    broken = False
    assert inbox.replay(dead.key)
    assert process(receiver) == 1
    assert attempts[4:] == [1]


def test_a_worker_that_never_comes_back_does_not_take_the_event_for_ever(
    inbox: Inbox, clock: Clock, process: Any
) -> None:
    """An event that kills each worker is given up as well."""
    receiver = received(inbox, "m-1", backoff=Backoff(attempts=2), lease=60)
    calls: list[Any] = []
    receiver.on(EVENT, name="h")(calls.append)
    for _ in range(2):
        assert inbox.claim(60) is not None
        clock.now += 60
    assert process(receiver) == 0
    assert calls == []
    (dead,) = inbox.events("dead")
    assert dead.error == "No worker came back from 2 attempts."


def test_handlers_that_ran_before_a_crash_do_not_run_again(inbox: Inbox, clock: Clock, process: Any) -> None:
    """Each handler's success is kept at once, not when all are through."""
    receiver = received(inbox, "m-1")
    calls: list[str] = []

    class Killed(BaseException):
        """Stands for the end of the process."""

    @receiver.on(EVENT, name="first")
    def first(event: MediaProcessingFinished) -> None:
        calls.append(f"first {event.attempt}")

    @receiver.on(EVENT, name="second")
    def second(event: MediaProcessingFinished) -> None:
        calls.append(f"second {event.attempt}")
        if event.attempt == 1:
            raise Killed

    with pytest.raises(Killed):
        process(receiver)
    clock.now += 900
    assert process(receiver) == 1
    assert calls == ["first 1", "second 1", "second 2"]


def test_an_interrupt_gives_the_event_back_at_once(inbox: Inbox) -> None:
    """Ctrl-C in a handler leaves, and the next process need not wait for the lease."""
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        if event.attempt == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        receiver.process_pending()
    assert receiver.process_pending() == 1


def test_a_claim_lost_on_the_way_is_left_to_its_new_owner(
    inbox: Inbox, clock: Clock, process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Who was slower than the lease runs no further handler, and closes nothing."""
    receiver = received(inbox, "m-1", lease=60)
    calls: list[str] = []

    @receiver.on(EVENT, name="slow")
    def slow(event: MediaProcessingFinished) -> None:
        calls.append(f"slow {event.attempt}")
        clock.now += 60
        assert inbox.claim(60) is not None

    receiver.on(EVENT, name="next")(lambda _: calls.append("next"))
    assert process(receiver) == 0
    assert calls == ["slow 1"]
    assert [event.state for event in inbox.events()] == ["claimed"]
    assert "ran out while it was handled" in caplog.text


def test_without_handlers_nothing_is_touched(inbox: Inbox, process: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A process that forgot to register them loses nothing."""
    receiver = received(inbox, "m-1")
    assert process(receiver) == 0
    assert [event.state for event in inbox.events()] == ["pending"]
    assert "No webhook handler is registered" in caplog.text


def test_an_event_that_nobody_wants_is_done_and_can_be_replayed(inbox: Inbox, process: Any) -> None:
    """When a later version has a handler for it."""
    receiver = received(inbox)
    receipt = receiver.receive(b'{"event": "clip.exported"}')
    assert receipt.event is not None
    receiver.on(EVENT, name="h")(lambda _: None)
    assert process(receiver) == 1
    calls: list[Any] = []
    receiver.on("clip.exported", name="new")(calls.append)
    assert inbox.replay(receipt.event.dedupe_key)
    assert process(receiver) == 1
    assert calls == [receipt.event]


@pytest.mark.parametrize("form", ["method", "partial", "callable object", "lambda that gives a coroutine"])
def test_handlers_of_every_form_are_called(form: str, process: Any) -> None:
    """Async ones are awaited, however they are wrapped."""
    calls: list[str] = []

    class Handler:
        async def method(self, event: MediaProcessingFinished) -> None:
            await anyio.lowlevel.checkpoint()
            calls.append(event.media.id)

        async def __call__(self, event: MediaProcessingFinished) -> None:
            """Handle it."""
            await self.method(event)

    handler = Handler()
    forms: dict[str, Callable[[Any], object]] = {
        "method": handler.method,
        "partial": functools.partial(Handler.method, handler),
        "callable object": handler,
        "lambda that gives a coroutine": lambda event: handler.method(event),  # noqa: PLW0108 - a lambda on purpose
    }
    receiver = received(MemoryInbox(), "m-1")
    receiver.on(EVENT)(forms[form])
    assert process(receiver) == 1
    assert calls == ["m-1"]


def test_async_handlers_share_one_loop_while_pending_events_are_processed() -> None:
    """A client that one handler has opened can be used by the next."""
    import asyncio

    receiver = received(MemoryInbox(), "m-1", "m-2")
    loops: set[Any] = set()

    @receiver.on(EVENT)
    async def handle(_: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        loops.add(asyncio.get_running_loop())

    assert receiver.process_pending() == 2
    assert len(loops) == 1


@pytest.mark.anyio
async def test_sync_processing_of_async_handlers_inside_a_loop_is_refused() -> None:
    """Before anything is claimed, with the way out."""
    inbox = MemoryInbox()
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    async def handle(_: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()

    with pytest.raises(ConfigurationError, match=r"await aprocess_pending"):
        receiver.process_pending()
    assert [event.state for event in inbox.events()] == ["pending"]


@pytest.mark.anyio
async def test_sync_processing_of_sync_handlers_inside_a_loop_works() -> None:
    """No loop of its own is made for them, which would take the place of the one that runs."""
    import asyncio

    receiver = received(MemoryInbox(), "m-1")
    calls: list[Any] = []
    receiver.on(EVENT)(calls.append)
    running = asyncio.get_running_loop()
    assert receiver.process_pending() == 1
    assert len(calls) == 1
    assert asyncio.get_event_loop() is running


@pytest.mark.anyio
async def test_sync_handlers_and_the_inbox_do_not_block_the_loop() -> None:
    """They run in threads."""
    import threading

    threads: set[str] = set()

    class NotingInbox(MemoryInbox):
        """Notes who calls."""

        def claim(self, lease: float) -> Any:
            """Note it."""
            threads.add(threading.current_thread().name)
            return super().claim(lease)

    receiver = received(NotingInbox(), "m-1")
    receiver.on(EVENT)(lambda _: threads.add(threading.current_thread().name))
    assert await receiver.aprocess_pending() == 1
    assert threading.current_thread().name not in threads


@pytest.mark.anyio
async def test_a_cancelled_handler_keeps_its_claim_until_the_lease_ends() -> None:
    """Its event is not lost, and not handled twice at once."""
    clock = [0.0]
    inbox = MemoryInbox(clock=lambda: clock[0])
    receiver = received(inbox, "m-1", lease=60)
    calls: list[int] = []

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.attempt)
        if event.attempt == 1:
            scope.cancel()
            await anyio.sleep_forever()

    with anyio.CancelScope() as scope:
        await receiver.aprocess_pending()
    assert scope.cancelled_caught
    assert await receiver.aprocess_pending() == 0
    clock[0] = 60
    assert await receiver.aprocess_pending() == 1
    assert calls == [1, 2]


def test_an_inbox_that_fails_leaves_as_its_error(process: Any) -> None:
    """Not as a handler's."""

    class Broken(MemoryInbox):
        """Fails to claim."""

        def claim(self, lease: float) -> Any:
            """Fail."""
            raise InboxError(f"gone for {lease}")

    receiver = received(Broken(), "m-1")
    receiver.on(EVENT)(lambda _: None)
    with pytest.raises(InboxError, match="gone"):
        process(receiver)


def test_a_body_that_cannot_be_read_any_more_is_retried(clock: Clock, process: Any) -> None:
    """As after a downgrade; nothing is thrown away."""
    inbox = MemoryInbox(clock=clock)
    inbox.record("key", b"no event")
    receiver = received(inbox)
    receiver.on("*")(lambda _: None)
    with pytest.raises(HandlerError, match="WebhookPayloadError"):
        process(receiver)
    assert [event.state for event in inbox.events()] == ["pending"]


def test_a_transactional_handler_commits_with_its_success(transactional: Any, database: Store, process: Any) -> None:
    """Its writes and the note of its success are one; a failure undoes both, and only it runs again."""
    receiver = received(transactional, "m-1", backoff=Backoff(first=0))
    calls: list[str] = []

    @receiver.on(EVENT, name="writes", transaction=True)
    def writes(event: MediaProcessingFinished, connection: Any) -> None:
        connection.execute(f"INSERT INTO effects VALUES ('{event.media.id} {event.attempt}')")  # noqa: S608 - a literal
        if event.attempt == 1:
            raise LookupError("undo")

    receiver.on(EVENT, name="plain")(lambda event: calls.append(event.media.id))
    with pytest.raises(HandlerError, match="undo"):
        process(receiver)
    connection = database.connect()
    assert connection.execute("SELECT text FROM effects").fetchall() == [("m-1 2",)]
    connection.close()
    assert calls == ["m-1"]
    assert [event.state for event in transactional.events()] == ["done"]


def test_a_transaction_needs_a_database() -> None:
    """Said when the handler is registered, not when the first event comes."""
    with pytest.raises(ConfigurationError, match="MemoryInbox has no transactions"):
        WebhookReceiver(MemoryInbox()).on(EVENT, transaction=True)(lambda *_: None)


def test_a_transaction_needs_a_sync_handler(transactional: Any) -> None:
    """The connection blocks."""

    async def handle(*_: Any) -> None:
        await anyio.lowlevel.checkpoint()

    with pytest.raises(InvalidInputError, match="cannot be async"):
        WebhookReceiver(transactional).on(EVENT, transaction=True)(handle)


def test_names_of_handlers_are_their_own() -> None:
    """Progress is kept by name, so two handlers cannot share one."""
    receiver = WebhookReceiver(MemoryInbox())
    receiver.on(EVENT, name="same")(print)
    with pytest.raises(InvalidInputError, match="named same"):
        receiver.on(EVENT, name="same")(str)
    receiver.on(EVENT)(print)
    with pytest.raises(InvalidInputError, match=r"named builtins\.print"):
        receiver.on("*")(print)


def test_a_handler_stays_what_it_was() -> None:
    """The decorator gives the function back."""
    assert WebhookReceiver(MemoryInbox()).on(EVENT)(print) is print


@pytest.mark.parametrize("options", [{"first": -1}, {"first": 5, "longest": 4}, {"attempts": 0}])
def test_a_back_off_that_cannot_work_is_refused(options: dict[str, Any]) -> None:
    """Bad numbers are told at once."""
    with pytest.raises(InvalidInputError, match="back-off"):
        Backoff(**options)


def test_the_default_back_off_bridges_a_night() -> None:
    """It doubles from a second to an hour and ends after about half a day; any attempt has an answer."""
    backoff = Backoff()
    delays = [delay for attempt in range(1, 100) if (delay := backoff.delay(attempt)) is not None]
    assert delays[:3] == [1, 2, 4]
    assert max(delays) == 3600
    assert 10 * 3600 < sum(delays) < 14 * 3600
    assert Backoff(attempts=10**6).delay(10**6 - 1) == 3600


def test_keys_and_names_in_logs_hold_no_body(inbox: Inbox, process: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Signed URLs of a payload do not get into logs."""
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.DEBUG), pytest.raises(HandlerError):
        process(receiver)
    assert "X-Amz" not in caplog.text
