"""The tables' versions: what a start does with old, new and missing tables, and `migrate`, which alone changes them."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import InvalidInputError
from contentgroove.webhooks import InboxError, PostgresInbox, SQLiteInbox, migrations, postgres

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.webhooks.conftest import Clock, Store

LEASE = 60.0
STORED = Path(__file__).with_name("stored_inbox.sql")


@pytest.fixture
def first_version(database: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Tables of version 1 with an event in each state."""
    with monkeypatch.context() as patched:
        patched.setattr(migrations.INBOX, "migrations", migrations.MIGRATIONS[:1])
        with database.open() as inbox:
            for key in ("done", "dead", "claimed", "pending"):
                inbox.record(key, key.encode())
            inbox.done(inbox.claim(LEASE))
            inbox.release(inbox.claim(LEASE), delay=None, error="no", handled=frozenset())
            inbox.claim(LEASE)
    return database


def tables(store: Store) -> list[Any]:
    query = (
        "SELECT name, sql FROM sqlite_master ORDER BY name"
        if store.kind == "sqlite"
        else "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
        "WHERE c.relname LIKE 'contentgroove%' ORDER BY 1, 2"
    )
    with closing(store.connect()) as connection:
        found: list[Any] = connection.execute(query).fetchall()
    return found


def test_an_older_inbox_works_until_it_is_migrated(
    first_version: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """A start changes nothing, and a warning names the command; a process that was started before can continue."""
    before = tables(first_version)
    with first_version.open() as inbox:
        assert "contentgroove webhooks migrate --inbox" in caplog.text
        assert tables(first_version) == before
        for migrated in (False, True):
            if migrated:
                assert first_version.migrate().from_version == 1
                assert tables(first_version) != before
            key = f"new-{migrated}"
            clock.now += 1
            assert inbox.record(key, b"", trace="t")
            assert not inbox.record("dead", b"")
            assert inbox.claim_key(key, LEASE).trace is None
            counts = inbox.counts()
            assert counts == {"pending": 1, "claimed": 2 + migrated, "done": 1, "dead": 1}
            assert [event.key for event in inbox.events("dead")] == ["dead"]
        assert inbox.replay("done")
        with first_version.open() as other:
            assert other.counts() == inbox.counts() == {"pending": 2, "claimed": 3, "done": 0, "dead": 1}


def test_a_migration_keeps_and_counts_the_events(first_version: Store, database: Store) -> None:
    """A second one does nothing."""
    with first_version.open() as inbox:
        before = inbox.events()
    first_version.migrate()
    after = tables(first_version)
    again = first_version.migrate()
    assert (again.from_version, again.statements, again.executed) == (2, (), True)
    assert tables(first_version) == after
    with database.open() as inbox:
        assert inbox.events() == before
        assert inbox.counts() == {"pending": 1, "claimed": 1, "done": 1, "dead": 1}
        assert inbox.prune(older_than=-1) == 1
        assert inbox.counts() == {"pending": 1, "claimed": 1, "done": 0, "dead": 1}


def test_a_dry_run_prints_a_script_that_others_can_run(first_version: Store) -> None:
    """An administrator whose role may change tables runs it by other means."""
    before = tables(first_version)
    planned = first_version.migrate(dry_run=True)
    assert (planned.from_version, planned.to_version, planned.executed) == (1, 2, False)
    assert tables(first_version) == before
    with closing(first_version.connect()) as connection:
        if first_version.kind == "sqlite":
            connection.executescript(planned.script)
        else:
            connection.execute(planned.script)
    assert first_version.migrate(dry_run=True).statements == ()
    with first_version.open() as inbox:
        assert inbox.counts() == {"pending": 1, "claimed": 1, "done": 1, "dead": 1}


def test_a_failed_migration_changes_nothing(first_version: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """All statements are in one transaction."""
    before = tables(first_version)
    broken = (*migrations.MIGRATIONS[:1], (*migrations.MIGRATIONS[1], "CREATE TABLE contentgroove_events (x TEXT)"))
    monkeypatch.setattr(migrations.INBOX, "migrations", broken)
    with pytest.raises(InboxError, match="already exists"):
        first_version.migrate()
    assert tables(first_version) == before


def test_tables_of_a_newer_release_are_not_migrated(database: Store) -> None:
    """Neither by a dry run."""
    database.open().close()
    with closing(database.connect()) as connection:
        connection.execute("UPDATE contentgroove_numbers SET value = 99 WHERE name = 'schema_version'")
    for dry_run in (True, False):
        with pytest.raises(InboxError, match=r"version 99.*Update contentgroove"):
            database.migrate(dry_run=dry_run)


def test_the_stored_sample_is_read_before_and_after_a_migration(tmp_path: Path, clock: Clock) -> None:
    """It was written by the first inboxes."""
    path = tmp_path / "stored.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(STORED.read_text(encoding="utf-8"))
    with SQLiteInbox(path, clock=clock) as inbox:
        before, counts = inbox.events(), inbox.counts()
    assert counts == {"pending": 4, "claimed": 2, "done": 1, "dead": 1}
    SQLiteInbox.migrate(path)
    with SQLiteInbox(path, clock=clock) as inbox:
        assert (inbox.events(), inbox.counts()) == (before, counts)


def test_only_an_existing_file_is_migrated(tmp_path: Path) -> None:
    """Nothing is created."""
    with pytest.raises(InboxError, match="deleted or moved"):
        SQLiteInbox.migrate(tmp_path / "nowhere.db")
    with pytest.raises(InvalidInputError):
        SQLiteInbox.migrate(":memory:")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def role(make_store: Callable[[str], Store]) -> Iterator[tuple[Store, str]]:
    """A store in PostgreSQL, and the conninfo of a role that may not create tables in it."""
    store = make_store("postgres")
    with closing(store.connect()) as connection:
        connection.execute("CREATE ROLE app LOGIN")
        connection.execute("GRANT USAGE ON SCHEMA events TO app")
        yield store, store.location.replace("user=postgres", "user=app")
        connection.execute("DROP OWNED BY app")
        connection.execute("DROP ROLE app")


@pytest.mark.process
def test_a_role_that_may_not_create_tables_works_after_a_migration(role: tuple[Store, str], clock: Clock) -> None:
    """Before it, the error names the command and the rights to grant; these suffice for every method."""
    store, conninfo = role
    with pytest.raises(InboxError, match=r"may not create them.*contentgroove webhooks migrate.*grant this one SELECT"):
        PostgresInbox(conninfo)
    with pytest.raises(InboxError, match="to change or create tables, their owner or a role that may create them"):
        PostgresInbox.migrate(conninfo)
    assert (store.migrate().from_version, store.migrate().from_version) == (0, 2)
    with pytest.raises(InboxError, match=r"permission denied.*The role needs SELECT, INSERT, UPDATE and DELETE on"):
        PostgresInbox(conninfo)
    with closing(store.connect()) as connection:
        connection.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON contentgroove_events, contentgroove_numbers, contentgroove_counts "
            "TO app"
        )
    with PostgresInbox(conninfo, clock=clock) as inbox:
        assert inbox.record("a", b"", trace="t")
        claim = inbox.claim(LEASE)
        assert claim
        assert inbox.progress(claim, frozenset({"h"}), LEASE)
        assert inbox.apply(claim, "i", lambda connection: connection.execute("SELECT 1"), LEASE)
        assert inbox.done(claim)
        assert inbox.replay("a")
        claim = inbox.claim_key("a", LEASE)
        assert claim
        assert inbox.release(claim, delay=None, error="", handled=frozenset())
        assert (inbox.next_due(), inbox.oldest_pending(), inbox.prune(0)) == (None, None, 0)
        assert inbox.counts() == {"pending": 0, "claimed": 0, "done": 0, "dead": 1}
    assert PostgresInbox.migrate(conninfo, dry_run=True).statements == ()


@pytest.mark.process
def test_a_migration_does_not_wait_for_a_lock_without_limit(
    make_store: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All receivers would wait behind it; it fails after ten seconds, here less, and changes nothing."""
    store = make_store("postgres")
    with monkeypatch.context() as patched:
        patched.setattr(migrations.INBOX, "migrations", migrations.MIGRATIONS[:1])
        store.migrate()
    before = tables(store)
    shorter = tuple(statement.replace("'10s'", "'10ms'") for statement in postgres.DIALECT.before_migration)
    assert shorter != postgres.DIALECT.before_migration
    monkeypatch.setattr(postgres, "DIALECT", dataclasses.replace(postgres.DIALECT, before_migration=shorter))
    with closing(store.connect()) as handler, handler.transaction():
        handler.execute("SELECT * FROM contentgroove_events")
        with pytest.raises(InboxError, match="LockNotAvailable"):
            store.migrate()
    assert tables(store) == before
    assert store.migrate().executed
