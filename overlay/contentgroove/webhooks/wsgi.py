"""The receiver's WSGI app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from .receiver import Receipt
from .web import HttpResponse, RequestHead

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def wsgi_app(receiver: WebhookReceiver) -> WsgiApp:
    """Return the WSGI app of a receiver, for any path."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        head = RequestHead(
            environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), environ.get("CONTENT_LENGTH") or None
        )
        response = HttpResponse.from_receipt(head.check(receiver) or _receive(receiver, head, environ))
        start_response(f"{response.status} {HTTPStatus(response.status).phrase}", list(response.headers))
        return [response.body]

    return app


def _receive(receiver: WebhookReceiver, head: RequestHead, environ: dict[str, Any]) -> Receipt:
    if head.length is None and environ.get("wsgi.input_terminated"):
        # The server ends the stream at the end of a chunked body. One byte over the limit is enough for a 413.
        body: bytes = environ["wsgi.input"].read(receiver.max_body_bytes + 1)
    elif head.length is None and environ.get("HTTP_TRANSFER_ENCODING"):
        return Receipt(HTTPStatus.LENGTH_REQUIRED, reason="Chunked bodies are not accepted; send a Content-Length.")
    else:
        body = environ["wsgi.input"].read(head.content_length)
        if len(body) < head.content_length:
            return Receipt(HTTPStatus.BAD_REQUEST, reason="The body ended before its Content-Length.")
    return receiver.receive(body, head.token)
