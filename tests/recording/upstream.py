"""A service of fixed responses, and what a proxy recorded of it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import httpx
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.proxy import Outcome, serve_recording
from contentgroove_mock.recording.sessions import read_session
from contentgroove_mock.simulator.server import serve_app
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator
    from pathlib import Path

    from contentgroove_mock.recording.recordings import Recording
    from starlette.types import Receive, Scope, Send

KEY = "canary-key-of-the-caller"
CHECKER = Checker()


class Upstream:
    """An ASGI application that sends one response to every request.

    Attributes:
        status: The status.
        headers: The headers.
        chunks: The body; without a Content-Length among the headers it is sent in chunks.
        received: Each request: its scope and its body.
    """

    def __init__(self, status: int = 200, headers: dict[str, str] | None = None, *chunks: bytes) -> None:
        self.status = status
        self.headers = list((headers or {}).items())
        self.chunks = list(chunks)
        self.received: list[tuple[dict[str, Any], bytes]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        content = b"".join([chunk async for chunk in _body(receive)])
        self.received.append((dict(scope), content))
        raw = [(name.encode(), value.encode("latin-1")) for name, value in self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        for chunk in self.chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def sent_headers(self) -> dict[str, str]:
        """Return the headers of the last request."""
        return {name.decode(): value.decode("latin-1") for name, value in self.received[-1][0]["headers"]}


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more_body = True
    while more_body:
        message = await receive()
        yield message.get("body", b"")
        more_body = message.get("more_body", False)


class Proxy(Struct):
    """A running proxy.

    Attributes:
        client: Calls it, with the key.
        file: The recording.
        outcomes: What it reported so far.
    """

    client: httpx.Client
    file: Path
    outcomes: list[Outcome]

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """The exchanges in the file now."""
        return read_session(self.file).recordings


@contextlib.contextmanager
def recording_of(target: Any, file: Path) -> Generator[Proxy]:
    """Record with an application, or with the service at a base URL."""
    outcomes: list[Outcome] = []
    headers = {"authorization": f"Bearer {KEY}"}
    with contextlib.ExitStack() as stack:
        if not isinstance(target, str):
            target = stack.enter_context(serve_app(target)) + "/api/v1"
        base_url = stack.enter_context(serve_recording(file, target, checker=CHECKER, on_exchange=outcomes.append))
        client = stack.enter_context(httpx.Client(base_url=base_url, headers=headers, trust_env=False))
        yield Proxy(client, file, outcomes)


def as_json(value: object) -> tuple[dict[str, str], bytes]:
    """Return the headers and the body of a response with JSON."""
    content = json.dumps(value).encode()
    return {"content-type": "application/json", "content-length": str(len(content))}, content
