"""A receiver as a WSGI app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from .receiver import Receipt
from .web import Answer, Head

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def wsgi_app(receiver: WebhookReceiver) -> WsgiApp:
    """Make the app; any path is the webhook's."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        head = Head(environ["REQUEST_METHOD"], environ.get("QUERY_STRING", ""), environ.get("CONTENT_LENGTH") or None)
        answer = Answer.to(head.refusal(receiver) or _received(receiver, head, environ))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", list(answer.headers))
        return [answer.body]

    return app


def _received(receiver: WebhookReceiver, head: Head, environ: dict[str, Any]) -> Receipt:
    if head.length is None and environ.get("wsgi.input_terminated"):
        # The server ends the stream where a chunked body ends; one byte over the limit is enough to be refused.
        body: bytes = environ["wsgi.input"].read(receiver.max_body_bytes + 1)
    elif head.length is None and environ.get("HTTP_TRANSFER_ENCODING"):
        return Receipt(HTTPStatus.LENGTH_REQUIRED, reason="This server takes no chunked bodies; send a Content-Length.")
    else:
        body = environ["wsgi.input"].read(head.announced)
        if len(body) < head.announced:
            return Receipt(HTTPStatus.BAD_REQUEST, reason="The body ended before its Content-Length.")
    return receiver.receive(body, head.token)
