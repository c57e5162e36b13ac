"""The common part of the ASGI and the WSGI app: reading a request's head, writing a response."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from .receiver import Receipt
from .tokens import TOKEN_PARAMETER

if TYPE_CHECKING:
    from .receiver import WebhookReceiver

ALLOWED = "POST"


@dataclass(frozen=True, slots=True)
class RequestHead:
    """A request before its body is read.

    Attributes:
        method: The HTTP method.
        query: The URL's query.
        length: The Content-Length header; None if it is missing.
    """

    method: str
    query: str
    length: str | None

    @property
    def token(self) -> str:
        """The token in the URL; empty if it is missing."""
        return parse_qs(self.query).get(TOKEN_PARAMETER, [""])[0]

    @property
    def content_length(self) -> int:
        """The announced length of the body in bytes; 0 if it is missing."""
        # No body has a length of 19 digits, and int() rejects thousands of digits.
        return int(self.length[:19]) if self.length and self.length.isascii() and self.length.isdigit() else 0

    def check(self, receiver: WebhookReceiver) -> Receipt | None:
        """Return the receipt of a request that is refused; None if its body may be read."""
        if self.method != ALLOWED:
            return Receipt(HTTPStatus.METHOD_NOT_ALLOWED, reason="Webhooks must be sent with POST.")
        return receiver.check_headers(self.token, self.content_length)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An HTTP response.

    Attributes:
        status: The status code.
        headers: Names and values.
        body: The content.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def from_receipt(cls, receipt: Receipt) -> HttpResponse:
        """Write the response for a receipt."""
        body = f"{receipt.reason or 'recorded'}\n".encode()
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
        if receipt.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers.append(("Allow", ALLOWED))
        return cls(int(receipt.status_code), tuple(headers), body)
