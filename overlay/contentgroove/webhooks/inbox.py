"""Where events wait between their arrival and their handling."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """An event taken out to be handled.

    Attributes:
        key: The event's dedupe key.
        body: Its body as it came.
        attempt: Which attempt this is, from 1.
        handled: The names of the handlers that have succeeded in earlier attempts.
    """

    key: str
    body: bytes = field(repr=False)
    attempt: int
    handled: frozenset[str]


class Inbox(Protocol):
    """Records events once, and hands each to one worker at a time. All times are seconds of one monotonic clock."""

    def record(self, key: str, body: bytes) -> bool:
        """Keep an event; False if one with the same key was kept before."""
        ...

    def claim(self, now: float) -> Claim | None:
        """Take the oldest event that is due and that nobody has; None if there is none."""
        ...

    def done(self, key: str) -> None:
        """Mark a claimed event as handled."""
        ...

    def release(self, key: str, *, due: float, error: str, handled: frozenset[str]) -> None:
        """Give a claimed event back to be handled again, not before `due`."""
        ...


@dataclass(slots=True)
class _Entry:
    body: bytes
    due: float = float("-inf")
    claimed: bool = False
    done: bool = False
    attempts: int = 0
    error: str = ""
    handled: frozenset[str] = frozenset()


class MemoryInbox:
    """Keeps events in this process: for tests and tools. What was not handled is lost when the process ends."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def record(self, key: str, body: bytes) -> bool:
        """Keep an event; False if one with the same key was kept before."""
        with self._lock:
            if key in self._entries:
                return False
            self._entries[key] = _Entry(body)
            return True

    def claim(self, now: float) -> Claim | None:
        """Take the oldest event that is due and that nobody has; None if there is none."""
        with self._lock:
            for key, entry in self._entries.items():
                if not entry.done and not entry.claimed and entry.due <= now:
                    entry.claimed = True
                    entry.attempts += 1
                    return Claim(key, entry.body, entry.attempts, entry.handled)
            return None

    def done(self, key: str) -> None:
        """Mark a claimed event as handled."""
        with self._lock:
            entry = self._entries[key]
            entry.done, entry.claimed = True, False

    def release(self, key: str, *, due: float, error: str, handled: frozenset[str]) -> None:
        """Give a claimed event back to be handled again, not before `due`."""
        with self._lock:
            entry = self._entries[key]
            entry.claimed, entry.due, entry.error, entry.handled = False, due, error, handled
