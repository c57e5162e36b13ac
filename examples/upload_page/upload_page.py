"""A page on which people upload films, and see the clips that ContentGroove suggests.

    python upload_page.py            # with CONTENTGROOVE_API_KEY; then open the address that it prints

The browser sends a film to this application, which passes it on while it arrives: no film is kept here. When a film is
processed, the service sends a webhook, and its clips appear on every open page. The API key stays on the server.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import logging
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import uvicorn
from contentgroove import (
    APIConnectionError,
    AsyncContentGroove,
    ContentGrooveError,
    OutcomeUnknownError,
    QuotaExceededError,
    RateLimitError,
    ServerError,
    UploadError,
)
from contentgroove.webhooks import MediaProcessingFinished, SQLiteInbox, WebhookReceiver, asubscribe
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import FileResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator, Sequence

logger = logging.getLogger("upload_page")

HERE = Path(__file__).parent
HOOK = "/contentgroove"
RECONCILED = dt.timedelta(days=7)
"""How old the medias are whose webhooks are looked for at the start: those that came while nothing ran."""

UPLOAD_GRACE = 30
"""Seconds for which a server that is told to stop waits for uploads."""

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

EVENT_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Neither a browser nor nginx keeps the events back."""

FILE_PROBLEMS = {
    "not_audio_or_video": (415, "is neither a video nor an audio file. Choose another file."),
    "empty": (422, "is empty. Choose another file."),
    "too_large": (413, "is larger than 5 GiB. Shorten or compress it."),
    "unreadable": (400, "did not arrive here completely. Upload it again."),
    "changed": (400, "did not arrive here completely. Upload it again."),
}
"""The status and the end of the sentence for each reason of an `UploadError` for which the file is to blame."""


