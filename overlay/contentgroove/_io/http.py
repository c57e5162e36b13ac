"""What the sync and the async shell have in common: requests, limits, failures, hooks."""

from __future__ import annotations

import logging
import string
import sys
import time
from collections.abc import AsyncIterable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import quote, urlsplit

import httpcore
from msgspec import Struct

from contentgroove._core.headers import Headers
from contentgroove._core.redaction import redact_url
from contentgroove._core.responses import FailureKind, Response, TransportFailure
from contentgroove.errors import RequestInfo

from .source_errors import SourceChangedError, SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from contentgroove._core.io import Source, Timeouts
    from contentgroove._core.settings import Settings

Body: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]

logger = logging.getLogger("contentgroove")

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Bytes; a page of a thousand medias has little more than one million."""

MAX_STORE_RESPONSE_BYTES = 64 * 1024
"""Bytes; the store's error answers have some hundred."""

MAX_RESPONSE_SECONDS = 300.0
"""Seconds that an answer may take in all, so that one that trickles does not hold a call for ever."""

UPLOAD_STALL_TIMEOUT = 60.0
"""Seconds without any progress after which an upload has failed."""

UPLOAD_RESPONSE_TIMEOUT = 300.0
"""Seconds that the store may take to answer once it has the whole file."""

POOL_TIMEOUT = 600.0
"""Seconds that a call may wait for a free connection of ours: a queue in this process, not a silent network."""

ALREADY_DECODED = "contentgroove.decoded"
"""The extension of an answer whose content coding was taken off already."""


class ResponseTooLargeError(Exception):
    """An answer is larger than any that the API gives."""


class InvalidUrlError(Exception):
    """A URL cannot be that of a request."""


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


def build_api_request(
    request: Request, settings: Settings, timeouts: Timeouts, time_limit: float | None, *, queued: bool
) -> httpcore.Request:
    """Build the request of a call; `queued` if it goes through the client's own connections."""
    limits = {**timeouts, "pool": POOL_TIMEOUT} if queued else dict(timeouts)
    if time_limit is not None:
        limits = {name: min(seconds, time_limit) for name, seconds in limits.items()}
    headers = settings.headers()
    if request.headers:
        # A caller's own header is sent instead of ours, not beside it.
        given = {name.lower() for name in request.headers}
        headers = [*(field for field in headers if field[0].lower() not in given), *request.headers.items()]
    if request.content is not None or request.method in _WITH_CONTENT:
        headers.append(("Content-Length", str(len(request.content or b""))))
    return _request(request.method, settings.url(request), headers, request.content or b"", limits)


