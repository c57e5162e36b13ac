"""A claim while its event is handled: renewed in the background, and never written to once it is lost."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, cast

from . import application_inboxes
from .failures import describe_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import Claim, Inbox, TransactionalInbox

logger = logging.getLogger("contentgroove")

RENEWALS = 6
"""How often a claim is renewed during its lease, so that some renewals may fail."""

HAND_BACK_TIMEOUT = 5.0
"""Seconds to wait for a write that is in progress, before a claim is handed back at the end of a process."""


class HeldClaim:
    """A claim, and the names of the handlers that have succeeded so far.

    The methods may be called from any thread; only one at a time writes to the inbox. Those that write return False if
    the claim was lost: its lease expired and another worker has claimed the event.
    """

    def __init__(self, inbox: Inbox, claim: Claim, lease: float) -> None:
        self.claim = claim
        self.handled = claim.handled
        self._inbox = inbox
        self._lease = lease
        self._lock = threading.Lock()
        self._ended = False
        self._lost = False
        self._written_at = time.monotonic()

    def renew(self) -> None:
        """Extend the claim, unless a write is in progress or has just done so."""
        # A transaction of a handler holds the event's row. No other worker can claim it meanwhile.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if not self._ended and not self._lost:
                self._write_progress()
        finally:
            self._lock.release()

    @property
    def may_be_lost(self) -> bool:
        """Whether the claim is lost, or was not renewed for so long that it may be: the process may have slept."""
        return self._lost or time.monotonic() - self._written_at > self._lease / 2

    def is_current(self) -> bool:
        """Whether the event is still claimed, as the inbox knows."""
        with self._lock:
            return not self._lost and self._write_progress()

    def progress(self, name: str) -> bool:
        """Store a handler's success."""
        with self._lock:
            self.handled |= {name}
            return not self._lost and self._write_progress()

    def apply(self, name: str, call: Callable[[object], object]) -> bool:
        """Call a handler in the inbox's transaction."""
        inbox = cast("TransactionalInbox", self._inbox)
        with self._lock:
            if self._lost or not inbox.apply(self.claim, name, call, self._lease):
                self._lose()
                return False
            self.handled |= {name}
            self._written_at = time.monotonic()
            return True

    def done(self) -> bool:
        """Complete the event."""
        return self._end(lambda: self._inbox.done(self.claim))

    def release(self, delay: float | None, error: str) -> bool:
        """Release the event after a failed attempt: due after `delay` seconds, or dead if that is None."""
        return self._end(lambda: self._inbox.release(self.claim, delay=delay, error=error, handled=self.handled))

    def unclaim(self, delay: float, error: str) -> bool:
        """Release the event without counting the attempt."""
        return self._end(
            lambda: application_inboxes.unclaim(self._inbox, self.claim, delay=delay, error=error, handled=self.handled)
        )

    def hand_back(self) -> None:
        """Make the event due again at once, because the worker stops; if that fails, it is due when the lease ends."""
        if not self._lock.acquire(timeout=HAND_BACK_TIMEOUT):
            logger.warning("Webhook %s could not be handed back: its handler is in a transaction.", self.claim.key)
            return
        try:
            if self._ended or self._lost:
                return
            self._ended = True
            application_inboxes.unclaim(self._inbox, self.claim, delay=0.0, error="", handled=self.handled)
        except Exception as error:  # noqa: BLE001 - whatever the inbox raises, the stop goes on
            logger.warning(
                "Webhook %s could not be handed back and is due when its claim expires: %s",
                self.claim.key,
                describe_error(error),
            )
        finally:
            self._lock.release()

    def _end(self, write: Callable[[], bool]) -> bool:
        with self._lock:
            if self._ended:  # handed back at the end of the process
                return False
            if self._lost or not write():
                self._lose()
                return False
            self._ended = True
            return True

    def _write_progress(self) -> bool:
        if self._ended or not self._inbox.progress(self.claim, self.handled, self._lease):
            self._lose()
            return False
        self._written_at = time.monotonic()
        return True

    def _lose(self) -> None:
        if not self._lost and not self._ended:
            logger.warning(
                "The claim on webhook %s expired while it was handled. Another worker has claimed it.", self.claim.key
            )
        self._lost = True


class Renewer:
    """Renews the claims of a receiver in a thread, so that a handler may take longer than the lease.

    The thread starts with the first claim and ends when there was none for some time. It is not woken for each claim,
    because most handlers have returned before their claim must be renewed.
    """

    def __init__(self, lease: float) -> None:
        self._interval = min(lease / RENEWALS, threading.TIMEOUT_MAX)
        self._process = os.getpid()
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._held: set[HeldClaim] = set()
        self._thread: threading.Thread | None = None

    @property
    def held(self) -> tuple[HeldClaim, ...]:
        """The claims of the events that are being handled in this process."""
        self._notice_fork()
        with self._lock:
            return tuple(self._held)

    def watch(self, held: HeldClaim) -> None:
        """Renew this claim from now on."""
        self._notice_fork()
        with self._lock:
            self._held.add(held)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="contentgroove-leases", daemon=True)
                self._thread.start()

    def forget(self, held: HeldClaim) -> None:
        """Renew this claim no longer."""
        with self._lock:
            self._held.discard(held)

    def _notice_fork(self) -> None:
        if self._process != os.getpid():
            # The claims, and a lock that may be held by another thread, are those of the parent process.
            self._process = os.getpid()
            self._reset()

    def _run(self) -> None:
        wait, idle = threading.Event().wait, 0
        while True:
            wait(self._interval)
            with self._lock:
                held = tuple(self._held)
                idle = 0 if held else idle + 1
                if idle >= RENEWALS:
                    self._thread = None
                    return
            for claim in held:
                try:
                    claim.renew()
                except Exception as error:  # noqa: BLE001 - whatever the inbox raises, the next renewal may succeed
                    logger.warning(
                        "The claim on webhook %s was not renewed: %s", claim.claim.key, describe_error(error)
                    )
