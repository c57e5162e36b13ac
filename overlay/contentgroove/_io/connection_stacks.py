"""The connections of a client to one host: each with its own pool of httpcore, the idle ones in a stack.

httpcore's pools take a lock and keep a list of requests, which an exception of a signal handler can leave in a state
that blocks all further calls. Here, a connection whose exchange did not end well is replaced as a whole, together with
whatever state it is in. httpcore's async pool also searches all its connections and all waiting requests at every
request and response, so fifty calls at once are slower than fifty calls in turn; taking one from a stack and returning
it costs the same however many there are.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, TypeVar, cast

import anyio
import httpcore

from . import http
from .async_network import AsyncNetwork
from .connecting import readable
from .foreign_errors import ignoring
from .stopping import Step
from .sync_network import SyncNetwork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from .http import AsyncTransport, Transport

C = TypeVar("C", bound="_Idle")

ASYNC_MAX_CONNECTIONS = 50
"""Per host; further calls wait until one is free."""

MAX_CONNECTIONS = 20
"""Per host, for sync clients; further calls wait until one is free."""

KEEPALIVE_SECONDS = 30.0
"""Seconds for which an idle connection is kept."""

WAIT_SECONDS = 1.0
"""Seconds after which a call that waits for a connection looks again, in case that it was not woken."""


class _Idle:
    """What a connection is between two exchanges.

    Attributes:
        descriptor: That of its socket, -1 if it has none.
        idle_since: When its last exchange ended.
    """

    def __init__(self) -> None:
        self.descriptor = -1
        self.idle_since = 0.0


def _stale(idle: Sequence[C]) -> Sequence[C]:
    """Return the connections that the server has closed, or that were idle for too long."""
    # Nothing else than the end can arrive while there is no request.
    found = readable({connection.descriptor for connection in idle})
    earliest = time.monotonic() - KEEPALIVE_SECONDS
    return [each for each in idle if each.descriptor in found or each.idle_since < earliest]


class Connection(_Idle):
    """A connection to a host; it connects when it is used."""

    def __init__(self, open_pool: Callable[[SyncNetwork], Transport]) -> None:
        super().__init__()
        self._open_pool = open_pool
        self._network = SyncNetwork()
        self._pool: Transport | None = None

    def handle_request(self, request: httpcore.Request, step: Step) -> httpcore.Response:
        """Send a request."""
        self._network.step = step
        if self._pool is None:
            self._pool = self._open_pool(self._network)
        if (sock := self._network.socket) is not None:
            step.use(sock)
        return self._pool.handle_request(request)

    def end_request(self) -> None:
        """Note the end of an exchange that went well."""
        self._network.step = None
        self.descriptor = self._network.descriptor()
        self.idle_since = time.monotonic()

    def reset(self) -> None:
        """Close the socket, and forget whatever state the connection is in."""
        network, self._network, self._pool, self.descriptor = self._network, SyncNetwork(), None, -1
        network.close()


class ConnectionStack:
    """A transport over a stack of single connections, shared by threads.

    It has no lock, which another thread could hold at a fork, and survives an exception between any two of its steps:
    a connection that gets lost is replaced when Python frees it.
    """

    def __init__(self, open_pool: Callable[[SyncNetwork], Transport]) -> None:
        self._open_pool = open_pool
        self._free: list[Connection | weakref.ref[Connection]] = []
        self._all: list[weakref.ref[Connection]] = []
        self._waiting: deque[Step] = deque()
        self._closed = False
        for _ in range(MAX_CONNECTIONS):
            self._free.append(self._create())

    def _create(self) -> Connection:
        connection = Connection(self._open_pool)
        # The method of a list runs no code of Python, so no signal handler interrupts it.
        self._all.append(weakref.ref(connection, self._free.append))
        return connection

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over a free connection."""
        extensions = http.extensions_of(request)
        step = extensions.get(http.STEP) or Step()
        connection = self._take(step, extensions["timeout"]["pool"])
        body = _Body(self, connection)
        try:
            response = connection.handle_request(request, step)
            # Assigned to the same response, because another one would be checked a second time.
            body.stream, response.stream = cast("Iterable[bytes]", response.stream), body
        except BaseException:
            body.close()
            raise
        return response

    def _take(self, step: Step, seconds: float) -> Connection:
        end = time.monotonic() + seconds
        while True:
            step.require_running()
            if (connection := self._pop()) is not None:
                return connection
            self._waiting.append(step)
            try:
                # Again, because one may have been returned just before.
                if (connection := self._pop()) is not None:
                    return connection
                step.wait(min(WAIT_SECONDS, max(0.0, end - time.monotonic())))
            finally:
                with ignoring(ValueError):
                    self._waiting.remove(step)
            if time.monotonic() >= end:
                raise httpcore.PoolTimeout(f"no connection was free for {seconds:g} s")

    def _pop(self) -> Connection | None:
        """Take the connection that was used last, which is the most likely to be still open; None if all are in use."""
        try:
            found = self._free.pop()
        except IndexError:
            return None
        if isinstance(found, weakref.ref):
            self._all.remove(found)
            found = self._create()
        self.drop_stale()
        return found

    def drop_stale(self) -> None:
        """Close the idle connections that the server has closed."""
        idle = [item for item in self._free if isinstance(item, Connection) and item.descriptor >= 0]
        for connection in _stale(idle) if idle else ():
            try:
                self._free.remove(connection)
            except ValueError:
                # Another thread uses it.
                continue
            connection.reset()
            self._free.insert(0, connection)

    def put_back(self, connection: Connection, *, reusable: bool) -> None:
        """Return a connection to the stack."""
        if reusable and not self._closed:
            connection.end_request()
        else:
            connection.reset()
        self._free.append(connection)
        if self._waiting:
            # Another thread may have taken the last one since.
            with ignoring(IndexError):
                self._waiting.popleft().ring()

    def close(self) -> None:
        """Close the idle connections; those in use are closed by their threads."""
        self._closed = True
        for item in tuple(self._free):
            with ignoring(ValueError):
                self._free.remove(item)
                if isinstance(item, Connection):
                    item.reset()
                self._free.append(item)

    def forget(self) -> None:
        """Close the sockets that a child process has inherited, without a word to the server."""
        self._closed = True
        for reference in tuple(self._all):
            if (connection := reference()) is not None:
                connection.reset()


