"""The parts that SQLite and PostgreSQL do not share: files, connections, passwords, restarts and forks."""

from __future__ import annotations

import gc
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove.webhooks import HandlerError, InboxError, PostgresInbox, SQLiteInbox, WebhookReceiver, sqlite_file
from contentgroove.webhooks.sql_connections import ConnectionPool

from tests.platforms import FORK, RIGHTS
from tests.shown import shown_by

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.webhooks.conftest import Store


@pytest.fixture
def sqlite_store(make_store: Callable[[str], Store]) -> Store:
    return make_store("sqlite")


@pytest.fixture
def postgres_store(make_store: Callable[[str], Store]) -> Store:
    return make_store("postgres")


@pytest.mark.parametrize("path", ["", ":memory:", "file:events.db?mode=memory", "nowhere/events.db"])
def test_a_path_that_is_not_a_file_is_refused(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInputError):
        SQLiteInbox(path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_a_database_is_left_alone(tmp_path: Path) -> None:
    """The error names the file or folder, and it is not changed."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database, and long enough to look like the head of one" * 10, encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(InboxError, match=r"notes\.txt.*not a database"):
        SQLiteInbox(file)
    assert file.read_bytes() == before
    with pytest.raises(InboxError, match=str(tmp_path)):
        SQLiteInbox(tmp_path)


@RIGHTS
def test_only_the_owner_can_read_a_new_file(tmp_path: Path) -> None:
    """Payloads contain signed URLs; an application that needs other permissions creates the file first."""
    with SQLiteInbox(tmp_path / "events.db") as inbox:
        inbox.record("a", b"")
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shared = tmp_path / "shared.db"
    shared.touch()
    shared.chmod(0o660)
    SQLiteInbox(shared).close()
    assert stat.S_IMODE(shared.stat().st_mode) == 0o660


def test_commits_are_synced_to_the_disk(tmp_path: Path, sqlite_store: Store) -> None:
    """In WAL mode, in which others can read at the same time."""
    with sqlite_store.open() as inbox:
        inbox.record("a", b"")
        seen: dict[str, Any] = {}

        def read_pragmas(connection: sqlite3.Connection) -> None:
            for pragma in ("journal_mode", "synchronous", "fullfsync", "checkpoint_fullfsync"):
                seen[pragma] = connection.execute(f"PRAGMA {pragma}").fetchone()[0]

        inbox.apply(inbox.claim(60), "h", read_pragmas, 60)
    # The latter two are for macOS, where a plain sync leaves the data in the drive's cache.
    assert seen == {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "checkpoint_fullfsync": 1}
    assert (tmp_path / "events.db").exists()


def test_only_recording_does_not_wait_for_a_locked_file(tmp_path: Path) -> None:
    """All other writes fail after the timeout."""
    with SQLiteInbox(tmp_path / "events.db", busy_timeout=0.01) as inbox:
        other = sqlite3.connect(tmp_path / "events.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert inbox.record("a", b"")
        with pytest.raises(InboxError, match="locked"):
            inbox.claim(60)
        assert [event.key for event in inbox.events()] == ["a"], "reading needs no lock"
        other.execute("ROLLBACK")
        other.close()
        assert inbox.claim(60)


def test_inboxes_that_are_created_at_once_agree(tmp_path: Path) -> None:
    """Many workers of a server start together, on a file that does not exist yet."""
    for attempt in range(5):
        path = tmp_path / f"{attempt}.db"

        def make(number: int, path: Path = path) -> bool:
            with SQLiteInbox(path) as inbox:
                return inbox.record(f"{number % 2}", b"")

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(make, range(8))) == 2


@pytest.mark.parametrize(("times", "opens"), [(3, True), (10**9, False)])
def test_a_file_that_is_being_switched_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, times: int, opens: bool
) -> None:
    """SQLite fails at once if another connection switches the file: that is retried until the timeout."""
    refusals = 0

    class Refusing(sqlite_file.FileConnection):
        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            nonlocal refusals
            if "journal_mode" in sql and refusals < times:
                refusals += 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
                raise error
            return super().execute(sql, parameters)

    monkeypatch.setattr(sqlite_file, "FileConnection", Refusing)
    busy_timeout = 20.0 if opens else 0.02
    if opens:
        with SQLiteInbox(tmp_path / "events.db", busy_timeout=busy_timeout) as inbox:
            assert inbox.record("k", b"")
        assert refusals == times
        return
    with pytest.raises(InboxError, match="locked"):
        SQLiteInbox(tmp_path / "events.db", busy_timeout=busy_timeout).record("k", b"")


@pytest.mark.process
def test_postgres_inboxes_that_are_created_at_once_agree(postgres_store: Store) -> None:
    """Tables are created once."""

    def make(number: int) -> bool:
        with postgres_store.open() as inbox:
            made: bool = inbox.record(f"{number % 2}", b"")
            return made

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(make, range(8))) == 2


@pytest.mark.process
def test_keys_are_ordered_by_code_points(postgres_store: Store) -> None:
    """Whatever the server's locale, in whose order a range of keys would not have one prefix."""
    with postgres_store.open(), psycopg.connect(postgres_store.location) as connection:
        columns = connection.execute(
            "SELECT collation_name FROM information_schema.columns "
            "WHERE table_name = 'contentgroove_events' AND column_name = 'key'"
        ).fetchall()
    assert columns == [("C",)]


@pytest.mark.process
def test_a_connection_that_broke_while_idle_is_replaced(postgres_store: Store) -> None:
    """A restart of the server loses no event."""
    with PostgresInbox(f"{postgres_store.location} application_name=restarted") as inbox:
        inbox.record("a", b"")
        with psycopg.connect(postgres_store.location, autocommit=True) as other:
            killed = other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'restarted'"
            ).fetchall()
        assert killed == [(True,)]
        assert inbox.record("b", b"")
        assert [event.key for event in inbox.events()] == ["b", "a"]


