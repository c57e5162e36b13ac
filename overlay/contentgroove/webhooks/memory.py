"""The inbox in memory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING

from .forks import ForkAware
from .inbox import STATES, EventUpdates, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .inbox import Claim, State


_due = attrgetter("due")


class MemoryInbox(EventUpdates, ForkAware):
    """Keeps events in this process, for tests and tools. All are lost when the process ends.

    Args:
        clock: Returns the time in seconds since 1970.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._events: dict[str, StoredEvent] = {}
        self._pruned_until = 0.0
        self._beat: tuple[float, float] | None = None
        self._lock = threading.Lock()
        super().__init__()

    def after_fork_in_child(self) -> None:
        """Replace the lock, which another thread of the parent may have had."""
        self._lock = threading.Lock()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event; False if its key is already recorded."""
        return self._record(StoredEvent.new(key, body, self._clock(), trace))

    def record_dead(self, key: str, body: bytes, error: str) -> bool:
        """Record a body that cannot be read, as a dead event; False if its key is already recorded."""
        return self._record(StoredEvent.new_dead(key, body, self._clock(), error))

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        with self._lock:
            return key in self._events

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        with self._lock:
            return frozenset(key for key in self._events if key.startswith(prefix))

    def claim(self, lease: float) -> Claim | None:
        """Claim the event that is due for longest, for `lease` seconds; None if no event is due."""
        with self._lock:
            now = self._clock()
            # min() returns the first of several events that are due since the same time.
            first = min((event for event in self._events.values() if event.is_due(now)), key=_due, default=None)
            return None if first is None else self._claim(first, now, lease)

    def claim_key(self, key: str, lease: float) -> Claim | None:
        """Claim the event with this key for `lease` seconds; None if it does not exist or is not due."""
        with self._lock:
            now = self._clock()
            event = self._events.get(key)
            return None if event is None or not event.is_due(now) else self._claim(event, now, lease)

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        with self._lock:
            moments = [event.due for event in self._events.values() if event.is_open]
            return max(0.0, min(moments) - self._clock()) if moments else None

    def counts(self) -> Mapping[State, int]:
        """Return the number of events in each of the four states."""
        with self._lock:
            found = Counter(event.state for event in self._events.values())
        return {state: found[state] for state in STATES}

    def oldest_pending(self) -> float | None:
        """When the first recorded pending event was recorded, in seconds since 1970; None if none is pending."""
        with self._lock:
            return next((event.recorded_at for event in self._events.values() if event.state == "pending"), None)

    def overdue(self, seconds: float, limit: int = 1_000) -> list[str]:
        """Return the keys of the events that have been due for at least `seconds` seconds, the longest due first."""
        with self._lock:
            latest = self._clock() - seconds
            found = sorted((event for event in self._events.values() if event.is_due(latest)), key=_due)
        return [event.key for event in found[:limit]]

    def last_done(self) -> float | None:
        """When an event was last completed, in seconds since 1970; None if none is done."""
        with self._lock:
            return max((event.changed_at for event in self._events.values() if event.state == "done"), default=None)

    def beat(self, pause: float) -> None:
        """Store that a worker lives now, and for how many seconds it pauses; 0 if it does not."""
        self._beat = (self._clock(), pause)

    def last_beat(self) -> tuple[float, float] | None:
        """Return the time of the last `beat`, in seconds since 1970, and its pause; None if there was none."""
        return self._beat

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        with self._lock:
            kept = [event for event in self._events.values() if state in {None, event.state}]
        return kept[::-1][:limit]

    def prune(self, older_than: float) -> int:
        """Delete events that were done, and bodies that are unreadable, since more than `older_than` seconds."""
        with self._lock:
            horizon = self._clock() - older_than
            old = [key for key, event in self._events.items() if event.is_forgotten(horizon)]
            for key in old:
                del self._events[key]
            self._pruned_until = max(self._pruned_until, horizon)
            return len(old)

    def pruned_until(self) -> float:
        """The time, in seconds since 1970, before which done events may have been deleted; 0 if none were."""
        return self._pruned_until

    def _record(self, event: StoredEvent) -> bool:
        with self._lock:
            return self._events.setdefault(event.key, event) is event

    def _claim(self, event: StoredEvent, now: float, lease: float) -> Claim:
        claimed = event.claimed(now, lease)
        self._events[event.key] = claimed
        return claimed.claim()

    def _update(self, key: str, change: Callable[[StoredEvent, float], StoredEvent | None]) -> bool:
        with self._lock:
            event = self._events.get(key)
            changed = event and change(event, self._clock())
            if changed is None:
                return False
            self._events[key] = changed
            return True
