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


class _Connection(Protocol):
    """The used part of a connection, common to all databases."""

    def execute(self, query: Any, params: Any = ..., /) -> Cursor: ...

    def close(self) -> None: ...


C = TypeVar("C", bound=_Connection)


class ConnectionPool(Generic[C]):
    """Lends connections in autocommit mode to one user at a time; threads and forked processes never share one."""

    def __init__(self, connect: Callable[[], C], driver_error: type[Exception]) -> None:
        self._connect = connect
        self._driver_error = driver_error
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._idle: list[C] = []
        self._inherited: list[C] = []
        # Databases warn about connections that are not closed; SQLite does since Python 3.13.
        weakref.finalize(self, _close_all, self._idle, self._process)

    def begin(self, statement: str) -> C:
        """Return a connection in which a transaction was started."""
        while True:
            idle = self._acquire()
            connection = self._connect() if idle is None else idle
            try:
                connection.execute(statement)
            except BaseException as error:
                connection.close()
                # The server may have restarted while it was idle; a new connection shows whether that is all.
                if idle is None or not isinstance(error, self._driver_error):
                    raise
            else:
                return connection

    def release(self, connection: C) -> None:
        """Keep a connection for the next use."""
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while (connection := self._acquire()) is not None:
            connection.close()

    def _acquire(self) -> C | None:
        with self._lock:
            if self._process != os.getpid():
                # These are the parent's: using or closing them here would break them there.
                self._inherited += self._idle
                self._idle = []
                self._process = os.getpid()
                weakref.finalize(self, _close_all, self._idle, self._process)
            return self._idle.pop() if self._idle else None


def _close_all(idle: list[C], process: int) -> None:
    if process != os.getpid():
        return
    # At interpreter exit another thread may still take one.
    with contextlib.suppress(IndexError):
        while True:
            idle.pop().close()
