"""What only the SQLite inbox does: events while the file is locked, lost files, and forks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.webhooks import InboxError, SQLiteInbox, WebhookReceiver
from contentgroove.webhooks.sqlite_spool import SUFFIX

from tests.platforms import FORK, RIGHTS
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.webhooks.conftest import Clock

LEASE = 60.0


def replace(path: Path, other: Path) -> None:
    """Replace an inbox as its documentation says."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    other.rename(path)


POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows: an open file cannot be deleted")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def inbox(path: Path, clock: Clock) -> Iterator[SQLiteInbox]:
    with SQLiteInbox(path, busy_timeout=0.05, clock=clock) as inbox:
        yield inbox


@pytest.fixture
def lock(path: Path, inbox: SQLiteInbox) -> Iterator[sqlite3.Connection]:
    """A connection that keeps the file locked until its rollback, as a handler with `transaction=True` does."""
    assert inbox.counts()["pending"] == 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield connection


def test_a_slow_handler_with_a_transaction_keeps_no_delivery_out(path: Path) -> None:
    """Deliveries are acknowledged while it runs, and are handled after it."""
    inbox = SQLiteInbox(path)
    receiver = WebhookReceiver(inbox)
    running, proceed = threading.Event(), threading.Event()
    handled: list[str] = []

    @receiver.on("media.processing_finished", transaction=True)
    def slow(event: Any, connection: sqlite3.Connection) -> None:
        handled.append(event.media.id)
        connection.execute("CREATE TABLE IF NOT EXISTS effects (media TEXT)")
        connection.execute("INSERT INTO effects VALUES (?)", (event.media.id,))
        running.set()
        assert proceed.wait(60)

    assert receiver.receive(body(finished())).status_code == 200
    with inbox, ThreadPoolExecutor(1) as threads:
        working = threads.submit(receiver.process_pending)
        try:
            assert running.wait(60)
            receipts = [receiver.receive(body(finished(f"m-{number}"))) for number in (2, 3, 2, 1)]
            seen = len(inbox.events())
        finally:
            proceed.set()
        assert [(receipt.status_code, receipt.duplicate) for receipt in receipts] == [
            (200, False),
            (200, False),
            (200, True),
            (200, True),
        ]
        assert seen == 3
        assert working.result(60) == 3
        assert handled == ["m-1", "m-2", "m-3"]
        assert inbox.counts() == {"pending": 0, "claimed": 0, "done": 3, "dead": 0}


def test_an_event_beside_the_inbox_is_an_event_of_it(inbox: SQLiteInbox, lock: Any, clock: Clock, path: Path) -> None:
    """Every method sees it, also in another process; it is claimed once the file is free, after those before it."""
    lock.execute("ROLLBACK")
    inbox.record("e:1", b"")
    began = clock.now
    lock.execute("BEGIN IMMEDIATE")
    clock.now += 1
    assert inbox.record("e:2", b"body", trace="t")
    assert not inbox.record("e:1", b"")
    with SQLiteInbox(path, busy_timeout=0.05, clock=clock) as other:
        for each in (inbox, other):
            assert not each.record("e:2", b"")
            assert each.has("e:2")
            assert not each.has("e:3")
            assert each.keys_with_prefix("e:") == {"e:1", "e:2"}
            assert [event.key for event in each.events()] == ["e:2", "e:1"]
            assert [event.key for event in each.events(limit=1)] == ["e:2"]
            assert each.events("done") == []
            assert each.counts() == {"pending": 2, "claimed": 0, "done": 0, "dead": 0}
            assert (each.next_due(), each.oldest_pending()) == (0, began)
            with pytest.raises(InboxError, match="locked"):
                each.claim(LEASE)
        (event, _) = other.events()
        assert (event.body, event.trace, event.state, event.recorded_at, event.due) == (
            b"body",
            "t",
            "pending",
            clock.now,
            clock.now,
        )
        lock.execute("ROLLBACK")
        claims = [other.claim(LEASE), inbox.claim(LEASE)]
        assert [claim and (claim.key, claim.body, claim.trace) for claim in claims] == [
            ("e:1", b"", None),
            ("e:2", b"body", "t"),
        ]
        assert inbox.claim(LEASE) is None
        assert not other.record("e:2", b"")


def test_only_events_beside_the_inbox_count_as_well(inbox: SQLiteInbox, lock: Any, clock: Clock) -> None:
    """An inbox that was empty before has its next due time and its oldest event."""
    inbox.record("a", b"")
    assert (inbox.next_due(), inbox.oldest_pending()) == (0, clock.now)
    lock.execute("ROLLBACK")
    assert inbox.claim_key("a", LEASE)


