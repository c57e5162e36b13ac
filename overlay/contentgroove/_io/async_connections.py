"""Connections to one host for async clients.

httpcore's pool looks through all its connections and all that wait for one at every request and answer, so fifty calls
at once are slower than fifty calls in turn. Here each connection is a transport of its own, and the idle ones are a
stack: taking and giving back costs the same however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

MAX_CONNECTIONS = 50
"""To one host; further calls wait for one to be free."""

IDLE_SECONDS = 30.0
"""How long an idle connection is kept."""


class AsyncConnections(httpx.AsyncBaseTransport):
    """A transport over a stack of single connections."""

    def __init__(self, context: ssl.SSLContext, proxy: str | None) -> None:
        self._context = context
        self._proxy = proxy
        self._free = anyio.Semaphore(MAX_CONNECTIONS)
        self._idle: list[httpx.AsyncHTTPTransport] = []
        self._closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a free connection."""
        await self._free.acquire()
        # The one used last is the one most likely to be open still.
        connection = self._idle.pop() if self._idle else self._new()
        try:
            response = await connection.handle_async_request(request)
        except BaseException:
            self._give_back(connection)
            raise
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            self._give_back(connection)
            raise httpx.RemoteProtocolError("the answer's body is no async stream", request=request)
        response.stream = _Stream(stream, self, connection)
        return response

    def _new(self) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE_SECONDS)
        return httpx.AsyncHTTPTransport(verify=self._context, limits=limits, proxy=self._proxy)

    def _give_back(self, connection: httpx.AsyncHTTPTransport) -> None:
        self._idle.append(connection)
        self._free.release()

    async def finish(self, stream: httpx.AsyncByteStream, connection: httpx.AsyncHTTPTransport) -> None:
        """Take a connection back once its answer is read or given up."""
        try:
            await stream.aclose()
        finally:
            self._give_back(connection)
            if self._closed:
                await connection.aclose()

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed when their answers end."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


class _Stream(httpx.AsyncByteStream):
    def __init__(
        self, stream: httpx.AsyncByteStream, owner: AsyncConnections, connection: httpx.AsyncHTTPTransport
    ) -> None:
        self._stream = stream
        self._owner = owner
        self._connection: httpx.AsyncHTTPTransport | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            yield part

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.finish(self._stream, connection)
