"""Uploads by the sync and the async transport, behind one name."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import httpx
from contentgroove._io.upload_network import async_upload_transport, upload_transport

from .stores import PATIENCE

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Iterable, Iterator


@dataclass(frozen=True)
class Client:
    """Uploads by the sync or the async transport, so that each test runs with both."""

    kind: str
    trust: ssl.SSLContext
    stall_seconds: float = PATIENCE
    answer_seconds: float = PATIENCE
    connect_seconds: float = PATIENCE

    def within(
        self, *, stall_seconds: float = PATIENCE, answer_seconds: float = PATIENCE, connect_seconds: float = PATIENCE
    ) -> Client:
        """Make a client with other limits."""
        return Client(self.kind, self.trust, stall_seconds, answer_seconds, connect_seconds)

    async def put(self, url: str, chunks: Iterable[bytes], size: int, *, times: int = 1) -> httpx.Response:
        """Upload chunks; they are taken in a thread, so that they may wait for events."""
        if self.kind == "sync":
            return await anyio.to_thread.run_sync(self._put, url, chunks, size, times)
        transport = async_upload_transport(
            ssl_context=self.trust, stall_seconds=self.stall_seconds, answer_seconds=self.answer_seconds
        )
        answers: list[httpx.Response] = []
        async with contextlib.aclosing(transport):
            for _ in range(times):
                answer = await transport.handle_async_request(self._request(url, _in_thread(iter(chunks)), size))
                async with contextlib.aclosing(answer):
                    await answer.aread()
                answers.append(answer)
        # Closing once more does nothing.
        await transport.aclose()
        return answers[-1]

    def _put(self, url: str, chunks: Iterable[bytes], size: int, times: int) -> httpx.Response:
        transport = upload_transport(
            ssl_context=self.trust, stall_seconds=self.stall_seconds, answer_seconds=self.answer_seconds
        )
        answers: list[httpx.Response] = []
        with contextlib.closing(transport):
            for _ in range(times):
                answer = transport.handle_request(self._request(url, iter(chunks), size))
                with contextlib.closing(answer):
                    answer.read()
                answers.append(answer)
        # Closing once more does nothing.
        transport.close()
        return answers[-1]

    def _request(self, url: str, content: Iterator[bytes] | AsyncGenerator[bytes, None], size: int) -> httpx.Request:
        # Limits of reading and writing that no test may meet: the transport's own apply.
        timeout = {"connect": self.connect_seconds, "pool": PATIENCE, "read": 3 * PATIENCE, "write": 3 * PATIENCE}
        return httpx.Request(
            "PUT", url, headers={"Content-Length": str(size)}, content=content, extensions={"timeout": timeout}
        )


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