def test_an_event_that_is_moved_twice_is_recorded_once(inbox: SQLiteInbox, lock: Any, path: Path) -> None:
    """A process may be killed after the inbox has it and before the second file has forgotten it."""
    inbox.record("a", b"")
    lock.execute("ROLLBACK")
    copy = path.with_name("copy")
    with closing(sqlite3.connect(f"{path}{SUFFIX}")) as received, closing(sqlite3.connect(copy)) as saved:
        received.backup(saved)
    claim = inbox.claim(LEASE)
    assert claim
    with closing(sqlite3.connect(copy)) as saved, closing(sqlite3.connect(f"{path}{SUFFIX}")) as received:
        received.executemany(
            "INSERT INTO contentgroove_received VALUES (?, ?, ?, ?, ?)",
            saved.execute("SELECT * FROM contentgroove_received").fetchall(),
        )
        received.commit()
    assert [event.key for event in inbox.events()] == ["a"]
    assert inbox.counts() == {"pending": 0, "claimed": 1, "done": 0, "dead": 0}
    assert inbox.done(claim)
    assert inbox.claim(LEASE) is None
    assert [event.state for event in inbox.events()] == ["done"]


@RIGHTS
def test_the_second_file_has_the_permissions_of_the_first(tmp_path: Path) -> None:
    """It contains the same payloads, for the same users."""
    path = tmp_path / "shared.db"
    path.touch()
    path.chmod(0o660)
    with SQLiteInbox(path, busy_timeout=0.01) as inbox, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        inbox.record("a", b"")
        other.execute("ROLLBACK")
    assert stat.S_IMODE((tmp_path / f"shared.db{SUFFIX}").stat().st_mode) == 0o660


@POSIX
def test_a_deleted_file_takes_no_more_events(inbox: SQLiteInbox, path: Path) -> None:
    """They would be lost with the deleted file; no new file is created silently."""
    receiver = WebhookReceiver(inbox)
    assert receiver.receive(body(finished())).status_code == 200
    for file in path.parent.iterdir():
        file.unlink()
    for _ in range(2):
        assert receiver.receive(body(finished("m-2"))).status_code == 503
        with pytest.raises(InboxError, match=r"events\.db was deleted or moved.*restart this process"):
            inbox.events()
    assert list(path.parent.iterdir()) == []
    with SQLiteInbox(path) as fresh:
        assert fresh.events() == []


@POSIX
def test_a_moved_file_can_be_put_back(inbox: SQLiteInbox, path: Path) -> None:
    """With all its events."""
    inbox.record("a", b"")
    moved = path.with_name("moved")
    path.rename(moved)
    with pytest.raises(InboxError, match="deleted or moved"):
        inbox.record("b", b"")
    moved.rename(path)
    assert inbox.record("b", b"")
    assert [event.key for event in inbox.events()] == ["b", "a"]


