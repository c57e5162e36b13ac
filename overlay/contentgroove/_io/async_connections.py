"""The client's own connections, for async clients.

httpcore's pool searches all its connections and all waiting requests at every request and response, so fifty calls at
once are slower than fifty calls in turn. Here each connection has its own pool, and the idle ones are a stack: taking
and returning one costs the same however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio
import httpcore

from . import http
from .answer_deadline import AsyncDeadlineBackend
from .connections import KEEPALIVE_SECONDS, environment_proxy, httpx_is_imported, ssl_context_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ASYNC_MAX_CONNECTIONS = 50
"""Per host; further calls wait until one is free."""


class AsyncTransport(Protocol):
    """Sends requests and returns responses whose bodies are still to be read; httpcore's async pools are transports."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


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
    from .httpx_transports import AsyncHttpxTransport, async_httpx_transport_over

    return AsyncHttpxTransport(async_httpx_transport_over(transport).handle_async_request)


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
