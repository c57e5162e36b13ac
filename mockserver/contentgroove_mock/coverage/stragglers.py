"""Threads and tasks that a test has started and not waited for: what they still send belongs to that test, too.

They are waited for until they are done or idle, at most for a second: a test that starts an endless one ends anyway.
Pauses are counted and not measured, because a test may have frozen the time.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contentgroove

from contentgroove_mock.contract.violations import is_user_code
from contentgroove_mock.coverage.attribution import TEST
from contentgroove_mock.simulator.server import THREAD_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import FrameType

    from contentgroove_mock.coverage.attribution import RunningTest

PAUSE = 0.005
PAUSES = 200

_QUIET_LOOKS = 2
_CALLS_OF_THREADS = Path(contentgroove.__file__).parent / "_sync"
_CALLS_OF_TASKS = Path(contentgroove.__file__).parent / "_async"


def pause() -> None:
    """Let other threads work, for `PAUSE` seconds, whatever a test has done to the clocks."""
    threading.Event().wait(PAUSE)


def busy_threads() -> set[threading.Thread]:
    """Return the threads that are at work, except this one."""
    # Documented despite its underscore: the only access to another thread's stack.
    frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    return {thread for thread in _others() if _is_busy(frames.get(thread.ident or 0))}


def wait_for_threads(earlier: Collection[threading.Thread]) -> set[threading.Thread]:
    """Wait until no threads are at work but `earlier`, and return those that still are."""
    quiet = 0
    busy = busy_threads().difference(earlier)
    for _ in range(PAUSES):
        # A thread of a pool seems to be idle for a moment before it begins.
        quiet = 0 if busy else quiet + 1
        if quiet == _QUIET_LOOKS or not _others().difference(earlier):
            break
        pause()
        busy = busy_threads().difference(earlier)
    return busy


def _others() -> set[threading.Thread]:
    found = {thread for thread in threading.enumerate() if thread.name != THREAD_NAME}
    return found - {threading.current_thread()}


def _is_busy(frame: FrameType | None) -> bool:
    """Return whether a thread is starting, waits to start (a timer), runs code of the user, or a call of a client."""
    names: set[str] = set()
    while frame is not None:
        names.add(frame.f_code.co_filename)
        frame = frame.f_back
    return bool(names) and (names == {threading.__file__} or any(_may_call(name, _CALLS_OF_THREADS) for name in names))


def _may_call(name: str, calls: Path) -> bool:
    return is_user_code(name) or Path(name).is_relative_to(calls)


def waiting_for_tasks(function: Callable[..., Any], test: RunningTest) -> Callable[..., Any]:
    """Return the async function of a test that waits, before it ends, for the tasks of asyncio that it has started."""

    @functools.wraps(function)
    async def waiting(*positional: Any, **arguments: Any) -> Any:
        earlier = _tasks()
        # Here, because a loop that serves several tests has the context of the first one.
        token = TEST.set(test)
        try:
            return await function(*positional, **arguments)
        finally:
            if not isinstance(sys.exception(), (asyncio.CancelledError, GeneratorExit)):
                await _wait_for_tasks(earlier)
            TEST.reset(token)

    return waiting


async def _wait_for_tasks(earlier: Collection[asyncio.Task[Any]]) -> None:
    for _ in range(PAUSES):
        if not any(_is_busy_task(task) for task in _tasks() if task not in earlier):
            return
        # In a thread, because a test may have frozen the time of the loop.
        await asyncio.to_thread(pause)


def _is_busy_task(task: asyncio.Task[Any]) -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return task is not asyncio.current_task() and code is not None and _may_call(code.co_filename, _CALLS_OF_TASKS)


def _tasks() -> Collection[asyncio.Task[Any]]:
    try:
        return asyncio.all_tasks()
    except RuntimeError:
        # Another async library, such as trio, whose tasks end with what has started them.
        return ()
