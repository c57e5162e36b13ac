"""The behaviour of every inbox, in memory, in SQLite and in a real PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.webhooks import InboxError

if TYPE_CHECKING:
    from contentgroove.webhooks import Claim, Inbox

    from tests.webhooks.conftest import Clock, Store

LEASE = 60.0
NONE: frozenset[str] = frozenset()
HANDLED = frozenset({"h"})


def claimed(inbox: Inbox) -> Claim:
    claim = inbox.claim(LEASE)
    assert claim is not None
    return claim


def test_an_event_is_recorded_once(inbox: Inbox) -> None:
    """The first delivery is recorded with its body; later ones of the same key change nothing."""
    assert inbox.record("a", b"\x00first\xff")
    assert not inbox.record("a", b"second")
    assert inbox.has("a")
    assert not inbox.has("b")
    assert [(event.key, event.body, event.state) for event in inbox.events()] == [("a", b"\x00first\xff", "pending")]


def test_keys_are_found_by_their_prefix(inbox: Inbox, store: Store) -> None:
    """In any state and from another inbox of the same store; nothing is claimed."""
    keys = ("e:m-1:", "e:m-1:2026", "e:m-10:2026", "E:m-1:2026", "e:m-1;", "e:m_1:2026", "e:m%:2026", "e:ä:2026")
    for key in keys:
        inbox.record(key, b"")
    inbox.done(claimed(inbox))
    other: Any = inbox if store.kind == "memory" else store.open()
    assert other.keys_with_prefix("e:m-1:") == {"e:m-1:", "e:m-1:2026"}
    assert other.keys_with_prefix("e:m_1:") == {"e:m_1:2026"}
    assert other.keys_with_prefix("e:m%:") == {"e:m%:2026"}
    assert other.keys_with_prefix("e:ä:") == {"e:ä:2026"}
    assert other.keys_with_prefix("e:none:") == frozenset()
    assert claimed(inbox).key == "e:m-1:2026", "the next one still waits"
    if other is not inbox:
        other.close()


def test_events_are_claimed_oldest_first_and_by_one_worker(inbox: Inbox) -> None:
    """No other worker can claim a claimed event."""
    for key in ("b", "a", "c"):
        inbox.record(key, key.encode())
    claims = [claimed(inbox) for _ in range(3)]
    assert [(claim.key, claim.body, claim.attempt, claim.handled) for claim in claims] == [
        ("b", b"b", 1, NONE),
        ("a", b"a", 1, NONE),
        ("c", b"c", 1, NONE),
    ]
    assert inbox.claim(LEASE) is None


def test_the_event_that_is_due_for_longest_is_claimed_first(inbox: Inbox, clock: Clock) -> None:
    """An event that failed waits behind those that were due before its next attempt; none is starved."""
    inbox.record("failing", b"")
    inbox.release(claimed(inbox), delay=2, error="no", handled=NONE)
    clock.now += 1
    inbox.record("early", b"")
    clock.now += 2
    inbox.record("late", b"")
    assert [claimed(inbox).key for _ in range(3)] == ["early", "failing", "late"]


def test_one_event_is_claimed_by_its_key(inbox: Inbox, clock: Clock) -> None:
    """If it is due; claims by key exclude others, as all claims do."""
    for key in ("a", "b"):
        inbox.record(key, key.encode())
    claim = inbox.claim_key("b", LEASE)
    assert claim is not None
    assert (claim.key, claim.body, claim.attempt, claim.handled) == ("b", b"b", 1, NONE)
    assert inbox.claim_key("b", LEASE) is None
    assert inbox.claim_key("nowhere", LEASE) is None
    assert inbox.release(claim, delay=5, error="", handled=HANDLED)
    assert inbox.claim_key("b", LEASE) is None, "not due yet"
    clock.now += 5
    again = inbox.claim_key("b", LEASE)
    assert again is not None
    assert (again.attempt, again.handled) == (2, HANDLED)
    inbox.done(again)
    clock.now += 10 * LEASE
    assert inbox.claim_key("b", LEASE) is None, "done"
    assert claimed(inbox).key == "a"


def test_events_are_counted_by_state(inbox: Inbox, clock: Clock) -> None:
    """All four states, through every transition."""
    assert inbox.counts() == {"pending": 0, "claimed": 0, "done": 0, "dead": 0}
    for key in ("done", "dead", "claimed", "failed", "pending"):
        inbox.record(key, b"")
        inbox.record(key, b"")
    inbox.done(claimed(inbox))
    inbox.release(claimed(inbox), delay=None, error="", handled=NONE)
    inbox.progress(claimed(inbox), HANDLED, LEASE)
    inbox.release(claimed(inbox), delay=5, error="", handled=NONE)
    assert inbox.counts() == {"pending": 2, "claimed": 1, "done": 1, "dead": 1}
    inbox.replay("dead")
    assert inbox.counts() == {"pending": 3, "claimed": 1, "done": 1, "dead": 0}
    clock.now += 1
    assert inbox.prune(older_than=0.5) == 1
    assert inbox.counts() == {"pending": 3, "claimed": 1, "done": 0, "dead": 0}


def test_the_oldest_pending_event_tells_how_long_events_wait(inbox: Inbox, clock: Clock) -> None:
    """When it was recorded; claimed, done and dead events do not wait."""
    assert inbox.oldest_pending() is None
    start = clock.now
    for key in ("a", "b", "c"):
        inbox.record(key, b"")
        clock.now += 1
    first = claimed(inbox)
    assert inbox.oldest_pending() == start + 1
    inbox.release(first, delay=100, error="", handled=NONE)
    assert inbox.oldest_pending() == start, "it waits for its next attempt"
    for _ in range(2):
        inbox.done(claimed(inbox))
    clock.now += 100
    claimed(inbox)
    assert inbox.oldest_pending() is None


def test_the_context_of_a_trace_is_kept(inbox: Inbox, clock: Clock) -> None:
    """From the delivery to every claim."""
    inbox.record("a", b"", trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    inbox.record("b", b"")
    first = claimed(inbox)
    assert first.trace == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert claimed(inbox).trace is None
    clock.now += LEASE
    assert claimed(inbox).trace == first.trace
    assert [event.trace for event in inbox.events()] == [None, first.trace]


def test_a_done_event_stays_done(inbox: Inbox, clock: Clock) -> None:
    """A handled event is never claimed again, nor recorded again."""
    inbox.record("a", b"")
    assert inbox.done(claimed(inbox))
    clock.now += 10 * LEASE
    assert inbox.claim(LEASE) is None
    assert inbox.next_due() is None
    assert not inbox.record("a", b"")


def test_a_claim_expires(inbox: Inbox, clock: Clock) -> None:
    """After the lease the event is due again, and the first worker can no longer change it."""
    inbox.record("a", b"")
    first = claimed(inbox)
    clock.now += LEASE - 1
    assert inbox.claim(LEASE) is None
    assert inbox.next_due() == 1
    clock.now += 1
    second = claimed(inbox)
    assert (second.attempt, second.key) == (2, "a")
    assert not inbox.done(first)
    assert not inbox.progress(first, frozenset({"x"}), LEASE)
    assert not inbox.release(first, delay=0, error="", handled=NONE)
    assert [event.state for event in inbox.events()] == ["claimed"]
    assert inbox.done(second)
    assert not inbox.done(second)


def test_a_released_event_is_due_after_its_delay(inbox: Inbox, clock: Clock) -> None:
    """Attempts, progress and the error are stored."""
    inbox.record("a", b"")
    assert inbox.release(claimed(inbox), delay=5, error="ValueError: no\0" + "x" * 9_999, handled=HANDLED)
    (event,) = inbox.events("pending")
    assert (event.attempts, event.handled, event.error[:14], len(event.error)) == (1, HANDLED, "ValueError: no", 3_999)
    assert inbox.claim(LEASE) is None
    assert inbox.next_due() == 5
    clock.now += 5
    assert inbox.next_due() == 0
    again = claimed(inbox)
    assert (again.attempt, again.handled) == (2, HANDLED)


def test_an_unclaimed_event_has_not_been_attempted(inbox: Inbox, clock: Clock) -> None:
    """It is due after the delay, with its progress; the claim differs from the next one, and the last error stays."""
    inbox.record("a", b"")
    inbox.release(claimed(inbox), delay=0, error="LookupError: no", handled=NONE)
    first = claimed(inbox)
    assert inbox.unclaim(first, delay=5, error="", handled=HANDLED)
    assert not inbox.unclaim(first, delay=5, error="", handled=NONE)
    (event,) = inbox.events("pending")
    assert (event.attempts, event.claims, event.handled, event.error) == (1, 2, HANDLED, "LookupError: no")
    assert inbox.claim(LEASE) is None
    clock.now += 5
    again = claimed(inbox)
    assert (again.attempt, again.number, again.handled) == (2, 3, HANDLED)
    assert not inbox.done(first)
    assert inbox.unclaim(again, delay=0, error="OSError: away", handled=HANDLED)
    assert [event.error for event in inbox.events()] == ["OSError: away"]


def test_any_error_text_is_stored(inbox: Inbox) -> None:
    """Also one that no database takes as it is."""
    inbox.record("a", b"")
    assert inbox.release(claimed(inbox), delay=0, error="a\udc80\0b" + "\ud800" * 9_999, handled=NONE)
    assert inbox.events()[0].error.startswith("a\\udc80b\\ud800")


def test_overdue_events_are_listed(inbox: Inbox, clock: Clock) -> None:
    """Those that have been due for some time, the longest due first: pending ones, and those whose claim expired."""
    for key in ("claimed", "pending", "done", "dead"):
        inbox.record(key, b"")
    claimed(inbox)
    pending, done, dead = (claimed(inbox) for _ in range(3))
    inbox.release(pending, delay=2, error="", handled=NONE)
    inbox.done(done)
    inbox.release(dead, delay=None, error="", handled=NONE)
    clock.now += LEASE
    inbox.record("new", b"")
    assert inbox.overdue(1) == ["pending"]
    clock.now += 1
    assert inbox.overdue(1) == ["pending", "claimed", "new"]
    assert inbox.overdue(1, limit=2) == ["pending", "claimed"]
    assert inbox.overdue(LEASE) == []


def test_signs_of_life_are_stored(inbox: Inbox, clock: Clock) -> None:
    """The last one, and when an event was last completed."""
    assert (inbox.last_beat(), inbox.last_done()) == (None, None)
    inbox.record("a", b"")
    clock.now += 1.5
    inbox.beat(0)
    inbox.done(claimed(inbox))
    assert (inbox.last_beat(), inbox.last_done()) == ((clock.now, 0), clock.now)
    clock.now += 1
    inbox.beat(4.5)
    assert (inbox.last_beat(), inbox.last_done()) == ((clock.now, 4.5), clock.now - 1)


def test_progress_is_stored_and_extends_the_claim(inbox: Inbox, clock: Clock) -> None:
    """The next worker knows which handlers have succeeded."""
    inbox.record("a", b"")
    first = claimed(inbox)
    clock.now += LEASE - 1
    assert inbox.progress(first, HANDLED, LEASE)
    clock.now += LEASE - 1
    assert inbox.claim(LEASE) is None
    clock.now += 1
    assert claimed(inbox).handled == {"h"}


def test_dead_events_wait_for_a_replay(inbox: Inbox, clock: Clock) -> None:
    """A dead event stays, is listed, and can be replayed."""
    inbox.record("a", b"body")
    inbox.record("b", b"")
    inbox.release(claimed(inbox), delay=None, error="broken", handled=HANDLED)
    clock.now += 10 * LEASE
    (dead,) = inbox.events("dead")
    assert (dead.key, dead.body, dead.error, dead.attempts) == ("a", b"body", "broken", 1)
    assert inbox.replay("a")
    assert not inbox.replay("a")
    assert not inbox.replay("nowhere")
    assert claimed(inbox).key == "b", "it waits for longer"
    again = claimed(inbox)
    assert (again.key, again.attempt, again.handled) == ("a", 1, HANDLED)


def test_a_claim_before_a_replay_is_not_the_one_after_it(inbox: Inbox, clock: Clock) -> None:
    """Attempts restart with a replay, but the claims of two workers still differ."""
    inbox.record("a", b"")
    first = claimed(inbox)
    clock.now += LEASE
    inbox.release(claimed(inbox), delay=None, error="", handled=NONE)
    inbox.replay("a")
    assert claimed(inbox).attempt == first.attempt == 1
    assert not inbox.done(first)


def test_a_done_event_is_replayed_completely(inbox: Inbox) -> None:
    """All handlers see it again."""
    inbox.record("a", b"")
    claim = claimed(inbox)
    inbox.progress(claim, HANDLED, LEASE)
    inbox.done(claim)
    assert inbox.replay("a")
    assert claimed(inbox).handled == NONE


def test_old_done_events_are_pruned(inbox: Inbox, clock: Clock) -> None:
    """By the time since they were done; open and dead events stay, and the limit is stored."""
    for key in ("old", "new", "dead", "open"):
        inbox.record(key, b"")
    assert inbox.pruned_until() == 0
    began = clock.now
    inbox.done(claimed(inbox))
    clock.now += 10
    inbox.done(claimed(inbox))
    inbox.release(claimed(inbox), delay=None, error="", handled=NONE)
    clock.now += 100
    assert inbox.prune(older_than=105) == 1
    assert {event.key for event in inbox.events()} == {"new", "dead", "open"}
    assert inbox.pruned_until() == began + 5
    assert inbox.prune(older_than=1_000) == 0
    assert inbox.pruned_until() == began + 5


def test_events_are_listed_newest_first(inbox: Inbox) -> None:
    """By state, and no more than the limit."""
    for key in ("a", "b", "c"):
        inbox.record(key, b"")
    inbox.done(claimed(inbox))
    assert [event.key for event in inbox.events()] == ["c", "b", "a"]
    assert [event.key for event in inbox.events("pending")] == ["c", "b"]
    assert [event.key for event in inbox.events("pending", limit=1)] == ["c"]
    assert [event.key for event in inbox.events("done")] == ["a"]


def test_events_have_their_times(inbox: Inbox, clock: Clock) -> None:
    """When they were recorded and last changed, in seconds since 1970."""
    came = clock.now
    inbox.record("a", b"")
    clock.now += 7.25
    inbox.done(claimed(inbox))
    (event,) = inbox.events()
    assert (event.recorded_at, event.changed_at) == (came, came + 7.25)


def test_threads_share_an_inbox(inbox: Inbox) -> None:
    """Four threads record and four claim; each event is claimed once."""
    keys = [f"k{number % 40}" for number in range(80)]
    start = threading.Barrier(4)

    def record(part: int) -> int:
        start.wait(10)
        return sum(inbox.record(key, key.encode()) for key in keys[part::4])

    def claim(_: int) -> list[str]:
        found: list[str] = []
        while (claim := inbox.claim(LEASE)) is not None:
            found.append(claim.key)
            inbox.done(claim)
        return found

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(record, range(4))) == 40
        found = [key for part in threads.map(claim, range(4)) for key in part]
    assert sorted(found) == sorted(set(keys))


def test_two_inboxes_share_a_database(database: Store) -> None:
    """Events that one process records, another sees, claims and completes."""
    with database.open() as first, database.open() as other:
        assert first.record("a", b"body")
        assert not other.record("a", b"")
        claim = claimed(other)
        assert first.claim(LEASE) is None
        assert first.done(claim)
        assert [event.state for event in other.events()] == ["done"]


def test_a_database_keeps_its_events(database: Store) -> None:
    """An inbox that is closed and opened again has the same events."""
    with database.open() as inbox:
        inbox.record("a", b"body")
        inbox.release(claimed(inbox), delay=3, error="no", handled=HANDLED)
        before = inbox.events()
    with database.open() as inbox:
        assert inbox.events() == before


def test_a_handlers_writes_are_committed_with_its_success(transactional: Any, database: Store) -> None:
    """In one transaction."""
    transactional.record("a", b"")
    claim = claimed(transactional)
    assert transactional.apply(claim, "h", write("one"), LEASE)
    assert effects(database) == ["one"]
    assert transactional.events()[0].handled == {"h"}
    assert transactional.apply(claim, "i", write("two"), LEASE)
    assert transactional.events()[0].handled == {"h", "i"}


def test_nothing_of_a_failed_handler_is_committed(transactional: Any, database: Store) -> None:
    """Its error is raised unchanged, and the inbox stays usable."""

    def fail(connection: Any) -> None:
        write("lost")(connection)
        raise LookupError("no")

    transactional.record("a", b"")
    claim = claimed(transactional)
    with pytest.raises(LookupError, match="no"):
        transactional.apply(claim, "h", fail, LEASE)
    assert effects(database) == []
    assert transactional.events()[0].handled == NONE
    assert transactional.apply(claim, "h", write("kept"), LEASE)
    assert effects(database) == ["kept"]


def test_an_expired_claim_applies_nothing(transactional: Any, database: Store, clock: Clock) -> None:
    """The handler is not even called."""
    transactional.record("a", b"")
    first = claimed(transactional)
    clock.now += LEASE
    second = claimed(transactional)
    assert not transactional.apply(first, "h", write("first"), LEASE)
    assert transactional.apply(second, "h", write("second"), LEASE)
    assert effects(database) == ["second"]


def write(text: str) -> Any:
    return lambda connection: connection.execute(f"INSERT INTO effects VALUES ('{text}')")  # noqa: S608 - a literal


def effects(database: Store) -> list[str]:
    connection = database.connect()
    found = [text for (text,) in connection.execute("SELECT text FROM effects").fetchall()]
    connection.close()
    return found


def test_tables_of_a_newer_release_are_left_alone(database: Store) -> None:
    """An older release raises instead of guessing."""
    database.open().close()
    connection = database.connect()
    connection.execute("UPDATE contentgroove_numbers SET value = 99 WHERE name = 'schema_version'")
    connection.close()
    with pytest.raises(InboxError, match=r"version 99.*Update contentgroove"):
        database.open()


def test_tables_of_an_older_release_are_brought_up_to_date(database: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each migration runs once, in order, and the events stay."""
    with database.open() as inbox:
        inbox.record("a", b"body")
    from contentgroove.webhooks import migrations

    steps = (
        *migrations.MIGRATIONS,
        ("CREATE TABLE contentgroove_more (value {float})",),
        ("DROP TABLE contentgroove_more",),
    )
    for count in (len(steps) - 1, len(steps)):
        monkeypatch.setattr(migrations.INBOX, "migrations", steps[:count])
        assert len(database.migrate().statements) > 0
        assert database.migrate().statements == ()
        with database.open() as inbox:
            assert [event.body for event in inbox.events()] == [b"body"]
    connection = database.connect()
    with pytest.raises(Exception, match="contentgroove_more"):
        connection.execute("SELECT * FROM contentgroove_more")
    connection.close()
