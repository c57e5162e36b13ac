"""The sockets below httpcore's async connections: a limit for the time of each response, and what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httpcore

from .connecting import MAX_NAMED
from .http import ResponseDeadline, starts_request

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterable

    from .stopping import Step


class AsyncNetwork(httpcore.AsyncNetworkBackend):
    """The network of one connection; connects like httpcore's own.

    Attributes:
        step: What uses the connection; set before each request.
    """

    def __init__(self) -> None:
        self.step: Step | None = None
        # httpcore exports an untyped stand-in if anyio is missing; here it is always installed.
        self._backend = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())
        self._socket: socket.socket | None = None

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect."""
        try:
            stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        except UnicodeError as error:
            # A name that cannot be encoded, such as one with a label of more than 63 characters.
            raise httpcore.ConnectError(str(error)) from error
        except httpcore.ConnectError as error:
            raise httpcore.ConnectError(_describe(error)) from error
        self._socket = stream.get_extra_info("socket")
        return _AsyncStream(self, stream)

    def descriptor(self) -> int:
        """Return the descriptor of the open socket, -1 if there is none."""
        return -1 if self._socket is None else self._socket.fileno()


def _describe(error: Exception) -> str:
    """Say why each address failed: anyio, which tries them like `connecting.connect`, keeps that in a group."""
    found: BaseException = error
    while (cause := found.__cause__ or found.__context__) is not None:
        found = cause
        if isinstance(found, BaseExceptionGroup):
            failures = [str(each) for each in cast("BaseExceptionGroup[BaseException]", found).exceptions]
            more = f"; and {len(failures) - MAX_NAMED} more" if len(failures) > MAX_NAMED else ""
            return "; ".join(failures[:MAX_NAMED]) + more
    return str(error)


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, network: AsyncNetwork, stream: httpcore.AsyncNetworkStream) -> None:
        self._network = network
        self._stream = stream
        self._deadline = ResponseDeadline()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        return await self._stream.read(max_bytes, self._deadline.seconds(timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as above
        self._deadline.restart()
        if starts_request(buffer) and self._network.step is not None:
            self._network.step.sent = True
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
    ) -> httpcore.AsyncNetworkStream:
        return _AsyncStream(self._network, await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
