"""The ends of a process at which its workers hand back what they have claimed.

`atexit` is not enough: processes that `multiprocessing` has forked end without it, and so do those that SIGTERM ends,
with which service managers and containers stop a process.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from _thread import start_new_thread
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from contentgroove._io.interruptible import join

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class ProcessEnd:
    """Calls a function before this process ends, from any thread, perhaps more than once."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function
        self._finalizer: Any = None

    def watch(self) -> None:
        """Call the function from now on."""
        atexit.register(self._function)
        util: Any = sys.modules.get("multiprocessing.util")
        if util is not None:
            self._finalizer = util.Finalize(None, self._function, exitpriority=0)
        _terminations.add(self._function)

    def unwatch(self) -> None:
        """Call it no longer."""
        atexit.unregister(self._function)
        if self._finalizer is not None:
            self._finalizer.cancel()
        _terminations.discard(self._function)


@contextmanager
def before_end(function: Callable[[], object]) -> Generator[None]:
    """Call a function if the process ends while the context is entered."""
    end = ProcessEnd(function)
    end.watch()
    try:
        yield
    finally:
        end.unwatch()


class _Terminations:
    """Delays the default action of SIGTERM until the functions have returned. Handlers of others stay as they are."""

    def __init__(self) -> None:
        self._functions: list[Callable[[], object]] = []
        self._process = os.getpid()
        self._forking = threading.local()

    def add(self, function: Callable[[], object]) -> None:
        """Add a function; one of another thread is called if the main thread has added one, too."""
        if self._process != os.getpid():
            self._process, self._functions = os.getpid(), []
        self._functions.append(function)
        if _can_set_handler() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._terminated)

    def discard(self, function: Callable[[], object]) -> None:
        """Remove a function; without any, the default action is restored."""
        if function in self._functions:
            self._functions.remove(function)
        if not self._functions:
            self.restore()

    def restore(self) -> None:
        """Restore the default action."""
        # The methods of one object are equal, not identical.
        if _can_set_handler() and signal.getsignal(signal.SIGTERM) == self._terminated:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def before_fork(self) -> None:
        """Let a signal wait that is sent to the new process, which would lose it while its handlers change."""
        self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after_fork_in_parent(self) -> None:
        """Take signals again."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def after_fork_in_child(self) -> None:
        """Restore the default action: this process may have nothing to hand back. Then take signals again."""
        self.restore()
        # uWSGI calls only this one.
        if hasattr(self._forking, "mask"):
            signal.pthread_sigmask(signal.SIG_SETMASK, self._forking.mask)

    def _terminated(self, number: int, frame: object) -> None:
        del number, frame
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends the process at once
        if self._process != os.getpid():
            _terminate()
            return
        # In a thread, because the main one may have interrupted what the functions wait for, such as the start of a
        # thread: that of `threading` takes a lock.
        start_new_thread(self._end, (tuple(self._functions),))

    @staticmethod
    def _end(functions: tuple[Callable[[], object], ...]) -> None:
        threads = [threading.Thread(target=function, daemon=True) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            join(thread)
        _terminate()


def _can_set_handler() -> bool:
    return os.name != "nt" and threading.current_thread() is threading.main_thread()


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


_terminations = _Terminations()

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=_terminations.before_fork,
        after_in_parent=_terminations.after_fork_in_parent,
        after_in_child=_terminations.after_fork_in_child,
    )
