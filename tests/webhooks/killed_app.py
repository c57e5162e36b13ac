"""An app that receives webhooks and handles them, and is killed at a named step; run as a process of its own.

Arguments: the inbox's kind, its place, the step, and a file with a JSON list of the webhooks that it gets.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

STEPS = (
    "before record",
    "after record",
    "after claim",
    "in transaction",
    "after transaction",
    "in handler",
    "after handler",
    "before done",
    "after done",
)


class Killer:
    """Kills this process, without a word, when it comes to a step."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __call__(self, step: str) -> None:
        """Come to a step."""
        if step == self._step:
            os.kill(os.getpid(), 9)


class WatchedInbox:
    """Another inbox, with the steps around its methods."""

    def __init__(self, inbox: Any, come_to: Killer) -> None:
        self._inbox = inbox
        self._come_to = come_to

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inbox, name)

    def record(self, key: str, body: bytes) -> Any:
        """Record between two steps."""
        self._come_to("before record")
        new = self._inbox.record(key, body)
        self._come_to("after record")
        return new

    def claim(self, lease: float) -> Any:
        """Claim before a step."""
        claim = self._inbox.claim(lease)
        self._come_to("after claim")
        return claim

    def apply(self, *arguments: Any) -> Any:
        """Apply before a step."""
        held = self._inbox.apply(*arguments)
        self._come_to("after transaction")
        return held

    def progress(self, *arguments: Any) -> Any:
        """Note a handler's success before a step."""
        held = self._inbox.progress(*arguments)
        self._come_to("after handler")
        return held

    def done(self, claim: Any) -> Any:
        """Close between two steps."""
        self._come_to("before done")
        closed = self._inbox.done(claim)
        self._come_to("after done")
        return closed


def connect(kind: str, place: str) -> Any:
    """Open a connection of the app's own."""
    if kind == "sqlite":
        return sqlite3.connect(place, isolation_level=None, timeout=30)
    import psycopg

    return psycopg.connect(place, autocommit=True)


def run_app(inbox: Any, come_to: Killer, kind: str, place: str, webhooks: list[dict[str, Any]]) -> None:
    """Receive webhooks and handle them by two handlers, one of them in the inbox's transaction."""
    from contentgroove.webhooks import WebhookReceiver

    watched: Any = WatchedInbox(inbox, come_to)
    receiver = WebhookReceiver(watched)

    @receiver.on("*", name="exact", transaction=True)
    def exact(event: Any, connection: Any) -> None:
        connection.execute(f"INSERT INTO effects VALUES ('exact {event.media.id}')")  # noqa: S608 - the test's own
        come_to("in transaction")

    @receiver.on("*", name="plain")
    def plain(event: Any) -> None:
        connection = connect(kind, place)
        connection.execute(f"INSERT INTO effects VALUES ('plain {event.media.id}')")  # noqa: S608 - as above
        connection.close()
        come_to("in handler")

    for webhook in webhooks:
        assert receiver.receive(json.dumps(webhook).encode()).status_code == 200
    receiver.process_pending()


def main(kind: str, place: str, step: str, webhooks: str) -> None:
    """Run the app as this process."""
    from contentgroove.webhooks import PostgresInbox, SQLiteInbox

    with SQLiteInbox(place) if kind == "sqlite" else PostgresInbox(place) as inbox:
        run_app(inbox, Killer(step), kind, place, json.loads(Path(webhooks).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