@POSIX
def test_a_replaced_file_is_used(inbox: SQLiteInbox, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As when a backup is restored: both processes then write to the same file, and a warning tells."""
    inbox.record("a", b"")
    backup = path.with_name("backup")
    with SQLiteInbox(backup) as other:
        other.record("b", b"")
    replace(path, backup)
    with SQLiteInbox(path) as other:
        assert other.record("c", b"")
        assert [event.key for event in inbox.events()] == ["c", "b"]
        assert inbox.record("d", b"")
        assert not other.record("d", b"")
    assert "was replaced by another file" in caplog.text
    assert inbox.record("e", b""), "the WAL of the new file was not deleted with the old connection"
    with SQLiteInbox(path) as other:
        assert len(other.events()) == 4


@POSIX
def test_the_wal_of_another_file_is_not_used(inbox: SQLiteInbox, path: Path) -> None:
    """It would corrupt the file; the error says what to delete."""
    inbox.record("a", b"")
    backup = path.with_name("backup")
    with SQLiteInbox(backup) as other:
        other.record("b", b"")
    before = backup.read_bytes()
    backup.rename(path)
    for _ in range(2):
        with pytest.raises(InboxError, match=r"events\.db-wal and -shm of the replaced file"):
            inbox.record("b", b"")
    assert path.read_bytes() == before
    path.with_name("events.db-wal").unlink()
    path.with_name("events.db-shm").unlink()
    assert not inbox.record("b", b"")


@POSIX
def test_a_file_that_is_not_an_inbox_does_not_replace_one(inbox: SQLiteInbox, path: Path) -> None:
    """It gets no tables."""
    inbox.record("a", b"")
    empty = path.with_name("empty")
    empty.touch()
    replace(path, empty)
    for _ in range(2):
        with pytest.raises(InboxError, match=r"replaced the inbox .* no tables"):
            inbox.record("b", b"")


@POSIX
@pytest.mark.parametrize("suffixes", [("-wal",), ("-shm",), ("-wal", "-shm")])
def test_deleted_companions_lose_no_event(inbox: SQLiteInbox, path: Path, suffixes: tuple[str, ...]) -> None:
    """SQLite itself would write on into a deleted WAL, which no other process sees."""
    inbox.record("a", b"")
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink()
    assert inbox.record("b", b"")
    with SQLiteInbox(path) as other:
        assert [event.key for event in other.events()] == ["b", "a"]
        assert other.record("c", b"")
    assert not inbox.record("c", b"")


def test_a_full_disk_is_an_inbox_error(inbox: SQLiteInbox) -> None:
    """Nothing is acknowledged that is not stored, and the inbox works again when there is space."""
    receiver = WebhookReceiver(inbox)
    inbox.record("a", b"")
    claim = inbox.claim(LEASE)
    assert claim
    inbox.apply(claim, "h", lambda connection: connection.execute("PRAGMA max_page_count = 1"), LEASE)
    assert receiver.receive(body(finished(name="x" * 1_000_000))).status_code == 503
    assert receiver.receive(body(finished(name="x" * 1_000_000))).status_code == 200


def run(program: str, path: Path) -> str:
    done = subprocess.run(  # noqa: S603 - the program below
        [sys.executable, "-c", program, str(path)], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.stderr == ""
    return done.stdout


@FORK
@pytest.mark.process
@pytest.mark.parametrize("used_before", ["no", "yes"])
def test_a_forked_child_loses_no_event(path: Path, used_before: str) -> None:
    """SQLite would believe that the child has its parent's locks, so the parent's last close would delete its WAL."""
    program = """
import os, sys
from contentgroove.webhooks import SQLiteInbox
inbox = SQLiteInbox(sys.argv[1])
if USED:
    inbox.record("before", b"")
said, say = os.pipe()
heard, tell = os.pipe()
child = os.fork()
if child == 0:
    inbox.record("one", b"")
    os.write(say, b".")
    os.read(heard, 1)
    inbox.record("two", b"")
    os._exit(0)
os.read(said, 1)
inbox.close()
os.write(tell, b".")
assert os.waitpid(child, 0)[1] == 0
print(*(event.key for event in inbox.events()))
inbox.close()
""".replace("USED", str(used_before == "yes"))
    assert run(program, path) == ("two one before\n" if used_before == "yes" else "two one\n")


@FORK
@pytest.mark.process
def test_a_fork_waits_for_the_transactions_of_other_threads(path: Path) -> None:
    """Neither does the child hang, nor does it lose an event, whenever the fork happens."""
    program = """
import os, sys, threading
from contentgroove.webhooks import SQLiteInbox
inbox = SQLiteInbox(sys.argv[1])
stop = threading.Event()
recorded = []
def record(thread):
    while not stop.is_set():
        key = f"{thread}-{len(recorded)}"
        if inbox.record(key, b""):
            recorded.append(key)
threads = [threading.Thread(target=record, args=(number,), daemon=True) for number in range(3)]
for thread in threads:
    thread.start()
for number in range(10):
    child = os.fork()
    if child == 0:
        inbox.record(f"child-{number}", b"")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    recorded.append(f"child-{number}")
stop.set()
for thread in threads:
    thread.join()
print({event.key for event in inbox.events(limit=100_000)} == set(recorded))
inbox.close()
"""
    assert run(program, path) == "True\n"


@FORK
@pytest.mark.process
def test_a_child_of_a_handler_is_refused(path: Path) -> None:
    """Its parent has a transaction open, which SQLite forbids to carry over; the parent continues."""
    program = """
import os, sys
from contentgroove.webhooks import InboxError, SQLiteInbox
inbox = SQLiteInbox(sys.argv[1])
inbox.record("a", b"")
claim = inbox.claim(60)
def effect(connection):
    child = os.fork()
    if child == 0:
        try:
            inbox.record("child", b"")
        except InboxError as error:
            os._exit(7 if "forked while its parent used the inbox" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    connection.execute("CREATE TABLE effects (text)")
print(inbox.apply(claim, "h", effect, 60), inbox.record("b", b""), len(inbox.events()))
inbox.close()
"""
    assert run(program, path) == "True True 2\n"


@FORK
@pytest.mark.process
def test_a_child_that_leaves_a_handler_commits_nothing(path: Path) -> None:
    """The connection is its parent's."""
    program = """
import os, sys
from contentgroove.webhooks import InboxError, SQLiteInbox
inbox = SQLiteInbox(sys.argv[1])
inbox.record("a", b"")
claim = inbox.claim(60)
parent = os.getpid()
def effect(connection):
    connection.execute("CREATE TABLE effects (text)")
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
try:
    print(inbox.apply(claim, "h", effect, 60), flush=True)
except InboxError as error:
    os._exit(7 if os.getpid() != parent and "forked inside a transaction" in str(error) else 1)
print(inbox.done(claim))
inbox.close()
"""
    assert run(program, path) == "True\nTrue\n"
