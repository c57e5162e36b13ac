"""The inbox in memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from .inbox import StoredEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import Claim, State


class MemoryInbox:
    """Keeps events in this process, for tests and tools. All are lost when the process ends.

    Args:
        clock: Returns the time in seconds since 1970.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._events: dict[str, StoredEvent] = {}
        self._pruned_until = 0.0
        self._lock = threading.Lock()

    def record(self, key: str, body: bytes) -> bool:
        """Record an event; False if its key is already recorded."""
        with self._lock:
            if key in self._events:
                return False
            self._events[key] = StoredEvent.new(key, body, self._clock())
            return True

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        with self._lock:
            return key in self._events

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        with self._lock:
            return frozenset(key for key in self._events if key.startswith(prefix))

    def claim(self, lease: float) -> Claim | None:
        """Claim the oldest due event for `lease` seconds; None if no event is due."""
        with self._lock:
            now = self._clock()
            for key, event in self._events.items():
                if event.is_due(now):
                    self._events[key] = event.claimed(now, lease)
                    return self._events[key].claim()
            return None

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Store the names of the handlers that have succeeded so far, and extend the claim."""
        return self._change(claim, lambda event, now: event.with_progress(now, lease, handled))

    def done(self, claim: Claim) -> bool:
        """Complete a claimed event."""
        return self._change(claim, lambda event, now: event.done(now))

    def release(self, claim: Claim, *, delay: float | None, error: str, handled: frozenset[str]) -> bool:
        """Release a claimed event; it is due again after `delay` seconds, or dead if that is None."""
        return self._change(claim, lambda event, now: event.released(now, delay, error, handled))

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        with self._lock:
            moments = [event.due for event in self._events.values() if event.is_open]
            return max(0.0, min(moments) - self._clock()) if moments else None

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        with self._lock:
            kept = [event for event in self._events.values() if state in {None, event.state}]
        return kept[::-1][:limit]

    def replay(self, key: str) -> bool:
        """Make a dead or done event pending again; False if it does not exist or is still open."""
        with self._lock:
            event = self._events.get(key)
            replayed = None if event is None else event.replayed(self._clock())
            if replayed is None:
                return False
            self._events[key] = replayed
            return True

    def prune(self, older_than: float) -> int:
        """Delete events that were done more than `older_than` seconds ago; returns how many."""
        with self._lock:
            horizon = self._clock() - older_than
            old = [key for key, event in self._events.items() if event.state == "done" and event.changed_at < horizon]
            for key in old:
                del self._events[key]
            self._pruned_until = max(self._pruned_until, horizon)
            return len(old)

    def pruned_until(self) -> float:
        """The time, in seconds since 1970, before which done events may have been deleted; 0 if none were."""
        return self._pruned_until

    def _change(self, claim: Claim, change: Callable[[StoredEvent, float], StoredEvent]) -> bool:
        with self._lock:
            event = self._events.get(claim.key)
            if event is None or not event.is_claimed_by(claim):
                return False
            self._events[claim.key] = change(event, self._clock())
            return True
