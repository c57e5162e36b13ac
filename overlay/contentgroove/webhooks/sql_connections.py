"""Open connections of a database, kept for the next use, within limits and across forks."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .forks import ForkAware

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FORK_WAIT = 5.0
"""Seconds for which a fork waits for the transactions of other threads."""


class Cursor(Protocol):
    """The used part of a DB-API cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row."""
        ...

    def fetchall(self) -> Sequence[Any]:
        """Return all rows."""
        ...


class Connection(Protocol):
    """The used part of a connection, common to all databases."""

    def execute(self, query: Any, params: Any = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def close(self) -> None:
        """Close it, and roll back its transaction."""
        ...


C = TypeVar("C", bound=Connection)


class NoConnectionError(Exception):
    """All connections stayed in use."""


@dataclass(slots=True)
class _Connections(Generic[C]):
    """The connections of one process.

    Attributes:
        changed: Guards the other attributes; notified when a connection is returned.
        idle: Those that wait for the next use, with the time since when; the last was used last.
        lent: How many each thread uses, by the thread's id.
        closing: Whether a timer runs that closes connections that were idle for too long.
    """

    process: int
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.Lock()))
    idle: list[tuple[C, float]] = field(default_factory=list[tuple[C, float]])
    lent: dict[int, int] = field(default_factory=dict[int, int])
    closing: bool = False


class ConnectionPool(ForkAware, Generic[C]):
    """Lends connections to one user at a time; threads and forked processes never share one.

    Args:
        limit: The maximum number of connections; None for no limit.
        idle_timeout: Seconds after which an unused connection is closed; None to keep it.
        close_at_fork: Whether no connection may be open while the process forks, as SQLite requires.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        *,
        limit: int | None = None,
        idle_timeout: float | None = None,
        close_at_fork: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._idle_timeout = idle_timeout
        self._close_at_fork = close_at_fork
        self._clock = clock
        self._of_parents: list[_Connections[C]] = []
        self._prepared_to_fork = False
        self._start()
        super().__init__()

    @property
    def carries_open_connections(self) -> bool:
        """Whether a parent had connections open, here or in its other threads, when this process was forked."""
        self._require_own()
        return any(connections.idle or connections.lent for connections in self._of_parents)

    def borrow(self, seconds: float, *, spare: int = 0) -> C | None:
        """Return an idle connection; None if the borrower must open one, and may.

        Both count as in use until `give_back` or `forget`. While all are in use, this waits for at most `seconds`.
        `spare` connections are left to others, unless none would remain.

        Raises:
            NoConnectionError: None was returned in time.
        """
        connections = self._require_own()
        with connections.changed:
            if self._limit is not None:
                free = max(1, self._limit - spare)
                if not connections.changed.wait_for(lambda: sum(connections.lent.values()) < free, seconds):
                    raise NoConnectionError
            thread = threading.get_ident()
            connections.lent[thread] = connections.lent.get(thread, 0) + 1
            found = connections.idle.pop()[0] if connections.idle else None
        self.close_expired()
        return found

    def give_back(self, connection: C) -> None:
        """Keep a borrowed connection for the next use."""
        connections = self._require_own()
        with connections.changed:
            connections.idle.append((connection, self._clock()))
            self._returned(connections)
        self.watch_idle()

    def forget(self) -> None:
        """Count a connection as no longer in use that was closed, or could not be opened."""
        connections = self._require_own()
        with connections.changed:
            self._returned(connections)

    def take_idle(self) -> list[C]:
        """Remove all idle connections, and return them."""
        connections = self._require_own()
        with connections.changed:
            taken = [connection for connection, _ in connections.idle]
            # The finalizer closes the connections of this list, so it must stay the same object.
            connections.idle.clear()
        return taken

    def close_expired(self) -> None:
        """Close what was idle for too long."""
        if self._idle_timeout is None:
            return
        connections = self._require_own()
        before = self._clock() - self._idle_timeout
        with connections.changed:
            expired = [connection for connection, since in connections.idle if since <= before]
            del connections.idle[: len(expired)]
        for connection in expired:
            connection.close()

    def watch_idle(self) -> None:
        """Start a timer that closes what stays idle for too long, unless one runs."""
        if self._idle_timeout is None:
            return
        connections = self._require_own()
        with connections.changed:
            if connections.closing or not connections.idle:
                return
            connections.closing = True
            seconds = connections.idle[0][1] + self._idle_timeout - self._clock()
        timer = threading.Timer(max(0.0, seconds), _close_later, (weakref.ref(self), connections))
        timer.daemon = True
        # A process that ends can start no thread, and closes its connections anyway.
        with contextlib.suppress(RuntimeError):
            timer.start()

    def before_fork(self) -> None:
        """With `close_at_fork`, wait for the transactions of other threads, and close the idle connections."""
        if not self._close_at_fork:
            return
        connections = self._require_own()
        # A signal handler could fork while its thread has the lock: then the child does without this preparation.
        if not connections.changed.acquire(timeout=FORK_WAIT):
            return
        self._prepared_to_fork = True
        own = threading.get_ident()
        connections.changed.wait_for(lambda: not connections.lent.keys() - {own}, FORK_WAIT)
        _close_all(connections)

    def after_fork_in_parent(self) -> None:
        """Lend connections again."""
        if self._prepared_to_fork:
            self._prepared_to_fork = False
            self._connections.changed.release()

    def after_fork_in_child(self) -> None:
        """Leave the parent's connections and lock alone."""
        # Using or closing the parent's connections would break them there, so they are kept until this process ends.
        self._of_parents.append(self._connections)
        self._prepared_to_fork = False
        self._start()

    def _start(self) -> None:
        self._connections: _Connections[C] = _Connections(os.getpid())
        # Databases warn about connections that are not closed; SQLite does since Python 3.13.
        weakref.finalize(self, _close_all, self._connections)

    def _require_own(self) -> _Connections[C]:
        if self._connections.process != os.getpid():
            # Some servers fork without Python's knowledge.
            self.after_fork_in_child()
        return self._connections

    def _returned(self, connections: _Connections[C]) -> None:
        thread = threading.get_ident()
        if connections.lent.get(thread, 0) > 1:
            connections.lent[thread] -= 1
        else:
            connections.lent.pop(thread, None)
        connections.changed.notify_all()


def _close_later(reference: weakref.ref[ConnectionPool[Any]], connections: _Connections[Any]) -> None:
    """Close what was idle for too long; runs in a timer's thread, which must not keep the pool alive."""
    with connections.changed:
        connections.closing = False
    pool = reference()
    if pool is None:
        return
    pool.close_expired()
    pool.watch_idle()


def _close_all(connections: _Connections[Any]) -> None:
    if connections.process != os.getpid():
        return
    # At interpreter exit another thread may still take one.
    with contextlib.suppress(IndexError):
        while True:
            connections.idle.pop()[0].close()
