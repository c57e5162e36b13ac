"""What the sync and the async shell have in common: requests, limits, failures, log lines."""

from __future__ import annotations

import logging
import os
import ssl
import sys
import time
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import httpx
from msgspec import Struct

from contentgroove._core.effects import Failure, FailureKind, Reply
from contentgroove._core.redaction import redact_url
from contentgroove.errors import RequestInfo

from .source_errors import SourceChangedError, SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from contentgroove._core.effects import Put, Send
    from contentgroove._core.settings import Settings

    from .sources import Source

logger = logging.getLogger("contentgroove")

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes; a page of a thousand medias has little more than one million."""

MAX_STORE_ANSWER = 64 * 1024
"""Bytes; the store's error answers have some hundred."""

LONGEST_ANSWER = 300.0
"""Seconds that an answer may take in all, so that one that trickles does not hold a call for ever."""

UPLOAD_STALL = 60.0
"""Seconds without any progress after which an upload has failed."""

UPLOAD_ANSWER = 300.0
"""Seconds that the store may take to answer once it has the whole file."""

CONNECTIONS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=30.0)
"""Connections to one host."""

QUEUE_LIMIT = 600.0
"""Seconds that a call may wait for a free connection of ours: a queue in this process, not a silent network."""


class AnswerTooLargeError(Exception):
    """An answer is larger than any that the API gives."""


class SystemClock:
    """The machine's clocks."""

    @staticmethod
    def monotonic() -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()

    @staticmethod
    def time() -> float:
        """Seconds since 1970."""
        return time.time()


class _RedactUrls(logging.Filter):
    """httpx logs each request's URL, and presigned URLs and `api_key=` are credentials."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                redact_url(str(value)) if isinstance(value, httpx.URL) else value for value in record.args
            )
        return True


_redact_urls = _RedactUrls()


def protect_httpx_logs() -> None:
    """Keep credentials out of what httpx logs of requests that go through an application's own client."""
    logging.getLogger("httpx").addFilter(_redact_urls)


def api_request(effect: Send, settings: Settings, timeout: httpx.Timeout, *, queued: bool) -> httpx.Request:
    """Make the request of a call; `queued` if it goes through connections of ours."""
    request = effect.request
    headers = [*settings.headers(), *request.headers.items()]
    limits = timeout.as_dict() | ({"pool": QUEUE_LIMIT} if queued else {})
    if effect.time_limit is not None:
        limits = {
            name: effect.time_limit if seconds is None else min(seconds, effect.time_limit)
            for name, seconds in limits.items()
        }
    return httpx.Request(
        request.method,
        _parsed(settings.url(request)),
        headers=headers,
        content=request.content,
        extensions={"timeout": limits},
    )


@lru_cache(maxsize=64)
def _parsed(url: str) -> httpx.URL:
    # Parsing a URL takes longer than building the rest of a request, and a wait asks for the same one each time.
    return httpx.URL(url)


def store_request(effect: Put, source: Source, content: Any, timeout: httpx.Timeout) -> httpx.Request:
    """Make the request of an upload: exact length, no type, no credentials but those in the URL."""
    return httpx.Request(
        "PUT",
        effect.url,
        headers=[("Content-Length", str(source.size)), ("Accept", "*/*")],
        content=content,
        extensions={"timeout": timeout.as_dict()},
    )


def describe(request: httpx.Request) -> RequestInfo:
    """Name a request as logs and errors show it."""
    return RequestInfo(request.method, redact_url(str(request.url)))


