"""Ends what other threads do: the calls of a client that is closed, the uploads of a batch that is left.

A thread registers each step that may take long, an exchange or a sleep. What ends it only wakes the thread up, which
then closes its own socket: a descriptor that another thread closes may by then belong to a different connection.
Nothing here takes a lock that an exception of a signal handler could leave taken.
"""

from __future__ import annotations

import socket
import threading
from contextvars import ContextVar

from contentgroove.errors import ConfigurationError

from .foreign_errors import ignoring
from .interruptible import wait_for


class StoppedError(Exception):
    """Another thread ended this step."""


class BatchCancelledError(Exception):
    """The batch was abandoned before this upload ended."""


def closed_error(*, while_running: bool) -> ConfigurationError:
    """Create the error of the use of a closed client."""
    if while_running:
        return ConfigurationError("This client was closed while it was in use: create a new one.")
    return ConfigurationError("This client is closed: create a new one.")


class Step:
    """An exchange or a sleep of one thread, which other threads can end.

    Attributes:
        stopped: Whether another thread has ended it.
        sent: Whether any byte of the request may have left this machine; None if that is unknown, because the
            transport is an application's.
        socket: The socket that the thread uses, None if it has none.
    """

    __slots__ = ("_bell", "sent", "socket", "stopped")

    def __init__(self) -> None:
        self.stopped = False
        self.sent: bool | None = None
        self.socket: socket.socket | None = None
        self._bell = threading.Lock()
        self._bell.acquire()

    def wait(self, seconds: float | None) -> bool:
        """Wait until another thread rings; return False if none did in time. One ring ends one wait."""
        return wait_for(lambda limit: self._bell.acquire(timeout=limit), seconds)

    def ring(self) -> None:
        """Wake the thread up."""
        # It has been rung already, and the thread has not noticed yet.
        with ignoring(RuntimeError):
            self._bell.release()

    def use(self, sock: socket.socket) -> None:
        """Announce the socket that the thread uses from now on."""
        self.socket = sock
        self.require_running()

    def require_running(self) -> None:
        """Raise a StoppedError if another thread has ended the step."""
        if self.stopped:
            raise StoppedError("another thread ended it")

    def stop(self) -> None:
        """End the step from another thread."""
        # In this order: a socket that is announced later is checked for it.
        self.stopped = True
        self.ring()
        if (sock := self.socket) is not None:
            shut_down(sock)


class Stop:
    """Ends all steps that belong to it, now and later.

    Attributes:
        is_set: Whether it has ended them.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._steps: set[Step] = set()

    def begin(self, step: Step) -> None:
        """Register a step."""
        self._steps.add(step)
        if self.is_set:
            step.stop()

    def end(self, step: Step) -> None:
        """Remove a step that is over."""
        self._steps.discard(step)

    def set(self) -> None:
        """End all steps."""
        self.is_set = True
        for step in tuple(self._steps):
            step.stop()

    def close_sockets(self) -> None:
        """Close the sockets of all steps in a child process, which has inherited them, without a word to the peers."""
        for step in tuple(self._steps):
            if step.socket is not None:
                step.socket.close()


class BatchStop:
    """Ends the uploads of one batch: at once, except the calls, whose results are worth a moment of patience.

    A media whose creation is cut off may exist without anyone knowing its id.
    """

    def __init__(self) -> None:
        self._uploads = Stop()
        self._calls = Stop()

    def stop_of(self, *, calls: bool) -> Stop:
        """Return what ends the calls of the batch, or else its transfers and sleeps."""
        return self._calls if calls else self._uploads

    def require_running(self) -> None:
        """Raise a BatchCancelledError if the batch was left."""
        if self._uploads.is_set:
            raise BatchCancelledError

    def end_transfers(self) -> None:
        """End transfers and sleeps, and let no further call begin."""
        self._uploads.set()

    def end_calls(self) -> None:
        """End the calls, too."""
        self._calls.set()


current_batch: ContextVar[BatchStop | None] = ContextVar("current_batch", default=None)
"""What ends the uploads of the batch that this thread works for; None in all threads of applications."""


def running_batch() -> BatchStop | None:
    """Return what ends the uploads of the batch that this thread works for."""
    return current_batch.get()


def shut_down(sock: socket.socket) -> None:
    """Wake the thread that waits for a socket; the descriptor stays that thread's."""
    with ignoring(OSError):
        # Not by the method of TLS sockets, which turns TLS off first: the thread would send the rest in plain text.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
