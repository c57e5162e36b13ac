"""Threads for calls that may block, apart from the forty of `anyio.to_thread` that a whole application shares.

A database that hangs would otherwise stop everything in an application that needs a thread, and the other way round.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from anyio import CapacityLimiter
    from anyio.lowlevel import RunVar

T = TypeVar("T")


class NoThreadError(Exception):
    """All threads stayed in use."""


class OwnThreads:
    """Calls functions in threads of their own; each event loop has as many as `count`."""

    def __init__(self, count: float) -> None:
        self._count = count
        self._limiters: RunVar[CapacityLimiter] | None = None

    @property
    def limiter(self) -> CapacityLimiter:
        """The limiter of the running event loop, for `anyio.to_thread.run_sync`."""
        # Imported here because anyio takes long to import, and the modules that use this are loaded without it.
        from anyio import CapacityLimiter
        from anyio.lowlevel import RunVar

        if self._limiters is None:
            self._limiters = RunVar("contentgroove_threads")
        limiter = self._limiters.get(None)
        if limiter is None:
            limiter = CapacityLimiter(self._count)
            self._limiters.set(limiter)
        return limiter

    async def run(self, function: Callable[[], T], *, abandon_on_cancel: bool = False) -> T:
        """Call a function in a thread, and wait for it; if this task is cancelled, only with `abandon_on_cancel`."""
        from anyio import to_thread

        return await to_thread.run_sync(function, abandon_on_cancel=abandon_on_cancel, limiter=self.limiter)

    async def run_within(self, seconds: float, function: Callable[[], T]) -> T:
        """Call a function in a thread, and wait for it.

        Raises:
            NoThreadError: No thread became free within `seconds`.
        """
        from anyio import WouldBlock, move_on_after, to_thread

        limiter, borrower = self.limiter, object()
        try:
            limiter.acquire_on_behalf_of_nowait(borrower)
        except WouldBlock:
            with move_on_after(seconds) as waiting:
                await limiter.acquire_on_behalf_of(borrower)
            if waiting.cancelled_caught:
                raise NoThreadError from None
        try:
            return await to_thread.run_sync(function, limiter=UNLIMITED.limiter)
        finally:
            limiter.release_on_behalf_of(borrower)


DELIVERIES = OwnThreads(40)
"""For deliveries: each is a short transaction, unless the inbox hangs."""

WAITS = OwnThreads(40)
"""For clients and tools: checkpoints, and inboxes that are searched by waits."""

UNLIMITED = OwnThreads(math.inf)
"""For workers: each uses one thread at a time, however long a handler takes."""
