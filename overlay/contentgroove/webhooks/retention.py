"""Deletes done events by their age, beside a worker."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from .failures import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import Inbox

logger = logging.getLogger("contentgroove")

INTERVAL = 3600.0
"""Seconds between two searches for old events."""


class Retention:
    """Prunes an inbox once an hour, in a thread of its own: the first time may take long, and handlers go on.

    Args:
        inbox: The inbox.
        seconds: For how long done events are kept.
        clock: Returns the time in seconds.
    """

    def __init__(self, inbox: Inbox, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._inbox = inbox
        self._seconds = seconds
        self._clock = clock
        self._started_at = float("-inf")
        self._thread: threading.Thread | None = None
        self._process = os.getpid()

    def start_if_due(self) -> threading.Thread | None:
        """Start a thread that prunes, if the last one began an hour ago and has ended; returns it."""
        if self._process != os.getpid():
            # The thread is the parent's.
            self._process, self._thread = os.getpid(), None
        running = self._thread is not None and self._thread.is_alive()
        if running or self._clock() - self._started_at < INTERVAL:
            return None
        self._started_at = self._clock()
        # It may end with the process at any time: each batch is a transaction.
        self._thread = threading.Thread(target=self._prune, name="contentgroove-retention", daemon=True)
        self._thread.start()
        return self._thread

    def _prune(self) -> None:
        try:
            deleted = self._inbox.prune(self._seconds)
        except Exception as error:  # noqa: BLE001 - whatever the inbox raises, it is tried again in an hour
            logger.warning("Old webhook events could not be deleted: %s", describe_error(error))
        else:
            if deleted:
                logger.info("%d webhook events were deleted that were done for a long time.", deleted)
