"""The receiver's ASGI app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias

from .web import HttpResponse, RequestHead

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


class ReceiverApp:
    """The ASGI app of a receiver, for any path.

    It is an object because routers take a function for a view.
    """

    def __init__(self, receiver: WebhookReceiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"This app serves http, not {scope['type']}.")
        head = _request_head(scope)
        receipt = head.check(self._receiver)
        if receipt is None:
            body = await _read_body(receive, self._receiver.max_body_bytes)
            if body is None:
                return
            receipt = await self._receiver.areceive(body, head.token)
        await _send_response(send, HttpResponse.from_receipt(receipt))


def _request_head(scope: Scope) -> RequestHead:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    length = headers.get(b"content-length")
    query: bytes = scope.get("query_string", b"")
    return RequestHead(scope["method"], query.decode("latin-1"), None if length is None else length.decode("latin-1"))


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Read the body; None if the sender disconnected before its end."""
    # One byte over the limit is enough for a 413, so the rest is not kept.
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit or not message.get("more_body", False):
            return bytes(body[: limit + 1])


async def _send_response(send: Send, response: HttpResponse) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
