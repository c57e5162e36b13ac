"""A receiver as a WSGI app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def wsgi_app(receiver: WebhookReceiver) -> WsgiApp:
    """Make the app; any path is the webhook's."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def answer(status: int, text: str, *headers: tuple[str, str]) -> Iterable[bytes]:
            body = f"{text}\n".encode()
            start_response(
                f"{status} {HTTPStatus(status).phrase}",
                [
                    ("Content-Type", "text/plain; charset=utf-8"),
                    ("Content-Length", str(len(body))),
                    *headers,
                ],
            )
            return [body]

        if environ["REQUEST_METHOD"] != "POST":
            return answer(405, "Webhooks are POSTed.", ("Allow", "POST"))
        announced = environ.get("CONTENT_LENGTH") or "0"
        if not announced.isascii() or not announced.isdigit():
            return answer(400, "The Content-Length is no number.")
        length = min(int(announced[:20]), receiver.max_body + 1)
        token = parse_qs(environ.get("QUERY_STRING", "")).get("token", [""])[0]
        receipt = receiver.receive(environ["wsgi.input"].read(length), token)
        return answer(receipt.status_code, receipt.reason or "recorded")

    return app
