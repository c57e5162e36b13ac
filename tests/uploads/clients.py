"""Uploads with the sync and the async transport, behind one interface."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import AsyncGenerator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import anyio.to_thread
import httpcore
from contentgroove._io.http import parse_url
from contentgroove._io.upload_transport import AsyncUploadTransport, UploadTransport

from .stores import PATIENCE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from contentgroove._io.connecting import SocketWait

Chunks: TypeAlias = Iterable[bytes]


class Client(Protocol):
    """Uploads with one of the transports."""

    async def put(self, url: str, chunks: Chunks, size: int, *, times: int = 1) -> httpcore.Response:
        """Upload and close the transport; the chunks are taken in a thread, so that they may wait for events."""
        ...

    async def close(self) -> None:
        """Close the transport."""
        ...


class ClientFactory(Protocol):
    """Creates clients with limits; those that a test does not name are never reached."""

    def __call__(
        self, *, stall_seconds: float = PATIENCE, response_seconds: float = PATIENCE, connect_seconds: float = PATIENCE
    ) -> Client:
        """Create a client."""
        ...


def upload_request(
    url: str, content: Iterator[bytes] | AsyncGenerator[bytes, None], size: int, connect_seconds: float
) -> httpcore.Request:
    """Create a request whose own limits of reading and writing are never reached: the transport's apply."""
    timeout = {"connect": connect_seconds, "pool": PATIENCE, "read": 3 * PATIENCE, "write": 3 * PATIENCE}
    headers = [("Host", "store.test"), ("Content-Length", str(size))]
    return httpcore.Request("PUT", parse_url(url), headers=headers, content=content, extensions={"timeout": timeout})


class SyncClient:
    """Uploads with the sync transport, in a thread."""

    def __init__(
        self, trust: ssl.SSLContext, stall_seconds: float, response_seconds: float, connect_seconds: float
    ) -> None:
        self._line = UploadTransport(ssl_context=trust, stall_seconds=stall_seconds, response_seconds=response_seconds)
        self._connect_seconds = connect_seconds

    async def put(self, url: str, chunks: Chunks, size: int, *, times: int = 1) -> httpcore.Response:
        """Upload in a thread."""
        return await anyio.to_thread.run_sync(self._put, url, chunks, size, times)

    def _put(self, url: str, chunks: Chunks, size: int, times: int) -> httpcore.Response:
        responses: list[httpcore.Response] = []
        with contextlib.closing(self._line):
            for _ in range(times):
                request = upload_request(url, iter(chunks), size, self._connect_seconds)
                responses.append(self._line.handle_request(request))
                with contextlib.closing(responses[-1]):
                    responses[-1].read()
        return responses[-1]

    async def close(self) -> None:
        """Close from a thread that is not the upload's."""
        self._line.close()


class AsyncClient:
    """Uploads with the async transport."""

    def __init__(
        self, trust: ssl.SSLContext, stall_seconds: float, response_seconds: float, connect_seconds: float
    ) -> None:
        self._line = AsyncUploadTransport(
            ssl_context=trust, stall_seconds=stall_seconds, response_seconds=response_seconds
        )
        self._connect_seconds = connect_seconds

    async def put(self, url: str, chunks: Chunks, size: int, *, times: int = 1) -> httpcore.Response:
        """Upload in this task."""
        async with contextlib.aclosing(self._line):
            responses = [await self.send(url, _in_thread(iter(chunks)), size) for _ in range(times)]
        return responses[-1]

    async def send(self, url: str, content: AsyncGenerator[bytes, None], size: int) -> httpcore.Response:
        """Upload the chunks of an async generator."""
        http_response = await self._line.handle_async_request(upload_request(url, content, size, self._connect_seconds))
        async with contextlib.aclosing(http_response):
            await http_response.aread()
        return http_response

    async def close(self) -> None:
        """Close from a task that is not the upload's."""
        await self._line.aclose()


async def _in_thread(chunks: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    while (chunk := await anyio.to_thread.run_sync(next, chunks, None, abandon_on_cancel=True)) is not None:
        yield chunk


def open_sockets() -> int:
    """Count this process's sockets."""
    count = 0
    for name in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):
            count += stat.S_ISSOCK(os.fstat(int(name.name)).st_mode)
    return count


Watch: TypeAlias = "Callable[[Callable[[SocketWait], None]], list[bool]]"
"""Calls back before each wait; gives the list of whether each ended before its time was up."""
