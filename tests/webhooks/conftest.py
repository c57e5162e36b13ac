"""Inboxes of every kind, with a clock that tests set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import anyio
import psycopg
import pytest
from contentgroove.webhooks import MemoryInbox, PostgresInbox, SQLiteInbox

from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from contentgroove.webhooks import Inbox, Migration, WebhookReceiver


POSTGRES = pytest.param("postgres", marks=pytest.mark.process)


@dataclass
class Clock:
    """Time in seconds since 1970 that moves by assignment."""

    now: float = 1_780_000_000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@dataclass
class Store:
    """Where inboxes keep their events.

    Attributes:
        kind: `memory`, `sqlite` or `postgres`.
        location: The file or the conninfo; empty for memory.
        clock: The inboxes' time.
    """

    kind: str
    location: str
    clock: Clock

    def open(self) -> Any:
        """Open an inbox; a second one in a database sees the events of the first."""
        if self.kind == "sqlite":
            return SQLiteInbox(self.location, clock=self.clock)
        if self.kind == "postgres":
            return PostgresInbox(self.location, clock=self.clock)
        return MemoryInbox(clock=self.clock)

    def migrate(self, *, dry_run: bool = False) -> Migration:
        """Bring the tables of a database to the newest version."""
        kind = SQLiteInbox if self.kind == "sqlite" else PostgresInbox
        return kind.migrate(self.location, dry_run=dry_run)

    def connect(self) -> Any:
        """Open the test's own connection."""
        import sqlite3

        if self.kind == "sqlite":
            return sqlite3.connect(self.location, isolation_level=None)
        return psycopg.connect(self.location, autocommit=True)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def postgres() -> Generator[str]:
    """A real server, started when the first test needs it."""
    with postgres_server() as conninfo:
        yield conninfo


@pytest.fixture
def make_store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Callable[[str], Store]]:
    """Make an empty store of a kind."""
    servers: list[str] = []

    def make(kind: str) -> Store:
        if kind == "sqlite":
            return Store(kind, str(tmp_path / "events.db"), clock)
        if kind == "postgres":
            server: str = request.getfixturevalue("postgres")
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute("CREATE SCHEMA events")
            servers.append(server)
            return Store(kind, f"{server} options='-c search_path=events'", clock)
        return Store(kind, "", clock)

    yield make
    for server in servers:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP SCHEMA events CASCADE")


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
def store(request: pytest.FixtureRequest, make_store: Callable[[str], Store]) -> Store:
    """An empty store of every kind."""
    return make_store(request.param)


@pytest.fixture(params=["sqlite", POSTGRES])
def database(request: pytest.FixtureRequest, make_store: Callable[[str], Store]) -> Store:
    """An empty store that outlives a process."""
    return make_store(request.param)


@pytest.fixture
def inbox(store: Store) -> Iterator[Inbox]:
    """An inbox of every kind."""
    yield from _opened(store)


@pytest.fixture
def transactional(database: Store) -> Iterator[Any]:
    """An inbox of every kind that has transactions, with a table `effects` for handlers to write to."""
    with database.connect() as connection:
        connection.execute("CREATE TABLE effects (text TEXT)")
    connection.close()
    yield from _opened(database)


@pytest.fixture(params=["sync", "async"])
def process(request: pytest.FixtureRequest) -> Callable[[WebhookReceiver], int]:
    """Process pending events in both ways."""
    if request.param == "sync":
        return lambda receiver: receiver.process_pending()
    return lambda receiver: anyio.run(receiver.aprocess_pending)


def _opened(store: Store) -> Iterator[Any]:
    inbox = store.open()
    yield inbox
    if store.kind != "memory":
        inbox.close()
