"""Processing: every handler succeeds once, whatever fails around it; sync and async alike."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove import EventName, InvalidInputError
from contentgroove.webhooks import Backoff, HandlerError, InboxError, MemoryInbox

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock

EVENT: Final = "media.processing_finished"


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


def test_handlers_get_the_events_they_are_registered_for(inbox: Inbox, process: Any) -> None:
    """By name, or all events."""
    receiver = received(inbox, "m-1")
    receiver.receive(b'{"event": "clip.exported"}')
    calls: list[tuple[str, str]] = []
    for name in (EVENT, EventName("clip.exported"), EventName("*")):
        receiver.on(name, name=name)(lambda event, name=name: calls.append((name, event.event)))
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
    assert [(event.state, event.error.partition("\n")[0]) for event in inbox.events()] == [
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
    assert dead.error.startswith("ValueError: broken\nTraceback")
    broken = False
    assert inbox.replay(dead.key)
    assert process(receiver) == 1
    assert attempts[4:] == [1]


def test_a_failure_shows_no_credentials(inbox: Inbox, process: Any) -> None:
    """A handler's exception is stored and reported without the signature of the URL in its message."""
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    def handle(_event: MediaProcessingFinished) -> None:
        raise OSError("403 of https://files.example/film.mp4?X-Amz-Signature=canary")

    with pytest.raises(HandlerError) as caught:
        process(receiver)
    (event,) = inbox.events()
    for text in (event.error, str(caught.value)):
        assert "OSError: 403 of https://files.example/film.mp4?X-Amz-Signature=[redacted]" in str(text)
        assert "canary" not in str(text)


def test_an_event_that_kills_its_workers_is_dead(inbox: Inbox, clock: Clock, process: Any) -> None:
    """After as many attempts as failures would have."""
    receiver = received(inbox, "m-1", backoff=Backoff(attempts=2), lease=60)
    calls: list[Any] = []
    receiver.on(EVENT, name="h")(calls.append)
    for _ in range(2):
        assert inbox.claim(60) is not None
        clock.now += 60
    assert process(receiver) == 0
    assert calls == []
    (dead,) = inbox.events("dead")
    assert dead.error == "2 attempts were started and none finished."


def test_handlers_that_ran_before_a_crash_do_not_run_again(inbox: Inbox, clock: Clock, process: Any) -> None:
    """Each handler's success is stored at once, not after all handlers."""
    receiver = received(inbox, "m-1")
    calls: list[str] = []

    @receiver.on(EVENT, name="first")
    def first(event: MediaProcessingFinished) -> None:
        calls.append(f"first {event.attempt}")

    @receiver.on(EVENT, name="second")
    def second(event: MediaProcessingFinished) -> None:
        calls.append(f"second {event.attempt}")
        if event.attempt == 1:
            clock.now += 900
            assert process(receiver) == 1, "another worker, as if this one had been killed"

    assert process(receiver) == 0
    assert calls == ["first 1", "second 1", "second 2"]


def test_ctrl_c_hands_the_event_back_at_once(inbox: Inbox, process: Any, request: pytest.FixtureRequest) -> None:
    """It is raised, the next process need not wait until the claim expires, and no attempt is counted."""
    receiver = received(inbox, "m-1")
    calls: list[str] = []
    receiver.on(EVENT, name="first")(lambda event: calls.append(f"first {event.attempt}"))

    def interrupt(event: MediaProcessingFinished) -> None:
        calls.append(f"second {event.attempt}")
        if len(calls) == 2:
            raise KeyboardInterrupt

    async def handle(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        interrupt(event)

    # Only these run in the main thread, in which Python raises it.
    for_process = interrupt if "sync" in request.node.callspec.params.values() else handle
    receiver.on(EVENT, name="second")(for_process)
    with pytest.raises(KeyboardInterrupt):
        process(receiver)
    (event,) = inbox.events()
    assert (event.state, event.attempts, list(event.handled)) == ("pending", 0, ["first"])
    assert process(receiver) == 1
    assert calls == ["first 1", "second 1", "second 1"]


def test_an_expired_claim_is_left_to_its_new_owner(
    inbox: Inbox, clock: Clock, process: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that is slower than the lease runs no further handler and completes nothing."""
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
    assert "expired while it was handled" in caplog.text


def test_without_handlers_nothing_is_claimed(inbox: Inbox, process: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A process that forgot to register them loses nothing."""
    receiver = received(inbox, "m-1")
    assert process(receiver) == 0
    assert [event.state for event in inbox.events()] == ["pending"]
    assert "No webhook handler is registered" in caplog.text


def test_an_event_without_a_handler_is_done_and_can_be_replayed(inbox: Inbox, process: Any) -> None:
    """For when a later version has a handler."""
    receiver = received(inbox)
    receipt = receiver.receive(b'{"event": "clip.exported"}')
    assert receipt.event is not None
    receiver.on(EVENT, name="h")(lambda _: None)
    assert process(receiver) == 1
    calls: list[Any] = []
    receiver.on(EventName("clip.exported"), name="new")(calls.append)
    assert inbox.replay(receipt.event.dedupe_key)
    assert process(receiver) == 1
    assert calls == [receipt.event]


def test_an_error_of_the_inbox_is_raised(process: Any) -> None:
    """Not as a HandlerError."""

    class Broken(MemoryInbox):
        """Fails to claim."""

        def claim(self, lease: float) -> Any:
            """Fail."""
            raise InboxError(f"gone for {lease}")

    receiver = received(Broken(), "m-1")
    receiver.on(EVENT)(lambda _: None)
    with pytest.raises(InboxError, match="gone"):
        process(receiver)


def test_a_body_that_can_no_longer_be_parsed_is_retried(clock: Clock, process: Any) -> None:
    """Such as after a downgrade; nothing is lost."""
    inbox = MemoryInbox(clock=clock)
    inbox.record("key", b"no event")
    receiver = received(inbox)
    receiver.on("*")(lambda _: None)
    with pytest.raises(HandlerError, match="WebhookPayloadError"):
        process(receiver)
    assert [event.state for event in inbox.events()] == ["pending"]


@pytest.mark.parametrize("options", [{"first": -1}, {"first": 5, "longest": 4}, {"attempts": 0}])
def test_an_invalid_back_off_is_refused(options: dict[str, Any]) -> None:
    """When it is created."""
    with pytest.raises(InvalidInputError, match="back-off"):
        Backoff(**options)


def test_the_default_back_off_bridges_a_night() -> None:
    """It doubles from a second to an hour and ends after about half a day; no attempt overflows."""
    backoff = Backoff()
    delays = [delay for attempt in range(1, 100) if (delay := backoff.delay(attempt)) is not None]
    assert delays[:3] == [1, 2, 4]
    assert max(delays) == 3600
    assert 10 * 3600 < sum(delays) < 14 * 3600
    assert Backoff(attempts=10**6).delay(10**6 - 1) == 3600


def test_logs_contain_no_body(inbox: Inbox, process: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Signed URLs of a payload are not logged."""
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        raise ValueError("broken")

    with caplog.at_level(logging.DEBUG), pytest.raises(HandlerError):
        process(receiver)
    assert "X-Amz" not in caplog.text


def test_a_stop_can_be_requested_between_events() -> None:
    """By applications that run the handlers in their own loop."""
    receiver = received(MemoryInbox(), "m-1", "m-2")
    handled: list[str] = []
    receiver.on("*", name="h")(lambda event: handled.append(event.media.id))
    assert receiver.process_pending(should_stop=lambda: bool(handled)) == 1
    assert handled == ["m-1"]
