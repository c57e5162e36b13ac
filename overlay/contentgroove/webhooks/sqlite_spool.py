"""The file beside an inbox that takes events while the inbox itself is locked.

SQLite has one writer at a time. A handler with `transaction=True` is that writer while it runs, and so are `VACUUM` and
migrations. Receivers must not wait for them, so they write here, as durably, and the next claim moves the events.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .inbox import InboxError, StoredEvent
from .sqlite_file import SQLiteDatabase

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIX = "-received"

ALL = -1
"""SQLite's number for no limit."""

_TABLE = """CREATE TABLE IF NOT EXISTS contentgroove_received (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    body BLOB NOT NULL,
    recorded_at REAL NOT NULL,
    trace TEXT
)"""


class Spool:
    """Keeps events until they are moved into the inbox. The file is created when it is first needed, and stays.

    Args:
        inbox: The inbox's file.
        timeout: Seconds to wait while others write to the spool; each of them takes milliseconds.
    """

    def __init__(self, inbox: Path, timeout: float) -> None:
        self._inbox = inbox
        self._path = Path(f"{inbox}{SUFFIX}")
        self._timeout = timeout
        self._database: SQLiteDatabase | None = None

    def add(self, event: StoredEvent, is_recorded: Callable[[str], bool]) -> bool:
        """Record an event; False if it is already here or in the inbox, as `is_recorded` says."""
        self._create()
        with (self._database or self._open_file()).statements() as run:
            # Events leave the spool only after the inbox has them, so one that is in neither is new.
            if is_recorded(event.key):
                return False
            return (
                run(
                    "INSERT INTO contentgroove_received (key, body, recorded_at, trace) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (key) DO NOTHING",
                    event.key,
                    event.body,
                    event.recorded_at,
                    event.trace,
                ).rowcount
                == 1
            )

    def has(self, key: str) -> bool:
        """Whether an event with this key is here."""
        database = self._open()
        if database is None:
            return False
        with database.statements(write=False) as run:
            return run("SELECT 1 FROM contentgroove_received WHERE key = ?", key).fetchone() is not None

    def events(self, limit: int = ALL) -> list[StoredEvent]:
        """Return the events, the oldest first."""
        database = self._open()
        if database is None:
            return []
        with database.statements(write=False) as run:
            rows = run(
                "SELECT key, body, recorded_at, trace FROM contentgroove_received ORDER BY position LIMIT ?", limit
            ).fetchall()
        return [StoredEvent.new(*row) for row in rows]

    def remove(self, events: list[StoredEvent]) -> None:
        """Remove events that are in the inbox now."""
        database = self._open()
        if database is None:
            return
        with database.statements() as run:
            for event in events:
                run("DELETE FROM contentgroove_received WHERE key = ?", event.key)

    def close(self) -> None:
        """Close the idle connections."""
        if self._database is not None:
            self._database.close()

    def _open(self) -> SQLiteDatabase | None:
        """Return the database; None if no process has needed it so far."""
        return self._open_file() if self._database is None and os.path.exists(self._path) else self._database  # noqa: PTH110 - as in sqlite_file

    def _open_file(self) -> SQLiteDatabase:
        database = SQLiteDatabase(self._path, self._timeout, lambda: _create_table(database))
        _create_table(database)
        self._database = database
        return database

    def _create(self) -> None:
        # For those who can read the inbox, because it contains the same payloads.
        mode = self._inbox.stat().st_mode & 0o777
        try:
            # Closing it is harmless, because SQLite has no locks on it yet.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, mode))
        except FileExistsError:
            return
        except OSError as error:
            raise InboxError(f"Cannot create {self._path}: {error.strerror}.") from error
        # The mode above was reduced by the process's umask.
        self._path.chmod(mode)


def _create_table(database: SQLiteDatabase) -> None:
    with database.statements() as run:
        run(_TABLE)
