"""Live updates: server-sent events that name the sections of the page that have changed.

A change wakes the streams that are open; each then compares digests of what the sections show. So an event means that
something is different on the page, reading the state wakes nothing for long, and without an open page nothing is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    Digests = Mapping[str, str]

INTERVAL = 0.2
"""Seconds between two looks at the state, while it changes."""


class Changes:
    """Tells open pages that something may have changed; `notify` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watchers: set[_Watcher] = set()

    @property
    def watcher_count(self) -> int:
        """The number of open streams."""
        return len(self._watchers)

    def notify(self) -> None:
        """Wake the open streams."""
        if self._watchers:
            with self._lock:
                for watcher in self._watchers:
                    watcher.wake()

    async def stream(
        self, digests: Callable[[], Digests], seen: Digests, interval: float = INTERVAL
    ) -> AsyncGenerator[str]:
        """Yield the events of one page until it is closed.

        Args:
            digests: Returns a digest of what each section shows.
            seen: The digests of what the page shows already.
            interval: The seconds between two calls of `digests`, at least.
        """
        watcher = _Watcher()
        with self._lock:
            self._watchers.add(watcher)
        try:
            yield ": connected\n\n"
            known = dict(seen)
            while True:
                watcher.clear()
                current = digests()
                for name, digest in current.items():
                    if known.get(name) != digest:
                        yield f"event: {name}\ndata: {digest}\n\n"
                known = dict(current)
                await asyncio.sleep(interval)
                await watcher.wait()
        finally:
            with self._lock:
                self._watchers.discard(watcher)


class _Watcher:
    """One stream's event, which any thread can set."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._is_woken = False

    def wake(self) -> None:
        # The loop is told once for each look, however many changes there are.
        if not self._is_woken:
            self._is_woken = True
            # A loop that is closed has no page any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._event.set)

    def clear(self) -> None:
        self._is_woken = False
        self._event.clear()

    async def wait(self) -> None:
        await self._event.wait()


def parse_digests(text: str) -> dict[str, str]:
    """Read digests as `write_digests` writes them; whatever is not one is skipped."""
    pairs = (part.partition("-") for part in text.split("."))
    return {name: digest for name, dash, digest in pairs if dash and name.isalpha() and digest.isalnum()}


def write_digests(digests: Digests) -> str:
    """Write digests as a value of a query."""
    return ".".join(f"{name}-{digest}" for name, digest in digests.items())
