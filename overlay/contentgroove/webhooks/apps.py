"""The ASGI and the WSGI app of a receiver, and the receipts from which their responses are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias
from urllib.parse import parse_qs

from contentgroove._core.tracebacks import with_safe_repr

from .subscribing import TOKEN_PARAMETER

if TYPE_CHECKING:
    from .events import Event

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
AsgiApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# (assumed: webhook-content-type, webhook-timeout)
METHOD = "POST"

BAD_REQUEST, METHOD_NOT_ALLOWED, LENGTH_REQUIRED, UNAVAILABLE = 400, 405, 411, 503
"""Status codes; `http.HTTPStatus` takes long to import, so only the WSGI app imports it."""


RETRY_AFTER = "30"
"""Seconds; perhaps the service does not observe it (assumed: webhook-retry-after-ignored)."""


@with_safe_repr
@dataclass(frozen=True, slots=True)
class Receipt:
    """The result of a delivery, from which the response is written.

    Attributes:
        status_code: 200 if the event is recorded; the service counts nothing else as delivered (assumed:
            webhook-200-only).
        duplicate: Whether the event was already recorded.
        event: The event; None if the delivery was refused.
        reason: Why the delivery was refused; empty if it was not.
    """

    status_code: int
    duplicate: bool = False
    event: Event | None = None
    reason: str = ""


class _Receiver(Protocol):
    """The methods of a `WebhookReceiver` that the apps call."""

    @property
    def max_body_bytes(self) -> int: ...

    def check_headers(self, token: str | None, length: int) -> Receipt | None: ...

    def receive(self, body: bytes, token: str | None = None) -> Receipt: ...

    async def areceive(self, body: bytes, token: str | None = None) -> Receipt: ...


class AsgiReceiver:
    """The ASGI app of a receiver, for any path.

    It is an object because routers take a function for a view.
    """

    def __init__(self, receiver: _Receiver) -> None:
        self._receiver = receiver

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ValueError(f"This app serves http, not {scope['type']}.")
        headers: dict[bytes, bytes] = dict(scope["headers"])
        head = _RequestHead(
            scope["method"],
            scope.get("query_string", b"").decode("latin-1"),
            headers.get(b"content-length", b"").decode("latin-1") or None,
        )
        receipt = head.check(self._receiver)
        if receipt is None:
            body = await _read_body(receive, self._receiver.max_body_bytes)
            if body is None:
                return
            receipt = await self._receiver.areceive(body, head.token)
        response_headers, content = _write_response(receipt)
        raw_headers = [(name.lower().encode(), value.encode()) for name, value in response_headers]
        await send({"type": "http.response.start", "status": receipt.status_code, "headers": raw_headers})
        await send({"type": "http.response.body", "body": content})


def wsgi_app(receiver: _Receiver) -> WsgiApp:
    """Return the WSGI app of a receiver, for any path."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        from http import HTTPStatus

        head = _RequestHead(
            environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), environ.get("CONTENT_LENGTH") or None
        )
        receipt = head.check(receiver) or _receive_wsgi(receiver, head, environ)
        headers, content = _write_response(receipt)
        start_response(f"{receipt.status_code} {HTTPStatus(receipt.status_code).phrase}", headers)
        return [content]

    return app


class _RequestHead(NamedTuple):
    """A request before its body is read; `length` is its Content-Length header."""

    method: str
    query: str
    length: str | None

    def __repr__(self) -> str:
        # Without the token in the query.
        return f"_RequestHead({self.method}, {self.length})"

    @property
    def token(self) -> str:
        """The token in the URL; empty if it is missing."""
        return parse_qs(self.query).get(TOKEN_PARAMETER, [""])[0]

    @property
    def content_length(self) -> int:
        """The announced length of the body in bytes; 0 if it is missing."""
        # No body has a length of 19 digits, and int() rejects thousands of digits.
        return int(self.length[:19]) if self.length and self.length.isascii() and self.length.isdigit() else 0

    def check(self, receiver: _Receiver) -> Receipt | None:
        """Return the receipt of a request that is refused; None if its body may be read."""
        if self.method != METHOD:
            return Receipt(METHOD_NOT_ALLOWED, reason="Webhooks must be sent with POST.")
        return receiver.check_headers(self.token, self.content_length)


def _write_response(receipt: Receipt) -> tuple[list[tuple[str, str]], bytes]:
    content = f"{receipt.reason or 'recorded'}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))]
    if receipt.status_code == METHOD_NOT_ALLOWED:
        headers.append(("Allow", METHOD))
    if receipt.status_code == UNAVAILABLE:
        headers.append(("Retry-After", RETRY_AFTER))
    return headers, content


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


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _receive_wsgi(receiver: _Receiver, head: _RequestHead, environ: dict[str, Any]) -> Receipt:
    if head.length is None and environ.get("wsgi.input_terminated"):
        # The server ends the stream at the end of a chunked body. One byte over the limit is enough for a 413.
        body: bytes = environ["wsgi.input"].read(receiver.max_body_bytes + 1)
    elif head.length is None and environ.get("HTTP_TRANSFER_ENCODING"):
        return Receipt(LENGTH_REQUIRED, reason="Chunked bodies are not accepted; send a Content-Length.")
    else:
        body = environ["wsgi.input"].read(head.content_length)
        if len(body) < head.content_length:
            return Receipt(BAD_REQUEST, reason="The body ended before its Content-Length.")
    return receiver.receive(body, head.token)
