"""Dispatching: the keys of recorded events go to a queue, whose tasks handle them; nothing is lost in between."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove.webhooks import Backoff, DispatchError, HandlerError, MemoryInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished, received

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock, Store

EVENT: Final = "media.processing_finished"
LONG = 10.0


@pytest.fixture(params=["sync", "async"])
def handle(request: pytest.FixtureRequest) -> Callable[[WebhookReceiver, str], bool]:
    """Handle an event in both ways."""
    if request.param == "sync":
        return lambda receiver, key: receiver.handle(key)
    return lambda receiver, key: anyio.run(receiver.ahandle, key)


@pytest.fixture(params=["sync", "async"])
def dispatch_pending(request: pytest.FixtureRequest) -> Callable[..., int]:
    """Dispatch again in both ways."""
    if request.param == "sync":
        return lambda receiver, **options: receiver.dispatch_pending(**options)
    return lambda receiver, **options: anyio.run(partial(receiver.adispatch_pending, **options))


def test_each_new_event_is_dispatched_after_it_is_recorded(inbox: Inbox) -> None:
    """Once, although it is delivered twice."""
    sent: list[tuple[str, bool]] = []
    receiver = WebhookReceiver(inbox, dispatch=lambda key: sent.append((key, inbox.has(key))))
    receipts = [receiver.receive(body(finished())) for _ in range(2)]
    assert receipts[0].event is not None
    assert sent == [(receipts[0].event.dedupe_key, True)]


def test_a_queue_that_is_away_loses_nothing(
    inbox: Inbox, clock: Clock, dispatch_pending: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The service gets its 200, because the event is recorded, and the event is dispatched later."""
    sent: list[str] = []
    away = True

    def dispatch(key: str) -> None:
        if away:
            raise ConnectionError("https://queue.test/?token=canary is away")
        sent.append(key)

    receiver = received(inbox, "m-1", "m-2", dispatch=dispatch)
    assert "was not dispatched" in caplog.text
    assert "canary" not in caplog.text
    clock.now += 61
    with pytest.raises(DispatchError, match="and 1 after it: ConnectionError"):
        dispatch_pending(receiver)
    away = False
    assert dispatch_pending(receiver) == 2
    assert sent == [event.key for event in inbox.events()[::-1]]


def test_only_events_that_wait_are_dispatched_again(inbox: Inbox, clock: Clock, dispatch_pending: Any) -> None:
    """Not those that are done, claimed or new; those whose process was killed are."""
    sent: list[str] = []
    receiver = received(inbox, "m-1", "m-2", "m-3")
    receiver.on(EVENT)(lambda _: None)
    receiver.dispatch = sent.append
    keys = [event.key for event in inbox.events()[::-1]]
    receiver.handle(keys[0])
    assert inbox.claim_key(keys[1], 100) is not None
    clock.now += 60
    receiver.receive(body(finished("m-4")))
    sent.clear()
    assert dispatch_pending(receiver) == 1
    assert sent == [keys[2]]
    clock.now += 100
    assert dispatch_pending(receiver, limit=2) == 2
    assert sent[1:] == [keys[2], keys[1]] or sent[1:] == [keys[2], inbox.events()[0].key]


def test_a_dispatched_event_is_handled_once(inbox: Inbox, handle: Any) -> None:
    """Although its key is sent twice."""
    calls: list[str] = []
    receiver = received(inbox, "m-1")
    receiver.on(EVENT)(lambda event: calls.append(event.media.id))
    (event,) = inbox.events()
    assert handle(receiver, event.key)
    assert not handle(receiver, event.key)
    assert calls == ["m-1"]


def test_two_tasks_do_not_run_the_same_handler_at_once(store: Store) -> None:
    """The second finds the event claimed, and has nothing to do."""
    inbox = store.open()
    receiver = received(inbox, "m-1")
    started, gate = threading.Event(), threading.Event()
    calls: list[str] = []

    @receiver.on(EVENT)
    def work(event: MediaProcessingFinished) -> None:
        calls.append(event.media.id)
        started.set()
        assert gate.wait(LONG)

    (event,) = inbox.events()
    first = threading.Thread(target=receiver.handle, args=(event.key,))
    first.start()
    assert started.wait(LONG)
    assert not receiver.handle(event.key)
    gate.set()
    first.join(LONG)
    assert calls == ["m-1"]
    assert [event.state for event in inbox.events()] == ["done"]


def test_the_queue_decides_when_a_failed_event_is_handled_again(inbox: Inbox, handle: Any) -> None:
    """The failure is raised, and the event is due at once; after its last attempt it is dead."""
    receiver = received(inbox, "m-1", backoff=Backoff(first=3_600, attempts=2))
    attempts: list[int] = []

    @receiver.on(EVENT)
    def work(event: MediaProcessingFinished) -> None:
        attempts.append(event.attempt)
        raise LookupError("no")

    (event,) = inbox.events()
    for _ in range(2):
        with pytest.raises(HandlerError, match="LookupError: no"):
            handle(receiver, event.key)
    assert not handle(receiver, event.key)
    assert attempts == [1, 2]
    assert [event.state for event in inbox.events()] == ["dead"]


def test_wrong_uses_are_explained(inbox: Inbox, handle: Any, dispatch_pending: Any) -> None:
    """A task in a process that lacks the inbox or the handlers must not look like success."""
    receiver = received(inbox, "m-1")
    (event,) = inbox.events()
    with pytest.raises(ConfigurationError, match="No webhook handler"):
        handle(receiver, event.key)
    receiver.on(EVENT)(lambda _: None)
    with pytest.raises(InvalidInputError, match="no event nowhere"):
        handle(receiver, "nowhere")
    with pytest.raises(ConfigurationError, match=r"Set receiver\.dispatch"):
        dispatch_pending(receiver)


@pytest.mark.anyio
async def test_dispatch_may_be_async() -> None:
    """It is awaited in the loop that serves the app, before the response."""
    sent: list[tuple[str, bool]] = []
    loop_thread = threading.get_ident()

    async def dispatch(key: str) -> None:
        await anyio.lowlevel.checkpoint()
        sent.append((key, threading.get_ident() == loop_thread))

    clock = [0.0]
    receiver = WebhookReceiver(MemoryInbox(clock=lambda: clock[0]), dispatch=dispatch)
    receipt = await receiver.areceive(body(finished()))
    assert (receipt.status_code, [in_loop for _, in_loop in sent]) == (200, [True])
    clock[0] += 61
    assert await receiver.adispatch_pending() == 1
    assert len(sent) == 2


def test_an_async_dispatch_needs_a_loop(caplog: pytest.LogCaptureFixture) -> None:
    """The log says what to do; the event is recorded."""

    async def dispatch(_: str) -> None: ...

    receiver = WebhookReceiver(MemoryInbox(), dispatch=dispatch)
    assert receiver.receive(body(finished())).status_code == 200
    assert "use areceive()" in caplog.text
    assert len(receiver.inbox.events("pending")) == 1
