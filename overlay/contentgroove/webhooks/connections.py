"""Open connections of a database, kept for the next use."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Cursor(Protocol):
    """What is used of a cursor."""

    @property
    def rowcount(self) -> int:
        """Rows that the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Give the next row."""
        ...

    def fetchall(self) -> Sequence[Any]:
        """Give all rows."""
        ...


class Connection(Protocol):
    """What is used of a connection, whichever the database."""

    def execute(self, query: Any, params: Any = ..., /) -> Cursor:
        """Run a statement."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


C = TypeVar("C", bound=Connection)


class ConnectionPool(Generic[C]):
    """Gives each user a connection that nobody else has; threads and forked processes never share one.

    Args:
        connect: Opens a connection in autocommit mode.
        failures: What a broken connection raises.
    """

    def __init__(self, connect: Callable[[], C], failures: type[Exception]) -> None:
        self._connect = connect
        self._failures = failures
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._idle: list[C] = []
        self._inherited: list[C] = []
        # Databases complain of connections that are dropped open; SQLite does from Python 3.13 on.
        weakref.finalize(self, _close_all, self._idle, self._process)

    def begin(self, statement: str) -> C:
        """Give a connection in which a transaction has begun."""
        while (connection := self._acquire()) is not None:
            try:
                connection.execute(statement)
            except self._failures:
                # It may have been idle while the server restarted; a new one tells whether there is more to it.
                connection.close()
            else:
                return connection
        connection = self._connect()
        try:
            connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self, connection: C) -> None:
        """Keep a connection for the next use."""
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while (connection := self._acquire()) is not None:
            connection.close()

    def _acquire(self) -> C | None:
        with self._lock:
            if self._process != os.getpid():
                # The parent's connections: to use or close them here would break them there.
                self._inherited += self._idle
                self._idle = []
                self._process = os.getpid()
                weakref.finalize(self, _close_all, self._idle, self._process)
            return self._idle.pop() if self._idle else None


def _close_all(idle: list[C], process: int) -> None:
    if process != os.getpid():
        return
    # At the interpreter's end a thread may still take one.
    with contextlib.suppress(IndexError):
        while True:
            idle.pop().close()