class _Body:
    def __init__(self, owner: ConnectionStack, connection: Connection) -> None:
        self.stream: Iterable[bytes] = ()
        self._owner = owner
        self._connection: Connection | None = connection
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.stream
        self._complete = True

    def close(self) -> None:
        reusable = False
        try:
            if self._complete:
                # A stream is any iterable, and need not have it.
                close: Callable[[], object] | None = getattr(self.stream, "close", None)
                if close is not None:
                    close()
                reusable = True
        finally:
            connection, self._connection = self._connection, None
            if connection is not None:
                self._owner.put_back(connection, reusable=reusable)


class AsyncConnection(_Idle):
    """A connection to a host; it connects when it is used."""

    def __init__(self, open_pool: Callable[[AsyncNetwork], AsyncTransport]) -> None:
        super().__init__()
        self._network = AsyncNetwork()
        self._pool = open_pool(self._network)

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request."""
        self._network.step = http.extensions_of(request).get(http.STEP)
        return await self._pool.handle_async_request(request)

    def end_request(self) -> None:
        """Note the end of an exchange."""
        self.descriptor = self._network.descriptor()
        self.idle_since = time.monotonic()

    async def aclose(self) -> None:
        """Close the connection."""
        await self._pool.aclose()


class AsyncConnectionStack:
    """A transport over a stack of single connections, shared by the tasks of an event loop."""

    def __init__(self, open_pool: Callable[[AsyncNetwork], AsyncTransport]) -> None:
        self._open_pool = open_pool
        self._free = anyio.Semaphore(ASYNC_MAX_CONNECTIONS)
        self._idle: list[AsyncConnection] = []
        self._closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request over a free connection."""
        await self._free.acquire()
        # The one that was used last is the most likely to be still open.
        connection = self._idle.pop() if self._idle else AsyncConnection(self._open_pool)
        try:
            if self._idle:
                await self.drop_stale()
            response = await connection.handle_async_request(request)
        except BaseException:
            self._release(connection)
            raise
        body = _AsyncBody(response, self, connection)
        return httpcore.Response(
            response.status, headers=response.headers, content=body, extensions=http.extensions_of(response)
        )

    async def drop_stale(self) -> None:
        """Close the idle connections that the server has closed."""
        stale = _stale([connection for connection in self._idle if connection.descriptor >= 0])
        if stale:
            self._idle = [connection for connection in self._idle if connection not in stale]
        for connection in stale:
            await connection.aclose()

    def _release(self, connection: AsyncConnection) -> None:
        connection.end_request()
        self._idle.append(connection)
        self._free.release()

    async def release_after(self, response: httpcore.Response, connection: AsyncConnection) -> None:
        """Return a connection to the stack once its response was read or abandoned."""
        try:
            await response.aclose()
        finally:
            self._release(connection)
            if self._closed:
                await self.aclose()

    async def aclose(self) -> None:
        """Close the idle connections; those in use are closed when their exchanges end."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


class _AsyncBody:
    def __init__(self, response: httpcore.Response, owner: AsyncConnectionStack, connection: AsyncConnection) -> None:
        self._response = response
        self._owner = owner
        self._connection: AsyncConnection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._owner.release_after(self._response, connection)
