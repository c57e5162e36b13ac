"""httpx where it is needed: an application's own clients, proxies, and whoever patches httpx's transports."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from contentgroove._core.redaction import redact_url
from contentgroove.errors import ConfigurationError

from .http import DECODED, UnsendableUrlError, extensions

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

    from .async_connections import AsyncLine
    from .connections import Line


class HttpxLine:
    """A line by way of httpx.

    Args:
        send: Sends a request and gives an answer that is still to be read.
    """

    def __init__(self, send: Callable[[httpx.Request], httpx.Response]) -> None:
        self._send = send

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        answer = self._send(_request(request))
        return _response(answer, _Body(answer))

    def close(self) -> None:
        """Close nothing: what sends belongs to somebody else."""


class AsyncHttpxLine:
    """As `HttpxLine`, awaited."""

    def __init__(self, send: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> None:
        self._send = send

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        answer = await self._send(_request(request))
        return _response(answer, _AsyncBody(answer))

    async def aclose(self) -> None:
        """Close nothing: what sends belongs to somebody else."""


def over_client(client: httpx.Client, *, uploading: bool) -> Line:
    """Make the line of an application's own client."""

    def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        return client.send(request, stream=True, follow_redirects=False, auth=_auth_of(client, uploading=uploading))

    return HttpxLine(send)


def over_async_client(client: httpx.AsyncClient, *, uploading: bool) -> AsyncLine:
    """As `over_client`."""

    async def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        auth = _auth_of(client, uploading=uploading)
        return await client.send(request, stream=True, follow_redirects=False, auth=auth)

    return AsyncHttpxLine(send)


def _auth_of(client: httpx.Client | httpx.AsyncClient, *, uploading: bool) -> httpx.Auth | None:
    # A presigned URL is all the leave that a store takes, and credentials are none of its business.
    return None if uploading else client.auth


def _require_open(client: httpx.Client | httpx.AsyncClient) -> None:
    # To httpx a mistake of the program, to retries a broken connection that may have carried something.
    if client.is_closed:
        raise ConfigurationError(
            "The httpx client that was passed in is closed: keep it open for as long as it is used. Nothing was sent."
        )


# httpx's transports are a pool of httpcore's with httpx's types around; all that these classes know of them is the
# name of that pool. With another, the tests of proxies and of what can be watched fail.


class _Transport(httpx.HTTPTransport):
    # httpx's constructor would make a pool of its own.
    def __init__(self, line: Line) -> None:
        self._pool = cast("Any", line)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, line: AsyncLine) -> None:
        self._pool = cast("Any", line)


def transport_over(line: Line) -> httpx.HTTPTransport:
    """Make a transport of httpx's whose connections are a line's."""
    return _Transport(line)


def async_transport_over(line: AsyncLine) -> httpx.AsyncHTTPTransport:
    """As `transport_over`."""
    return _AsyncTransport(line)


class _Proxy(httpx.HTTPTransport):
    def line(self) -> Line:
        return self._pool


class _AsyncProxy(httpx.AsyncHTTPTransport):
    def line(self) -> AsyncLine:
        return self._pool


def proxied(proxy: str, context: ssl.SSLContext, connections: int, idle_seconds: float) -> Line:
    """Make the pool that httpx makes for a proxy's URL, whatever its scheme and credentials.

    Raises:
        ConfigurationError: There is no such proxy.
    """
    with _usable():
        return _Proxy(verify=context, limits=_limits(connections, idle_seconds), proxy=proxy).line()


def async_proxied(proxy: str, context: ssl.SSLContext, connections: int, idle_seconds: float) -> AsyncLine:
    """As `proxied`."""
    with _usable():
        return _AsyncProxy(verify=context, limits=_limits(connections, idle_seconds), proxy=proxy).line()


@contextlib.contextmanager
def _usable() -> Generator[None, None, None]:
    try:
        yield
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(
            f"The environment names a proxy that cannot be used ({redact_url(str(error))}): correct HTTPS_PROXY, "
            "HTTP_PROXY or ALL_PROXY, or name the host in NO_PROXY."
        ) from error


def _limits(connections: int, idle_seconds: float) -> httpx.Limits:
    return httpx.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=idle_seconds
    )


def _request(request: httpcore.Request) -> httpx.Request:
    url = request.url
    return httpx.Request(
        request.method.decode("ascii"),
        _url(url.scheme, url.host, url.port, url.target),
        headers=request.headers,
        content=_content(request.stream),
        extensions=extensions(request),
    )


def _content(stream: Iterable[bytes] | AsyncIterable[bytes]) -> bytes | Iterable[bytes] | AsyncIterable[bytes]:
    # What is in memory can be iterated either way, a file's pieces cannot. Applications' hooks may look at the former.
    return b"".join(stream) if isinstance(stream, Iterable) and isinstance(stream, AsyncIterable) else stream


@lru_cache(maxsize=64)
def _url(scheme: bytes, host: bytes, port: int | None, target: bytes) -> httpx.URL:
    # Parsing a URL takes longer than building the rest of a request, and a wait asks for the same one each time.
    try:
        return httpx.URL(scheme=scheme.decode("ascii"), host=host.decode("ascii"), port=port, raw_path=target)
    except httpx.InvalidURL as error:
        raise UnsendableUrlError(str(error)) from error


def _response(answer: httpx.Response, body: Iterable[bytes] | AsyncIterable[bytes]) -> httpcore.Response:
    # A mock's answer, or one that an application's hook has looked at, is read already: only httpx has it, decoded.
    decoded = {DECODED: True} if answer.is_stream_consumed else None
    return httpcore.Response(answer.status_code, headers=answer.headers.raw, content=body, extensions=decoded)


class _Body:
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_bytes() if self._answer.is_stream_consumed else self._answer.iter_raw()

    def close(self) -> None:
        self._answer.close()


class _AsyncBody:
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_bytes() if self._answer.is_stream_consumed else self._answer.aiter_raw()

    async def aclose(self) -> None:
        await self._answer.aclose()
