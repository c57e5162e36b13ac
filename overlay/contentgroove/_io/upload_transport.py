"""Transports for presigned PUTs: as fast as the network, and able to receive an early response.

httpcore's own connections send a body in small or quadratically sliced writes, over TLS with one write per record of 16
KiB, and read nothing before the whole body is sent: a response such as 403 for an expired URL is lost if the store then
closes or stops reading. These transports put `UploadConnection` below httpcore's HTTP/1.1. They follow no redirects,
keep no cookies and use no proxies: uploads through a proxy use httpcore's own connections.
"""

from __future__ import annotations

import contextlib
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import anyio
import h11
import httpcore
from anyio.lowlevel import checkpoint

from contentgroove._core.io import run_inner

from .connecting import connect, resolve, wait_any_sync, wait_sync
from .foreign_errors import network_error
from .http import STEP, extensions_of
from .stopping import Step, Stop
from .upload_connection import UploadConnection

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator, Sequence

    from contentgroove._core.io import Timeouts

    from .connecting import SocketWait

WRITABLE_GRACE_SECONDS = 0.05
"""Seconds in which a socket usually becomes writable. Waiting for a response as well takes two tasks, which costs five
times as much as a plain wait and is only worth it if the connection is stalled."""


async def wait_async(wait: SocketWait) -> bool:
    """Wait in the event loop; return whether the socket became ready in time."""
    if wait.socket.fileno() < 0:
        return True
    with contextlib.suppress(anyio.ClosedResourceError):
        if not wait.writable:
            return await _with_timeout(anyio.wait_readable, wait.socket, wait.seconds)
        if await _with_timeout(anyio.wait_writable, wait.socket, WRITABLE_GRACE_SECONDS):
            return True
        return await _with_timeout(_readable_or_writable, wait.socket, wait.seconds)
    return True


async def _with_timeout(
    ready: Callable[[socket.socket], Awaitable[None]], sock: socket.socket, seconds: float | None
) -> bool:
    with anyio.move_on_after(seconds) as limit:
        await ready(sock)
    return not limit.cancelled_caught


async def _readable_or_writable(sock: socket.socket) -> None:
    await _first((anyio.wait_readable, sock), (anyio.wait_writable, sock))


async def wait_any_async(sockets: Sequence[socket.socket], seconds: float | None) -> Sequence[socket.socket]:
    """Wait in the event loop until some of the sockets have connected or failed; return these."""
    with anyio.move_on_after(seconds):
        return await _first(*((anyio.wait_writable, sock) for sock in sockets))
    return ()


