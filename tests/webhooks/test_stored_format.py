"""Inboxes that earlier releases wrote: every event is read, claimed, completed and replayed as before."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.webhooks import MediaProcessingFinished, SQLiteInbox, UnknownEvent, WebhookReceiver, parse_event

from tests.webhooks.conftest import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

STORED = Path(__file__).with_name("stored_inbox.sql")
"""An inbox in which `write_events` was run with the code of the first inboxes, before modules were merged."""

START = 1_780_000_000.0
NOW = START + 1_006.5
LEASE = 60.0

DONE = "media.processing_finished:medias:m-done:2025-10-15T13:51:02.559000+00:00"
REPLAYED = "media.processing_finished:medias:m-replayed:2025-10-15T13:51:02.559000+00:00"
DEAD = "media.processing_finished:medias:m-dead%3A%25:"
FAILED = "media.processing_finished:medias:m-failed:2025-10-15T13:51:02.559000+00:00"
EXPIRED = "media.processing_finished:medias:m-expired:2025-10-15T13:51:02.559000+00:00"
CLAIMED = "media.processing_finished:medias:m-claimed:2025-10-15T13:51:02.559000+00:00"
UNKNOWN = "clip.exported:sha256:b62d10f610e7c05eb5bdba9723d26f9b274163b89d896829315bb9bc63ef2567"
LONG = "sha256:38e1c50a94342acc1b47eb791c5abb9ce053253226fcf85cfe8906b663cc437d"

EVENTS = [
    # key, state, due, claims, attempts, handled, error, recorded_at, changed_at; the newest first
    (LONG, "pending", NOW, 0, 0, set[str](), "", NOW, NOW),
    (UNKNOWN, "pending", NOW, 0, 0, set[str](), "", NOW, NOW),
    (CLAIMED, "claimed", NOW + 899, 1, 1, {"shop.a"}, "", NOW - 1, NOW - 1),
    (EXPIRED, "claimed", NOW + 8, 1, 1, set[str](), "", NOW - 2, NOW - 2),
    (FAILED, "pending", NOW + 3_597, 1, 1, {"shop.a"}, "ValueError: ü", NOW - 3, NOW - 3),
    (DEAD, "dead", NOW - 4, 1, 1, {"shop.a", "shop.b"}, "LookupError: no such order", NOW - 4, NOW - 4),
    (REPLAYED, "pending", NOW, 3, 0, set[str](), "", NOW - 5, NOW),
    (DONE, "done", NOW - 6.5, 1, 1, set[str](), "", NOW - 6.5, NOW - 6.5),
]


def finished(media_id: str, started: str | None = "2025-10-15T13:51:02.559Z") -> bytes:
    """Write `media.processing_finished`, as it was written when the inbox was stored."""
    attributes = {
        "created_at": "2025-10-15T13:51:02.559Z",
        "has_fetch_error": False,
        "is_processing": False,
        "name": "Chimp",
        "processing_started_at": started,
    }
    relationships: dict[str, Any] = {"clips": {"data": []}}
    data = {"id": media_id, "type": "medias", "attributes": attributes, "relationships": relationships}
    return json.dumps({"event": "media.processing_finished", "payload": {"data": data, "included": []}}).encode()


UNKNOWN_BODY = b'{"event": "clip.exported", "payload": {"url": "https://store.test/a?X-Amz-Signature=one"}}'
BODIES = {
    LONG: finished("m-" + "x" * 500),
    UNKNOWN: UNKNOWN_BODY,
    CLAIMED: finished("m-claimed"),
    EXPIRED: finished("m-expired"),
    FAILED: finished("m-failed"),
    DEAD: finished("m-dead:%", None),
    REPLAYED: finished("m-replayed"),
    DONE: finished("m-done"),
}


def write_events(inbox: SQLiteInbox, clock: Clock) -> None:
    """Bring events into every state, by every method of an inbox."""
    receiver = WebhookReceiver(inbox)

    def record(key: str) -> None:
        receipt = receiver.receive(BODIES[key])
        assert receipt.event is not None
        assert (receipt.status_code, receipt.event.dedupe_key) == (200, key)

    def claim(lease: float = LEASE) -> Any:
        return inbox.claim(lease)

    receiver.receive(finished("m-pruned"))
    inbox.done(claim())
    clock.now += 1_000
    assert inbox.prune(older_than=500) == 1
    record(DONE)
    done = claim()
    inbox.progress(done, frozenset({"shop.a"}), LEASE)
    inbox.done(done)
    clock.now += 1.5
    record(REPLAYED)
    inbox.done(claim())
    inbox.replay(REPLAYED)
    inbox.release(claim(), delay=0.0, error="", handled=frozenset())
    inbox.done(claim())
    clock.now += 1
    record(DEAD)
    inbox.release(claim(), delay=None, error="LookupError: no such order", handled=frozenset({"shop.b", "shop.a"}))
    clock.now += 1
    record(FAILED)
    failed = claim()
    inbox.progress(failed, frozenset({"shop.a"}), LEASE)
    inbox.release(failed, delay=3_600.0, error="ValueError: ü\0", handled=frozenset({"shop.a"}))
    clock.now += 1
    record(EXPIRED)
    claim(10.0)
    clock.now += 1
    record(CLAIMED)
    inbox.progress(claim(900.0), frozenset({"shop.a"}), 900.0)
    clock.now += 1
    record(UNKNOWN)
    record(LONG)
    inbox.replay(REPLAYED)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A file as an earlier release left it."""
    path = tmp_path / "stored.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(STORED.read_text(encoding="utf-8"))
    return path


