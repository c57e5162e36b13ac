"""The client's own transports over httpcore: connections, proxies, TLS, and a limit for the total time of a response.

Importing httpx takes as long as a dozen calls, and all that a call needs of it comes from httpcore. So it is imported
only for what only it can do, an application's own clients and proxies; and if the application has imported it.

httpcore's async pool searches all its connections and all waiting requests at every request and response, so fifty
calls at once are slower than fifty calls in turn. `AsyncConnectionStack` gives each connection its own pool, and keeps
the idle ones in a stack: taking and returning one costs the same however many there are.
"""

from __future__ import annotations

import os
import ssl
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import anyio
import certifi
import httpcore

from contentgroove._core.secret import Secret
from contentgroove._core.settings import is_loopback

from . import http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from .http import AsyncTransport, Transport

ASYNC_MAX_CONNECTIONS = 50
"""Per host; further calls wait until one is free."""

MAX_CONNECTIONS = 20
"""Per host, for sync clients; further calls wait until one is free."""

KEEPALIVE_SECONDS = 30.0
"""Seconds for which an idle connection is kept."""


def open_transport(url: httpcore.URL, *, uploading: bool) -> Transport:
    """Open a transport to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_transports import proxy_transport

        return proxy_transport(proxy, context, MAX_CONNECTIONS, KEEPALIVE_SECONDS)
    if uploading:
        from .upload_transport import UploadTransport

        return UploadTransport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL_TIMEOUT, response_seconds=http.UPLOAD_RESPONSE_TIMEOUT
        )
    return httpcore.ConnectionPool(
        context,
        max_connections=MAX_CONNECTIONS,
        max_keepalive_connections=MAX_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_SECONDS,
        network_backend=DeadlineBackend(),
    )


def instrumented(transport: Transport) -> Transport:
    """Put httpx's transport in front of a transport if the application has imported httpx.

    Libraries that observe or mock HTTP patch `httpx.HTTPTransport` (pytest-httpx, OpenTelemetry) or httpcore (respx): a
    mocked test must not reach the network because a call bypassed httpx.
    """
    if not httpx_is_imported():
        return transport
    from .httpx_transports import HttpxTransport, WrappedTransport

    return HttpxTransport(WrappedTransport(transport).handle_request)


def open_async_transport(url: httpcore.URL, *, uploading: bool) -> AsyncTransport:
    """Open a transport to a host; it connects when it is used."""
    proxy = environment_proxy(url)
    context = ssl_context_for(url, proxy)
    if proxy is not None:
        from .httpx_transports import async_proxy_transport

        return AsyncConnectionStack(lambda: async_proxy_transport(proxy, context, 1, KEEPALIVE_SECONDS))
    if uploading:
        from .upload_transport import AsyncUploadTransport

        return AsyncUploadTransport(
            ssl_context=context, stall_seconds=http.UPLOAD_STALL_TIMEOUT, response_seconds=http.UPLOAD_RESPONSE_TIMEOUT
        )
    backend = AsyncDeadlineBackend()
    return AsyncConnectionStack(
        lambda: httpcore.AsyncConnectionPool(
            context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=KEEPALIVE_SECONDS,
            network_backend=backend,
        )
    )


def async_instrumented(transport: AsyncTransport) -> AsyncTransport:
    """Put httpx's transport in front of a transport if the application has imported httpx; see `instrumented`."""
    if not httpx_is_imported():
        return transport
    from .httpx_transports import AsyncHttpxTransport, AsyncWrappedTransport

    return AsyncHttpxTransport(AsyncWrappedTransport(transport).handle_async_request)


