"""The common part of the inboxes in SQL databases: the statements on their tables."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any, Generic

from contentgroove.errors import ConfigurationError

from .inbox import STATES, UNREADABLE, EventUpdates, StoredEvent, is_unreadable
from .migrations import COUNTED, open_tables, read_number, store_number
from .sql_connections import C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from .inbox import Claim, State
    from .sql_database import Database, StatementRunner

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

_CHANGES = ", ".join(f"{name} = ?" for name in _CHANGING)
_UPDATE = f"UPDATE contentgroove_events SET {_CHANGES} WHERE key = ?"  # noqa: S608 - of constants alone
NONE_HANDLED = "[]"
"""The column `handled` of most events, which needs no JSON library."""

_OPEN = "state IN ('pending', 'claimed')"

PRUNED_AT_ONCE = 1_000
"""Events deleted in one transaction, which takes some ten milliseconds: receivers must not wait for long."""


class SqlInbox(EventUpdates, Generic[C]):
    """Keeps events in tables named `contentgroove_…`, for any number of threads and processes.

    It is a context manager; `close` closes its idle connections. The constructor connects, and creates the tables in a
    database that has none.
    """

    def __init__(self, database: Database[C], clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._use_version(open_tables(database))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the idle connections. The inbox opens new ones if it is used again."""
        self._database.close()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event; False if its key is already recorded. When this returns, it is on disk."""
        event = StoredEvent.new(key, body, self._clock(), trace)
        with self._database.statements() as run:
            return self._record(run, event)

    def record_dead(self, key: str, body: bytes, error: str) -> bool:
        """Record a body that cannot be read, as a dead event; False if its key is already recorded."""
        event = StoredEvent.new_dead(key, body, self._clock(), error)
        with self._database.statements() as run:
            return self._record(run, event)

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        with self._database.statements(write=False) as run:
            return run("SELECT 1 FROM contentgroove_events WHERE key = ?", key).fetchone() is not None

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        with self._database.statements(write=False) as run:
            rows = run("SELECT key FROM contentgroove_events WHERE key >= ? AND key < ?", *_range(prefix)).fetchall()
        return frozenset(key for (key,) in rows)

    def claim(self, lease: float) -> Claim | None:
        """Claim the event that is due for longest, for `lease` seconds; None if no event is due."""
        return self._claim(self._from_due, "ORDER BY due, position LIMIT 1", (), lease)

    def claim_key(self, key: str, lease: float) -> Claim | None:
        """Claim the event with this key for `lease` seconds; None if it does not exist or is not due."""
        return self._claim("FROM contentgroove_events", "AND key = ?", (key,), lease)

    def apply(self, claim: Claim, name: str, effect: Callable[[C], object], lease: float) -> bool:
        """Call a handler with the connection, and commit its writes together with its success.

        If the handler raises, nothing is committed. If the claim has expired, returns False without calling it.
        Exceptions of the handler and of the database are raised unchanged: both are failures of the handler.
        """
        # A connection is left to receivers, however many handlers run.
        with self._database.transaction(spare=1) as connection:
            run = partial(self._database.run, connection)
            event = self._lock_event(run, claim.key)
            if event is None or not event.is_claimed_by(claim):
                return False
            effect(connection)
            if not self._database.is_in_transaction(connection):
                # Not an InboxError, which means an outage and counts as no attempt.
                raise ConfigurationError(
                    f"The handler {name} ended its transaction. Leave commit and rollback to the inbox."
                )
            _write(run, event.with_progress(self._clock(), lease, event.handled | {name}))
            return True

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        with self._database.statements(write=False) as run:
            row = run(f"SELECT due {self._from_due} WHERE {_OPEN} ORDER BY due LIMIT 1").fetchone()
        return None if row is None else max(0.0, float(row[0]) - self._clock())

    def counts(self) -> Mapping[State, int]:
        """Return the number of events in each of the four states."""
        with self._database.statements(write=False) as run:
            if self._version >= COUNTED:
                row = run(
                    "SELECT sum(pending), sum(claimed), sum(done), sum(dead) FROM contentgroove_counts"
                ).fetchone()
                return {state: int(count) for state, count in zip(STATES, row, strict=True)}
            found = dict(run("SELECT state, count(*) FROM contentgroove_events GROUP BY state").fetchall())
            return {state: found.get(state, 0) for state in STATES}

    def oldest_pending(self) -> float | None:
        """When the first recorded pending event was recorded, in seconds since 1970; None if none is pending."""
        with self._database.statements(write=False) as run:
            row = run(
                f"SELECT recorded_at {self._from_state} WHERE state = 'pending' ORDER BY position LIMIT 1"
            ).fetchone()
        return None if row is None else float(row[0])

    def overdue(self, seconds: float, limit: int = 1_000) -> list[str]:
        """Return the keys of the events that have been due for at least `seconds` seconds, the longest due first."""
        with self._database.statements(write=False) as run:
            rows = run(
                f"SELECT key {self._from_due} WHERE {_OPEN} AND due <= ? ORDER BY due, position LIMIT ?",
                self._clock() - seconds,
                limit,
            ).fetchall()
        return [key for (key,) in rows]

    def last_done(self) -> float | None:
        """When an event was last completed, in seconds since 1970; None if none is done."""
        with self._database.statements(write=False) as run:
            row = run(
                f"SELECT changed_at {self._from_done} WHERE state = 'done' ORDER BY changed_at DESC LIMIT 1"
            ).fetchone()
        return None if row is None else float(row[0])

    def beat(self, pause: float) -> None:
        """Store that a worker lives now, and for how many seconds it pauses; 0 if it does not."""
        with self._database.statements() as run:
            store_number(run, "worker_at", self._clock())
            store_number(run, "worker_pause", pause)

    def last_beat(self) -> tuple[float, float] | None:
        """Return the time of the last `beat`, in seconds since 1970, and its pause; None if there was none."""
        with self._database.statements(write=False) as run:
            moment = read_number(run, "worker_at")
            return (moment, read_number(run, "worker_pause")) if moment else None

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        source = "FROM contentgroove_events" if state is None else f"{self._from_state} WHERE state = ?"
        values = () if state is None else (state,)
        with self._database.statements(write=False) as run:
            rows = run(f"SELECT {self._names} {source} ORDER BY position DESC LIMIT ?", *values, limit).fetchall()
        return [_event(self._columns, row) for row in rows]

    def prune(self, older_than: float) -> int:
        """Delete events that were done, and bodies that are unreadable, since more than `older_than` seconds.

        Returns how many. A deleted event is handled again if it is delivered again: keep events longer than the
        service may repeat them.
        They are deleted in small transactions, between which others write. The database reuses the space; its file
        shrinks only with VACUUM.
        """
        horizon = self._clock() - older_than
        with self._database.statements() as run:
            # Before the first is deleted, so that reconciliation records none of them again after a crash.
            if horizon > read_number(run, "pruned_until"):
                store_number(run, "pruned_until", horizon)
        total = self._prune_unreadable(horizon)
        while True:
            started = time.monotonic()
            deleted = self._prune_some(horizon)
            total += deleted
            if deleted < PRUNED_AT_ONCE:
                return total
            # SQLite does not queue writers: without a pause of this length, this one would win each time.
            time.sleep(time.monotonic() - started)

    def pruned_until(self) -> float:
        """The time, in seconds since 1970, before which done events may have been deleted; 0 if none were."""
        with self._database.statements(write=False) as run:
            return read_number(run, "pruned_until")

    def _use_version(self, version: int) -> None:
        self._version = version
        # Tables of earlier releases lack the last column; they work until they are migrated.
        self._columns = _COLUMNS if version >= COUNTED else _COLUMNS[:-1]
        names = ", ".join(self._columns)
        marks = ", ".join("?" * len(self._columns))
        self._from_due = self._from("contentgroove_events_due")
        self._from_done = self._from("contentgroove_events_done")
        self._from_state = self._from("contentgroove_events_state")
        self._names = names
        small = tuple(name for name in self._columns if name != "body")
        self._small_columns = (*small, "body")
        self._lock = f"SELECT {', '.join(small)} FROM contentgroove_events WHERE key = ? {self._database.dialect.lock}"  # noqa: S608 - as above
        self._insert = f"INSERT INTO contentgroove_events ({names}) VALUES ({marks}) ON CONFLICT (key) DO NOTHING"  # noqa: S608 - as above

    def _from(self, index: str) -> str:
        """Return the FROM clause of a query that must use an index, which tables of earlier releases lack."""
        hint = self._database.dialect.by_index.format(index=index) if self._version >= COUNTED else ""
        return f"FROM contentgroove_events {hint}"

    def _record(self, run: StatementRunner, event: StoredEvent) -> bool:
        return run(self._insert, *_values(event, self._columns)).rowcount == 1

    def _claim(self, source: str, which: str, values: tuple[object, ...], lease: float) -> Claim | None:
        with self._database.statements() as run:
            now = self._clock()
            skip = self._database.dialect.skip
            query = f"SELECT {self._names} {source} WHERE {_OPEN} AND due <= ? {which} {skip}"
            row = run(query, now, *values).fetchone()
            if row is None:
                return None
            event = _event(self._columns, row).claimed(now, lease)
            _write(run, event)
            return event.claim()

    def _update(self, key: str, change: Callable[[StoredEvent, float], StoredEvent | None]) -> bool:
        with self._database.statements() as run:
            event = self._lock_event(run, key)
            changed = event and change(event, self._clock())
            if changed is None:
                return False
            _write(run, changed)
            return True

    def _lock_event(self, run: StatementRunner, key: str) -> StoredEvent | None:
        """Return an event to be changed, without its body: that never changes, and may have megabytes."""
        row = run(self._lock, key).fetchone()
        return None if row is None else _event(self._small_columns, (*row, b""))

    def _prune_some(self, horizon: float) -> int:
        done = f"SELECT position {self._from_done} WHERE state = 'done' AND changed_at < ? ORDER BY changed_at"
        with self._database.statements() as run:
            return run(
                f"DELETE FROM contentgroove_events WHERE position IN (WITH old AS ({done} LIMIT ? "  # noqa: S608 - as above
                f"{self._database.dialect.skip}) SELECT position FROM old)",
                horizon,
                PRUNED_AT_ONCE,
            ).rowcount

    def _prune_unreadable(self, horizon: float) -> int:
        condition = "key >= ? AND key < ? AND state = 'dead' AND changed_at < ?"
        with self._database.statements() as run:
            rows = run(
                f"SELECT key FROM contentgroove_events WHERE {condition}",  # noqa: S608 - as above
                *_range(UNREADABLE),
                horizon,
            ).fetchall()
            old = [key for (key,) in rows if is_unreadable(key)]
            for key in old:
                run("DELETE FROM contentgroove_events WHERE key = ?", key)
        return len(old)


def _range(prefix: str) -> tuple[str, str]:
    """Return the first key with a prefix and the first after them: they sort by code points, so an index has them."""
    return prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _event(columns: tuple[str, ...], row: Iterable[Any]) -> StoredEvent:
    values = dict(zip(columns, row, strict=True))
    handled = values["handled"]
    values["handled"] = frozenset(() if handled == NONE_HANDLED else json.loads(handled))
    return StoredEvent(**values)


def _values(event: StoredEvent, names: Iterable[str]) -> list[object]:
    handled = json.dumps(sorted(event.handled)) if event.handled else NONE_HANDLED
    return [handled if name == "handled" else getattr(event, name) for name in names]


def _write(run: StatementRunner, event: StoredEvent) -> None:
    run(_UPDATE, *_values(event, _CHANGING), event.key)