async def _first(
    *waits: tuple[Callable[[socket.socket], Awaitable[None]], socket.socket],
) -> Sequence[socket.socket]:
    """Wait until at least one of the sockets is ready; return those that are."""
    ready: list[socket.socket] = []

    async def wait(until: Callable[[socket.socket], Awaitable[None]], sock: socket.socket) -> None:
        with contextlib.suppress(anyio.ClosedResourceError):
            await until(sock)
        ready.append(sock)
        waiting.cancel_scope.cancel()

    async with anyio.create_task_group() as waiting:
        for until, sock in waits:
            waiting.start_soon(wait, until, sock)
    return ready


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: UploadConnection, step: Step) -> None:
        self._connection = connection
        self._step = step

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return run_inner(self._connection.read(max_bytes, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._step.sent = True
        run_inner(self._connection.write(buffer, timeout))

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            run_inner(self._connection.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            self.close()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._connection.ssl_object if info == "ssl_object" else None


class _UploadBackend(httpcore.NetworkBackend):
    def __init__(self, step: Step) -> None:
        self._step = step

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's interface; not used here
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        addresses = resolve(host, port, timeout, self._step)
        sock = run_inner(connect(addresses, timeout, wait_any_sync, self._step.use))
        return _Stream(UploadConnection(sock, wait_sync), self._step)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, connection: UploadConnection, step: Step) -> None:
        self._connection = connection
        self._step = step

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        return await self._connection.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        # A socket that is always ready must neither block other tasks nor hide a cancellation.
        await checkpoint()
        self._step.sent = True
        await self._connection.write(buffer, timeout)

    async def aclose(self) -> None:
        if self._connection.socket.fileno() >= 0:
            # Ends the waits of other tasks for the socket.
            anyio.notify_closing(self._connection.socket)
            self._connection.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            await self._connection.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._connection.ssl_object if info == "ssl_object" else None


class _AsyncUploadBackend(httpcore.AsyncNetworkBackend):
    def __init__(self, step: Step) -> None:
        self._step = step

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,  # noqa: ARG002 - httpcore's interface; not used here
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.AsyncNetworkStream:
        try:
            with anyio.fail_after(timeout):
                addresses = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"the name {host} was not resolved in {timeout:g} s") from error
        except (OSError, ValueError) as error:
            # ValueError: a name that cannot be encoded, such as one with a label of more than 63 characters.
            raise network_error(error, httpcore.ConnectError, httpcore.ConnectError) from error
        sock = await connect(addresses, timeout, wait_any_async)
        return _AsyncStream(UploadConnection(sock, wait_async), self._step)


@contextlib.contextmanager
def _http_errors() -> Generator[None, None, None]:
    try:
        yield
    except h11.LocalProtocolError as error:
        # A body without the announced length; httpcore converts only other errors of h11.
        raise httpcore.LocalProtocolError(str(error)) from error


@contextlib.contextmanager
def _ignore_reset_after_error_status(status: int) -> Generator[None, None, None]:
    try:
        yield
    except (httpcore.NetworkError, httpcore.RemoteProtocolError):
        # A store that refuses an upload may reset the connection before its explanation arrives: the status is enough.
        if status < HTTPStatus.BAD_REQUEST:
            raise


class _Body:
    def __init__(self, pool: httpcore.ConnectionPool, stop: Stop, step: Step) -> None:
        self.pool = pool
        self.response: httpcore.Response | None = None
        self._stop = stop
        self._step = step

    def __iter__(self) -> Iterator[bytes]:
        if self.response is not None:
            with _ignore_reset_after_error_status(self.response.status):
                yield from self.response.iter_stream()

    def close(self) -> None:
        self._stop.end(self._step)
        # Not by the pool, which an exception of a signal handler may have left locked.
        if (sock := self._step.socket) is not None:
            sock.close()


class _AsyncBody:
    def __init__(
        self, response: httpcore.Response, pool: httpcore.AsyncConnectionPool, pools: set[httpcore.AsyncConnectionPool]
    ) -> None:
        self._response = response
        self._pool = pool
        self._pools = pools

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _ignore_reset_after_error_status(self._response.status):
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        try:
            await self._response.aclose()
            await self._pool.aclose()
        finally:
            self._pools.discard(self._pool)


def _with_limits(seconds: Timeouts, request: httpcore.Request) -> httpcore.Request:
    extensions = extensions_of(request)
    limits = {**extensions.get("timeout", {}), **seconds}
    return httpcore.Request(
        request.method,
        request.url,
        headers=request.headers,
        content=request.stream,
        extensions={**extensions, "timeout": limits},
    )


# Each upload gets its own pool and connection: a connection that the store has closed in the meantime would fail in the
# middle of the body, a handshake is negligible compared to a video, and no upload is affected by the end of another.


class UploadTransport:
    """A transport for presigned PUTs.

    A connection serves one upload. The request's own `connect` timeout applies; its `write` and `read` do not.
    It raises only httpcore's exceptions, those of the body's iterator, and a StoppedError once it is closed.

    Args:
        ssl_context: How https is verified; must check hostnames, like that of `ssl.create_default_context`.
        stall_seconds: How long the connection may accept no byte of the body before `httpcore.WriteTimeout`.
        response_seconds: How long the store may send nothing after it has the body before `httpcore.ReadTimeout`.
    """

    def __init__(self, *, ssl_context: ssl.SSLContext, stall_seconds: float, response_seconds: float) -> None:
        self._ssl_context = ssl_context
        self._seconds = {"write": stall_seconds, "read": response_seconds}
        self._stop = Stop()

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send the upload."""
        step = extensions_of(request).get(STEP) or Step()
        body = _Body(httpcore.ConnectionPool(self._ssl_context, network_backend=_UploadBackend(step)), self._stop, step)
        try:
            self._stop.begin(step)
            with _http_errors():
                body.response = body.pool.handle_request(_with_limits(self._seconds, request))
        except BaseException:
            body.close()
            raise
        return httpcore.Response(body.response.status, headers=body.response.headers, content=body)

    def close(self) -> None:
        """Abort the current uploads."""
        self._stop.set()

    def drop_stale(self) -> None:
        """Do nothing: no connection outlives its upload."""

    def forget(self) -> None:
        """Close the sockets that a child process has inherited, without a word to the store."""
        self._stop.close_sockets()


class AsyncUploadTransport:
    """A transport for presigned PUTs, like `UploadTransport`, for any event loop that anyio supports."""

    def __init__(self, *, ssl_context: ssl.SSLContext, stall_seconds: float, response_seconds: float) -> None:
        self._ssl_context = ssl_context
        self._seconds = {"write": stall_seconds, "read": response_seconds}
        self._pools: set[httpcore.AsyncConnectionPool] = set()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send the upload."""
        step = extensions_of(request).get(STEP) or Step()
        pool = httpcore.AsyncConnectionPool(self._ssl_context, network_backend=_AsyncUploadBackend(step))
        self._pools.add(pool)
        try:
            with _http_errors():
                response = await pool.handle_async_request(_with_limits(self._seconds, request))
        except BaseException:
            self._pools.discard(pool)
            raise
        return httpcore.Response(
            response.status, headers=response.headers, content=_AsyncBody(response, pool, self._pools)
        )

    async def drop_stale(self) -> None:
        """Do nothing: no connection outlives its upload."""

    async def aclose(self) -> None:
        """Abort the current uploads."""
        for pool in tuple(self._pools):
            await pool.aclose()