class Films:
    """The films of this page, in SQLite, and the pages that wait for changes of them. It belongs to one event loop."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("CREATE TABLE IF NOT EXISTS films (id TEXT PRIMARY KEY, name TEXT, clips TEXT)")
        self._changed = asyncio.Event()
        self._closed = False

    def add(self, media_id: str, name: str) -> None:
        """Store a film that was uploaded here; its webhook may have come before."""
        self._write("INSERT INTO films (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = ?", media_id, name)

    def finish(self, event: MediaProcessingFinished) -> None:
        """Store the clips of a media. One that was not uploaded here has no name, and is not shown."""
        clips = sorted((clip.start_time, clip.end_time, clip.text) for clip in event.clips)
        command = "INSERT INTO films (id, clips) VALUES (?, ?) ON CONFLICT DO UPDATE SET clips = ?"
        self._write(command, event.media.id, json.dumps(clips))

    def all(self) -> list[dict[str, Any]]:
        """Return the films, the newest first; the clips of one that is being processed are None."""
        command = "SELECT id, name, clips FROM films WHERE name IS NOT NULL ORDER BY rowid DESC"
        rows = self._database.execute(command)
        return [{"id": row[0], "name": row[1], "clips": row[2] and json.loads(row[2])} for row in rows]

    async def snapshots(self) -> AsyncGenerator[list[dict[str, Any]]]:
        """Yield all films, now and after each change, until `end_snapshots`."""
        while not self._closed:
            changed = self._changed
            yield self.all()
            await changed.wait()

    def end_snapshots(self) -> None:
        """End all `snapshots`: a server waits for its open responses before it stops."""
        self._closed = True
        self._changed.set()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _write(self, command: str, media_id: str, value: str) -> None:
        with self._database:
            self._database.execute(command, (media_id, value, value))
        self._changed.set()
        self._changed = asyncio.Event()


def explain(error: ContentGrooveError, name: str) -> tuple[int, str]:
    """Return the status of a failed upload, and what its person is told."""
    if isinstance(error, UploadError) and error.reason in FILE_PROBLEMS:
        status, problem = FILE_PROBLEMS[error.reason]
        return status, f"{name} {problem}"
    if isinstance(error, QuotaExceededError):
        return 402, f"The quota of this ContentGroove account is used up. {name} can be uploaded when there is more."
    logger.error("%s was not uploaded: %s", name, error.message)
    if isinstance(error, OutcomeUnknownError):
        return 502, f"{name} was sent, but ContentGroove did not confirm it. Ask before you upload it again."
    if isinstance(error, APIConnectionError | RateLimitError | ServerError | UploadError):
        return 503, f"ContentGroove accepts no films now. {name} was not uploaded. Try again later."
    return 500, f"{name} was not uploaded: this page is not set up correctly. Its log says why."


def create_app(client: AsyncContentGroove, folder: Path, origin: str, token: str) -> FastAPI:
    """Return the application.

    Args:
        client: The client. Its key stays here: a browser gets names, ids and clips.
        folder: Where the databases are.
        origin: The address of the page, such as `https://films.example`; pages of others can upload nothing.
        token: The secret in the subscribed URL.
    """
    films = Films(folder / "films.db")
    receiver = WebhookReceiver(SQLiteInbox(folder / "events.db"), secret_token=token)

    # An async handler runs in the event loop of the application, to which the films belong.
    @receiver.on("media.processing_finished")
    async def finish(event: MediaProcessingFinished) -> None:
        films.finish(event)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with receiver.worker():
            yield
        films.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.state.films, app.state.receiver, app.state.origin = films, receiver, origin
    app.router.routes.append(Route(HOOK, receiver.asgi))
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    def check_origin(request: Request) -> None:
        if request.headers.get("origin") != origin:
            raise HTTPException(403, f"Films can be uploaded only on the page {origin}/ itself.")

    limits: set[asyncio.Timeout] = set()

    def stop() -> None:
        films.end_snapshots()
        for limit in limits:
            limit.reschedule(asyncio.get_running_loop().time() + UPLOAD_GRACE)

    app.state.stop = stop

    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(HERE / "page.html", headers=PAGE_HEADERS)

    @app.get("/events")
    async def events() -> StreamingResponse:
        messages = (f"data: {json.dumps(all_films)}\n\n" async for all_films in films.snapshots())
        return StreamingResponse(messages, media_type="text/event-stream", headers=EVENT_HEADERS)

    @app.post("/films", status_code=201, dependencies=[Depends(check_origin)])
    async def upload(
        request: Request,
        name: Annotated[str, Query(min_length=1, max_length=255)],
        content_length: Annotated[int, Header()],
    ) -> dict[str, str]:
        # The file is the body itself. It is read as fast as it can be sent on, so that the browser's progress is true.
        limit = asyncio.timeout(None)
        limits.add(limit)
        try:
            async with limit:
                media = await client.medias.upload(
                    request.stream(), name=name, size=content_length, identify="description"
                )
        except TimeoutError:
            raise HTTPException(
                503, f"This page's server was stopped. {name} was not uploaded. Try again later."
            ) from None
        except ContentGrooveError as error:
            status, problem = explain(error, name)
            raise HTTPException(status, problem) from error
        finally:
            limits.discard(limit)
        films.add(media.id, name)
        return {"id": media.id}

    return app


async def find_token(client: AsyncContentGroove, url: str) -> str:
    """Return the token of this page's webhook subscription, which is created at the first start."""
    async for subscription in client.webhook_subscriptions.list():
        base, _, token = subscription.url.partition("?token=")
        if base == url and token:
            return token
    return (await asubscribe(client, url, events=["media.processing_finished"]))[1]


class Server(uvicorn.Server):
    """A server that prints the page's address when it serves it, and ends all requests when it is to stop."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to serve."""
        await super().startup(sockets)
        print(f"Open {self.config.app.state.origin}/", flush=True)  # type: ignore[union-attr]  # our own application

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Note a signal."""
        asyncio.get_running_loop().call_soon_threadsafe(self.config.app.state.stop)  # type: ignore[union-attr]  # as above
        super().handle_exit(sig, frame)


async def serve(folder: Path, origin: str, port: int) -> None:
    """Serve the page until Ctrl-C."""
    async with AsyncContentGroove() as client:
        app = create_app(client, folder, origin, await find_token(client, origin + HOOK))
        await app.state.receiver.areconcile(client, since=dt.datetime.now(dt.UTC) - RECONCILED)
        # Without an access log, because the webhook's URL contains the token.
        await Server(uvicorn.Config(app, port=port, access_log=False, log_level="warning")).serve()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Serve a page on which people upload films.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--public-url", metavar="URL", help="the address that browsers and ContentGroove use")
    parser.add_argument("--data", type=Path, default=Path(), metavar="FOLDER", help="where the databases are")
    options = parser.parse_args(arguments)
    origin = (options.public_url or f"http://127.0.0.1:{options.port}").rstrip("/")
    if urlsplit(origin).path:
        parser.error("--public-url must have no path, such as https://films.example")
    try:
        options.data.mkdir(parents=True, exist_ok=True)
        asyncio.run(serve(options.data, origin, options.port))
    except (ContentGrooveError, OSError, sqlite3.Error) as error:
        sys.exit(f"The page cannot start: {error}")
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
