"""Inboxes with many events: the time of each operation, and its ratio to that with a thousand events.

`python -m benchmarks.inboxes [--events 1000,100000,1000000] [--stores sqlite,postgres]`. The events are written by one
SQL statement; the measured operations are those of receivers and workers. Each time is a median. PostgreSQL runs on
this machine, without syncs to its disk.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from contentgroove.webhooks import PostgresInbox, SQLiteInbox

from benchmarks.figures import Figure, keep
from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    Inbox = SQLiteInbox | PostgresInbox

ROUNDS = 5
RUNS = 60
LEASE = 60.0
BODY = 500
"""Bytes of each event; larger ones would only make the files larger."""

STEP = 0.001
"""Seconds between the times of two events."""

PRUNED = 190
DAY = 86_400.0
GOAL = 2.0
"""The largest ratio of a time to that with a thousand events."""

FILL = {
    "sqlite": """WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
        INSERT INTO contentgroove_events
            (key, body, state, due, claims, attempts, handled, error, recorded_at, changed_at)
        SELECT printf('%s-%09d', '{state}', n), zeroblob({body}), '{state}', {due} + n * {step}, 0, 0, '[]', '', {due},
            {due} + n * {step} FROM numbers""",
    "postgres": """INSERT INTO contentgroove_events
            (key, body, state, due, claims, attempts, handled, error, recorded_at, changed_at)
        SELECT '{state}-' || lpad(n::text, 9, '0'), convert_to(repeat('x', {body}), 'UTF8'), '{state}',
            {due} + n * {step}, 0, 0, '[]', '', {due},
            {due} + n * {step} FROM generate_series(1, {count}) AS n""",
}


class Store:
    """A database with many events, its inbox and another connection to it."""

    def __init__(self, kind: str, inbox: Inbox, connection: Any) -> None:
        self.kind = kind
        self.inbox = inbox
        self._connection = connection

    def fill(self, state: str, count: int, due: float) -> None:
        """Write events, and let the database take its statistics, as it does itself after a while."""
        self._connection.execute(FILL[self.kind].format(count=count, state=state, due=due, body=BODY, step=STEP))
        self._connection.execute("VACUUM ANALYZE" if self.kind == "postgres" else "PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def opened(kind: str, server: str, folder: Path) -> Generator[Store]:
    """Open a store without events."""
    if kind == "sqlite":
        path = folder / "events.db"
        with SQLiteInbox(path) as inbox, closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield Store(kind, inbox, connection)
        return
    with closing(psycopg.connect(server, autocommit=True)) as admin:
        admin.execute("CREATE SCHEMA filled")
        try:
            conninfo = f"{server} options='-c search_path=filled'"
            with (
                PostgresInbox(conninfo, statement_timeout=600) as inbox,
                closing(psycopg.connect(conninfo, autocommit=True)) as connection,
            ):
                yield Store(kind, inbox, connection)
        finally:
            admin.execute("DROP SCHEMA filled CASCADE")


def median(call: Callable[[], object]) -> float:
    """Return the median time of a call in seconds, in the fastest of some rounds: machines have slow moments."""
    rounds: list[float] = []
    for _ in range(ROUNDS):
        times: list[float] = []
        for _ in range(RUNS):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        rounds.append(statistics.median(times))
    return min(rounds)


def measure(store: Store, count: int) -> dict[str, float]:
    """Return the time of each operation in seconds, first beside pending, then beside done events."""
    inbox, numbers = store.inbox, itertools.count()
    now = time.time()
    store.fill("pending", count, now - DAY)
    claims: list[Any] = []
    times = {
        "receive": median(lambda: inbox.record(f"new-{next(numbers)}", bytes(BODY))),
        "claim": median(lambda: claims.append(inbox.claim(LEASE))),
        "finish": median(lambda: inbox.done(claims.pop())),
        "status": median(lambda: (inbox.counts(), inbox.oldest_pending(), inbox.next_due())),
        "last 100 dead": median(lambda: inbox.events("dead")),
    }
    old = now - 3 * DAY
    store.fill("done", count, old)
    store.fill("dead", min(count, 100_000), now)
    times["receive, beside done"] = median(lambda: inbox.record(f"new-{next(numbers)}", bytes(BODY)))
    times["status, beside done"] = median(lambda: (inbox.counts(), inbox.oldest_pending(), inbox.next_due()))
    purges: list[float] = []
    for number in range(1, ROUNDS + 1):
        start = time.perf_counter()
        # The others stay, however many they are.
        deleted = inbox.prune(time.time() - (old + number * PRUNED * STEP))
        purges.append((time.perf_counter() - start) / deleted)
    times["purge, each event"] = min(purges)
    return times


def report(kind: str, counts: list[int], found: list[dict[str, float]]) -> None:
    """Print the times, and their ratios to the first."""
    heads = "".join(f"{count:>12,}" for count in counts)
    print(f"\n{kind:24}{heads}   ratio of the last to the first (goal <= {GOAL:g})")
    for name in found[0]:
        cells = "".join(f"{times[name] * 1e6:9.0f} µs" for times in found)
        ratio = found[-1][name] / found[0][name]
        print(f"{name:24}{cells}   {ratio:5.2f}")
        detail = f"beside {counts[-1]:,} events, and beside {counts[0]:,}"
        keep(Figure(f"Inboxes: {kind}", name, ratio, f"<= {GOAL:g}", detail=detail))


def main() -> None:
    """Measure each store with each number of events."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", default="1000,100000,1000000", help="numbers of events")
    parser.add_argument("--stores", default="sqlite,postgres")
    arguments = parser.parse_args()
    counts = [int(count) for count in arguments.events.split(",")]
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, psycopg {psycopg.__version__}")
    with postgres_server() as server:
        for kind in arguments.stores.split(","):
            found: list[dict[str, float]] = []
            for count in counts:
                with tempfile.TemporaryDirectory() as folder, opened(kind, server, Path(folder)) as store:
                    found.append(measure(store, count))
            report(kind, counts, found)


if __name__ == "__main__":
    main()
