"""The inbox in an SQLite file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import InvalidInputError

from .inbox import InboxError, StoredEvent
from .migrations import migrate, read_version
from .sql import SqlInbox
from .sql_database import BusyError
from .sqlite_file import FileConnection, SQLiteDatabase
from .sqlite_spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .inbox import Claim, State
    from .migrations import Migration

BUSY_TIMEOUT = 30.0

RECEIVE_TIMEOUT = 0.25
"""Seconds for which an event waits for the file before it goes to the spool. Most transactions take milliseconds."""

MOVED_AT_ONCE = 500
"""Events moved from the spool in one transaction."""


@with_safe_repr
class SQLiteInbox(SqlInbox[FileConnection]):
    """Keeps events in an SQLite file, for any number of threads and processes of one machine.

    The file is in WAL mode and every commit is synced to the disk: an acknowledged event (200) survives a power cut.
    WAL does not work on network file systems. A handler registered with `transaction=True` gets an
    `sqlite3.Connection`. While it runs, nothing else can write to the file, so other workers wait; events are recorded
    in a second file, `….db-received`, from which the next claim moves them. A copy of the inbox needs both files.

    A new file gets tables; all later changes of the tables are made by `migrate` or `contentgroove webhooks migrate`.
    If the file is deleted while it is open, nothing more is recorded, so that the service sends its events again.

    Args:
        path: The file. If it does not exist, it is created for its owner only; on Windows its folder decides.
        busy_timeout: Seconds to wait while another process writes; recording waits for at most 0.25 s.
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
        self._path = _checked_path(path)
        self._receive_timeout = min(busy_timeout, RECEIVE_TIMEOUT)
        # Payloads contain signed URLs. An existing file is not opened: closing it would drop SQLite's locks on it.
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise InboxError(f"Cannot create the inbox {self._path}: {error.strerror}.") from error
        self._spool = Spool(self._path, busy_timeout)
        super().__init__(SQLiteDatabase(self._path, busy_timeout, self._accept_file), clock)
        # Servers may load an app and then fork, some without Python's knowledge: no connection may be open then.
        self.close()

    @classmethod
    def migrate(cls, path: str | os.PathLike[str], *, dry_run: bool = False) -> Migration:
        """Bring the tables to this release's version; other processes may use the file meanwhile, and wait.

        Args:
            path: The file, which must exist.
            dry_run: Only return the SQL.

        Raises:
            InvalidInputError: The path is not that of a file, or its folder does not exist.
            InboxError: The file does not exist or cannot be changed, or its tables were created by a newer release.
                Nothing was changed.
        """
        database = SQLiteDatabase(_checked_path(path), BUSY_TIMEOUT, lambda: None)
        try:
            return migrate(database, dry_run=dry_run)
        finally:
            database.close()

    def __repr__(self) -> str:
        return f"SQLiteInbox({str(self._path)!r})"

    def close(self) -> None:
        """Close the idle connections. The inbox opens new ones if it is used again."""
        super().close()
        self._spool.close()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event; False if its key is already recorded. When this returns, it is on disk.

        While the file is locked, the event is recorded beside it. If it is delivered twice in that moment, both calls
        may return True; it is still handled once.
        """
        return self._receive(StoredEvent.new(key, body, self._clock(), trace))

    def record_dead(self, key: str, body: bytes, error: str) -> bool:
        """Record a body that cannot be read, as a dead event; False if its key is already recorded.

        While the file is locked, it is recorded beside it as pending, and is dead once a worker has tried to read it.
        """
        return self._receive(StoredEvent.new_dead(key, body, self._clock(), error))

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        # Events move from the spool to the file, so the spool is searched first.
        return self._spool.has(key) or super().has(key)

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        received = {event.key for event in self._spool.events() if event.key.startswith(prefix)}
        return super().keys_with_prefix(prefix) | received

    def claim(self, lease: float) -> Claim | None:
        """Claim the event that is due for longest, for `lease` seconds; None if no event is due."""
        self._move_received()
        return super().claim(lease)

    def claim_key(self, key: str, lease: float) -> Claim | None:
        """Claim the event with this key for `lease` seconds; None if it does not exist or is not due."""
        self._move_received()
        return super().claim_key(key, lease)

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        return 0.0 if self._spool.events(1) else super().next_due()

    def counts(self) -> Mapping[State, int]:
        """Return the number of events in each of the four states."""
        received = self._only_received(self._spool.events())
        counts = super().counts()
        return {**counts, "pending": counts["pending"] + len(received)}

    def oldest_pending(self) -> float | None:
        """When the first recorded pending event was recorded, in seconds since 1970; None if none is pending."""
        received = [event.recorded_at for event in self._spool.events(1)]
        found = super().oldest_pending()
        return min(received if found is None else [*received, found], default=None)

    def overdue(self, seconds: float, limit: int = 1_000) -> list[str]:
        """Return the keys of the events that have been due for at least `seconds` seconds, the longest due first."""
        latest = self._clock() - seconds
        received = [event.key for event in self._spool.events() if event.is_due(latest)]
        return list(dict.fromkeys([*super().overdue(seconds, limit), *received]))[:limit]

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        received = self._spool.events() if state in {None, "pending"} else []
        return [*self._only_received(received)[::-1], *super().events(state, limit)][:limit]

    def _receive(self, event: StoredEvent) -> bool:
        if self._spool.has(event.key):
            return False
        try:
            with self._database.statements(seconds=self._receive_timeout) as run:
                return self._record(run, event)
        except BusyError:
            return self._spool.add(event, super().has)

    def _move_received(self) -> None:
        """Move the events of the spool into the inbox."""
        while events := self._spool.events(MOVED_AT_ONCE):
            with self._database.statements() as run:
                for event in events:
                    self._record(run, event)
            self._spool.remove(events)

    def _only_received(self, events: list[StoredEvent]) -> list[StoredEvent]:
        """Return the events of the spool that are not in the file as well, because they are being moved."""
        return [event for event in events if not super(SQLiteInbox, self).has(event.key)]

    def _accept_file(self) -> None:
        version = read_version(self._database)
        if version == 0:
            raise InboxError(
                f"The file that replaced the inbox {self._path} has no tables of an inbox: put the inbox back, or "
                "restart this process to begin with a new one."
            )
        self._use_version(version)


def _checked_path(path: str | os.PathLike[str]) -> Path:
    if str(path) in {"", ":memory:"} or str(path).startswith("file:"):
        raise InvalidInputError(f"path must be that of a file, not {str(path)!r}. For memory use MemoryInbox.")
    checked = Path(path).absolute()
    if not checked.parent.is_dir():
        raise InvalidInputError(f"The folder of the inbox {checked} does not exist: create it first.")
    return checked
