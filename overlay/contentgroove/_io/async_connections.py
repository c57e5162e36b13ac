"""Connections of ours for async clients.

httpcore's pool looks through all its connections and all that wait for one at every request and answer, so fifty calls
at once are slower than fifty calls in turn. Here each connection is a pool of its own, and the idle ones are a stack:
taking and giving back costs the same however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import anyio
import httpcore

from . import http
from .answer_deadline import AsyncBackend
from .connections import IDLE_SECONDS, environment_proxy, httpx_is_imported, tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

MAX_CONNECTIONS = 50
"""To one host; further calls wait for one to be free."""


class AsyncLine(Protocol):
    """As `Line`, awaited."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        ...

    async def aclose(self) -> None:
        """Close what is open."""
        ...


def new_async_line(url: httpcore.URL, *, uploading: bool) -> AsyncLine:
    """As `connections.new_line`."""
    proxy = environment_proxy(url)
    context = tls_context(url, proxy)
    if proxy is not None:
        from .httpx_lines import async_proxied

        return AsyncConnections(lambda: async_proxied(proxy, context, 1, IDLE_SECONDS))
    if uploading:
        from .upload_network import AsyncUploadLine

        return AsyncUploadLine(ssl_context=context, stall_seconds=http.UPLOAD_STALL, answer_seconds=http.UPLOAD_ANSWER)
    backend = AsyncBackend()
    return AsyncConnections(
        lambda: httpcore.AsyncConnectionPool(
            context,
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=backend,
        )
    )


def async_observable(line: AsyncLine) -> AsyncLine:
    """As `connections.observable`."""
    if not httpx_is_imported():
        return line
    from .httpx_lines import AsyncHttpxLine, async_transport_over

    return AsyncHttpxLine(async_transport_over(line).handle_async_request)


class AsyncConnections:
    """A line over a stack of single connections."""

    def __init__(self, connect: Callable[[], AsyncLine]) -> None:
        self._connect = connect
        self._free = anyio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[AsyncLine] = []
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over a free connection."""
        await self._free.acquire()
        # The one used last is the one most likely to be open still.
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            answer = await connection.handle_async_request(request)
        except BaseException:
            self._give_back(connection)
            raise
        body = _Body(answer, self, connection)
        return httpcore.Response(
            answer.status, headers=answer.headers, content=body, extensions=http.extensions(answer)
        )

    def _give_back(self, connection: AsyncLine) -> None:
        self._idle.append(connection)
        self._free.release()

    async def finish(self, answer: httpcore.Response, connection: AsyncLine) -> None:
        """Take a connection back once its answer is read or given up."""
        try:
            await answer.aclose()
        finally:
            self._give_back(connection)
            if self._closed:
                await connection.aclose()

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed when their answers end."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


class _Body:
    def __init__(self, answer: httpcore.Response, owner: AsyncConnections, connection: AsyncLine) -> None:
        self._answer = answer
        self._owner = owner
        self._connection: AsyncLine | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.finish(self._answer, connection)
