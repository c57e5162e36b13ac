"""What both clients share of HTTP: transports, building requests, reading responses within limits, kinds of errors."""

from __future__ import annotations

import logging
import string
import sys
import time
from collections.abc import AsyncIterable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast
from urllib.parse import quote, urlsplit

import httpcore

from contentgroove._core.redaction import redact_url
from contentgroove._core.responses import FailureKind, Headers, Response, TransportFailure
from contentgroove._core.tracebacks import drop_frames

from .foreign_errors import was_raised_by_signal_handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_api.types import Request

    from contentgroove._core.io import Source, Timeouts
    from contentgroove._core.secret import Secret
    from contentgroove._core.settings import Settings

Body: TypeAlias = bytes | Iterable[bytes] | AsyncIterable[bytes]

logger = logging.getLogger("contentgroove")

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Bytes; a page of a thousand medias has about one million."""

MAX_STORE_RESPONSE_BYTES = 64 * 1024
"""Bytes; the store's error responses have a few hundred."""

MAX_RESPONSE_SECONDS = 300.0
"""The maximum time of a response in seconds, so that one that trickles in does not block a call without limit."""

UPLOAD_STALL_TIMEOUT = 60.0
"""Seconds without any progress after which an upload has failed."""

UPLOAD_RESPONSE_TIMEOUT = 300.0
"""Seconds that the store may take to respond after it has the whole file."""

POOL_TIMEOUT = 600.0
"""Seconds that a call may wait for a free connection of the client: a queue in this process, not a silent network."""

_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

MAX_PIECE = 1024 * 1024
"""Bytes decompressed at once: the data of a hostile server may grow a thousandfold."""

STEP = "contentgroove.step"
"""The extension of a request that is sent over the client's own connections: the `Step` that it is."""

ALREADY_DECODED = "contentgroove.decoded"
"""The extension of a response that is already decompressed."""


class ResponseTooLargeError(Exception):
    """A response is larger than any of the API."""


class InvalidUrlError(Exception):
    """A URL cannot be requested."""


class SourceChangedError(Exception):
    """A file has changed since the upload started."""


class SourceUnreadableError(Exception):
    """A file could not be read completely."""


class Transport(Protocol):
    """Sends requests and returns responses whose bodies are still to be read; httpcore's pools are transports."""

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class OwnTransport(Transport, Protocol):
    """A transport over sockets of this client."""

    def forget(self) -> None:
        """Close the sockets that a child process has inherited, without a word to the server."""
        ...

    def drop_stale(self) -> None:
        """Close the idle connections that the server has closed."""
        ...


class AsyncTransport(Protocol):
    """Sends requests and returns responses whose bodies are still to be read; httpcore's async pools are transports."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class OwnAsyncTransport(AsyncTransport, Protocol):
    """An async transport over sockets of this client."""

    async def drop_stale(self) -> None:
        """Close the idle connections that the server has closed."""
        ...


def build_api_request(
    request: Request, settings: Settings, timeouts: Timeouts, time_limit: float | None, *, queued: bool
) -> httpcore.Request:
    """Build the request of a call; `queued` if it goes through the client's own connections."""
    limits = {**timeouts, "pool": POOL_TIMEOUT} if queued else dict(timeouts)
    if time_limit is not None:
        limits = {name: min(seconds, time_limit) for name, seconds in limits.items()}
    url, headers = settings.url_and_headers(request)
    if request.content is not None or request.method in _WITH_CONTENT:
        headers.append((b"Content-Length", b"%d" % len(request.content or b"")))
    return _request(request.method, url, headers, request.content or b"", limits)


