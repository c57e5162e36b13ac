"""Handlers: of every form, sync and async, in the inbox's transaction, each with its own name."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import anyio
import pytest
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove.webhooks import Backoff, HandlerError, MemoryInbox, WebhookReceiver

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import MediaProcessingFinished

    from tests.webhooks.conftest import Store

EVENT: Final = "media.processing_finished"


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
    """Before an event is claimed; the message names the alternative."""
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
    """No private loop is created, which would replace the running one."""
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
        """Records the calling threads."""

        def claim(self, lease: float) -> Any:
            """Record it."""
            threads.add(threading.current_thread().name)
            return super().claim(lease)

    receiver = received(NotingInbox(), "m-1")
    receiver.on(EVENT)(lambda _: threads.add(threading.current_thread().name))
    assert await receiver.aprocess_pending() == 1
    assert threading.current_thread().name not in threads


def test_a_transactional_handler_commits_with_its_success(transactional: Any, database: Store, process: Any) -> None:
    """Its writes and its success are one transaction; a failure undoes both, and only this handler runs again."""
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
    """Raised when the handler is registered, not at the first event."""
    with pytest.raises(ConfigurationError, match="MemoryInbox has no transactions"):
        WebhookReceiver(MemoryInbox()).on(EVENT, transaction=True)(lambda *_: None)


def test_a_wrapped_inbox_has_transactions(transactional: Any) -> None:
    """An inbox that delegates unknown attributes has the methods of the wrapped one, on every Python."""

    class Through:
        def __getattr__(self, name: str) -> Any:
            return getattr(transactional, name)

    inbox: Any = Through()
    receiver = WebhookReceiver(inbox)
    receiver.on("*", name="writes", transaction=True)(lambda event, connection: None)  # noqa: ARG005 - takes both


def test_a_transaction_needs_a_sync_handler(transactional: Any) -> None:
    """The connection blocks."""

    async def handle(*_: Any) -> None:
        await anyio.lowlevel.checkpoint()

    with pytest.raises(InvalidInputError, match="must not be async"):
        WebhookReceiver(transactional).on(EVENT, transaction=True)(handle)


def test_names_of_handlers_are_unique() -> None:
    """Success is stored by name, so two handlers cannot share one."""
    receiver = WebhookReceiver(MemoryInbox())
    receiver.on(EVENT, name="same")(print)
    with pytest.raises(InvalidInputError, match="named same"):
        receiver.on(EVENT, name="same")(str)
    receiver.on(EVENT)(print)
    with pytest.raises(InvalidInputError, match=r"named builtins\.print"):
        receiver.on("*")(print)


def test_the_decorator_returns_the_handler() -> None:
    """The function itself, unchanged."""
    assert WebhookReceiver(MemoryInbox()).on(EVENT)(print) is print
