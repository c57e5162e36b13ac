"""The inbox in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import InvalidInputError

from .inbox import InboxError
from .sql import Dialect, SqlInbox

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TIMEOUT = 30.0

PAUSE = 0.01
"""Seconds between attempts where SQLite does not wait itself."""

PRIMARY_CODE = 0xFF
"""The bits of an SQLite error code that are its primary code; the other bits extend it."""


@with_safe_repr
class SQLiteInbox(SqlInbox[sqlite3.Connection]):
    """Keeps events in an SQLite file, for any number of threads and processes of one machine.

    The file is in WAL mode and every commit is synced to the disk: an acknowledged event (200) survives a power cut.
    WAL does not work on network file systems. A handler registered with `transaction=True` gets an
    `sqlite3.Connection`. While it runs, nothing else can write to the file, not even a receiver: keep it short.

    Args:
        path: The file. If it does not exist, it is created for its owner only; on Windows its folder decides.
        busy_timeout: Seconds to wait while another process writes.
        clock: Returns the time in seconds since 1970.

    Raises:
        InvalidInputError: The path is not that of a file, or its folder does not exist.
        InboxError: The file cannot be opened, is not a database, or was created by a newer release.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = BUSY_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if str(path) in {"", ":memory:"} or str(path).startswith("file:"):
            raise InvalidInputError(f"path must be that of a file, not {str(path)!r}. For memory use MemoryInbox.")
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        if not self._path.parent.is_dir():
            raise InvalidInputError(f"The folder of the inbox {self._path} does not exist: create it first.")
        # Payloads contain signed URLs. An existing file is not opened: closing it would drop SQLite's locks on it.
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise InboxError(f"Cannot create the inbox {self._path}: {error.strerror}.") from error
        super().__init__(
            Dialect(
                name=str(self._path),
                driver_error=sqlite3.Error,
                begin="BEGIN IMMEDIATE",
                begin_reading="BEGIN",
                placeholder="?",
                lock="",
                skip="",
                types={"serial": "INTEGER PRIMARY KEY AUTOINCREMENT", "bytes": "BLOB", "float": "REAL", "text": "TEXT"},
                before_migration=(),
            ),
            clock,
        )

    def __repr__(self) -> str:
        return f"SQLiteInbox({str(self._path)!r})"

    def _connect(self) -> sqlite3.Connection:
        # Threads share connections, but only one thread at a time uses one.
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            # On macOS a plain sync ends in the drive's cache, which a power cut empties. Other systems ignore these.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait itself while another connection switches a new file, or closes it as the last one.
        end = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & PRIMARY_CODE != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(PAUSE)
            else:
                return

    def _is_in_transaction(self, connection: sqlite3.Connection) -> bool:
        return connection.in_transaction
