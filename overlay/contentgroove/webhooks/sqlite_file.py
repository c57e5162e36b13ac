"""An SQLite file that several processes write: durable commits, waits within limits, and notice of a lost file."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

from .inbox import InboxError
from .migrations import INBOX
from .sql_connections import ConnectionPool
from .sql_database import Database, Dialect

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Identity = tuple[tuple[int, int] | None, ...]

logger = logging.getLogger("contentgroove")

PAUSE = 0.01
"""Seconds between attempts where SQLite does not wait itself."""

PRIMARY_CODE = 0xFF
"""The bits of an SQLite error code that are its primary code; the other bits extend it."""

COMPANIONS = ("-wal", "-shm")
"""The suffixes of the files that SQLite keeps beside an open file in WAL mode; each is as necessary as the file."""

_ABANDONED: list[sqlite3.Connection] = []
"""Connections to files that are no longer there; closing them could delete the WAL of the files that replaced them."""

DIALECT = Dialect(
    begin="BEGIN IMMEDIATE",
    placeholder="?",
    lock="",
    skip="",
    by_index="INDEXED BY {index}",
    types={
        "serial": "INTEGER PRIMARY KEY AUTOINCREMENT",
        "bytes": "BLOB",
        "float": "REAL",
        "int": "INTEGER",
        "text": "TEXT",
    },
    find_table="SELECT name FROM sqlite_master WHERE type = 'table' AND name = '{table}'",
    before_migration=(),
    counting=(
        """CREATE TRIGGER contentgroove_events_inserted AFTER INSERT ON contentgroove_events BEGIN
            UPDATE contentgroove_counts SET
                pending = pending + (NEW.state = 'pending'), claimed = claimed + (NEW.state = 'claimed'),
                done = done + (NEW.state = 'done'), dead = dead + (NEW.state = 'dead');
        END""",
        """CREATE TRIGGER contentgroove_events_updated AFTER UPDATE OF state ON contentgroove_events
            WHEN OLD.state <> NEW.state BEGIN
            UPDATE contentgroove_counts SET
                pending = pending + (NEW.state = 'pending') - (OLD.state = 'pending'),
                claimed = claimed + (NEW.state = 'claimed') - (OLD.state = 'claimed'),
                done = done + (NEW.state = 'done') - (OLD.state = 'done'),
                dead = dead + (NEW.state = 'dead') - (OLD.state = 'dead');
        END""",
        """CREATE TRIGGER contentgroove_events_deleted AFTER DELETE ON contentgroove_events BEGIN
            UPDATE contentgroove_counts SET
                pending = pending - (OLD.state = 'pending'), claimed = claimed - (OLD.state = 'claimed'),
                done = done - (OLD.state = 'done'), dead = dead - (OLD.state = 'dead');
        END""",
    ),
)


class FileConnection(sqlite3.Connection):
    """A connection that knows its files.

    Attributes:
        files: The identities of the file and its companions when they were opened.
        busy_milliseconds: How long SQLite waits for a lock in it.
    """

    files: tuple[tuple[int, int] | None, ...] = ()
    busy_milliseconds = 0


class SQLiteDatabase(Database[FileConnection]):
    """An SQLite file in WAL mode. Every commit is synced to the disk.

    Args:
        path: The file, which exists.
        timeout: Seconds to wait while others write.
        accept_file: Called when another file has replaced the one opened before; raises if that is unusable.
    """

    def __init__(self, path: Path, timeout: float, accept_file: Callable[[], object]) -> None:
        self.path = path
        self._accept_file = accept_file
        self._files: Identity = ()
        self._paths = (str(path), *(f"{path}{suffix}" for suffix in COMPANIONS))
        super().__init__(
            schema=INBOX,
            name=str(path),
            option=str(path),
            dialect=DIALECT,
            driver_error=sqlite3.Error,
            timeout=timeout,
            pool=ConnectionPool(close_at_fork=True),
        )

    def is_in_transaction(self, connection: FileConnection) -> bool:
        """Whether a transaction was started and has not ended."""
        return connection.in_transaction

    def _connect(self, seconds: float) -> FileConnection:
        if self._pool.carries_open_connections:
            # The child would share the library's record of file locks without having the locks themselves.
            raise InboxError(
                f"This process was forked while its parent used the inbox {self.path}, which SQLite forbids: the "
                "child's events could be lost. Fork outside handlers, or start the process with spawn."
            )
        before, files = self._files, self._identities()
        if files[0] is None:
            raise InboxError(
                f"The inbox {self.path} was deleted or moved. Nothing is recorded until it is back: put the file back, "
                "or restart this process to begin with a new one."
            )
        if before and before[0] != files[0]:
            self._accept_other_file(before, files)
        connection = self._open_connection(seconds)
        self._files = connection.files
        return connection

    def _begin(self, connection: FileConnection, seconds: float, *, write: bool) -> None:
        milliseconds = int(seconds * 1000)
        if milliseconds != connection.busy_milliseconds:
            connection.execute(f"PRAGMA busy_timeout = {milliseconds}")
            connection.busy_milliseconds = milliseconds
        connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    def _is_broken(self, connection: FileConnection) -> bool:
        return connection.files != self._identities()

    def _is_busy(self, error: Exception) -> bool:
        return _is_locked(error)

    def _discard(self, connection: FileConnection) -> None:
        now = self._identities()
        if all(after in {before, None} for before, after in zip(connection.files, now, strict=False)) and now[0]:
            # If only a companion was deleted, closing moves its content into the file.
            if connection.files and now != connection.files:
                logger.warning("A file beside the inbox was deleted while it was open: %s-wal or -shm.", self.path)
            connection.close()
        elif sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)
            connection.close()
        else:
            _ABANDONED.append(connection)

    def _identities(self) -> Identity:
        return tuple([_identity(path) for path in self._paths])

    def _accept_other_file(self, before: Identity, files: Identity) -> None:
        if any(old is not None and old == new for old, new in zip(before, files, strict=True)):
            # SQLite would write the old file's changes into the new one.
            raise InboxError(
                f"The inbox {self.path} was replaced, but {self.path}-wal and -shm of the replaced file are still "
                "there. Stop all processes that use it, delete these two, and start them again."
            )
        logger.warning("The inbox %s was replaced by another file. Its events are used from now on.", self.path)
        self._files = files
        try:
            self._accept_file()
        except BaseException:
            self._files = before
            self.close()
            raise

    def _open_connection(self, seconds: float) -> FileConnection:
        # SQLite must not create the file again if it is deleted now. Threads share connections, but only one thread at
        # a time uses one.
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw",
            uri=True,
            timeout=seconds,
            isolation_level=None,
            check_same_thread=False,
            factory=FileConnection,
        )
        try:
            connection.busy_milliseconds = int(seconds * 1000)
            _use_wal(connection, seconds)
            connection.execute("PRAGMA synchronous = FULL")
            # On macOS a plain sync ends in the drive's cache, which a power cut empties. Other systems ignore these.
            connection.execute("PRAGMA fullfsync = ON")
            connection.execute("PRAGMA checkpoint_fullfsync = ON")
            # The first read opens the companions.
            connection.execute("PRAGMA schema_version").fetchone()
            connection.files = self._identities()
        except BaseException:
            connection.close()
            raise
        return connection


def _use_wal(connection: FileConnection, seconds: float) -> None:
    # SQLite does not wait itself while another connection switches a new file, or closes it as the last one.
    end = time.monotonic() + seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not _is_locked(error) or time.monotonic() > end:
                raise
            time.sleep(PAUSE)
        else:
            return


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) and (
        getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE == sqlite3.SQLITE_BUSY
    )


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib's takes four times as long, and each transaction calls this
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
