"""How a receiver's events and workers are: for probes, metrics and people."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contentgroove._core.moments import moment

from . import application_inboxes
from .failures import describe_error

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from .inbox import Inbox
    from .processing import EventProcessor
    from .worker import Worker

logger = logging.getLogger("contentgroove")

OVERDUE = 300.0
"""Seconds for which an event may be due before its inbox counts as unhealthy: no worker keeps up."""

REPORT_INTERVAL = 15.0
"""Seconds between the signs of life that a worker stores in the inbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStatus:
    """The state of an inbox and of the worker in this process.

    Attributes:
        pending: How many events wait for a worker.
        claimed: How many events workers have claimed.
        done: How many events are done and not pruned.
        dead: How many events were given up; replay them when the cause is fixed.
        oldest_pending: Seconds since the first of the pending events was recorded; None if none is pending.
        overdue: Whether an event is due for more than five minutes: no worker runs, or none keeps up.
        last_handled_at: When an event was last completed; None if none is done.
        worker_seen_at: When a worker, in any process, last stored a sign of life in the inbox: every 15 seconds, unless
            a handler takes longer; None if there was none.
        worker_running: Whether a worker runs in this process; None if none was started, or it was stopped.
        worker_since: When that worker started.
        paused: Seconds for which the worker pauses because of an outage: that of this process, or, without one, that
            of the last one seen; 0 if it does not.
        last_error: The last failure of a handler in this process; None if there was none.
    """

    pending: int
    claimed: int
    done: int
    dead: int
    oldest_pending: float | None
    overdue: bool
    last_handled_at: dt.datetime | None
    worker_seen_at: dt.datetime | None
    worker_running: bool | None = None
    worker_since: dt.datetime | None = None
    paused: float = 0.0
    last_error: str | None = None

    @property
    def healthy(self) -> bool:
        """Whether no event is overdue, no worker of this process has died, and none pauses because of an outage."""
        return not self.overdue and not self.paused and self.worker_running is not False


def read_status(
    inbox: Inbox,
    *,
    overdue: float = OVERDUE,
    worker: Worker | None = None,
    processor: EventProcessor | None = None,
    clock: Callable[[], float] = time.time,
) -> ReceiverStatus:
    """Read the state of an inbox, and add that of a worker.

    Raises:
        InboxError: The inbox failed.
    """
    counts = application_inboxes.counts(inbox)
    oldest = application_inboxes.oldest_pending(inbox)
    last_done = application_inboxes.last_done(inbox)
    beat = application_inboxes.last_beat(inbox)
    own = worker if worker is not None and not worker.was_stopped else None
    if own is not None and processor is not None:
        paused = processor.circuit.pause
    else:
        paused = 0.0 if beat is None or beat[0] + beat[1] < clock() - REPORT_INTERVAL else beat[1]
    return ReceiverStatus(
        pending=counts["pending"],
        claimed=counts["claimed"],
        done=counts["done"],
        dead=counts["dead"],
        oldest_pending=None if oldest is None else max(0.0, clock() - oldest),
        overdue=application_inboxes.is_overdue(inbox, overdue),
        last_handled_at=None if last_done is None else moment(last_done),
        worker_seen_at=None if beat is None else moment(beat[0]),
        worker_running=None if own is None else own.is_running,
        worker_since=None if own is None else moment(own.since),
        paused=paused,
        last_error=None if processor is None else processor.last_error or None,
    )


class Reporter:
    """Stores a worker's signs of life, and calls the application's hook for metrics, both not too often.

    Args:
        inbox: Where the signs of life are stored.
        processor: The worker's.
        read: Returns the status for the hook.
        on_metrics: The hook.
        interval: Seconds between its calls.
    """

    def __init__(
        self,
        inbox: Inbox,
        processor: EventProcessor,
        read: Callable[[], ReceiverStatus],
        on_metrics: Callable[[ReceiverStatus], object] | None,
        interval: float,
    ) -> None:
        self._inbox = inbox
        self._processor = processor
        self._read = read
        self._on_metrics = on_metrics
        self._interval = interval
        self._beat_at = self._called_at = float("-inf")
        self._pause = 0.0

    def report(self) -> None:
        """Report, if it is time, or if the worker has begun or ended a pause."""
        now, pause = time.monotonic(), self._processor.circuit.pause
        changed = pause != self._pause
        self._pause = pause
        if changed or now - self._beat_at >= REPORT_INTERVAL:
            self._beat_at = now
            self._try(lambda: application_inboxes.beat(self._inbox, pause), "sign of life")
        if self._on_metrics is not None and (changed or now - self._called_at >= self._interval):
            self._called_at = now
            call = self._on_metrics
            self._try(lambda: call(self._read()), "metrics")

    def _try(self, function: Callable[[], object], what: str) -> None:
        try:
            function()
        except Exception as error:  # noqa: BLE001 - whatever the inbox or the hook raises, the worker goes on
            logger.warning("The webhook worker could not report its %s: %s", what, describe_error(error))