class Gathered:
    """The parts of an answer as they come, within limits of size and time."""

    def __init__(self, response: httpx.Response, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._deadline = time.monotonic() + LONGEST_ANSWER
        announced = response.headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
            raise AnswerTooLargeError(f"{announced} bytes announced")

    def add(self, part: bytes) -> None:
        """Take a part.

        Raises:
            AnswerTooLargeError: The answer is too large.
            TimeoutError: It takes too long, each part coming in time.
        """
        self._size += len(part)
        if self._size > self._limit:
            raise AnswerTooLargeError(f"more than {self._limit:,} bytes")
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"the answer was still coming after {LONGEST_ANSWER:g} s")
        self._parts.append(part)

    def content(self) -> bytes:
        """Give the whole."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def parts(response: httpx.Response) -> Iterator[bytes]:
    """Give an answer's parts, decompressed; uncompressed ones without a detour through httpx's decoders."""
    return response.iter_bytes() if _needs_httpx(response) else response.iter_raw()


def aparts(response: httpx.Response) -> AsyncIterator[bytes]:
    """As `parts`."""
    return response.aiter_bytes() if _needs_httpx(response) else response.aiter_raw()


def _needs_httpx(response: httpx.Response) -> bool:
    # A mock's answer is read already; only httpx's own iterator gives it again.
    return response.is_stream_consumed or "content-encoding" in response.headers


def failure(error: Exception) -> Failure:
    """Say what an exception of the HTTP library means.

    Anything that is no answer is a failure: whatever a hostile or broken server makes the HTTP library raise, its
    callers get a documented error.
    """
    kind: FailureKind = "broken"
    may_have_arrived = True
    if isinstance(error, AnswerTooLargeError):
        kind = "too_large"
    elif isinstance(error, SourceChangedError):
        kind = "source_changed"
    elif isinstance(error, SourceUnreadableError):
        kind = "unreadable"
    elif isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        kind, may_have_arrived = "timeout", False
    elif isinstance(error, httpx.TimeoutException | TimeoutError):
        kind = "timeout"
    elif isinstance(error, httpx.ConnectError | httpx.ProxyError | httpx.UnsupportedProtocol | httpx.InvalidURL):
        kind, may_have_arrived = "connect", False
    return Failure(kind, may_have_arrived, error)


def reply(response: httpx.Response, content: bytes) -> Reply:
    """Make a reply of an answer that was read."""
    return Reply(response.status_code, response.headers, content)


def environment_proxy(url: httpx.URL) -> str | None:
    """The proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …), None without one."""
    if sys.platform not in {"win32", "darwin"} and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Slow to import; only systems with settings of their own, or those who set a variable, need it.
    import urllib.request

    if urllib.request.proxy_bypass(url.host):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(url.scheme) or proxies.get("all")


class ResponseInfo(Struct, frozen=True):
    """An answer, safe to log.

    Attributes:
        request: The request, redacted.
        status_code: The HTTP status.
        elapsed: Seconds from sending the request to the end of the answer.
    """

    request: RequestInfo
    status_code: int
    elapsed: float


class Hooks(Struct, frozen=True):
    """What an application wants to see of each exchange, uploads included.

    Attributes:
        on_request: Called before a request is sent, each attempt by itself.
        on_response: Called after an answer was read.
    """

    on_request: Callable[[RequestInfo], object] | None = None
    on_response: Callable[[ResponseInfo], object] | None = None

    def before(self, request: httpx.Request) -> tuple[RequestInfo | None, float]:
        """Tell of a request; gives its description, None if nobody listens, and the time."""
        if self.on_request is None and self.on_response is None and not logger.isEnabledFor(logging.DEBUG):
            return None, 0.0
        info = describe(request)
        if self.on_request is not None:
            self.on_request(info)
        return info, time.monotonic()

    def after(self, info: RequestInfo | None, started: float, outcome: Reply | Failure) -> None:
        """Tell of what came of it."""
        if info is None:
            return
        elapsed = time.monotonic() - started
        if isinstance(outcome, Failure):
            logger.debug("%s failed after %.0f ms: %s", info, elapsed * 1000, type(outcome.cause).__name__)
            return
        logger.debug("%s: %d in %.0f ms", info, outcome.status_code, elapsed * 1000)
        if self.on_response is not None:
            self.on_response(ResponseInfo(info, outcome.status_code, elapsed))


def tls_context(url: httpx.URL, proxy: str | None) -> ssl.SSLContext:
    """The TLS context of connections to a place; they trust what httpx trusts."""
    if url.scheme == "https" or proxy is not None:
        return _trusting()
    # Plain http has no use for certificates: an empty context trusts nobody, and reading them all takes 20 ms.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def _trusting() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def upload_timeout(timeout: httpx.Timeout) -> httpx.Timeout:
    """The limits of an upload: how long it may stall, not how long it may take."""
    return httpx.Timeout(connect=timeout.connect, pool=timeout.pool, write=UPLOAD_STALL, read=UPLOAD_ANSWER)
