"""Waits for other threads that Ctrl-C ends, on Windows as well."""

from __future__ import annotations

import os
import time
from queue import Empty
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from queue import SimpleQueue
    from threading import Thread

T = TypeVar("T")

STEP = 0.25 if os.name == "nt" else 86_400.0
"""Seconds of one wait. Windows does not wake a thread that waits for a lock: what a signal calls, Ctrl-C included, is
called when the wait is over. Elsewhere a signal ends the wait by itself."""


def wait_for(attempt: Callable[[float], T], timeout: float | None = None) -> T:
    """Wait, in steps that are short where they have to be, until an attempt gives something true.

    Args:
        attempt: Waits for at most so many seconds, such as `event.wait`.
        timeout: Seconds in all; None waits as long as it takes.

    Returns:
        What the last attempt gave.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        left = STEP if end is None else max(0.0, min(STEP, end - time.monotonic()))
        result = attempt(left)
        if result or (end is not None and time.monotonic() >= end):
            return result


def join(thread: Thread, timeout: float | None = None) -> bool:
    """Wait for a thread's end; False if it has not ended in time."""

    def ended(seconds: float) -> bool:
        thread.join(seconds)
        return not thread.is_alive()

    return wait_for(ended, timeout)


def take(queue: SimpleQueue[T], timeout: float | None = None) -> T:
    """Wait for the next thing in a queue.

    Raises:
        Empty: None came in time.
    """

    def look(seconds: float) -> list[T]:
        try:
            return [queue.get(timeout=seconds)]
        except Empty:
            return []

    if found := wait_for(look, timeout):
        return found[0]
    raise Empty
