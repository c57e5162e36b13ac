"""Workers that process events as they arrive, in a thread or in a task."""

from __future__ import annotations

import atexit
import logging
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from contentgroove._io.interruptible import join, wait_for

from .inbox import HandlerError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from .inbox import Inbox

logger = logging.getLogger("contentgroove")

POLL_INTERVAL = 5.0
"""Seconds after which a worker checks for events that other processes have recorded."""


class Wakeup:
    """Wakes workers; a notification that comes before a worker waits is not lost.

    Attributes:
        count: How often `notify` was called.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self.count = 0

    def notify(self) -> None:
        """Wake all workers that wait."""
        with self._condition:
            self.count += 1
            self._condition.notify_all()

    def wait(self, after: int, timeout: float) -> None:
        """Wait until the count is greater than `after`, at most for `timeout` seconds."""
        with self._condition:
            wait_for(lambda seconds: self._condition.wait_for(lambda: self.count > after, seconds), timeout)


class Worker:
    """Processes due events, then waits for a notification, for the next retry, or for the poll interval.

    It checks `extra_stop`, another reason to stop, before each event and after each wait.
    """

    def __init__(
        self, inbox: Inbox, wakeup: Wakeup, poll_interval: float, extra_stop: Callable[[], bool] | None = None
    ) -> None:
        self._inbox = inbox
        self._wakeup = wakeup
        self._poll_interval = poll_interval
        self._extra_stop = extra_stop
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set() or (self._extra_stop is not None and self._extra_stop())

    def stop(self) -> None:
        """Request a stop after the current event."""
        self._stop.set()
        self._wakeup.notify()

    def start_thread(self, process: Callable[[Callable[[], bool]], object]) -> None:
        """Work in a thread. At interpreter exit it finishes the current event."""
        self._thread = threading.Thread(target=self.work, args=(process,), name="contentgroove-webhooks", daemon=True)
        self._thread.start()
        atexit.register(self.join)

    def join(self, timeout: float | None = None) -> bool:
        """Stop, and wait until the thread has ended; False if it did not end in time."""
        self.stop()
        if self._thread is not None and not join(self._thread, timeout):
            return False
        atexit.unregister(self.join)
        return True

    @asynccontextmanager
    async def run_in_task(self, process: Callable[[Callable[[], bool]], Awaitable[object]]) -> AsyncGenerator[None]:
        """Work in a task while the context is entered; leaving it waits for the current event."""
        import anyio

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._work_async, process)
            try:
                yield
            finally:
                self.stop()

    def work(self, process: Callable[[Callable[[], bool]], object]) -> None:
        """Work in this thread until a stop is requested."""
        while not self.should_stop():
            count = self._wakeup.count
            try:
                process(self.should_stop)
            except Exception as error:  # noqa: BLE001 - a worker continues, whatever an inbox or a handler raises
                _log(error)
            self._wait(count)

    async def _work_async(self, process: Callable[[Callable[[], bool]], Awaitable[object]]) -> None:
        from anyio import to_thread

        try:
            while not self.should_stop():
                count = self._wakeup.count
                try:
                    await process(self.should_stop)
                except Exception as error:  # noqa: BLE001 - as above
                    _log(error)
                await to_thread.run_sync(self._wait, count, abandon_on_cancel=True)
        finally:
            self.stop()  # if this task was cancelled, the waiting thread must end as well

    def _wait(self, count: int) -> None:
        if self.should_stop():
            return
        timeout = self._poll_interval
        try:
            due = self._inbox.next_due()
        except Exception as error:  # noqa: BLE001 - as above
            _log(error)
        else:
            timeout = timeout if due is None else min(timeout, due)
        self._wakeup.wait(count, timeout)


def _log(error: Exception) -> None:
    # Exceptions of handlers were logged when they were raised.
    if not isinstance(error, HandlerError):
        logger.error("The webhook worker failed and tries again: %s", error, exc_info=error)
