"""Failures of every kind: recorded with their traceback, they end no worker and keep no other event waiting."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, cast

import anyio
import pytest
from contentgroove.webhooks import Backoff, HandlerError, MemoryInbox, SQLiteInbox
from contentgroove.webhooks.failures import describe_error, failure_text

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contentgroove.webhooks import Inbox, MediaProcessingFinished

    from tests.webhooks.conftest import Clock

EVENT: Final = "media.processing_finished"
LONG = 10.0


class UnprintableError(Exception):
    """Cannot be printed, as the exceptions of some libraries."""

    def __str__(self) -> str:
        """Raise something that even `except Exception` does not catch."""
        raise SystemExit(3)


class NotTextError(Exception):
    """Has a text that is none."""

    def __str__(self) -> str:
        """Return a number."""
        return cast("str", 5)


class HostileError(Exception):
    """Computes attributes that it lacks, as proxies do."""

    def __getattr__(self, name: str) -> object:
        """Raise something that even `except Exception` does not catch."""
        raise SystemExit(name)


class Unusual(BaseException):
    """An application's exception that is not an `Exception`."""


def deep(levels: int) -> BaseException:
    """Nest groups."""
    error: Exception = ValueError("deep")
    for _ in range(levels):
        inner: list[Exception] = [error]
        error = ExceptionGroup("level", inner)
    return error


def chained(links: int) -> BaseException:
    """Chain exceptions."""
    error = ValueError("first")
    for _ in range(links):
        following = ValueError("next")
        following.__cause__ = error
        error = following
    return error


FAILURES: dict[str, Callable[[], BaseException]] = {
    "exit": lambda: SystemExit(1),
    "exit with text": lambda: SystemExit("the end"),
    "cancelled": asyncio.CancelledError,
    "generator exit": GeneratorExit,
    "stop iteration": StopIteration,
    "async stop": StopAsyncIteration,
    "group": lambda: BaseExceptionGroup("several", [SystemExit(1), ValueError("a")]),
    "group of groups": lambda: deep(60),
    "groups deeper than the stack": lambda: deep(5_000),
    "chain": lambda: chained(5_000),
    "own": Unusual,
    "unprintable": UnprintableError,
    "not text": NotTextError,
    "hostile": HostileError,
    "surrogates": lambda: ValueError("caf\udce9 \ud800"),
    "nul": lambda: ValueError("a\0b"),
    "megabytes": lambda: ValueError("x" * 5_000_000),
    "recursion": lambda: RecursionError("maximum recursion depth exceeded"),
    "memory": MemoryError,
}


@pytest.fixture(params=list(FAILURES))
def failure(request: pytest.FixtureRequest) -> Callable[[], BaseException]:
    """What a handler raises."""
    return FAILURES[request.param]


@pytest.fixture(params=["plain", "coroutine"])
def handler(request: pytest.FixtureRequest, failure: Callable[[], BaseException]) -> Any:
    """Write a handler that fails on the media `m-1`, and records the others."""
    handled: list[str] = []

    def handle(event: MediaProcessingFinished) -> None:
        if event.media.id == "m-1":
            raise failure()
        handled.append(event.media.id)

    async def handle_async(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        handle(event)

    chosen: Any = handle if request.param == "plain" else handle_async
    chosen.handled = handled
    return chosen


def test_a_failure_of_any_kind_is_that_of_its_event(sqlite: SQLiteInbox, process: Any, handler: Any) -> None:
    """It is recorded with its traceback, one attempt is counted, and the next event is handled in the same pass."""
    receiver = received(sqlite, "m-1", "m-2")
    receiver.on(EVENT)(handler)
    with pytest.raises(HandlerError, match="1 handler failed"):
        process(receiver)
    assert handler.handled == ["m-2"]
    second, first = sqlite.events()
    assert (first.state, first.attempts, second.state) == ("pending", 1, "done")
    assert "in handle" in first.error
    assert len(first.error) <= 4_000


@pytest.fixture
def sqlite(tmp_path: Path, clock: Clock) -> Any:
    """A database, whose driver takes fewer texts than a list does."""
    with SQLiteInbox(tmp_path / "events.db", clock=clock) as inbox:
        yield inbox


def test_a_worker_thread_survives(failure: Callable[[], BaseException]) -> None:
    """It handles the next event, and the failed one again."""
    inbox = MemoryInbox()
    receiver = received(inbox, "m-1", "m-2", backoff=Backoff(first=0.01))
    again = threading.Event()

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        if event.media.id == "m-1":
            if event.attempt == 2:
                again.set()
                return
            raise failure()

    receiver.start_worker(poll_interval=3_600)
    assert again.wait(LONG)
    assert receiver.stop_worker(LONG)
    assert [event.state for event in inbox.events()] == ["done", "done"]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["own task", "inner task", "raised"])
