"""How a request is sent on to the service or its store, and what is refused before.

A caller may be a web page or take the proxy for an open one; those get an error and nothing is sent.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlsplit

import httpx
from contentgroove._core.redaction import redact_text
from contentgroove._core.settings import is_loopback

from contentgroove_mock.contract.asgi import headers_of, target_of
from contentgroove_mock.contract.exchanges import CheckedRequest
from contentgroove_mock.recording.bodies import MAX_BODY, BodyCopy, readable_encodings
from contentgroove_mock.recording.sessions import UPLOADS
from contentgroove_mock.simulator.core.errors import ErrorResponse
from contentgroove_mock.simulator.web.responses import TRANSPORT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Mapping

    from contentgroove._core.secret import Secret
    from starlette.types import Receive, Scope

    from contentgroove_mock.contract import Checker

_HOP_BY_HOP = frozenset({
    b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te",
    b"trailer", b"transfer-encoding", b"upgrade",
})  # fmt: skip
# The name of the target replaces the host. The proxy itself has already responded to Expect.
_NOT_FORWARDED = _HOP_BY_HOP | {b"host", b"expect"}
_AS_SENT = "%/:?#[]@!$&'()*+,;=~"
_API_CREDENTIALS = frozenset({b"authorization", b"cookie", b"x-api-key"})
_OF_BROWSERS = frozenset({"origin", "sec-fetch-site"})


Headers = list[tuple[bytes, bytes]]


class Disconnected(Exception):  # noqa: N818  # not an error of the proxy
    """The caller closed the connection before its request was complete."""


class Call:
    """A request of a caller."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self._receive = receive
        self.method: str = scope["method"]
        self.target = target_of(scope)
        self.headers = headers_of(scope["headers"])
        self.is_upload = self.target.startswith(UPLOADS)
        self.body = BodyCopy(0 if self.is_upload else MAX_BODY)

    def checked(self) -> CheckedRequest:
        """Return the request as it arrived; raises `RecordingError` if its body is too long to record."""
        return CheckedRequest(self.method, self.target, self.headers, b"" if self.is_upload else self.body.content)

    def operation(self, checker: Checker) -> str:
        """Return the operationId; empty if there is none."""
        found = checker.operation_of(self.method, self.target)
        return "" if found is None else found.name

    def request(self, url: Secret) -> httpx.Request:
        """Return the request that is sent on."""
        parts = urlsplit(url.reveal())
        dropped = _NOT_FORWARDED | _named_by_connection(self.headers)
        if self.is_upload:
            # A store must not get the API's key, and rejects requests with two kinds of credentials.
            dropped |= _API_CREDENTIALS
        headers = [
            (name, readable_encodings(value) if name.lower() == b"accept-encoding" else value)
            for name, value in self.scope["headers"]
            if name.lower() not in dropped
        ]
        has_body = "content-length" in self.headers or "transfer-encoding" in self.headers
        query = f"?{parts.query}" if parts.query else ""
        # The target is not in httpx's URL, because httpx logs that, and writes some characters in another way.
        return httpx.Request(
            self.method,
            f"{parts.scheme}://{parts.netloc}/",
            headers=headers,
            content=self._passing() if has_body else None,
            extensions={"target": quote(f"{parts.path}{query}", safe=_AS_SENT).encode()},
        )

    async def cut_off(self) -> bool:
        """Close the connection in the middle of a response; return False in process, where there is no connection."""
        state: dict[str, object] = self.scope.get("state") or {}
        if TRANSPORT not in state:
            return False
        cast("asyncio.Transport", state[TRANSPORT]).abort()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        return True

    async def _passing(self) -> AsyncIterator[bytes]:
        more_body = True
        while more_body:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Disconnected
            chunk: bytes = message.get("body", b"")
            self.body.add(chunk)
            more_body = message.get("more_body", False)
            if chunk:
                yield chunk


def foreign_problem(scope: Scope) -> str | None:
    """Return why a request may come from a web page or name another machine; None if neither is so.

    A browser adds Origin to requests that change something, and Sec-Fetch-Site to all, and a page whose own name leads
    to this machine (DNS rebinding) has that name in Host. The proxy serves no page, so none may use it.
    """
    raw = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    found = next((name for name, value in raw if name in _OF_BROWSERS and value != "none"), None)
    if found is not None:
        return f"The recording proxy does not accept requests from web pages ({found} header)."
    if _is_absolute(scope):
        return "The recording proxy has one target, so it is not a proxy for other URLs: send a path."
    hosts = [value for name, value in raw if name == "host"]
    try:
        is_local = len(hosts) == 1 and is_loopback(urlsplit(f"//{hosts[0]}").hostname or "")
    except ValueError:
        is_local = False
    return None if is_local else "The recording proxy is only for this machine: call it at 127.0.0.1 or localhost."


def _is_absolute(scope: Scope) -> bool:
    """Return whether a client sent a whole URL, as to a forward proxy (RFC 9112, 3.2.2); its path may not show it."""
    state: dict[str, object] = scope.get("state") or {}
    transport = cast("asyncio.Transport | None", state.get(TRANSPORT))
    sent: bytes = b"" if transport is None else getattr(transport.get_protocol(), "url", b"")
    return b"://" in (sent or scope.get("raw_path", b"")).partition(b"?")[0]


def unreachable(error: Exception, url: Secret, method: str) -> ErrorResponse:
    """502 or 504: a request got no complete response; the detail states the origin, and what may have happened."""
    parts = urlsplit(url.reveal())
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    reason = redact_text(str(error)).rstrip(".") or type(error).__name__
    unknown = method not in {"GET", "HEAD"} and not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
    doubt = " The service may have performed the request." if unknown else ""
    if isinstance(error, httpx.TimeoutException):
        detail = f"{origin} did not respond in time ({type(error).__name__}). Nothing was recorded.{doubt}"
        return gateway_error(HTTPStatus.GATEWAY_TIMEOUT, detail)
    return gateway_error(HTTPStatus.BAD_GATEWAY, f"Cannot reach {origin}: {reason}. Nothing was recorded.{doubt}")


def gateway_error(status: int, detail: str) -> ErrorResponse:
    """502 and 504: the service did not respond, or not in a way that can be passed on."""
    return ErrorResponse(status, [{"status": str(int(status)), "title": HTTPStatus(status).phrase, "detail": detail}])


def may_forward(url: Secret) -> bool:
    """Return whether a file may be sent to a URL: over https, or to this machine."""
    try:
        parts = urlsplit(url.reveal())
        return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    except ValueError:
        return False


def passed_headers(response: httpx.Response) -> Headers:
    """Return a response's headers without those of its connection."""
    dropped = _HOP_BY_HOP | _named_by_connection(response.headers)
    return [pair for pair in response.headers.raw if pair[0].lower() not in dropped]


def _named_by_connection(headers: Mapping[str, str]) -> frozenset[bytes]:
    """Return the headers that the Connection header names, which belong to that connection (RFC 9110, 7.6.1)."""
    return frozenset(name.strip().lower().encode("latin-1") for name in headers.get("connection", "").split(","))


def joined_headers(headers: Headers) -> dict[str, str]:
    """Return headers by lower-case name; those that are there several times are one (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers):
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found