class AsyncConnectionStack:
    """A transport over a stack of single connections."""

    def __init__(self, connect: Callable[[], AsyncTransport]) -> None:
        self._connect = connect
        self._free = anyio.Semaphore(ASYNC_MAX_CONNECTIONS)
        self._idle: list[AsyncTransport] = []
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over a free connection."""
        await self._free.acquire()
        # The one that was used last is the most likely to be still open.
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._release(connection)
            raise
        body = _AsyncBody(response, self, connection)
        return httpcore.Response(
            response.status, headers=response.headers, content=body, extensions=http.extensions_of(response)
        )

    def _release(self, connection: AsyncTransport) -> None:
        self._idle.append(connection)
        self._free.release()

    async def release_after(self, response: httpcore.Response, connection: AsyncTransport) -> None:
        """Return a connection to the stack once its response was read or abandoned."""
        try:
            await response.aclose()
        finally:
            self._release(connection)
            if self._closed:
                await connection.aclose()

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed when their responses end."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


class _AsyncBody:
    def __init__(self, response: httpcore.Response, owner: AsyncConnectionStack, connection: AsyncTransport) -> None:
        self._response = response
        self._owner = owner
        self._connection: AsyncTransport | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.release_after(self._response, connection)


def httpx_is_imported() -> bool:
    """Return whether this process has imported httpx."""
    return sys.modules.get("httpx") is not None


def environment_proxy(url: httpcore.URL) -> Secret | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY, …), None if there is none.

    A proxy on another machine is not used for plain http to this one.
    """
    if sys.platform not in {"win32", "darwin"} and not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Slow to import, and needed only by systems with proxy settings of their own or if a variable is set.
    import urllib.request

    if urllib.request.proxy_bypass(url.host.decode("ascii")):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme.decode("ascii")) or proxies.get("all")
    if not proxy:
        return None
    # Like curl and httpx. It may contain a password.
    found = Secret(proxy if "://" in proxy else f"http://{proxy}")
    return None if _would_leak_key(url, found) else found


def _would_leak_key(url: httpcore.URL, proxy: Secret) -> bool:
    # Plain http is for this machine only: a proxy on another one would receive the key in clear text.
    if url.scheme != b"http" or not is_loopback(url.host.decode("ascii")):
        return False
    try:
        host = urlsplit(proxy.reveal()).hostname
    except ValueError:
        # Opening it reports the problem.
        return False
    return host is not None and not is_loopback(host)


def ssl_context_for(url: httpcore.URL, proxy: Secret | None) -> ssl.SSLContext:
    """Return the SSL context of connections to a URL."""
    if url.scheme == b"https" or proxy is not None:
        return default_ssl_context()
    # Plain http needs no certificates, and reading them takes 20 ms: an empty context trusts no authority.
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@cache
def default_ssl_context() -> ssl.SSLContext:
    """Return the SSL context for all https connections.

    It trusts the same authorities as httpx, so that behaviour does not depend on whether httpx is imported: certifi's,
    or those of SSL_CERT_FILE or SSL_CERT_DIR (OpenSSL's variables).
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file:
        return ssl.create_default_context(cafile=file)
    return ssl.create_default_context(capath=folder) if folder else ssl.create_default_context(cafile=certifi.where())


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
            self._end = now + http.MAX_RESPONSE_SECONDS
        remaining = self._end - now
        if remaining <= 0:
            raise httpcore.ReadTimeout(f"the response was not complete after {http.MAX_RESPONSE_SECONDS:g} s")
        return remaining if timeout is None else min(timeout, remaining)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._deadline = ResponseDeadline()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.seconds(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._deadline.restart()
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineBackend(httpcore.SyncBackend):
    """Connects like httpcore, with a deadline for each response."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        return _DeadlineStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _AsyncDeadlineStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._deadline = ResponseDeadline()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        return await self._stream.read(max_bytes, self._deadline.seconds(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        self._deadline.restart()
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncDeadlineStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class AsyncDeadlineBackend(httpcore.AsyncNetworkBackend):
    """Connects like httpcore's async backend, with a deadline for each response."""

    def __init__(self) -> None:
        # httpcore exports an untyped stand-in if anyio is missing; here it is always installed.
        self._backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        return _AsyncDeadlineStream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))
