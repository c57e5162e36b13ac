"""The common part of the inboxes in SQL databases: tables, statements, transactions."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from .inbox import STATES, EventUpdates, InboxError, StoredEvent
from .sql_connections import C, ConnectionPool, Cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from typing import Self

    from .inbox import Claim, State

MIGRATIONS = (
    (
        """CREATE TABLE contentgroove_events (
            position {serial},
            key {text} NOT NULL UNIQUE,
            body {bytes} NOT NULL,
            state TEXT NOT NULL,
            due {float} NOT NULL,
            claims INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            handled TEXT NOT NULL,
            error TEXT NOT NULL,
            recorded_at {float} NOT NULL,
            changed_at {float} NOT NULL
        )""",
        # Workers search for open events all the time, and only a few are open.
        """CREATE INDEX contentgroove_events_open ON contentgroove_events (position)
            WHERE state IN ('pending', 'claimed')""",
        "CREATE INDEX contentgroove_events_changed ON contentgroove_events (state, changed_at)",
    ),
    (
        "ALTER TABLE contentgroove_events ADD COLUMN trace TEXT",
        # Claims and the next due time, without a search through events that others have claimed or that wait.
        """CREATE INDEX contentgroove_events_due ON contentgroove_events (due, position)
            WHERE state IN ('pending', 'claimed')""",
        "CREATE INDEX contentgroove_events_state ON contentgroove_events (state, position)",
        "CREATE INDEX contentgroove_events_done ON contentgroove_events (changed_at) WHERE state = 'done'",
        "DROP INDEX contentgroove_events_open",
        "DROP INDEX contentgroove_events_changed",
    ),
)
"""The statements from each schema version to the next; a database of version n has executed the first n entries."""

_COLUMNS = (
    "key",
    "body",
    "state",
    "due",
    "claims",
    "attempts",
    "handled",
    "error",
    "recorded_at",
    "changed_at",
    "trace",
)
"""The fields of a `StoredEvent`."""

_CHANGING = ("state", "due", "claims", "attempts", "handled", "error", "changed_at")

_NAMES = ", ".join(_COLUMNS)
_SELECT = f"SELECT {_NAMES} FROM contentgroove_events"  # noqa: S608 - of constants alone
_INSERT = f"INSERT INTO contentgroove_events ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - as above
_CHANGES = ", ".join(f"{name} = ?" for name in _CHANGING)
_UPDATE = f"UPDATE contentgroove_events SET {_CHANGES} WHERE key = ?"  # noqa: S608 - as above
_OPEN = "state IN ('pending', 'claimed')"

StatementRunner: TypeAlias = "Callable[..., Cursor]"
"""Runs a statement with the values of its parameters."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """The differences between the databases."""

    name: str  # the database's name in messages
    driver_error: type[Exception]  # the base class of the driver's exceptions
    begin: str  # starts a transaction that writes
    begin_reading: str  # starts a read-only transaction, which does not wait for those that write
    placeholder: str  # marks a parameter
    lock: str  # locks a selected row until the transaction ends
    skip: str  # skips rows that others have locked
    types: dict[str, str]  # the column types `serial`, `bytes`, `float`, and `text`, which sorts by code points
    before_migration: tuple[str, ...]  # statements that stop other processes from migrating at the same time


class SqlInbox(EventUpdates, Generic[C]):
    """Keeps events in tables named `contentgroove_…`, for any number of threads and processes.

    It is a context manager; `close` closes its idle connections. The constructor connects and migrates the tables.
    """

    def __init__(self, dialect: Dialect, clock: Callable[[], float] = time.time) -> None:
        self._dialect = dialect
        self._clock = clock
        self._connections = ConnectionPool(self._connect, dialect.driver_error)
        self._migrate()

    @abstractmethod
    def _connect(self) -> C:
        """Open a connection in autocommit mode."""

    @abstractmethod
    def _is_in_transaction(self, connection: C) -> bool:
        """Whether a transaction was started and has not ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections. The inbox opens new ones if it is used again."""
        self._connections.close()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event; False if its key is already recorded. When this returns, it is on disk."""
        event = StoredEvent.new(key, body, self._clock(), trace)
        with self._statements() as run:
            return run(f"{_INSERT} ON CONFLICT (key) DO NOTHING", *_values(event, _COLUMNS)).rowcount == 1

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        with self._statements(write=False) as run:
            return run("SELECT 1 FROM contentgroove_events WHERE key = ?", key).fetchone() is not None

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        # Keys sort by code points, so the database can search a range in their index.
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        with self._statements(write=False) as run:
            rows = run("SELECT key FROM contentgroove_events WHERE key >= ? AND key < ?", prefix, after).fetchall()
        return frozenset(key for (key,) in rows)

    def claim(self, lease: float) -> Claim | None:
        """Claim the event that is due for longest, for `lease` seconds; None if no event is due."""
        return self._claim("ORDER BY due, position LIMIT 1", (), lease)

    def claim_key(self, key: str, lease: float) -> Claim | None:
        """Claim the event with this key for `lease` seconds; None if it does not exist or is not due."""
        return self._claim("AND key = ?", (key,), lease)

    def apply(self, claim: Claim, name: str, effect: Callable[[C], object], lease: float) -> bool:
        """Call a handler with the connection, and commit its writes together with its success.

        If the handler raises, nothing is committed. If the claim has expired, returns False without calling it.
        Exceptions of the handler and of the database are raised unchanged: both are failures of the handler.
        """
        with self._transaction(self._dialect.begin) as connection:
            run = partial(self._run, connection)
            event = self._lock_event(run, claim.key)
            if event is None or not event.is_claimed_by(claim):
                return False
            effect(connection)
            if not self._is_in_transaction(connection):
                raise InboxError(f"The handler {name} ended its transaction. Leave commit and rollback to the inbox.")
            _write(run, event.with_progress(self._clock(), lease, event.handled | {name}))
            return True

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        with self._statements(write=False) as run:
            (due,) = run(f"SELECT min(due) FROM contentgroove_events WHERE {_OPEN}").fetchone()  # noqa: S608 - as above
        return None if due is None else max(0.0, due - self._clock())

    def counts(self) -> Mapping[State, int]:
        """Return the number of events in each of the four states."""
        with self._statements(write=False) as run:
            rows = run("SELECT state, count(*) FROM contentgroove_events GROUP BY state").fetchall()
        found = dict(rows)
        return {state: found.get(state, 0) for state in STATES}

    def oldest_pending(self) -> float | None:
        """When the first recorded pending event was recorded, in seconds since 1970; None if none is pending."""
        with self._statements(write=False) as run:
            row = run(
                "SELECT recorded_at FROM contentgroove_events WHERE state = 'pending' ORDER BY position LIMIT 1"
            ).fetchone()
        return None if row is None else float(row[0])

    def overdue(self, seconds: float, limit: int = 1_000) -> list[str]:
        """Return the keys of the events that have been due for at least `seconds` seconds, the longest due first."""
        with self._statements(write=False) as run:
            rows = run(
                f"SELECT key FROM contentgroove_events WHERE {_OPEN} AND due <= ? ORDER BY due, position LIMIT ?",  # noqa: S608 - as above
                self._clock() - seconds,
                limit,
            ).fetchall()
        return [key for (key,) in rows]

    def last_done(self) -> float | None:
        """When an event was last completed, in seconds since 1970; None if none is done."""
        with self._statements(write=False) as run:
            (last,) = run("SELECT max(changed_at) FROM contentgroove_events WHERE state = 'done'").fetchone()
        return None if last is None else float(last)

    def beat(self, pause: float) -> None:
        """Store that a worker lives now, and for how many seconds it pauses; 0 if it does not."""
        with self._statements() as run:
            _set_number(run, "worker_at", self._clock())
            _set_number(run, "worker_pause", pause)

    def last_beat(self) -> tuple[float, float] | None:
        """Return the time of the last `beat`, in seconds since 1970, and its pause; None if there was none."""
        with self._statements(write=False) as run:
            moment = _number(run, "worker_at")
            return (moment, _number(run, "worker_pause")) if moment else None

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        where, values = ("", ()) if state is None else (" WHERE state = ?", (state,))
        with self._statements(write=False) as run:
            rows = run(f"{_SELECT}{where} ORDER BY position DESC LIMIT ?", *values, limit).fetchall()
        return [_event(row) for row in rows]

    def prune(self, older_than: float) -> int:
        """Delete events that were done more than `older_than` seconds ago; returns how many.

        A deleted event is handled again if it is delivered again: keep events longer than the service may repeat them.
        """
        horizon = self._clock() - older_than
        with self._statements() as run:
            deleted = run("DELETE FROM contentgroove_events WHERE state = 'done' AND changed_at < ?", horizon)
            if horizon > _number(run, "pruned_until"):
                _set_number(run, "pruned_until", horizon)
            return deleted.rowcount

    def pruned_until(self) -> float:
        """The time, in seconds since 1970, before which done events may have been deleted; 0 if none were."""
        with self._statements(write=False) as run:
            return _number(run, "pruned_until")

    def _claim(self, which: str, values: tuple[object, ...], lease: float) -> Claim | None:
        with self._statements() as run:
            now = self._clock()
            row = run(f"{_SELECT} WHERE {_OPEN} AND due <= ? {which} {self._dialect.skip}", now, *values).fetchone()
            if row is None:
                return None
            event = _event(row).claimed(now, lease)
            _write(run, event)
            return event.claim()

    def _update(self, key: str, change: Callable[[StoredEvent, float], StoredEvent | None]) -> bool:
        with self._statements() as run:
            event = self._lock_event(run, key)
            changed = event and change(event, self._clock())
            if changed is None:
                return False
            _write(run, changed)
            return True

    def _lock_event(self, run: StatementRunner, key: str) -> StoredEvent | None:
        row = run(f"{_SELECT} WHERE key = ? {self._dialect.lock}", key).fetchone()
        return None if row is None else _event(row)

    def _migrate(self) -> None:
        with self._statements() as run:
            for statement in self._dialect.before_migration:
                run(statement)
            run("CREATE TABLE IF NOT EXISTS contentgroove_numbers (name TEXT PRIMARY KEY, value {float} NOT NULL)")
            version = int(_number(run, "schema_version"))
            if version > len(MIGRATIONS):
                raise InboxError(
                    f"The tables of {self._dialect.name} have schema version {version}, but this release supports at "
                    f"most {len(MIGRATIONS)}: they were created by a newer release. Update contentgroove."
                )
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    run(statement)
            if version < len(MIGRATIONS):
                _set_number(run, "schema_version", len(MIGRATIONS))

    @contextmanager
    def _statements(self, *, write: bool = True) -> Generator[StatementRunner]:
        try:
            with self._transaction(self._dialect.begin if write else self._dialect.begin_reading) as connection:
                yield partial(self._run, connection)
        except self._dialect.driver_error as error:
            raise InboxError(f"The inbox in {self._dialect.name} failed: {type(error).__name__}: {error}") from error

    @contextmanager
    def _transaction(self, begin: str) -> Generator[C]:
        connection = self._connections.begin(begin)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            # Closing rolls back, whatever state the connection is in.
            connection.close()
            raise
        self._connections.release(connection)

    def _run(self, connection: C, statement: str, *values: object) -> Cursor:
        """Run a statement, written once for all databases: with `?` for parameters and types such as `{float}`."""
        for name, column_type in self._dialect.types.items():
            statement = statement.replace(f"{{{name}}}", column_type)
        return connection.execute(statement.replace("?", self._dialect.placeholder), values)


def _values(event: StoredEvent, names: Iterable[str]) -> list[object]:
    return [json.dumps(sorted(event.handled)) if name == "handled" else getattr(event, name) for name in names]


def _event(row: Any) -> StoredEvent:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["handled"] = frozenset(json.loads(values["handled"]))
    return StoredEvent(**values)


def _write(run: StatementRunner, event: StoredEvent) -> None:
    run(_UPDATE, *_values(event, _CHANGING), event.key)


def _number(run: StatementRunner, name: str) -> float:
    row = run("SELECT value FROM contentgroove_numbers WHERE name = ?", name).fetchone()
    return 0.0 if row is None else float(row[0])


def _set_number(run: StatementRunner, name: str, value: float) -> None:
    run(
        "INSERT INTO contentgroove_numbers (name, value) VALUES (?, ?) "
        "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        name,
        value,
    )