_WITH_CONTENT = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests send Content-Length even without content (RFC 9110, 8.6)."""


def build_upload_request(url: Secret, source: Source, content: Body, timeouts: Timeouts) -> httpcore.Request:
    """Build the request of an upload: exact length, no type, no credentials except those in the URL."""
    headers = [(b"Content-Length", b"%d" % source.size), (b"Accept", b"*/*")]
    # It may not stall, but take any time.
    limits = {**timeouts, "write": UPLOAD_STALL_TIMEOUT, "read": UPLOAD_RESPONSE_TIMEOUT}
    return _request("PUT", url, headers, content, limits)


def _request(
    method: str, url: str | Secret, headers: list[tuple[bytes, bytes]], content: Body, timeouts: Timeouts
) -> httpcore.Request:
    parsed = parse_url(url)
    fields = [(b"Host", host_header(parsed)), *headers]
    return httpcore.Request(method, parsed, headers=fields, content=content, extensions={"timeout": timeouts})


class RequestUrl(httpcore.URL):
    """A URL whose repr shows no credentials: it is a variable of many functions."""

    def __str__(self) -> str:
        return redact_url((b"%b://%b%b" % (self.scheme, host_header(self), self.target)).decode("ascii"))

    def __repr__(self) -> str:
        return f"RequestUrl({str(self)!r})"


def parse_url(url: str | Secret) -> RequestUrl:
    """Parse a URL; characters that a request line cannot contain are percent-encoded, and nothing else is changed."""
    parsed = _parse_url(url)
    if parsed is None:
        raise InvalidUrlError("the URL cannot be parsed, or has no host")
    return parsed


@lru_cache(maxsize=64)
def _parse_url(url: str | Secret) -> RequestUrl | None:
    # Cached, because a wait requests the same URL each time. Nothing is raised here, where its text is a variable.
    try:
        parts = urlsplit(url if isinstance(url, str) else url.reveal())
        host, port = (parts.hostname or "").encode("ascii"), parts.port
        target = quote(f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", safe=string.punctuation)
    except ValueError as error:
        if was_raised_by_signal_handler(error):
            raise
        return None
    return RequestUrl(scheme=parts.scheme, host=host, port=port, target=target) if host else None


def host_header(url: httpcore.URL) -> bytes:
    host = b"[%b]" % url.host if b":" in url.host else url.host
    return host if url.port in {None, _PORTS.get(url.scheme)} else b"%b:%d" % (host, url.port)


_PORTS = {b"http": 80, b"https": 443}


def extensions_of(message: httpcore.Request | httpcore.Response) -> dict[str, Any]:
    """Return the extensions of a request or a response, which httpcore types only in part."""
    extensions: dict[str, Any] = cast("Any", message).extensions
    return extensions


def decompression(coding: str) -> Decompression | None:
    """Return a decompressor for a content coding (RFC 9110, 8.4.1), None if it is not supported.

    Only gzip is requested; the others come from servers that ignore the request.
    """
    return Decompression() if coding.strip().lower() in _CODINGS else None


class Decompression:
    """Decompresses a response in pieces of limited size."""

    def __init__(self) -> None:
        import zlib

        # 32: the format, gzip or zlib, is detected from the data.
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed data of a chunk."""
        while chunk:
            yield self._stream.decompress(chunk, MAX_PIECE)
            chunk = self._stream.unconsumed_tail


class ResponseReader:
    """Collects the chunks of a response, decompressed, within limits of size and time."""

    def __init__(self, response: httpcore.Response, *, uploading: bool) -> None:
        self._status = response.status
        self._headers = Headers(response.headers)
        self._limit = limit = MAX_STORE_RESPONSE_BYTES if uploading else MAX_RESPONSE_BYTES
        self._parts: list[bytes] = []
        self._size = 0
        self._deadline = time.monotonic() + MAX_RESPONSE_SECONDS
        announced = self._headers.get("content-length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit:
            raise ResponseTooLargeError(f"{announced} bytes announced")
        self._decompression = None
        if "content-encoding" in self._headers and ALREADY_DECODED not in extensions_of(response):
            # A body with another coding, which was not requested, is kept: decoding reports that it is not JSON.
            self._decompression = decompression(self._headers["content-encoding"])

    def add(self, chunk: bytes) -> None:
        """Add a chunk; raise if the response is too large, or takes too long although each chunk came in time."""
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"the response was not complete after {MAX_RESPONSE_SECONDS:g} s")
        for piece in (chunk,) if self._decompression is None else self._decompression.pieces(chunk):
            self._size += len(piece)
            if self._size > self._limit:
                raise ResponseTooLargeError(f"more than {self._limit:,} bytes")
            self._parts.append(piece)

    def response(self) -> Response:
        """Return the complete response."""
        content = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return Response(self._status, self._headers, content)


class ResponseDeadline:
    """The time by which the current response must be complete."""

    def __init__(self) -> None:
        self._end: float | None = None

    def restart(self) -> None:
        """Expect another response; its time starts with the first read."""
        self._end = None

    def seconds(self, timeout: float | None) -> float:
        """Return how long the next bytes may be waited for."""
        now = time.monotonic()
        if self._end is None:
            self._end = now + MAX_RESPONSE_SECONDS
        remaining = self._end - now
        if remaining <= 0:
            raise httpcore.ReadTimeout(f"the response was not complete after {MAX_RESPONSE_SECONDS:g} s")
        return remaining if timeout is None else min(timeout, remaining)


def starts_request(data: bytes) -> bool:
    """Return whether these bytes are the start of a request, rather than a message to a proxy."""
    return data.startswith(_REQUEST_LINES)


_REQUEST_LINES = (b"GET ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"HEAD ")


def classify_error(error: Exception, outer: BaseException | None, *, sent: bool | None) -> TransportFailure:
    """Convert an exception of the HTTP library.

    Args:
        error: The exception.
        outer: Described in `drop_frames`.
        sent: Whether any byte of the request may have left; None if only the exception can tell.
    """
    drop_frames(error, outer)
    kind: FailureKind = "broken"
    may_have_arrived = sent is not False
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
    elif sent is False:
        # Whatever went wrong, such as with a proxy or a file of certificates: there was no connection to the service.
        kind = "connect"
    return TransportFailure(kind, may_have_arrived, error)


def _is_named(error: Exception, *names: str) -> bool:
    # httpx's exceptions have the same names as httpcore's; while it is not imported, none can have been raised.
    libraries = (httpcore, sys.modules.get("httpx"))
    return any(isinstance(error, getattr(library, name, ())) for library in libraries for name in names)