def test_a_handler_that_ends_the_transaction_has_failed(transactional: Any) -> None:
    """Exactly once would no longer hold, and the error says so."""
    transactional.record("a", b"")
    claim = transactional.claim(60)
    with pytest.raises(ConfigurationError, match="handler h ended its transaction"):
        transactional.apply(claim, "h", lambda connection: connection.execute("COMMIT"), 60)
    assert transactional.events()[0].handled == frozenset()


def test_a_handler_that_ends_the_transaction_is_no_outage(transactional: Any) -> None:
    """Each event counts its attempt, and the others are not kept waiting."""
    receiver = WebhookReceiver(transactional)
    receiver.on("*", name="h", transaction=True)(lambda _, connection: connection.execute("COMMIT"))
    for number in range(5):
        assert receiver.receive(b'{"event": "ping %d"}' % number).status_code == 200
    with pytest.raises(HandlerError, match=r"Leave commit and rollback to the inbox\. Their events stay"):
        receiver.process_pending()
    assert [event.attempts for event in transactional.events()] == [1] * 5
    assert receiver.status().paused == 0


def test_an_unreachable_server_is_an_inbox_error() -> None:
    """With the message of the driver."""
    with pytest.raises(InboxError, match="PostgreSQL failed: OperationalError"):
        PostgresInbox("host=/nowhere dbname=x")


def test_passwords_are_not_shown() -> None:
    """Neither by an inbox, nor by the error for an invalid conninfo."""
    with pytest.raises(ConfigurationError) as caught:
        PostgresInbox("host=a canary-password")
    assert "canary" not in shown_by(caught.value)
    with pytest.raises(InboxError) as failed:
        PostgresInbox("host=/nowhere dbname=x password=canary-password")
    assert "canary" not in shown_by(failed.value)


@pytest.mark.process
def test_reprs_contain_no_secrets(sqlite_store: Store, postgres_store: Store) -> None:
    """The file, but no connection parameters."""
    with sqlite_store.open() as sqlite_inbox, postgres_store.open() as postgres_inbox:
        assert repr(sqlite_inbox) == f"SQLiteInbox({sqlite_store.location!r})"
        assert repr(postgres_inbox) == "PostgresInbox(…)"


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of an ImportError."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"contentgroove\[postgres\]"):
        PostgresInbox("")


@FORK
@pytest.mark.process
def test_a_forked_process_uses_its_own_connections(database: Store) -> None:
    """Some servers load an app and then fork; both processes continue."""
    program = f"""
import os, sys
from contentgroove.webhooks import PostgresInbox, SQLiteInbox
inbox = {"SQLiteInbox" if database.kind == "sqlite" else "PostgresInbox"}({database.location!r})
inbox.record("before", b"")
child = os.fork()
if child == 0:
    inbox.record("child", b"")
    inbox.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
inbox.record("parent", b"")
print(*(event.key for event in inbox.events()))
inbox.close()
"""
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("parent child before\n", "")


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("parse_event", ("httpx", "anyio", "asyncio", "sqlite3", "psycopg", "threading", "json")),
        ("WebhookReceiver, MemoryInbox", ("httpx", "anyio", "sqlite3", "psycopg")),
        ("SQLiteInbox", ("httpx", "anyio", "psycopg")),
        ("PostgresInbox", ("httpx", "anyio", "sqlite3", "psycopg")),
    ],
)
def test_names_load_only_what_they_need(name: str, absent: tuple[str, ...]) -> None:
    """A function that only parses webhooks starts fast; msgspec 0.19 itself loads json."""
    program = f"""
import sys, msgspec
before = set(sys.modules)
from contentgroove.webhooks import {name}
print(*sorted({set(absent)!r} & (set(sys.modules) - before)))
"""
    done = subprocess.run(  # noqa: S603 - the program above
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert done.stdout == "\n"


class Fake:
    """A connection that records whether it was closed."""

    closed = False

    def execute(self, *_: Any) -> Any:
        """Accept any statement."""

    def close(self) -> None:
        """Record it."""
        self.closed = True


def opened(connections: ConnectionPool[Fake]) -> Fake:
    assert connections.borrow(0) is None, "it has none to lend"
    return Fake()


def test_connections_are_closed_when_their_inbox_is_collected() -> None:
    """Databases warn about connections that are left open, but applications need not close an inbox."""
    connections: ConnectionPool[Fake] = ConnectionPool()
    kept = opened(connections)
    connections.give_back(kept)
    del connections
    gc.collect()
    assert kept.closed


def test_a_forked_process_leaves_its_parents_connections_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Using, closing or collecting one would end the parent's session with the server."""
    connections: ConnectionPool[Fake] = ConnectionPool()
    of_parent = opened(connections)
    connections.give_back(of_parent)
    assert connections.borrow(0) is of_parent
    connections.give_back(of_parent)
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    of_child = opened(connections)
    connections.give_back(of_child)
    assert connections.take_idle() == [of_child]
    last = opened(connections)
    connections.give_back(last)
    del connections
    gc.collect()
    assert (of_parent.closed, last.closed) == (False, True)
