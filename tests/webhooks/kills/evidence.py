"""The state that the harness finds after a kill, and checks that it is allowed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks.events import key_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.webhooks.kills.processes import Setup


@dataclass
class Evidence:
    """Checks the inbox, the table of the transactional handler, and the journal of the other one.

    Attributes:
        setup: Where they are.
        done: The keys of the events that were done so far.
        started: How often the handler without a transaction was started, for each event.
        ended: How often it has succeeded.
        retried: How often its event said that it was not the first attempt.
        waiting: How many events a worker could claim.
        claimed: How often a killed process had claimed an event.
        databases: How often the database was killed.
    """

    setup: Setup
    done: frozenset[str] = frozenset()
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    waiting: int = 0
    claimed: int = 0
    databases: int = 0
    _read: int = 0

    def check(self) -> None:
        """Check everything while the processes continue.

        Raises:
            AssertionError: An event is in a state that is not allowed; the message names it.
        """
        connection: Any = self.setup.connect()
        try:
            # The states come first, because effects are committed before their event is done.
            states = connection.execute("SELECT key, state, due FROM contentgroove_events").fetchall()
            effects = Counter(key for (key,) in connection.execute("SELECT text FROM effects").fetchall())
        finally:
            connection.close()
        self._read_journal()
        done = {key for key, state, _ in states if state == "done"}
        assert self.done <= done, f"no longer done: {sorted(self.done - done)}"
        twice = sorted(key for key, count in effects.items() if count > 1)
        assert not twice, f"transactional effects more than once: {twice}"
        unhandled = sorted(key for key in done if not (effects[key] and self.ended[key]))
        assert not unhandled, f"marked as done, but not handled: {unhandled}"
        self.done = frozenset(done)
        now = self.setup.clock.value
        self.waiting = sum(state == "pending" and due <= now for _, state, due in states)

    def count_claimed(self) -> None:
        """Count the events that killed processes had claimed, when no process is alive."""
        self.check()
        with self.setup.open_inbox() as inbox:
            self.claimed += len(inbox.events("claimed"))

    def expect_recorded(self, medias: Iterable[str]) -> None:
        """Check that every event that a receiver accepted with 200 is recorded."""
        with self.setup.open_inbox() as inbox:
            missing = [media for media in medias if not inbox.keys_with_prefix(_prefix(media))]
        assert not missing, f"accepted with 200, but not recorded: {missing}"

    def expect_handled(self, medias: Iterable[str]) -> None:
        """Check that one event of each media is done, and no other."""
        keys = sorted(self.done)
        prefixes = sorted(_prefix(media) for media in medias)
        assert [key[: len(prefix)] for key, prefix in zip(keys, prefixes, strict=True)] == prefixes

    def _read_journal(self) -> None:
        with self.setup.journal.open(encoding="ascii") as journal:
            journal.seek(self._read)
            lines = journal.read()
            self._read = journal.tell()
        for line in lines.splitlines():
            moment, key, attempt = line.split(" ")
            assert key not in self.done, f"ran again after it was done: {line}"
            (self.started if moment == "begin" else self.ended)[key] += 1
            self.retried += moment == "begin" and int(attempt) > 1


def _prefix(media_id: str) -> str:
    return key_prefix("media.processing_finished", "medias", media_id)