_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say so if they have no content (RFC 9110, 8.6)."""


def build_upload_request(url: str, source: Source, content: Body, timeouts: Timeouts) -> httpcore.Request:
    """Make the request of an upload: exact length, no type, no credentials but those in the URL.

    Raises:
        InvalidUrlError: The service gave a URL that is none.
    """
    headers = [("Content-Length", str(source.size)), ("Accept", "*/*")]
    return _request("PUT", url, headers, content, upload_timeouts(timeouts))


def _request(
    method: str, url: str, headers: list[tuple[str, str]], content: Body, timeouts: Timeouts
) -> httpcore.Request:
    parsed = parse_url(url)
    fields = [(b"Host", _host_header(parsed)), *((name.encode(), value.encode()) for name, value in headers)]
    return httpcore.Request(method, parsed, headers=fields, content=content, extensions={"timeout": timeouts})


@lru_cache(maxsize=64)
def parse_url(url: str) -> httpcore.URL:
    """Read a URL; whatever a request line cannot hold of it is percent-encoded, and nothing else is touched.

    Raises:
        InvalidUrlError: It is none, or its host's name is not written in ASCII.
    """
    # Cached because a wait asks for the same URL each time.
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("ascii"), parts.port
        target = quote(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", safe=string.punctuation)
    except ValueError as error:
        raise InvalidUrlError(f"the URL cannot be read: {error}") from error
    if not host:
        raise InvalidUrlError("the URL names no host")
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=target)


def _host_header(url: httpcore.URL) -> bytes:
    host = b"[%b]" % url.host if b":" in url.host else url.host
    return host if url.port in {None, _PORTS.get(url.scheme)} else b"%b:%d" % (host, url.port)


_PORTS = {b"http": 80, b"https": 443}


def extensions_of(message: httpcore.Request | httpcore.Response) -> dict[str, Any]:
    """Give what a request or answer has besides HTTP, which httpcore types in part only."""
    found: dict[str, Any] = cast("Any", message).extensions
    return found


def request_info(request: httpcore.Request) -> RequestInfo:
    """Name a request as logs and errors show it."""
    url = b"%b://%b%b" % (request.url.scheme, _host_header(request.url), request.url.target)
    return RequestInfo(request.method.decode("ascii"), redact_url(url.decode("ascii")))


class ResponseReader:
    """The parts of an answer as they come, decompressed, within limits of size and time."""

    def __init__(self, response: httpcore.Response, limit: int) -> None:
        self._status = response.status
        self._headers = Headers(response.headers)
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._deadline = time.monotonic() + MAX_RESPONSE_SECONDS
        announced = self._headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
            raise ResponseTooLargeError(f"{announced} bytes announced")
        self._decompression = None
        if "content-encoding" in self._headers and ALREADY_DECODED not in extensions_of(response):
            # A coding that nobody asked for, and that is none of these, is left to be found no JSON.
            from .decompression import decompression

            self._decompression = decompression(self._headers["content-encoding"])

    def add(self, part: bytes) -> None:
        """Take a part.

        Raises:
            ResponseTooLargeError: The answer is too large.
            TimeoutError: It takes too long, each part coming in time.
        """
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"the answer was still coming after {MAX_RESPONSE_SECONDS:g} s")
        for piece in (part,) if self._decompression is None else self._decompression.pieces(part):
            self._append(piece)

    def _append(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise ResponseTooLargeError(f"more than {self._limit:,} bytes")
        self._parts.append(piece)

    def response(self) -> Response:
        """Give the whole."""
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return Response(self._status, self._headers, content)


def classify_error(error: Exception) -> TransportFailure:
    """Say what an exception of the HTTP library means.

    Anything that is no answer is a failure: whatever a hostile or broken server makes the HTTP library raise, its
    callers get a documented error.
    """
    kind: FailureKind = "broken"
    may_have_arrived = True
    if isinstance(error, ResponseTooLargeError):
        kind = "too_large"
    elif isinstance(error, SourceChangedError):
        kind = "source_changed"
    elif isinstance(error, SourceUnreadableError):
        kind = "unreadable"
    elif _is_named(error, "ConnectTimeout", "PoolTimeout"):
        kind, may_have_arrived = "timeout", False
    elif isinstance(error, TimeoutError) or _is_named(error, "TimeoutException"):
        kind = "timeout"
    elif isinstance(error, InvalidUrlError) or _is_named(error, "ConnectError", "ProxyError", "UnsupportedProtocol"):
        kind, may_have_arrived = "connect", False
    return TransportFailure(kind, may_have_arrived, error)


def _is_named(error: Exception, *names: str) -> bool:
    # httpx's exceptions are called as httpcore's are; while nobody has imported it, none can have been raised.
    libraries = (httpcore, sys.modules.get("httpx"))
    return any(isinstance(error, getattr(library, name, ())) for library in libraries for name in names)


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

    What a hook gives is handed on, so that the async shell can await it.

    Attributes:
        on_request: Called before a request is sent, each attempt by itself.
        on_response: Called after an answer was read.
    """

    on_request: Callable[[RequestInfo], object] | None = None
    on_response: Callable[[ResponseInfo], object] | None = None

    def before_request(self, request: httpcore.Request) -> tuple[RequestInfo | None, object]:
        """Tell of a request; gives its description, None if nobody listens, and what the hook gave."""
        if self.on_request is None and self.on_response is None and not logger.isEnabledFor(logging.DEBUG):
            return None, None
        info = request_info(request)
        return info, None if self.on_request is None else self.on_request(info)

    def after_response(self, info: RequestInfo | None, started: float, outcome: Response | TransportFailure) -> object:
        """Tell of what came of it; gives what the hook gave."""
        if info is None:
            return None
        elapsed = time.monotonic() - started
        if isinstance(outcome, TransportFailure):
            logger.debug("%s failed after %.0f ms: %s", info, elapsed * 1000, type(outcome.cause).__name__)
            return None
        logger.debug("%s: %d in %.0f ms", info, outcome.status_code, elapsed * 1000)
        if self.on_response is None:
            return None
        return self.on_response(ResponseInfo(info, outcome.status_code, elapsed))


def upload_timeouts(timeouts: Timeouts) -> Timeouts:
    """The limits of an upload: how long it may stall, not how long it may take."""
    return {**timeouts, "write": UPLOAD_STALL_TIMEOUT, "read": UPLOAD_RESPONSE_TIMEOUT}
