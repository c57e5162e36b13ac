"""Files in the folder in which commands are run, and the documented output."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
from contentgroove.webhooks import SQLiteInbox, WebhookReceiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

KEY = "media.processing_finished:medias:m-1:2025-10-15T13:51:02.559000+00:00"
"""The key of the event of the media `m-1`."""

DOCUMENT = Path(__file__).parents[3] / "docs" / "webhooks.md"


def check(name: str, document: Any) -> None:
    """Check a JSON document against the documentation."""
    _, _, section = DOCUMENT.read_text(encoding="utf-8").partition(f"### {name}\n")
    schema = json.loads(section.partition("```json\n")[2].partition("```")[0])
    jsonschema_rs.validator_for({**schema, "additionalProperties": False}, validate_formats=True).validate(document)


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
