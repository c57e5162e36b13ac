"""An inbox in an SQLite file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove.errors import InvalidInputError

from .errors import InboxError
from .sql import Dialect, SqlInbox

if TYPE_CHECKING:
    from collections.abc import Callable

BUSY_TIMEOUT = 30.0

PAUSE = 0.01
"""Seconds between two tries where SQLite does not wait by itself."""

PRIMARY_CODE = 0xFF
"""The bits of an SQLite error code that tell the kind; the others tell its case."""


class SQLiteInbox(SqlInbox[sqlite3.Connection]):
    """Keeps events in an SQLite file, for any number of threads and processes of one machine.

    The file is in WAL mode and every commit is synced to the disk: what was answered with 200 outlives a power cut.
    WAL does not work on network file systems. A handler registered with `transaction=True` gets an
    `sqlite3.Connection`; while it runs nothing else can write to the file, arriving webhooks included, so it should
    be brief.

    Args:
        path: The file; made readable by its owner alone if it does not exist, which Windows leaves to its folder.
        busy_timeout: Seconds to wait while another process writes.
        clock: Gives the time in seconds since 1970.

    Raises:
        InvalidInputError: The path names no file, or its folder does not exist.
        InboxError: The file cannot be opened, is no database, or was made by a newer release.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        busy_timeout: float = BUSY_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if str(path) in {"", ":memory:"} or str(path).startswith("file:"):
            raise InvalidInputError(f"SQLiteInbox needs a file's path, not {str(path)!r}; for memory take MemoryInbox.")
        self._path = Path(path).absolute()
        self._busy_timeout = busy_timeout
        if not self._path.parent.is_dir():
            raise InvalidInputError(f"The folder of the inbox {self._path} does not exist; make it first.")
        # Payloads carry signed URLs. Never opened if it exists: closing it would drop SQLite's locks on it.
        with contextlib.suppress(FileExistsError):
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                raise
            except OSError as error:
                raise InboxError(f"The inbox {self._path} cannot be made: {error.strerror}.") from error
        super().__init__(
            Dialect(
                name=str(self._path),
                failures=sqlite3.Error,
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
        # Connections move between threads, and only one thread has one at a time.
        connection = sqlite3.connect(
            self._path, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            self._use_wal(connection)
            connection.execute("PRAGMA synchronous = FULL")
            # macOS's plain sync stops at the drive's own memory, which a power cut empties; others take no notice.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait by itself where another connection switches a new file, or closes it as its last one.
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
