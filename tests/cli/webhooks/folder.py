"""Files in the folder in which commands are run."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import SQLiteInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

KEY = "media.processing_finished:medias:m-1:2025-10-15T13:51:02.559000+00:00"
"""The key of the event of the media `m-1`."""


def saved(cli: CommandLine, event: Any = None) -> str:
    """Save a body; returns the name of the file."""
    (cli.folder / "body.json").write_bytes(body(event or finished("m-1")))
    return "body.json"


def inbox_with(cli: CommandLine, *medias: str) -> SQLiteInbox:
    """Create an inbox `events.db` with events."""
    inbox = SQLiteInbox(cli.folder / "events.db")
    for media in medias:
        WebhookReceiver(inbox).receive(body(finished(media)))
    return inbox


def app(cli: CommandLine) -> None:
    """Write the module `shop`, whose handler waits for a line in the pipe `gate` if it exists."""
    (cli.folder / "shop.py").write_text(
        textwrap.dedent("""
            from pathlib import Path
            from contentgroove.webhooks import MemoryInbox, WebhookReceiver

            def make(inbox):
                receiver = WebhookReceiver(inbox)

                @receiver.on("*")
                def handle(event):
                    gate = Path("gate")
                    if gate.exists():
                        print("started", event.media.id, flush=True)
                        word = gate.read_text()
                        if word == "fail":
                            raise LookupError("told to fail")
                    print("handled", event.media.id, event.attempt, flush=True)

                return receiver

            receiver = make(MemoryInbox())
            number = 5
            wrong = lambda inbox: "receiver"
        """),
        encoding="utf-8",
    )
