"""Done events are deleted by their age while a worker runs."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest
from contentgroove import InvalidInputError
from contentgroove.webhooks import InboxError, MemoryInbox, SQLiteInbox, WebhookReceiver, sql
from contentgroove.webhooks.retention import INTERVAL, Retention

from tests.webhooks.payloads import received

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.webhooks.conftest import Clock

DAY = 86_400.0


class Prunable(MemoryInbox):
    """Notices each pruning; the first one fails."""

    def __init__(self, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self.pruned: list[float] = []
        self.proceed, self.noticed = threading.Event(), threading.Event()

    def prune(self, older_than: float) -> int:
        """Prune."""
        assert self.proceed.wait(30)
        self.pruned.append(older_than)
        self.noticed.set()
        if len(self.pruned) == 1:
            raise InboxError("no")
        return super().prune(older_than)


def test_an_inbox_is_pruned_once_an_hour(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """By one thread at a time; a failure is logged and tried again."""
    caplog.set_level(logging.INFO)
    inbox = Prunable(clock)
    retention = Retention(inbox, DAY, clock=clock)
    inbox.record("a", b"")
    claim = inbox.claim(60)
    assert claim
    inbox.done(claim)
    first = retention.start_if_due()
    clock.now += INTERVAL
    assert retention.start_if_due() is None, "the first one still runs"
    inbox.proceed.set()
    assert first
    first.join(30)
    assert "could not be deleted: InboxError: no" in caplog.text
    for seconds, count in ((0.0, 1), (INTERVAL, 1), (INTERVAL - 1, None), (DAY, 0)):
        clock.now += seconds
        thread = retention.start_if_due()
        assert (thread is None) == (count is None)
        if thread:
            thread.join(30)
            assert len(inbox.events()) == count
    assert inbox.pruned == [DAY] * 4


def test_a_worker_deletes_what_was_done_long_ago() -> None:
    """With `retention=`; without it, nothing."""
    for retention in (None, 1e-9):
        inbox, handled = Prunable(lambda: 0.0), threading.Event()
        inbox.proceed.set()
        receiver = received(inbox, "m-1", retention=retention)
        receiver.on("*")(lambda _, handled=handled: handled.set())
        receiver.start_worker(poll_interval=0.01)
        assert handled.wait(30)
        receiver.stop_worker()
        assert not inbox.noticed.is_set() if retention is None else inbox.noticed.wait(30)


@pytest.mark.parametrize("retention", [0, -1, float("nan")])
def test_a_retention_must_be_positive(retention: float) -> None:
    """Otherwise each event could be handled twice."""
    with pytest.raises(InvalidInputError, match="retention"):
        WebhookReceiver(MemoryInbox(), retention=retention)


def test_events_are_pruned_in_small_transactions(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others write between them, and the limit is stored before the first event is deleted."""
    monkeypatch.setattr(sql, "PRUNED_AT_ONCE", 3)
    with SQLiteInbox(tmp_path / "events.db", busy_timeout=0.01, clock=clock) as inbox:
        for number in range(8):
            inbox.record(f"{number}", b"")
            claim = inbox.claim(60)
            assert claim
            inbox.done(claim)
        seen: list[tuple[int, float]] = []

        def pause(_: float) -> None:
            seen.append((inbox.counts()["done"], inbox.pruned_until()))
            assert inbox.record(f"new {len(seen)}", b"")
            assert inbox.claim(60)

        monkeypatch.setattr("contentgroove.webhooks.sql.time.sleep", pause)
        clock.now += 10
        assert inbox.prune(older_than=5) == 8
        assert seen == [(5, clock.now - 5), (2, clock.now - 5)]
        assert inbox.counts() == {"pending": 0, "claimed": 2, "done": 0, "dead": 0}
