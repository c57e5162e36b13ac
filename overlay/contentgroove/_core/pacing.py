"""When the calls of a client may start: after a refusal (429), and below a ceiling that the application sets.

A limit of the service counts all calls of an account, so the refusal of one call concerns all others. A pacer is in one
of three states:

1. Open: every call starts at once. Nothing is counted, so that calls cost no more than without a pacer.
2. Paused: after a refusal no call starts before the time that the service requested. Then one call probes the limit,
   and the others wait for its outcome.
3. Paced: after a successful probe, the waiting calls start one by one in the order in which they came. Each success
   raises their rate. A further refusal is a new pause; the rate after it is the one that this pause leaves of what the
   service has let through. The pacer opens once the rate is high enough, or after a minute without a refusal.

All times are passed in, and the lock is the caller's: this module neither waits nor reads a clock.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

# (assumed: rate-limit-window, retry-after)
MAX_PAUSE = 3600.0
"""Seconds: the longest pause of all calls, because a `Retry-After` may be wrong; after it a call probes again."""

PROBE_PATIENCE = 5.0
"""Seconds that calls wait for the outcome of a probe. One that hangs until its timeout must not block all others."""

POLL_SECONDS = 0.01
"""Seconds after which a call that waits for a probe checks its outcome, at the earliest."""

MAX_SPREAD = 50
"""How many waiting calls check at different times after a pause."""

FIRST_RATE, FIRST_GAIN = 10.0, 5.0
"""Calls per second after the first pause, while nothing is known about the limit, and what each success adds."""

GAIN = 0.05
"""What each success adds to the rate once a second refusal has shown the limit, as a part of the rate shown."""

MIN_RATE, OPEN_RATE = 1.0, 500.0
"""Calls per second: where recovery starts at least, and what is as good as no limit for a client."""

RECENT = 60.0
"""Seconds without a refusal after which a limit is forgotten; how long a success proves that calls do pass."""


class Cooldown:
    """The time before which nothing is sent to a server, because it requested that."""

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until = 0.0

    def extend(self, until: float) -> None:
        """Delay what is sent until a time of the monotonic clock; an earlier time changes nothing."""
        self.until = max(self.until, until)

    def remaining(self, now: float) -> float:
        """Return the seconds to wait, 0 if none."""
        return max(0.0, self.until - now)


class Ceiling:
    """The rate that an application allows its client: calls start at even intervals, without bursts."""

    __slots__ = ("_interval", "_lock", "_next")

    def __init__(self, rate: float, lock: AbstractContextManager[object]) -> None:
        self._interval = 1.0 / rate
        self._lock = lock
        self._next = 0.0

    def enter_child(self, lock: AbstractContextManager[object]) -> None:
        """Take a new lock after a fork: a thread of the parent may hold the old one."""
        self._lock = lock

    def reserve(self, now: float) -> float:
        """Reserve the next free time to start a call, and return it."""
        with self._lock:
            start = max(now, self._next)
            self._next = start + self._interval
            return start


class Pacer:
    """The turns of a client's calls, for all its threads and tasks.

    Attributes:
        is_open: Whether every call starts at once.
        has_passed: Whether the service has let a call through since the client was created.
        epoch: The number of pauses so far. A call notes it when it starts: the outcome of a call that started before
            the last pause says nothing about the time after it.
    """

    __slots__ = (
        "_gain",
        "_is_probing",
        "_last_passed",
        "_last_refused",
        "_lock",
        "_max_rate",
        "_next_start",
        "_passed",
        "_probed_at",
        "_rate",
        "_refusals",
        "_since",
        "_tickets",
        "_waiting",
        "epoch",
        "has_passed",
        "is_open",
    )

    def __init__(self, lock: AbstractContextManager[object], max_rate: float | None = None) -> None:
        """Create an open pacer.

        Args:
            lock: Protects the state; held for a few instructions, never while waiting.
            max_rate: The application's ceiling in calls per second, which the rate after a pause does not exceed.
        """
        self._lock = lock
        self._max_rate = OPEN_RATE if max_rate is None else min(max_rate, OPEN_RATE)
        self.is_open = True
        self.has_passed = False
        self.epoch = 0
        self._tickets = 0
        self._waiting: list[int] = []
        self._next_start = 0.0
        self._is_probing = False
        self._probed_at: float | None = None
        self._rate = FIRST_RATE
        self._gain = FIRST_GAIN
        # Since the last pause.
        self._since: float | None = None
        self._passed = 0
        self._refusals = 0
        self._last_passed: float | None = None
        self._last_refused = 0.0

    def enter_child(self, lock: AbstractContextManager[object]) -> None:
        """Take a new lock after a fork, and forget the calls that wait: both belong to threads of the parent."""
        self._lock = lock
        self._waiting.clear()
        self._probed_at = None

    def take_ticket(self) -> int:
        """Return a call's number in the order of their arrival, which it keeps for all its attempts."""
        with self._lock:
            self._tickets += 1
            return self._tickets

    def paused_until(self) -> float:
        """Return the time before which no call starts, 0 if there is none."""
        return self._next_start if self._is_probing and self._probed_at is None else 0.0

    def try_start(self, ticket: int, now: float) -> float:
        """Start a call if it is its turn.

        Returns:
            0 if it may be sent now; otherwise the seconds after which to try again.
        """
        with self._lock:
            if self.is_open:
                return 0.0
            rank = bisect_left(self._waiting, ticket)
            if rank == len(self._waiting) or self._waiting[rank] != ticket:
                insort(self._waiting, ticket)
            wait = self._wait_for_probe(rank, now) if self._is_probing else self._wait_for_slot(rank, now)
            if wait <= 0:
                self._waiting.remove(ticket)
            return wait

    def _wait_for_probe(self, rank: int, now: float) -> float:
        if self._probed_at is None:
            # The first in the queue probes; others only if it does not.
            if now >= self._next_start + (PROBE_PATIENCE if rank else 0.0):
                self._probed_at = now
                return 0.0
            checked_after = 0.0 if rank == 0 else POLL_SECONDS * min(rank, MAX_SPREAD)
            return max(self._next_start - now, 0.0) + checked_after
        waited = now - self._probed_at
        if waited >= PROBE_PATIENCE:
            self._probed_at = now
            return 0.0
        return min(max(waited / 2, POLL_SECONDS), PROBE_PATIENCE - waited)

    def _wait_for_slot(self, rank: int, now: float) -> float:
        interval = 1.0 / self._rate
        turn = self._next_start + rank * interval
        if now >= turn:
            self._next_start = max(self._next_start, now) + interval
            return 0.0
        # A quarter of the time, because the rate rises in the meantime.
        return turn - now if rank == 0 else max((turn - now) / 4, interval)

    def leave(self, ticket: int) -> None:
        """Forget a call that waits no longer, because it was cancelled or would start too late."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)

    def record_passed(self, epoch: int, now: float) -> None:
        """Take note that the service did not refuse a call that started in that epoch."""
        with self._lock:
            self.has_passed = True
            self._last_passed = now
            if self.is_open or epoch < self.epoch:
                return
            self._passed += 1
            self._refusals = 0
            if self._is_probing:
                self._since = now if self._probed_at is None else self._probed_at
                self._is_probing = False
                self._probed_at = None
                self._next_start = max(now, self._since + 1.0 / self._rate)
            else:
                self._rate = min(self._rate + self._gain, self._max_rate)
            if self._rate >= OPEN_RATE or now - self._last_refused >= RECENT:
                self._open()

    def record_unknown(self, epoch: int, now: float) -> None:
        """Take note that a call ended without showing whether the limit lets calls through: a lost probe."""
        with self._lock:
            if self._is_probing and epoch == self.epoch:
                self._probed_at = None
                self._next_start = max(self._next_start, now)

    def record_refused(
        self, epoch: int, now: float, retry_after: float | None, backoff: Callable[[int], float]
    ) -> bool:
        """Pause all calls after a refusal.

        Args:
            epoch: The epoch in which the refused call started.
            now: The time.
            retry_after: Seconds to wait, as requested by the service; None if it did not state any.
            backoff: Returns the seconds to wait after that many refusals in a row, from 0; it applies if the service
                states no time, or one that has proven too short.

        Returns:
            Whether the call may hope for its turn: calls have passed recently, or it started before the pause.
        """
        with self._lock:
            if self._last_passed is None and self.has_passed:
                # An open pacer records no times.
                self._last_passed = now
            may_pass = self._last_passed is not None and now - self._last_passed < RECENT
            pause = min(retry_after or 0.0, MAX_PAUSE)
            if epoch < self.epoch:
                if self._is_probing and self._probed_at is None:
                    self._next_start = max(self._next_start, now + pause)
                return True
            self._refusals += 1
            if not pause or self._refusals > 1:
                pause = min(max(pause, backoff(self._refusals - 1)), MAX_PAUSE)
            self._pause(now, pause)
            return may_pass

    def _pause(self, now: float, pause: float) -> None:
        if self.is_open:
            self._rate, self._gain = min(FIRST_RATE, self._max_rate), FIRST_GAIN
        elif self._since is None:
            # Not even the probe passed.
            self._rate = max(self._rate / 2, MIN_RATE)
        else:
            shown = self._passed / (now + pause - self._since)
            self._rate = min(max(shown, MIN_RATE), self._rate)
            self._gain = GAIN * self._rate
        self.epoch += 1
        self.is_open = False
        self._is_probing = True
        self._probed_at = None
        self._since = None
        self._passed = 0
        self._last_refused = now
        self._next_start = now + pause

    def _open(self) -> None:
        self.is_open = True
        self._waiting.clear()
        self._last_passed = None
        self._since = None
        self._refusals = 0
