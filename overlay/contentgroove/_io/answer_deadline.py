"""httpcore's connections, with a limit for the total time of a response.

httpcore limits each wait for bytes. A server that sends one byte of a header each second, or one interim response (1xx)
after another, stays within that limit forever.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import httpcore

from . import http

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable


class ResponseDeadline:
    """The time by which the current response must be complete."""

    def __init__(self) -> None:
        self._end: float | None = None

    def restart(self) -> None:
        """Expect another response; its time starts with the first read."""
        self._end = None

    def seconds(self, timeout: float | None) -> float:
        """Return how long the next bytes may be waited for.

        Raises:
            httpcore.ReadTimeout: The response's time is up.
        """
        now = time.monotonic()
        if self._end is None:
            self._end = now + http.MAX_RESPONSE_SECONDS
        remaining = self._end - now
        if remaining <= 0:
            raise httpcore.ReadTimeout(f"the response was not complete after {http.MAX_RESPONSE_SECONDS:g} s")
        return remaining if timeout is None else min(timeout, remaining)


class _Stream(httpcore.NetworkStream):
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
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout))

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
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options))


class _AsyncStream(httpcore.AsyncNetworkStream):
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
        return _AsyncStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

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
        return _AsyncStream(await self._backend.connect_tcp(host, port, timeout, local_address, socket_options))