@pytest.fixture
def inbox(stored: Path, clock: Clock) -> Iterator[SQLiteInbox]:
    """The file, opened by this release."""
    clock.now = NOW
    with SQLiteInbox(stored, clock=clock) as inbox:
        yield inbox


def test_every_stored_event_is_read(inbox: SQLiteInbox) -> None:
    """With its state, times, body and key; the time of the last pruning as well."""
    found = inbox.events()
    assert [
        (
            event.key,
            event.state,
            event.due,
            event.claims,
            event.attempts,
            set(event.handled),
            event.error,
            event.recorded_at,
            event.changed_at,
        )
        for event in found
    ] == EVENTS
    assert {event.key: event.body for event in found} == BODIES
    assert inbox.pruned_until() == START + 500
    for event in found:
        parsed = parse_event(event.body)
        assert parsed.dedupe_key == event.key
        assert isinstance(parsed, UnknownEvent if event.key == UNKNOWN else MediaProcessingFinished)


def test_stored_events_are_claimed_and_completed(inbox: SQLiteInbox, clock: Clock) -> None:
    """In their order and when they are due, with the handlers that had succeeded."""

    def claim_all() -> list[tuple[str, int, int, frozenset[str]]]:
        claims: list[tuple[str, int, int, frozenset[str]]] = []
        while (claim := inbox.claim(LEASE)) is not None:
            claims.append((claim.key, claim.number, claim.attempt, claim.handled))
            assert claim.body == BODIES[claim.key]
            assert inbox.done(claim)
        return claims

    assert inbox.next_due() == 0
    assert claim_all() == [
        (REPLAYED, 4, 1, frozenset()),
        (UNKNOWN, 1, 1, frozenset()),
        (LONG, 1, 1, frozenset()),
    ]
    assert inbox.next_due() == 8
    clock.now += 8
    assert claim_all() == [(EXPIRED, 2, 2, frozenset())]
    clock.now += 891
    assert claim_all() == [(CLAIMED, 2, 2, frozenset({"shop.a"}))]
    clock.now += 2_698
    assert claim_all() == [(FAILED, 2, 2, frozenset({"shop.a"}))]
    assert inbox.next_due() is None
    assert {event.key: event.state for event in inbox.events()} == dict.fromkeys(BODIES, "done") | {DEAD: "dead"}


def test_stored_events_are_replayed(inbox: SQLiteInbox) -> None:
    """The dead one with the handlers that had succeeded, the done one without; open events are left alone."""
    for key, state, *_ in EVENTS:
        assert inbox.replay(key) is (state in {"done", "dead"})
    claims: dict[str, Any] = {}
    while (claim := inbox.claim(LEASE)) is not None:
        claims[claim.key] = claim
    assert (claims[DEAD].number, claims[DEAD].attempt, claims[DEAD].handled) == (2, 1, {"shop.a", "shop.b"})
    assert (claims[DONE].number, claims[DONE].attempt, claims[DONE].handled) == (2, 1, frozenset())


def test_stored_events_are_duplicates_of_new_deliveries(inbox: SQLiteInbox) -> None:
    """The keys of this release are those under which the events are stored."""
    receiver = WebhookReceiver(inbox)
    assert [receiver.receive(body).duplicate for body in BODIES.values()] == [True] * len(BODIES)
    assert inbox.keys_with_prefix("media.processing_finished:medias:m-done:") == {DONE}


def test_this_release_writes_what_earlier_ones_wrote(stored: Path, tmp_path: Path) -> None:
    """A migrated inbox and a new one have the same tables, rows and numbers."""
    SQLiteInbox.migrate(stored)
    clock = Clock(START)
    with SQLiteInbox(tmp_path / "new.db", clock=clock) as inbox:
        write_events(inbox, clock)
    assert clock.now == NOW
    for query in (
        "SELECT type, name, sql FROM sqlite_master ORDER BY name",
        "SELECT * FROM contentgroove_events ORDER BY position",
        "SELECT * FROM contentgroove_numbers ORDER BY name",
    ):
        assert _rows(tmp_path / "new.db", query) == _rows(stored, query)


def _rows(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
