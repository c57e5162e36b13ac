"""An inbox in this process's memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from .lifecycle import StoredEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from .lifecycle import Claim, State


class MemoryInbox:
    """Keeps events in this process: for tests and tools. All are lost when the process ends.

    Args:
        clock: Gives the time in seconds since 1970.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._events: dict[str, StoredEvent] = {}
        self._pruned_until = 0.0
        self._lock = threading.Lock()

    def record(self, key: str, body: bytes) -> bool:
        """Keep an event; False if one with the same key was kept before."""
        with self._lock:
            if key in self._events:
                return False
            self._events[key] = StoredEvent.new(key, body, self._clock())
            return True

    def has(self, key: str) -> bool:
        """Whether an event with this key is kept."""
        with self._lock:
            return key in self._events

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Give the keys of kept events that begin so; claims nothing."""
        with self._lock:
            return frozenset(key for key in self._events if key.startswith(prefix))

    def claim(self, lease: float) -> Claim | None:
        """Take the oldest event that is due, for a time in seconds; None if there is none."""
        with self._lock:
            now = self._clock()
            for key, event in self._events.items():
                if event.is_due(now):
                    self._events[key] = event.claimed(now, lease)
                    return self._events[key].claim()
            return None

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Keep the names of the handlers that have succeeded so far, and extend the claim."""
        return self._change(claim, lambda event, now: event.with_progress(now, lease, handled))

    def done(self, claim: Claim) -> bool:
        """Mark a claimed event as handled."""
        return self._change(claim, lambda event, now: event.done(now))

    def release(self, claim: Claim, *, delay: float | None, error: str, handled: frozenset[str]) -> bool:
        """Give a claimed event back, to be handled again after a delay in seconds; None gives it up as dead."""
        return self._change(claim, lambda event, now: event.released(now, delay, error, handled))

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is; None if no event waits."""
        with self._lock:
            moments = [event.due for event in self._events.values() if event.is_open]
            return max(0.0, min(moments) - self._clock()) if moments else None

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List what is kept, the newest first."""
        with self._lock:
            kept = [event for event in self._events.values() if state in {None, event.state}]
        return kept[::-1][:limit]

    def replay(self, key: str) -> bool:
        """Have a dead or done event handled once more; False if there is no such event, or it waits already."""
        with self._lock:
            event = self._events.get(key)
            replayed = None if event is None else event.replayed(self._clock())
            if replayed is None:
                return False
            self._events[key] = replayed
            return True

    def prune(self, older_than: float) -> int:
        """Forget events that were done more than some seconds ago; gives how many."""
        with self._lock:
            horizon = self._clock() - older_than
            old = [key for key, event in self._events.items() if event.state == "done" and event.changed_at < horizon]
            for key in old:
                del self._events[key]
            self._pruned_until = max(self._pruned_until, horizon)
            return len(old)

    def pruned_until(self) -> float:
        """Up to which moment, in seconds since 1970, done events may have been forgotten; 0 if none were."""
        return self._pruned_until

    def _change(self, claim: Claim, change: Callable[[StoredEvent, float], StoredEvent]) -> bool:
        with self._lock:
            event = self._events.get(claim.key)
            if event is None or not event.is_claimed_by(claim):
                return False
            self._events[claim.key] = change(event, self._clock())
            return True
