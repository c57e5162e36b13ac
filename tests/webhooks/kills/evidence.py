"""What the harness finds after a kill, and whether that may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks.dedupe import key_prefix

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.webhooks.kills.processes import Setup


@dataclass
class Evidence:
    """Looks at the inbox, at the table of the transactional handler, and at the journal of the other one.

    Attributes:
        setup: Where they are.
        done: The keys of the events that were found to be done so far.
        begun: How often the handler without a transaction has begun, for each event.
        ended: How often it has succeeded.
        seen_again: How often it could see that it was not the first attempt.
        waiting: How many events a worker could begin with.
        held: How often an event was found that a killed process had in hand.
    """

    setup: Setup
    done: frozenset[str] = frozenset()
    begun: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    seen_again: int = 0
    waiting: int = 0
    held: int = 0
    _read: int = 0

    def look(self) -> None:
        """Look at everything, while processes go on.

        Raises:
            AssertionError: Something is as it never may be; it says which event.
        """
        connection: Any = self.setup.connect()
        try:
            # In this order: whatever is done when it is looked at has its effects when those are looked at.
            states = connection.execute("SELECT key, state, due FROM contentgroove_events").fetchall()
            effects = Counter(key for (key,) in connection.execute("SELECT text FROM effects").fetchall())
        finally:
            connection.close()
        self._read_journal()
        done = {key for key, state, _ in states if state == "done"}
        assert self.done <= done, f"done no more: {sorted(self.done - done)}"
        twice = sorted(key for key, count in effects.items() if count > 1)
        assert not twice, f"transactional effects more than once: {twice}"
        unhandled = sorted(key for key in done if not (effects[key] and self.ended[key]))
        assert not unhandled, f"marked as done, but not handled: {unhandled}"
        self.done = frozenset(done)
        now = self.setup.clock.value
        self.waiting = sum(state == "pending" and due <= now for _, state, due in states)

    def count_held(self) -> None:
        """Count what the dead had in hand, now that nobody lives."""
        self.look()
        with self.setup.open_inbox() as inbox:
            self.held += len(inbox.events("claimed"))

    def expect_recorded(self, medias: Iterable[str]) -> None:
        """Check that no event is missing that a receiver has answered with 200."""
        with self.setup.open_inbox() as inbox:
            missing = [media for media in medias if not inbox.keys_with_prefix(_prefix(media))]
        assert not missing, f"answered with 200, but not recorded: {missing}"

    def expect_handled(self, medias: Iterable[str]) -> None:
        """Check that one event of each media is done, and no other."""
        keys = sorted(self.done)
        wanted = sorted(_prefix(media) for media in medias)
        assert [key[: len(prefix)] for key, prefix in zip(keys, wanted, strict=True)] == wanted

    def _read_journal(self) -> None:
        with self.setup.journal.open(encoding="ascii") as journal:
            journal.seek(self._read)
            lines = journal.read()
            self._read = journal.tell()
        for line in lines.splitlines():
            moment, key, attempt = line.split(" ")
            assert key not in self.done, f"ran again after it was done: {line}"
            (self.begun if moment == "begin" else self.ended)[key] += 1
            self.seen_again += moment == "begin" and int(attempt) > 1


def _prefix(media_id: str) -> str:
    return key_prefix("media.processing_finished", "medias", media_id)
