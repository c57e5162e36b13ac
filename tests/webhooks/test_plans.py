"""How databases run the statements of an inbox with many events: by an index, without reading all of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.webhooks.sql_database import Database

from benchmarks.inboxes import Store as Filled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.webhooks.conftest import Clock, Store

EVENTS = 14_000
LEASE = 60.0
DAY = 86_400.0

Statements = dict[str, list[tuple[str, tuple[object, ...]]]]


@pytest.fixture
def statements(database: Store, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Statements:
    """Each method of an inbox with its statements, run beside events of every state, most of them not due."""
    seen: list[tuple[str, tuple[object, ...]]] = []
    run = Database.run

    def noted(self: Any, connection: Any, statement: str, *values: object) -> Any:
        spelled = self.spell(statement).replace("?", self.dialect.placeholder)
        seen.append((spelled, values))
        return run(self, connection, statement, *values)

    with database.open() as inbox:
        connection = database.connect()
        filled = Filled(database.kind, inbox, connection)
        filled.fill("pending", 4_000, clock.now + DAY)
        filled.fill("claimed", 1_000, clock.now + DAY)
        filled.fill("done", 8_000, clock.now - DAY)
        filled.fill("dead", 1_000, clock.now)
        connection.close()
        for key in ("a", "b", "c"):
            inbox.record(key, b"")
        calls: dict[str, Callable[[], object]] = {
            "record": lambda: inbox.record("d", b""),
            "has": lambda: inbox.has("a"),
            "keys_with_prefix": lambda: inbox.keys_with_prefix("a"),
            "claim": lambda: inbox.claim(LEASE),
            "claim_key": lambda: inbox.claim_key("b", LEASE),
            "done": lambda: inbox.done(inbox.claim(LEASE)),
            "next_due": inbox.next_due,
            "overdue": lambda: inbox.overdue(1),
            "counts": inbox.counts,
            "oldest_pending": inbox.oldest_pending,
            "last_done": inbox.last_done,
            "events": lambda: inbox.events(limit=10),
            "events of a state": lambda: inbox.events("dead", limit=10),
            "replay": lambda: inbox.replay("done-000000001"),
            "prune": lambda: inbox.prune(DAY),
        }
        found: Statements = {}
        monkeypatch.setattr(Database, "run", noted)
        for name, call in calls.items():
            seen.clear()
            assert call() is not False, name
            found[name] = list(seen)
        monkeypatch.undo()
    return found


def test_no_statement_reads_all_events(statements: Statements, database: Store) -> None:
    """With 14,000 events, most of which no statement wants: each reads few more than it returns."""
    with closing(database.connect()) as connection:
        for name, executed in statements.items():
            assert executed, name
            for statement, values in executed:
                connection.execute("BEGIN")
                work = _steps if database.kind == "sqlite" else _rows_read
                assert work(connection, statement, values) < EVENTS / 2, (name, statement)
                connection.execute("ROLLBACK")


def _steps(connection: Any, statement: str, values: tuple[object, ...]) -> int:
    """Return the number of instructions that SQLite executes: a few for each row that it reads."""
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    connection.set_progress_handler(step, 1)
    connection.execute(statement, values).fetchall()
    connection.set_progress_handler(None, 0)
    return count


def _rows_read(connection: Any, statement: str, values: tuple[object, ...]) -> float:
    """Return the number of rows that PostgreSQL reads."""
    (plan,) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", values or None).fetchone()
    return _rows(plan[0]["Plan"])


def _rows(plan: dict[str, Any]) -> float:
    own: float = plan["Actual Loops"] * (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0))
    return own + sum(_rows(child) for child in plan.get("Plans", ()))
