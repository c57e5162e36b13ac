"""Upload one file in a separate process, and print the time in seconds and the memory in bytes as JSON."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import httpcore
import httpx
from contentgroove._io.async_io import aiter_with_progress
from contentgroove._io.connections import default_ssl_context
from contentgroove._io.http import parse_url
from contentgroove._io.httpx_transports import AsyncHttpxTransport, HttpxTransport
from contentgroove._io.sources import PathSource
from contentgroove._io.sync_io import iter_with_progress
from contentgroove._io.upload_transport import AsyncUploadTransport, UploadTransport

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Generator
    from typing import Self

    from contentgroove._io.http import AsyncTransport, Transport

SECONDS = 60.0
HEAP_STEP = 16
"""Bytes to which malloc aligns."""
HEAP_STEPS = 4096 // HEAP_STEP
"""Steps in a page."""


def request(url: str, source: PathSource, content: Generator[bytes] | AsyncGenerator[bytes]) -> httpcore.Request:
    """Make the request that every way sends."""
    headers = [("Host", "sink"), ("Content-Length", str(source.size))]
    return httpcore.Request("PUT", parse_url(url), headers=headers, content=content)


class Measured:
    """The resources that a block used.

    Attributes:
        seconds: Its time.
        idle: Bytes of memory before it.
        peak: The maximum of the process since its start.
    """

    def __enter__(self) -> Self:
        self.idle = memory("VmRSS")
        self._started = time.perf_counter()
        return self

    def __exit__(self, *exception: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.peak = memory("VmHWM")


def send(transport: Transport, url: str, source: PathSource) -> Measured:
    """Upload synchronously."""
    with (
        Measured() as measured,
        contextlib.closing(transport),
        contextlib.closing(iter_with_progress(source, None)) as content,
    ):
        response = transport.handle_request(request(url, source, content))
        response.read()
        response.close()
    return checked(response.status, measured)


async def asend(transport: AsyncTransport, url: str, source: PathSource) -> Measured:
    """Upload asynchronously."""
    # An upload is never a client's first call: the request for the URL has made anyio load its asyncio part.
    await anyio.to_thread.run_sync(int)
    with Measured() as measured:
        async with contextlib.aclosing(transport), contextlib.aclosing(aiter_with_progress(source, None)) as content:
            response = await transport.handle_async_request(request(url, source, content))
            await response.aread()
            await response.aclose()
    return checked(response.status, measured)


def checked(status: int, measured: Measured) -> Measured:
    """End the process if the upload failed."""
    if status != 200:  # noqa: PLR2004 - the sink's status
        raise SystemExit(f"the sink responded with {status}")
    return measured


def upload(way: str, context: ssl.SSLContext, url: str, source: PathSource) -> Measured:
    """Upload in one of the ways that are compared."""
    match way:
        case "sync":
            return send(
                UploadTransport(ssl_context=context, stall_seconds=SECONDS, response_seconds=SECONDS), url, source
            )
        case "async":
            transport = AsyncUploadTransport(ssl_context=context, stall_seconds=SECONDS, response_seconds=SECONDS)
            return asyncio.run(asend(transport, url, source))
        case "httpx":
            return send(HttpxTransport(httpx.HTTPTransport(verify=context).handle_request), url, source)
        case "httpx-async":
            stock = AsyncHttpxTransport(httpx.AsyncHTTPTransport(verify=context).handle_async_request)
            return asyncio.run(asend(stock, url, source))
        case _:
            raise ValueError(f"no such way: {way}")


def memory(name: str) -> int:
    """Read one of this process's figures, in bytes; 0 if there is no /proc."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return 0
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def main() -> None:
    """Upload once."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("way", "url", "file", "ca"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    # Some processors (AMD Zen 3) copy four times slower to an address 16 bytes into a page. The heap would have
    # the same layout in every run, so that luck would decide for all of them: this moves it by a random distance.
    moved = bytearray(HEAP_STEP * (HEAP_STEPS + random.randrange(HEAP_STEPS)))  # noqa: S311 - no secret
    context = default_ssl_context()
    context.load_verify_locations(arguments.ca)
    source = PathSource(Path(arguments.file))
    measured = upload(arguments.way, context, arguments.url, source)
    print(json.dumps({"seconds": measured.seconds, "idle": measured.idle, "peak": measured.peak}))
    del moved


if __name__ == "__main__":
    main()
