"""Waits for other threads that Ctrl-C interrupts, also on Windows."""

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

STEP = 0.25 if os.name == "nt" else 1.0
"""Seconds of one wait. Windows does not wake a thread that waits for a lock: signal handlers, Ctrl-C included, run when
the wait is over. On other systems a signal ends the wait, unless it comes just before the wait begins."""


def wait_for(attempt: Callable[[float], T], timeout: float | None = None) -> T:
    """Wait, in steps that are short where they must be, until an attempt returns a true value; return the last value.

    An attempt waits for at most the seconds that it gets, such as `event.wait`. Without a timeout there is no limit.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        seconds = STEP if end is None else max(0.0, min(STEP, end - time.monotonic()))
        result = attempt(seconds)
        if result or (end is not None and time.monotonic() >= end):
            return result


def join(thread: Thread, timeout: float | None = None) -> bool:
    """Wait for a thread's end; return False if it has not ended in time."""

    def ended(seconds: float) -> bool:
        thread.join(seconds)
        return not thread.is_alive()

    return wait_for(ended, timeout)


def take(queue: SimpleQueue[T], timeout: float | None = None) -> T:
    """Wait for the next item in a queue; raise Empty if nothing comes in time."""

    def attempt(seconds: float) -> list[T]:
        try:
            return [queue.get(timeout=seconds)]
        except Empty:
            return []

    if found := wait_for(attempt, timeout):
        return found[0]
    raise Empty
