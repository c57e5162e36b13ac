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

from .http import ALREADY_DECODED, InvalidUrlError, extensions_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

    from .async_connections import AsyncTransport
    from .connections import Transport


class HttpxTransport:
    """A line by way of httpx.

    Args:
        send: Sends a request and gives an answer that is still to be read.
    """

    def __init__(self, send: Callable[[httpx.Request], httpx.Response]) -> None:
        self._send = send

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        response = self._send(_request(request))
        return _response(response, _Body(response))

    def close(self) -> None:
        """Close nothing: what sends belongs to somebody else."""


class AsyncHttpxTransport:
    """As `HttpxTransport`, awaited."""

    def __init__(self, send: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> None:
        self._send = send

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        response = await self._send(_request(request))
        return _response(response, _AsyncBody(response))

    async def aclose(self) -> None:
        """Close nothing: what sends belongs to somebody else."""


def client_transport(client: httpx.Client, *, uploading: bool) -> Transport:
    """Make the line of an application's own client."""

    def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        return client.send(request, stream=True, follow_redirects=False, auth=_auth_of(client, uploading=uploading))

    return HttpxTransport(send)


def async_client_transport(client: httpx.AsyncClient, *, uploading: bool) -> AsyncTransport:
    """As `client_transport`."""

    async def send(request: httpx.Request) -> httpx.Response:
        _require_open(client)
        auth = _auth_of(client, uploading=uploading)
        return await client.send(request, stream=True, follow_redirects=False, auth=auth)

    return AsyncHttpxTransport(send)


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
    def __init__(self, line: Transport) -> None:
        self._pool = cast("Any", line)


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, line: AsyncTransport) -> None:
        self._pool = cast("Any", line)


def httpx_transport_over(line: Transport) -> httpx.HTTPTransport:
    """Make a transport of httpx's whose connections are a line's."""
    return _Transport(line)


def async_httpx_transport_over(line: AsyncTransport) -> httpx.AsyncHTTPTransport:
    """As `httpx_transport_over`."""
    return _AsyncTransport(line)


class _ProxyTransport(httpx.HTTPTransport):
    def line(self) -> Transport:
        return self._pool


class _AsyncProxyTransport(httpx.AsyncHTTPTransport):
    def line(self) -> AsyncTransport:
        return self._pool


def proxy_transport(proxy: str, context: ssl.SSLContext, connections: int, idle_seconds: float) -> Transport:
    """Make the pool that httpx makes for a proxy's URL, whatever its scheme and credentials.

    Raises:
        ConfigurationError: There is no such proxy.
    """
    with _proxy_errors():
        return _ProxyTransport(verify=context, limits=_limits(connections, idle_seconds), proxy=proxy).line()


def async_proxy_transport(proxy: str, context: ssl.SSLContext, connections: int, idle_seconds: float) -> AsyncTransport:
    """As `proxy_transport`."""
    with _proxy_errors():
        return _AsyncProxyTransport(verify=context, limits=_limits(connections, idle_seconds), proxy=proxy).line()


@contextlib.contextmanager
def _proxy_errors() -> Generator[None, None, None]:
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
        extensions=extensions_of(request),
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
        raise InvalidUrlError(str(error)) from error


def _response(response: httpx.Response, body: Iterable[bytes] | AsyncIterable[bytes]) -> httpcore.Response:
    # A mock's answer, or one that an application's hook has looked at, is read already: only httpx has it, decoded.
    decoded = {ALREADY_DECODED: True} if response.is_stream_consumed else None
    return httpcore.Response(response.status_code, headers=response.headers.raw, content=body, extensions=decoded)


class _Body:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_bytes() if self._response.is_stream_consumed else self._response.iter_raw()

    def close(self) -> None:
        self._response.close()


class _AsyncBody:
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes() if self._response.is_stream_consumed else self._response.aiter_raw()

    async def aclose(self) -> None:
        await self._response.aclose()
