"""The part of a receiver that runs the handlers of recorded events: in a call, in a worker, or in a queue's task."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar

from contentgroove._core.io import run_sync
from contentgroove.errors import ConfigurationError, InvalidInputError

from . import application_inboxes
from .between_events import BetweenEvents
from .families import Family, call_in_workers, require_threads
from .handler_io import AsyncHandlerIO, PrivateLoops, SyncHandlerIO, is_async, supervise
from .processing import EventProcessor, Outcome
from .retention import Retention
from .status import ReceiverStatus, Reporter, read_status
from .worker import POLL_INTERVAL, Wakeup, Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from contentgroove._core.inputs import EventName
    from contentgroove._core.names import KnownEvent

    from .handler_io import HandlerIO
    from .inbox import Backoff, Inbox

logger = logging.getLogger("contentgroove")

LEASE = 900.0
"""Seconds: short enough that events of a killed worker do not wait for long, and seldom renewed."""

GRACE = 5.0
"""Seconds: less than the ten that Docker gives a process to stop, which is the shortest time of the usual ones."""

Handler = TypeVar("Handler", bound="Callable[..., object]")


class EventHandling:
    """Runs the handlers of recorded events; the settings are those of `WebhookReceiver`."""

    def __init__(
        self,
        inbox: Inbox,
        *,
        confirm: Callable[[str], object] | None,
        authenticated: bool,
        backoff: Backoff,
        lease: float,
        grace: float,
        between_events: Callable[[], object] | None,
        outage_errors: tuple[type[BaseException], ...],
        on_metrics: Callable[[ReceiverStatus], object] | None,
        retention: float | None,
    ) -> None:
        if not (lease > 0 and grace >= 0):
            raise InvalidInputError("lease must be greater than 0, and grace must not be negative.")
        if retention is not None and not retention > 0:
            raise InvalidInputError("retention must be greater than 0, in seconds, or None to keep all events.")
        for name, hook in (("between_events", between_events), ("on_metrics", on_metrics)):
            if hook is not None and (not callable(hook) or is_async(hook)):
                raise InvalidInputError(f"{name} must be a function that is not async, not {type(hook).__name__}.")
        classes = tuple(outage_errors)
        if not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in classes):
            raise InvalidInputError("outage_errors must be classes of exceptions.")
        self._inbox = inbox
        self._lease = lease
        self._grace = grace
        self._on_metrics = on_metrics
        self._retention = None if retention is None else Retention(inbox, retention)
        self._processor = EventProcessor(
            inbox,
            confirm=confirm,
            authenticated=authenticated,
            backoff=backoff,
            lease=lease,
            between=BetweenEvents(between_events),
            outage_errors=classes,
        )
        self._wakeup = Wakeup()
        self._loops = PrivateLoops()
        self._worker: Worker | None = None
        self._family: Family | None = None

    @property
    def inbox(self) -> Inbox:
        """The inbox that records the events."""
        return self._inbox

    @property
    def grace(self) -> float:
        """Seconds that the current event gets when the process ends."""
        return self._grace

    def on(
        self, event: KnownEvent | Literal["*"] | EventName, *, name: str | None = None, transaction: bool = False
    ) -> Callable[[Handler], Handler]:
        """Register a handler of an event, or of all events with `"*"`. Handlers run in the order of registration.

        A handler takes the event and may be async. If it raises, the other handlers still run, and it is called again
        later with a higher `event.attempt`; handlers that succeeded are not. What it raises is a failure of the event,
        whatever it is, `SystemExit` included; only Ctrl-C and the process's signal handlers end the worker. A process
        may be killed after a handler has finished and before that is recorded, so handlers run at least once; with
        transaction=True exactly once.

        Args:
            event: The event's name, or `*`; `EventName(…)` for one that only the service knows.
            name: The name of its stored success; by default the qualified name. Keep it when you rename the function.
            transaction: Call it with a second argument, the inbox's database connection. Its writes there are
                committed together with its success. It must be sync and must not commit.

        Raises:
            InvalidInputError: The name is already used, or an async handler has transaction=True.
            ConfigurationError: The inbox has no transactions.
        """

        def register(handler: Handler) -> Handler:
            self._processor.add(event, handler, name, transaction=transaction)
            return handler

        return register

    def process_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """Handle all due events and return how many were handled. Async handlers run in a private event loop.

        The next call in this thread uses the same loop. After three outages in a row the remaining events stay pending,
        and the next call tries one. Does nothing if no handler is registered. An event without a matching handler is
        completed.

        Args:
            should_stop: Called before each event; if it returns True, the remaining events stay pending.

        Raises:
            HandlerError: Handlers failed. It is raised after all events; the failed ones are handled again later.
            InboxError: The inbox failed.
            ConfigurationError: A handler is async and an event loop is running; await `aprocess_pending` instead.
        """
        return self._process(should_stop).count()

    async def aprocess_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """Handle all due events and return how many were handled. Async handlers run in this loop, others in threads.

        If the task is cancelled, so is an async handler, and its event is handed back; a sync one is finished. After
        three outages in a row the remaining events stay pending, and the next call tries one. Does nothing if no
        handler is registered. An event without a matching handler is completed.

        Args:
            should_stop: Called before each event; if it returns True, the remaining events stay pending.

        Raises:
            HandlerError: Handlers failed. It is raised after all events; the failed ones are handled again later.
            InboxError: The inbox failed.
        """
        # In a task of its own: asyncio would interrupt this one even while it hands an event back.
        outcome = await supervise(partial(self._processor.process, AsyncHandlerIO(), should_stop))
        return outcome.unwrap().count()

    def work(self, *, poll_interval: float = POLL_INTERVAL, should_stop: Callable[[], bool] | None = None) -> None:
        """Handle events in this thread, as soon as they arrive or are due again, until `stop_worker` is called.

        It is for a process that does nothing else; a signal handler may call `stop_worker`. Ctrl-C, or a signal handler
        that raises `SystemExit`, ends it and hands the current event back.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.
            should_stop: Called before each event and between checks; if it returns True, this method returns.

        Raises:
            ConfigurationError: A worker is already running.
        """
        self._require_no_worker()
        self._worker = self._new_worker(poll_interval, should_stop)
        try:
            self._worker.run(self._process)
        finally:
            self._worker = None
            self._loops.close()

    def start_worker(self, *, poll_interval: float = POLL_INTERVAL) -> None:
        """Handle events in a thread, as soon as they arrive or are due again.

        Async handlers run in one private event loop. When the process ends, by SIGTERM as well unless the application
        handles that signal, the current event is finished within the `grace`, or handed back.

        A process that is forked afterwards, such as those of a server that loads the application before it forks,
        starts its own worker at its first delivery. From then on its parent handles no events while that process lives,
        unless the parent gets deliveries itself.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.

        Raises:
            ConfigurationError: A worker is already running, or the server runs no threads.
        """
        self._require_no_worker()
        require_threads()
        if call_in_workers(self._serve):
            self._family = Family(poll_interval, started=False)
            return
        inherited = self._family if self._family is not None and self._family.is_inherited else None
        self._start(Family(poll_interval, inherited))

    def stop_worker(self, timeout: float | None = None) -> bool:
        """Stop the worker after the current event; False if its thread has not ended after `timeout` seconds."""
        worker = self._own_worker
        if worker is not None and not worker.join(timeout):
            return False
        if self._family is not None:
            self._family.leave()
        self._worker = self._family = None
        return True

    def worker(self, *, poll_interval: float = POLL_INTERVAL) -> AbstractAsyncContextManager[None]:
        """Handle events in a task while `async with receiver.worker():` is entered, such as in an app's lifespan.

        Leaving it gives the current event the `grace`, then cancels and hands it back; if the context is cancelled,
        that happens at once. Nothing can interrupt a sync handler in its thread, so it is waited for.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.
        """
        self._worker = worker = self._new_worker(poll_interval)
        return worker.run_in_task(partial(self._processor.process, AsyncHandlerIO()))

    def handle(self, key: str) -> bool:
        """Handle one recorded event, in the task of a queue to which `dispatch` has sent its key.

        If it is sent twice, it is handled once. After a failure it is due at once, so that the queue decides when to
        try again; after as many attempts as the back-off has, it is dead.

        Args:
            key: The event's key, as `dispatch` got it.

        Returns:
            True if all handlers succeeded; False if it is done or dead, or another process has claimed it.

        Raises:
            HandlerError: Handlers failed.
            InvalidInputError: The inbox has no such event.
            InboxError: The inbox failed.
            ConfigurationError: No handler is registered, the inbox cannot claim an event by its key, or a handler is
                async and an event loop is running; await `ahandle` instead.
        """
        io = SyncHandlerIO(self._loops, needs_loop=self._processor.any_async)
        return run_sync(self._handle(io, key)).count() > 0

    async def ahandle(self, key: str) -> bool:
        """Handle one recorded event, in the task of a queue to which `dispatch` has sent its key.

        If it is sent twice, it is handled once. After a failure it is due at once, so that the queue decides when to
        try again; after as many attempts as the back-off has, it is dead.

        Args:
            key: The event's key, as `dispatch` got it.

        Returns:
            True if all handlers succeeded; False if it is done or dead, or another process has claimed it.

        Raises:
            HandlerError: Handlers failed.
            InvalidInputError: The inbox has no such event.
            InboxError: The inbox failed.
            ConfigurationError: No handler is registered, or the inbox cannot claim an event by its key.
        """
        outcome = await supervise(partial(self._handle, AsyncHandlerIO(), key))
        return outcome.unwrap().count() > 0

    def status(self) -> ReceiverStatus:
        """Read how many events are in each state, how old the oldest is, and how the workers are.

        Raises:
            InboxError: The inbox failed.
        """
        return read_status(self._inbox, worker=self._own_worker, processor=self._processor)

    @property
    def healthy(self) -> bool:
        """Whether the inbox can be read, no event is overdue, and the worker neither pauses nor has died.

        It reads the inbox, so a probe should not ask more often than every few seconds.
        """
        try:
            return self.status().healthy
        except Exception:  # noqa: BLE001 - whatever an inbox raises, it cannot be read
            return False

    def _serve(self) -> None:
        """Start a worker if this process was forked from one that had one in a thread; it serves, by a delivery."""
        own = None if self._family is None else self._family.serve()
        if own is None:
            return
        try:
            self._start(own)
        except RuntimeError as error:  # the system gives this process no thread
            if self._family is not None:
                self._family.forget()
            logger.error("The webhook worker of this process did not start; the next delivery tries again: %s", error)  # noqa: TRY400 - the traceback is this library's own

    def _start(self, family: Family) -> None:
        worker = self._new_worker(family.poll_interval, rests=family.rests)
        worker.start_thread(self._process)
        self._worker, self._family = worker, family

    def _process(self, should_stop: Callable[[], bool] | None) -> Outcome:
        io = SyncHandlerIO(self._loops, needs_loop=self._processor.any_async)
        return run_sync(self._processor.process(io, should_stop))

    async def _handle(self, io: HandlerIO, key: str) -> Outcome:
        outcome = Outcome()
        if not self._processor.handlers:
            raise ConfigurationError("No webhook handler is registered in this process: import the module with them.")
        claim = await io.call(partial(application_inboxes.claim_key, self._inbox, key, self._lease))
        if claim is None:
            if not await io.call(partial(self._inbox.has, key)):
                raise InvalidInputError(
                    f"The inbox has no event {key}: open the inbox in which the receiver has recorded it."
                )
            return outcome
        await self._processor.handle(io, claim, outcome, retry_delay=0.0)
        return outcome

    def _new_worker(
        self,
        poll_interval: float,
        should_stop: Callable[[], bool] | None = None,
        rests: Callable[[], bool] = lambda: False,
    ) -> Worker:
        reporter = Reporter(
            self._inbox, self._processor, self.status, on_metrics=self._on_metrics, interval=poll_interval
        )

        def report() -> None:
            reporter.report()
            if self._retention is not None:
                self._retention.start_if_due()

        return Worker(
            self._inbox,
            self._wakeup,
            self._processor.circuit,
            self._processor.renewer,
            poll_interval=poll_interval,
            grace=self._grace,
            report=report,
            extra_stop=should_stop,
            rests=rests,
        )

    @property
    def _own_worker(self) -> Worker | None:
        """The worker of this process; one that was started before it was forked is its parent's."""
        worker = self._worker
        return worker if worker is not None and worker.process_id == os.getpid() else None

    def _require_no_worker(self) -> None:
        if self._own_worker is not None and not self._own_worker.was_stopped:
            raise ConfigurationError("A webhook worker is already running: call stop_worker() first.")