async def test_a_cancellation_that_the_worker_did_not_ask_for_is_a_failure(kind: str) -> None:
    """Whether the handler cancels its own task, awaits one that is cancelled, or raises the exception itself."""
    inbox = MemoryInbox()
    receiver = received(inbox, "m-1", "m-2", backoff=Backoff(first=0.01))
    done = anyio.Event()

    @receiver.on(EVENT)
    async def handle(event: MediaProcessingFinished) -> None:
        await anyio.lowlevel.checkpoint()
        if event.media.id == "m-2":
            return
        if event.attempt == 2:
            done.set()
            return
        if kind == "raised":
            raise asyncio.CancelledError
        task = asyncio.current_task() if kind == "own task" else asyncio.create_task(anyio.sleep_forever())
        assert task is not None
        task.cancel()
        await (task if kind == "inner task" else anyio.sleep_forever())

    with anyio.fail_after(LONG):
        async with receiver.worker(poll_interval=3_600):
            await done.wait()
    assert [event.state for event in inbox.events()] == ["done", "done"]


@pytest.mark.anyio
async def test_exceptions_of_exit_in_a_task_of_the_worker_do_not_end_the_loop() -> None:
    """`SystemExit` and `KeyboardInterrupt` of a sync handler come from a thread, so neither is Ctrl-C."""
    for raised in (SystemExit, KeyboardInterrupt):
        inbox = MemoryInbox()
        receiver = received(inbox, "m-1")

        @receiver.on(EVENT)
        def handle(_: MediaProcessingFinished, raised: type[BaseException] = raised) -> None:
            raise raised

        with pytest.raises(HandlerError):
            await receiver.aprocess_pending()
        assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 1)]


def test_confirm_may_fail_in_any_way(sqlite: SQLiteInbox, process: Any, failure: Callable[[], BaseException]) -> None:
    """Like a handler."""

    def confirm(_: str) -> Any:
        raise failure()

    receiver = received(sqlite, "m-1", confirm=confirm)
    receiver.on(EVENT)(lambda _: None)
    with pytest.raises(HandlerError):
        process(receiver)
    assert [(event.state, event.attempts) for event in sqlite.events()] == [("pending", 1)]


def test_the_exit_of_a_signal_handler_ends_the_process(inbox: Inbox) -> None:
    """Applications end this way at SIGTERM; the event is handed back, and no attempt is counted."""
    receiver = received(inbox, "m-1")

    @receiver.on(EVENT)
    def handle(_: MediaProcessingFinished) -> None:
        signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with pytest.raises(SystemExit) as caught:
            receiver.process_pending()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert caught.value.code == 143
    assert [(event.state, event.attempts) for event in inbox.events()] == [("pending", 0)]


@pytest.mark.parametrize("first", [0.0, 0.25])
def test_a_failing_event_starves_no_other(inbox: Inbox, clock: Clock, first: float) -> None:
    """When it is due again, it comes after the events that are due for longer."""
    receiver = received(inbox, "m-1", "m-2", "m-3", backoff=Backoff(first=first, longest=first, attempts=100))
    calls: list[str] = []

    @receiver.on(EVENT)
    def handle(event: MediaProcessingFinished) -> None:
        calls.append(event.media.id)
        if event.media.id == "m-1":
            sys.exit("always")

    for _ in range(4):
        clock.now += 0.5
        passed = len(calls)
        with contextlib.suppress(HandlerError):
            receiver.process_pending(should_stop=lambda passed=passed: len(calls) > passed)  # type: ignore[misc]
    assert calls == ["m-1", "m-2", "m-3", "m-1"]


def test_texts_show_no_credentials() -> None:
    """Neither an exception's text, nor that of its cause, nor a note, nor one that is cut in the middle of a value."""
    error = OSError("x" * 460 + " https://s.test/?token=canary" + "y" * 600)
    error.__cause__ = ValueError("https://s.test/a?X-Amz-Signature=canary-one")
    error.add_note("GET https://s.test/b?api_key=canary-two failed")
    text = failure_text(error)
    assert "canary" not in text
    assert text.count("[redacted]") >= 3
    assert text.startswith("OSError: xxx")


def test_descriptions_are_one_bounded_text() -> None:
    """Whatever the exception."""
    for make in FAILURES.values():
        error = make()
        assert describe_error(error).startswith(type(error).__name__)
        assert len(describe_error(error)) < 600
        failure_text(error).encode()
