"""What only the PostgreSQL inbox does: limits of its connections and statements, and poolers of transactions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from contentgroove import InvalidInputError
from contentgroove.webhooks import InboxError, PostgresInbox, WebhookReceiver
from psycopg.conninfo import conninfo_to_dict

from tests.webhooks.payloads import body, finished
from tests.webhooks.pooler import pooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.webhooks.conftest import Store

pytestmark = pytest.mark.process

LEASE = 60.0
SESSIONS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'limited'"


@pytest.fixture
def store(make_store: Callable[[str], Store]) -> Store:
    return make_store("postgres")


def test_each_transaction_may_have_another_session(store: Store) -> None:
    """As behind PgBouncer in transaction mode; nothing of a session is used or left behind."""
    folder = str(conninfo_to_dict(store.location)["host"])
    store.migrate()
    with pooled(folder, "events") as (conninfo, pooler), PostgresInbox(conninfo, clock=store.clock) as inbox:
        for number in range(30):
            assert inbox.record(f"{number:02}", b"body", trace="t")
            assert not inbox.record(f"{number:02}", b"")
        for number in range(30):
            claim = inbox.claim(LEASE)
            assert claim
            assert claim.key == f"{number:02}"
            assert inbox.progress(claim, frozenset({"a"}), LEASE)
            assert inbox.apply(claim, "b", lambda connection: connection.execute("SELECT %s", [1]), LEASE)
            assert inbox.events("claimed")[0].handled == {"a", "b"}
            assert inbox.done(claim)
        assert inbox.counts() == {"pending": 0, "claimed": 0, "done": 30, "dead": 0}
        assert inbox.keys_with_prefix("0") == {f"0{number}" for number in range(10)}
        assert inbox.prune(older_than=-1) == 30
        assert PostgresInbox.migrate(conninfo).statements == ()
        assert min(pooler.transactions) > 50
        for _ in pooler.transactions:
            with closing(psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)) as connection:
                assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
                assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


def test_the_pooler_of_the_tests_is_one(store: Store) -> None:
    """A statement that was prepared in a session fails in the next one."""
    folder = str(conninfo_to_dict(store.location)["host"])
    with (
        pooled(folder, "events") as (conninfo, _),
        closing(psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)) as connection,
        pytest.raises(psycopg.Error, match="prepared statement"),
    ):
        connection.execute("SELECT 1")


def test_a_statement_has_a_time_limit(store: Store) -> None:
    """A lock that another transaction keeps is not waited for without end; the event stays as it was."""
    with PostgresInbox(store.location, statement_timeout=0.05, clock=store.clock) as inbox:
        inbox.record("a", b"")
        claim = inbox.claim(LEASE)
        assert claim
        with closing(store.connect()) as other, other.transaction():
            other.execute("SELECT * FROM contentgroove_events FOR UPDATE")
            with pytest.raises(InboxError, match=r"QueryCanceled.*statement timeout"):
                inbox.done(claim)
        assert inbox.done(claim)


def test_a_delivery_that_cannot_be_stored_in_time_is_sent_again(store: Store) -> None:
    """The receiver responds with 503 within the limit."""
    with PostgresInbox(store.location, statement_timeout=0.05) as inbox:
        receiver = WebhookReceiver(inbox)
        with closing(store.connect()) as other, other.transaction():
            other.execute("LOCK TABLE contentgroove_events")
            assert receiver.receive(body(finished())).status_code == 503
        assert receiver.receive(body(finished())).status_code == 200


def test_handlers_leave_a_connection_to_the_receiver(store: Store) -> None:
    """Slow ones with transaction=True use all but one, and no more connections than allowed are open."""
    proceed = threading.Event()
    running = threading.Barrier(3)

    def effect(_: Any) -> None:
        running.wait(30)
        assert proceed.wait(30)

    conninfo = f"{store.location} application_name=limited"
    with (
        PostgresInbox(conninfo, max_connections=3, pool_timeout=0.1) as inbox,
        closing(store.connect()) as other,
        ThreadPoolExecutor(2) as threads,
    ):
        for number in range(3):
            inbox.record(f"{number}", b"")
        claims: list[Any] = [inbox.claim(LEASE) for _ in range(3)]
        working = [threads.submit(inbox.apply, claim, "h", effect, LEASE) for claim in claims[:2]]
        running.wait(30)
        try:
            assert inbox.record("more", b"")
            assert len(other.execute(SESSIONS).fetchall()) == 3
            with pytest.raises(InboxError, match=r"stayed in use for 0\.1 s.*max_connections="):
                inbox.apply(claims[2], "h", effect, LEASE)
        finally:
            proceed.set()
        assert all(done.result(30) for done in working)


def test_an_idle_connection_is_closed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a further call; the next call opens another one."""
    closed = threading.Event()

    class Noticed(psycopg.Connection[Any]):
        def close(self) -> None:
            super().close()
            closed.set()

    monkeypatch.setattr(psycopg, "connect", Noticed.connect)
    with PostgresInbox(store.location, idle_timeout=0.05) as inbox:
        assert closed.wait(30)
        assert inbox.record("a", b"")


@pytest.mark.parametrize("name", ["max_connections", "pool_timeout", "idle_timeout", "statement_timeout"])
def test_limits_must_be_greater_than_0(name: str) -> None:
    """Before anything is opened."""
    limits: dict[str, Any] = {name: 0}
    with pytest.raises(InvalidInputError, match=name):
        PostgresInbox("host=/nowhere", **limits)


def test_networks_have_limits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless the application has its own."""
    seen: list[dict[str, Any]] = []

    def connect(conninfo: str, **_: Any) -> Any:
        seen.append(conninfo_to_dict(conninfo))
        raise psycopg.OperationalError("no")

    monkeypatch.setattr(psycopg, "connect", connect)
    for conninfo in ("host=/nowhere", "host=/nowhere connect_timeout=3 tcp_user_timeout=7"):
        with pytest.raises(InboxError, match="OperationalError: no"):
            PostgresInbox(conninfo)
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    with pytest.raises(InboxError):
        PostgresInbox("host=/nowhere")
    limits = [(found.get("connect_timeout"), found.get("tcp_user_timeout")) for found in seen]
    assert [tuple(value and int(value) for value in pair) for pair in limits] == [(10, 30_000), (3, 7), (None, 30_000)]
