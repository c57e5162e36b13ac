"""An app that receives and handles webhooks and is killed at a named step; run as its own process.

Arguments: the inbox's kind, its location, the step, and a file with a JSON list of the webhooks to deliver.
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
    """Kills this process without warning when it reaches a step."""

    def __init__(self, step: str) -> None:
        self._step = step

    def __call__(self, step: str) -> None:
        """Reach a step."""
        if step == self._step:
            os.kill(os.getpid(), 9)


class WatchedInbox:
    """A wrapped inbox, with steps around its methods."""

    def __init__(self, inbox: Any, reach: Killer) -> None:
        self._inbox = inbox
        self._reach = reach

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inbox, name)

    def record(self, key: str, body: bytes) -> Any:
        """Record between two steps."""
        self._reach("before record")
        new = self._inbox.record(key, body)
        self._reach("after record")
        return new

    def claim(self, lease: float) -> Any:
        """Claim before a step."""
        claim = self._inbox.claim(lease)
        self._reach("after claim")
        return claim

    def apply(self, *arguments: Any) -> Any:
        """Apply before a step."""
        still_claimed = self._inbox.apply(*arguments)
        self._reach("after transaction")
        return still_claimed

    def progress(self, *arguments: Any) -> Any:
        """Store a handler's success before a step."""
        still_claimed = self._inbox.progress(*arguments)
        self._reach("after handler")
        return still_claimed

    def done(self, claim: Any) -> Any:
        """Complete between two steps."""
        self._reach("before done")
        closed = self._inbox.done(claim)
        self._reach("after done")
        return closed


def connect(kind: str, location: str) -> Any:
    """Open the app's own connection."""
    if kind == "sqlite":
        return sqlite3.connect(location, isolation_level=None, timeout=30)
    import psycopg

    return psycopg.connect(location, autocommit=True)


def run_app(inbox: Any, reach: Killer, kind: str, location: str, webhooks: list[dict[str, Any]]) -> None:
    """Receive webhooks and call two handlers, one of them in the inbox's transaction."""
    from contentgroove.webhooks import WebhookReceiver

    watched: Any = WatchedInbox(inbox, reach)
    receiver = WebhookReceiver(watched)

    @receiver.on("*", name="exact", transaction=True)
    def exact(event: Any, connection: Any) -> None:
        connection.execute(f"INSERT INTO effects VALUES ('exact {event.media.id}')")  # noqa: S608 - the test's own
        reach("in transaction")

    @receiver.on("*", name="plain")
    def plain(event: Any) -> None:
        connection = connect(kind, location)
        connection.execute(f"INSERT INTO effects VALUES ('plain {event.media.id}')")  # noqa: S608 - as above
        connection.close()
        reach("in handler")

    for webhook in webhooks:
        assert receiver.receive(json.dumps(webhook).encode()).status_code == 200
    receiver.process_pending()


def main(kind: str, location: str, step: str, webhooks: str) -> None:
    """Run the app as this process."""
    from contentgroove.webhooks import PostgresInbox, SQLiteInbox

    with SQLiteInbox(location) if kind == "sqlite" else PostgresInbox(location) as inbox:
        run_app(inbox, Killer(step), kind, location, json.loads(Path(webhooks).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
