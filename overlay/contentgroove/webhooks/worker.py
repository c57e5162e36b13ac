"""Workers that handle events as they arrive, in a thread or in a task."""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from contentgroove._io.interruptible import join, wait_for

from .errors import HandlerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .inbox import Inbox

logger = logging.getLogger("contentgroove")

POLL_INTERVAL = 5.0
"""Seconds after which a worker looks for what other processes have recorded."""


class Wakeup:
    """Wakes workers; a ring that comes before somebody waits is not lost."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    @property
    def count(self) -> int:
        """How often it was rung."""
        return self._rings

    def notify(self) -> None:
        """Wake all who wait."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def wait(self, after: int, timeout: float) -> None:
        """Wait for a ring after so many, at most for some seconds."""
        with self._condition:
            wait_for(
                lambda seconds: self._condition.wait_for(lambda: self._rings > after, seconds),
                timeout,
            )


class Worker:
    """Handles what is due, then waits for the bell, for the next retry, or for the poll interval.

    Args:
        inbox: Where events wait.
        bell: Rung when one has arrived.
        poll_interval: Seconds between looks for what other processes have recorded.
        extra_stop: Another reason to stop, which is looked at now and then.
    """

    def __init__(
        self, inbox: Inbox, bell: Wakeup, poll_interval: float, extra_stop: Callable[[], bool] = lambda: False
    ) -> None:
        self._inbox = inbox
        self._bell = bell
        self._poll_interval = poll_interval
        self._told = extra_stop
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def should_stop(self) -> bool:
        """Whether a stop was asked for."""
        return self._stop.is_set() or self._told()

    def stop(self) -> None:
        """Ask for a stop, after the event that is being handled."""
        self._stop.set()
        self._bell.notify()

    def start_thread(self, process: Callable[[Callable[[], bool]], object]) -> None:
        """Work in a thread. At the interpreter's exit it finishes the event that it has begun."""
        self._thread = threading.Thread(target=self.work, args=(process,), name="contentgroove-webhooks", daemon=True)
        self._thread.start()
        atexit.register(self.join)

    def join(self, timeout: float | None = None) -> bool:
        """Stop, and wait until the thread has ended; False if it has not in time."""
        self.stop()
        if self._thread is not None and not join(self._thread, timeout):
            return False
        atexit.unregister(self.join)
        return True

    @asynccontextmanager
    async def run_in_task(self, process: Callable[[Callable[[], bool]], Awaitable[object]]) -> AsyncGenerator[None]:
        """Work in a task for as long as the context is entered; leaving it waits for the event that is begun."""
        import anyio

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._work_async, process)
            try:
                yield
            finally:
                self.stop()

    def work(self, process: Callable[[Callable[[], bool]], object]) -> None:
        """Work in this thread until a stop is asked for."""
        while not self.should_stop():
            rings = self._bell.count
            try:
                process(self.should_stop)
            except Exception as error:  # noqa: BLE001 - a worker goes on, whatever a store or a handler raises
                _log(error)
            self._wait(rings)

    async def _work_async(self, process: Callable[[Callable[[], bool]], Awaitable[object]]) -> None:
        from anyio import to_thread

        try:
            while not self.should_stop():
                rings = self._bell.count
                try:
                    await process(self.should_stop)
                except Exception as error:  # noqa: BLE001 - as above
                    _log(error)
                await to_thread.run_sync(self._wait, rings, abandon_on_cancel=True)
        finally:
            self.stop()  # if this task was cancelled, the thread that waits ends as well

    def _wait(self, rings: int) -> None:
        if self.should_stop():
            return
        timeout = self._poll_interval
        try:
            due = self._inbox.next_due()
        except Exception as error:  # noqa: BLE001 - as above
            _log(error)
        else:
            timeout = timeout if due is None else min(timeout, due)
        self._bell.wait(rings, timeout)


def _log(error: Exception) -> None:
    # What handlers raise was logged when they raised it.
    if not isinstance(error, HandlerError):
        logger.error("The webhook worker could not work; it tries again: %s", error, exc_info=error)
