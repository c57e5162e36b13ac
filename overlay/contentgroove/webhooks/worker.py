"""Workers that process events as they arrive, in a thread or in a task."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from contentgroove._io.interruptible import join, wait_for
from contentgroove._io.own_threads import UNLIMITED

from .failures import failure_text, stops_process
from .process_ends import ProcessEnd, before_end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import TypeAlias

    from .claims import Renewer
    from .inbox import Inbox
    from .outages import Circuit
    from .processing import Outcome

    ShouldStop: TypeAlias = Callable[[], bool]
    Process: TypeAlias = Callable[[ShouldStop], Outcome]
    AsyncProcess: TypeAlias = Callable[[ShouldStop], Awaitable[Outcome]]

logger = logging.getLogger("contentgroove")

POLL_INTERVAL = 5.0
"""Seconds after which a worker checks for events that other processes have recorded."""

MAX_PASS = 15.0
"""Seconds after which a worker starts no further event, but reports, and goes on."""

MIN_WAIT = 0.25
"""Seconds that a worker waits at least if it could claim nothing although an event is due: another one has it."""


class Wakeup:
    """Wakes workers; a notification that comes before a worker waits is not lost.

    Attributes:
        count: How often `notify` was called.
    """

    def __init__(self) -> None:
        # By process: a thread of the parent may have held the lock when this process was forked.
        self._conditions: dict[int, threading.Condition] = {}
        self.count = 0

    def notify(self) -> None:
        """Wake all workers of this process that wait."""
        condition = self._condition()
        with condition:
            self.count += 1
            condition.notify_all()

    def wait(self, after: int, timeout: float) -> None:
        """Wait until the count is greater than `after`, at most for `timeout` seconds."""
        condition = self._condition()
        with condition:
            wait_for(lambda seconds: condition.wait_for(lambda: self.count > after, seconds), timeout)

    def _condition(self) -> threading.Condition:
        process = os.getpid()
        return self._conditions.get(process) or self._conditions.setdefault(process, threading.Condition())


class Worker:
    """Processes due events, then waits for a notification, for the next retry, or for the poll interval.

    It checks `extra_stop`, another reason to stop, before each event and after each wait. While the circuit is open, it
    waits for the circuit's pause.

    Args:
        inbox: The inbox.
        wakeup: Notified when an event arrives.
        circuit: Open while handlers meet outages.
        renewer: Knows the claims of the events that are being handled.
        poll_interval: The longest wait, in seconds.
        grace: Seconds that the current event gets when the process ends or the context is left.
        report: Called before and after each pass, and after each wait.
        extra_stop: Another reason to stop.
        rests: Whether another process handles the events instead of this one; then the worker only waits.

    Attributes:
        since: When it started, in seconds since 1970.
        process_id: The process in which it works.
    """

    def __init__(
        self,
        inbox: Inbox,
        wakeup: Wakeup,
        circuit: Circuit,
        renewer: Renewer,
        *,
        poll_interval: float,
        grace: float,
        report: Callable[[], None],
        extra_stop: ShouldStop | None = None,
        rests: Callable[[], bool] = lambda: False,
    ) -> None:
        self._inbox = inbox
        self._wakeup = wakeup
        self._circuit = circuit
        self._renewer = renewer
        self._poll_interval = poll_interval
        self._grace = grace
        self._report = report
        self._extra_stop = extra_stop
        self._rests = rests
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._process_end = ProcessEnd(self._end_with_process)
        self.since = time.time()
        self.process_id = os.getpid()

    @property
    def is_running(self) -> bool:
        """Whether it processes events or waits for some, in this process."""
        alive = self._thread is None or self._thread.is_alive()
        return not self._ended.is_set() and alive and self.process_id == os.getpid()

    @property
    def was_stopped(self) -> bool:
        """Whether its end was requested."""
        return self._stop.is_set()

    def should_stop(self) -> bool:
        """Whether a stop was requested."""
        return self._stop.is_set() or (self._extra_stop is not None and self._extra_stop())

    def stop(self) -> None:
        """Request a stop after the current event."""
        self._stop.set()
        self._wakeup.notify()

    def start_thread(self, process: Process) -> None:
        """Work in a thread. When the process ends, it finishes the current event within the grace, or hands it back."""
        self._thread = threading.Thread(target=self.work, args=(process,), name="contentgroove-webhooks", daemon=True)
        self._thread.start()
        self._process_end.watch()

    def join(self, timeout: float | None = None) -> bool:
        """Stop, and wait until the thread has ended; False if it did not end in time."""
        self.stop()
        if self._thread is not None and not join(self._thread, timeout):
            return False
        self._process_end.unwatch()
        return True

    def run(self, process: Process) -> None:
        """Work in this thread, until a stop is requested or the process ends."""
        with before_end(self._end_with_process):
            self.work(process)

    @asynccontextmanager
    async def run_in_task(self, process: AsyncProcess) -> AsyncGenerator[None]:
        """Work in a task while the context is entered.

        Leaving it gives the current event the grace, then cancels it and hands it back. If the context is cancelled,
        the event is handed back at once, or as soon as a sync handler in its thread has returned.
        """
        import anyio

        ended = anyio.Event()

        async def work() -> None:
            try:
                await self._work_async(process)
            finally:
                ended.set()

        grace = self._grace
        with before_end(self._end_with_process):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(work)
                try:
                    yield
                except anyio.get_cancelled_exc_class():
                    grace = 0.0
                    raise
                finally:
                    self.stop()
                    with anyio.move_on_after(grace):
                        await ended.wait()
                    tasks.cancel_scope.cancel()

    def work(self, process: Process) -> None:
        """Work in this thread until a stop is requested."""
        try:
            while not self.should_stop():
                count = self._wakeup.count
                if self._rests():
                    self._wakeup.wait(count, self._poll_interval)
                    continue
                self._report()
                claimed: int | None = None
                try:
                    claimed = process(self._stop_of_pass()).claimed
                except BaseException as error:
                    # Whatever an inbox raises, only the end of the process ends a worker.
                    if stops_process(error):
                        raise
                    _log(error)
                self._report_and_wait(count, claimed)
        finally:
            self._ended.set()

    async def _work_async(self, process: AsyncProcess) -> None:
        try:
            while not self.should_stop():
                count = self._wakeup.count
                await UNLIMITED.run(self._report, abandon_on_cancel=True)
                claimed: int | None = None
                try:
                    claimed = (await process(self._stop_of_pass())).claimed
                except Exception as error:  # noqa: BLE001 - as above; the others end this task or the process
                    _log(error)
                await UNLIMITED.run(partial(self._report_and_wait, count, claimed), abandon_on_cancel=True)
        finally:
            self._ended.set()
            self.stop()  # if this task was cancelled, the waiting thread must end as well

    def _end_with_process(self) -> None:
        self.stop()
        if wait_for(self._ended.wait, self._grace):
            return
        # The handler's thread ends with the process, so the next worker need not wait until the claim expires.
        for held in self._renewer.held:
            held.hand_back()

    def _stop_of_pass(self) -> ShouldStop:
        end = time.monotonic() + MAX_PASS
        return lambda: time.monotonic() > end or self.should_stop() or self._rests()

    def _report_and_wait(self, count: int, claimed: int | None) -> None:
        """Wait after a pass; `claimed` is the number of its events, or None if it failed."""
        self._report()
        if self._circuit.is_open:
            self._pause(self._circuit.pause)
            return
        if self.should_stop():
            return
        timeout = self._poll_interval
        try:
            due = self._inbox.next_due()
        except Exception as error:  # noqa: BLE001 - as above
            _log(error)
        else:
            if due is not None and claimed is not None:
                shortest = 0.0 if claimed else min(MIN_WAIT, timeout)
                timeout = max(shortest, min(timeout, due))
        self._wakeup.wait(count, timeout)

    def _pause(self, seconds: float) -> None:
        """Wait, whatever arrives, but not after a stop was requested."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            count = self._wakeup.count
            if self.should_stop():
                return
            self._wakeup.wait(count, min(left, self._poll_interval))
            self._report()


def _log(error: BaseException) -> None:
    logger.error("The webhook worker failed and tries again: %s", failure_text(error))
