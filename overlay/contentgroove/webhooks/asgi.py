"""A receiver as an ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def asgi_app(receiver: WebhookReceiver) -> AsgiApp:
    """Make the app; any path is the webhook's."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"This app serves http, not {scope['type']}.")
        if scope["method"] != "POST":
            await _answer(send, 405, "Webhooks are POSTed.", [(b"allow", b"POST")])
            return
        body = await _read(receive, receiver.max_body)
        if body is None:
            return
        query: str = scope.get("query_string", b"").decode("latin-1")
        token = parse_qs(query).get("token", [""])[0]
        # In a thread, because an inbox may be a database.
        receipt = await asyncio.to_thread(receiver.receive, body, token)
        await _answer(send, receipt.status_code, receipt.reason or "recorded", [])

    return app


async def _read(receive: Receive, limit: int) -> bytes | None:
    # One byte over the limit is enough to be refused; the rest is never kept.
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit or not message.get("more_body", False):
            return bytes(body[: limit + 1])


async def _answer(send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]]) -> None:
    body = f"{text}\n".encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"text/plain; charset=utf-8"),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
