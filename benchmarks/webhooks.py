"""Webhooks: reading one, and receiving one, each as a ratio to its minimum and to a rival in the same run.

`python -m benchmarks.webhooks [--seconds 2]`. The minimum of reading is `json.loads` of the same body; that of
receiving is one commit of the same bytes to an SQLite file, equally durable (WAL, synced). The rival is a FastAPI app
with pydantic models as a user would write it. Both are called by their ASGI interfaces, without a server.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt  # noqa: TC003 - pydantic reads annotations at run time
import itertools
import json
import platform
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from contentgroove.webhooks import MemoryInbox, SQLiteInbox, WebhookReceiver, parse_event
from fastapi import FastAPI
from pydantic import BaseModel, Field

from benchmarks.calls import compare, documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BENCHMARK = "Webhooks"
TURNS = 20
"""Deliveries in one call of a turn, so that the start of the loop does not matter."""


class Attributes(BaseModel):
    """Attributes that most resources have."""

    name: str
    created_at: dt.datetime


class MediaAttributes(Attributes):
    """A media's attributes."""

    description: str | None
    has_fetch_error: bool
    is_processing: bool | None
    processing_started_at: dt.datetime | None
    source_file_duration: float | None
    source_file_height: int | None
    source_file_width: int | None


class Media(BaseModel):
    """A media."""

    id: str
    type: Literal["medias"]
    attributes: MediaAttributes


class ClipAttributes(Attributes):
    """A clip's attributes."""

    start_time: float
    end_time: float
    start_char: int | None
    end_char: int | None
    rank: int | None
    text: str | None
    media_file_url: str | None = None


class Clip(BaseModel):
    """A clip."""

    id: str
    type: Literal["clips"]
    attributes: ClipAttributes


class Text(BaseModel):
    """A transcription's attributes."""

    text: str


class Transcription(BaseModel):
    """A transcription."""

    id: str
    type: Literal["transcriptions"]
    attributes: Text


class Payload(BaseModel):
    """The payload of the event."""

    data: Media
    included: list[Annotated[Clip | Transcription, Field(discriminator="type")]] = []


class Webhook(BaseModel):
    """The body of a delivery."""

    event: str
    payload: Payload


def open_table(path: Path) -> sqlite3.Connection:
    """Open a file as durable as the inbox's, with a table of events."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE events (key TEXT NOT NULL UNIQUE, body BLOB NOT NULL)")
    return connection


def insert(connection: sqlite3.Connection, key: str, body: bytes) -> None:
    """Commit one event, once."""
    connection.execute("INSERT INTO events VALUES (?, ?) ON CONFLICT (key) DO NOTHING", (key, body))


def fastapi_app(keep: Callable[[str, bytes], object]) -> Any:
    """Make the receiver that a user would write."""
    app = FastAPI()

    @app.post("/hook")
    def hook(webhook: Webhook) -> dict[str, bool]:
        media = webhook.payload.data
        keep(f"{media.id}:{media.attributes.processing_started_at}", webhook.model_dump_json().encode())
        return {"ok": True}

    assert hook is not None  # noqa: S101 - for pyright, which sees no use of it
    return app


async def deliver(app: Any, body: bytes) -> None:
    """Deliver one webhook to an ASGI app, which must respond with 200."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/hook",
        "raw_path": b"/hook",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    if statuses != [200]:
        raise SystemExit(f"an app responded with {statuses}")


def bodies(hook: bytes) -> Iterator[bytes]:
    """Yield webhooks that are different events of the same size."""
    media_id = json.loads(hook)["payload"]["data"]["id"].encode()
    for number in itertools.count():
        yield hook.replace(media_id, b"%0*d" % (len(media_id), number))


def delivering(loop: asyncio.AbstractEventLoop, app: Any, hook: bytes) -> Callable[[], object]:
    """Return a function that delivers some webhooks, one after the other."""
    events = bodies(hook)

    async def some() -> None:
        for body in itertools.islice(events, TURNS):
            await deliver(app, body)

    return lambda: loop.run_until_complete(some())


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn of each side")
    seconds = parser.parse_args().seconds
    hook = documents()[2]
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, a webhook of {len(hook):,} bytes")
    compare(
        "parse_event, time / json.loads",
        lambda: json.loads(hook),
        lambda: parse_event(hook),
        seconds,
        "<= 0.65 (time)",
        benchmark=BENCHMARK,
    )
    compare(
        "parse_event / pydantic's model_validate_json",
        lambda: parse_event(hook),
        lambda: Webhook.model_validate_json(hook),
        seconds,
        "> 1",
        benchmark=BENCHMARK,
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(asyncio.new_event_loop()) as loop,
        SQLiteInbox(Path(folder) / "inbox.db") as inbox,
        closing(open_table(Path(folder) / "floor.db")) as floor,
        closing(open_table(Path(folder) / "rival.db")) as rival,
    ):
        receiver, plain = WebhookReceiver(inbox), WebhookReceiver(MemoryInbox())
        ours, theirs, numbers = bodies(hook), bodies(hook), itertools.count()
        compare(
            "receive into SQLiteInbox / one SQLite commit",
            lambda: receiver.receive(next(ours)),
            lambda: insert(floor, str(next(numbers)), next(theirs)),
            seconds,
            "about 1",
            benchmark=BENCHMARK,
        )
        compare(
            "delivered to receiver.asgi, SQLite / FastAPI, SQLite",
            delivering(loop, receiver.asgi, hook),
            delivering(loop, fastapi_app(lambda key, body: insert(rival, key, body)), hook),
            seconds,
            "> 1",
            benchmark=BENCHMARK,
        )
        compare(
            "delivered to receiver.asgi, memory / FastAPI, nothing kept",
            delivering(loop, plain.asgi, hook),
            delivering(loop, fastapi_app(lambda key, body: (key, body)), hook),
            seconds,
            "> 1",
            benchmark=BENCHMARK,
        )


if __name__ == "__main__":
    main()
