"""How a sync and an async receiver call inboxes and handlers."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove.errors import ConfigurationError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class SyncHandlerIO:
    """Calls functions in this thread; awaitables run in one private event loop.

    Args:
        needs_loop: Whether a handler is async.

    Raises:
        ConfigurationError: A handler is async, and this thread already runs an event loop.
    """

    def __init__(self, *, needs_loop: bool) -> None:
        if needs_loop and _loop_is_running():
            raise ConfigurationError(
                "process_pending() cannot run async handlers inside an event loop: await aprocess_pending()."
            )
        self._runner: asyncio.Runner | None = None

    async def call(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool = True) -> T:
        """Call a function, and run an awaitable result to its end."""
        del blocking
        result: Any = function()
        if inspect.isawaitable(result):
            if self._runner is None:
                # Created for the first awaitable, because sync handlers must also run inside an event loop.
                import asyncio

                self._runner = asyncio.Runner()
            result = self._runner.run(_as_coroutine(result))
        value: T = result
        return value

    def close(self) -> None:
        """Close the event loop."""
        if self._runner is not None:
            self._runner.close()


class AsyncHandlerIO:
    """Calls functions in the running event loop; those that may block in threads."""

    async def call(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool = True) -> T:
        """Call a function, and await an awaitable result."""
        from anyio import to_thread

        result: Any = await to_thread.run_sync(function) if blocking else function()
        value: T = await result if inspect.isawaitable(result) else result
        return value


async def _as_coroutine(awaitable: Awaitable[object]) -> object:
    return await awaitable


def _loop_is_running() -> bool:
    # Imported here because its import takes long, and other parts of the package do not need it.
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
