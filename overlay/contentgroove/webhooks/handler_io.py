"""How processing calls inboxes and handlers: in this thread, or in an event loop and its threads."""

from __future__ import annotations

import contextvars
import inspect
import os
import threading
import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from contentgroove._io.own_threads import UNLIMITED
from contentgroove.errors import ConfigurationError

from .failures import stops_process

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What an application's function has returned or raised.

    Attributes:
        value: What it returned; None if it raised.
        error: What it raised: anything, such as `SystemExit` or the `CancelledError` of a task that it awaited.
    """

    value: T | None = None
    error: BaseException | None = None

    def unwrap(self) -> T:
        """Return the value, or raise the exception."""
        if self.error is not None:
            raise self.error
        return cast("T", self.value)


class HandlerIO(Protocol):
    """How inboxes and handlers are called."""

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function of the inbox. An event loop calls it in a thread, because it may block."""
        ...

    async def attempt(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool) -> Attempt[T]:
        """Call an application's function; if its result is awaitable, await it.

        Whatever it raises is returned, unless it stops the process. An event loop calls blocking functions in threads.
        """
        ...

    async def write(self, function: Callable[[], T], limit: float | None = None) -> T | None:
        """Call a function of the inbox although this task is cancelled: what a handler has done must be stored.

        With a limit, it is not waited for longer than that number of seconds, and None is returned.
        """
        ...


class PrivateLoops:
    """An event loop for each thread that calls async handlers; kept, so that handlers can keep clients and tasks."""

    def __init__(self) -> None:
        self._local = threading.local()

    def run(self, awaitable: Awaitable[T]) -> T:
        """Run an awaitable to its end."""
        loop: _Loop | None = getattr(self._local, "loop", None)
        if loop is None or loop.process != os.getpid():
            loop = self._local.loop = _Loop()
        # With the current context, so that the spans of handlers are in their event's trace.
        return loop.runner.run(_as_coroutine(awaitable), context=contextvars.copy_context())

    def close(self) -> None:
        """Close this thread's loop."""
        loop: _Loop | None = getattr(self._local, "loop", None)
        if loop is not None:
            loop.close()
            del self._local.loop


class _Loop:
    """A thread's loop, closed when its thread or the process ends."""

    def __init__(self) -> None:
        # Imported here because its import takes long, and apps without async handlers do not need it.
        import asyncio

        self.process = os.getpid()
        # With a factory, because otherwise the runner would replace the application's current event loop.
        self.runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self.close = weakref.finalize(self, _close_runner, self.runner, self.process)


def _close_runner(runner: asyncio.Runner, process: int) -> None:
    import asyncio

    if process != os.getpid():
        return  # the loop is the parent process's
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        runner.close()
    else:
        # Collected while another loop runs in this thread, so that this one cannot run its last tasks.
        runner.get_loop().close()


class SyncHandlerIO:
    """Calls functions in this thread; awaitables run in the thread's private event loop."""

    def __init__(self, loops: PrivateLoops, *, needs_loop: bool) -> None:
        self._loops = loops
        if not needs_loop:
            return
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise ConfigurationError(
            "process_pending() cannot run async handlers inside an event loop: await aprocess_pending()."
        )

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function."""
        return function()

    async def attempt(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool) -> Attempt[T]:
        """Call a function, and run an awaitable result to its end."""
        del blocking
        try:
            result: Any = function()
            if not inspect.isawaitable(result):
                return Attempt(result)
            attempt: Attempt[T] = self._loops.run(_in_loop(result))
        except BaseException as error:
            if stops_process(error):
                raise
            return Attempt(error=error)
        if attempt.error is not None and stops_process(attempt.error):
            raise attempt.error
        return attempt

    async def write(self, function: Callable[[], T], limit: float | None = None) -> T | None:
        """Call a function."""
        del limit
        return function()


class AsyncHandlerIO:
    """Calls functions in the running event loop; those that may block in threads."""

    async def call(self, function: Callable[[], T]) -> T:
        """Call a function in a thread."""
        return await UNLIMITED.run(function)

    async def attempt(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool) -> Attempt[T]:
        """Call a function, and await an awaitable result."""
        caught = partial(_caught, function)
        attempt: Attempt[Any] = await UNLIMITED.run(caught) if blocking else caught()
        if attempt.error is None and inspect.isawaitable(attempt.value):
            attempt, blocking = await supervise(partial(_awaited, attempt.value)), False
        # What was raised in another thread cannot be Ctrl-C.
        if attempt.error is not None and not blocking and stops_process(attempt.error):
            raise attempt.error
        return cast("Attempt[T]", attempt)

    async def write(self, function: Callable[[], T], limit: float | None = None) -> T | None:
        """Call a function in a thread, although this task is cancelled."""
        from anyio import move_on_after

        with move_on_after(limit, shield=True):
            return await UNLIMITED.run(function, abandon_on_cancel=True)
        return None


async def supervise(function: Callable[[], Awaitable[T]]) -> Attempt[T]:
    """Run a coroutine function in a task of its own, and return what it returned or raised.

    If this task is cancelled, the other one is too, and this one raises when it has ended. A cancellation that the
    function has caused itself, such as that of a task it awaited, is returned like any exception. Cancelling this task
    directly (`task.cancel()`) cannot interrupt what the other one shields.
    """
    from anyio import create_task_group

    attempt: Attempt[T] = Attempt()

    async def run() -> None:
        nonlocal attempt
        try:
            attempt = Attempt(await function())
        except BaseException as error:  # noqa: BLE001 - returned, whatever it is
            attempt = Attempt(error=error)

    async with create_task_group() as tasks:
        tasks.start_soon(run)
    return attempt


def is_async(call: object) -> bool:
    """Whether an object is an async callable: a coroutine function, or an object whose `__call__` is one."""
    call = without_partial(call)
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def without_partial(call: object) -> object:
    """Return the function in `functools.partial` objects."""
    while isinstance(call, partial):
        call = cast("object", call.func)  # pyright: ignore[reportUnknownMemberType] - of any type
    return call


def _caught(function: Callable[[], T]) -> Attempt[T]:
    try:
        return Attempt(function())
    except BaseException as error:  # noqa: BLE001 - returned, whatever it is
        return Attempt(error=error)


async def _in_loop(awaitable: Awaitable[T]) -> Attempt[T]:
    """Await what must not leave a task: a task that raises `SystemExit` would stop its loop.

    The runner needs the other two: it turns Ctrl-C into a cancellation, and that into a `KeyboardInterrupt`.
    """
    import asyncio

    try:
        return Attempt(await awaitable)
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise
    except BaseException as error:  # noqa: BLE001 - returned, whatever it is
        return Attempt(error=error)


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _as_coroutine(awaitable: Awaitable[T]) -> Coroutine[Any, Any, T]:
    return awaitable if inspect.iscoroutine(awaitable) else _awaited(awaitable)


def await_in_thread(awaitable: Awaitable[object]) -> None:
    """Run an awaitable in the event loop that has started this thread.

    Raises:
        ConfigurationError: No event loop has started this thread.
    """
    from anyio import from_thread

    try:
        from_thread.run(partial(_awaited, awaitable))
    except RuntimeError as error:
        if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED:
            awaitable.close()
            raise ConfigurationError(
                "dispatch is async and there is no event loop to run it in: use areceive(), adispatch_pending() or the "
                "ASGI app, or pass a function that is not async."
            ) from error
        raise
