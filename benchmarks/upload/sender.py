"""Uploads one file once, in a process of its own, and prints the seconds and the memory it took as JSON."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from contentgroove._io.progress import acounted, counted
from contentgroove._io.sources import PathSource
from contentgroove._io.upload_network import async_upload_transport, upload_transport

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Generator

SECONDS = 60.0


def request(url: str, source: PathSource, content: Generator[bytes] | AsyncGenerator[bytes]) -> httpx.Request:
    """Make the request that every way sends."""
    return httpx.Request("PUT", url, headers={"Content-Length": str(source.size)}, content=content)


def send(transport: httpx.BaseTransport, url: str, source: PathSource) -> int:
    """Upload synchronously."""
    with contextlib.closing(transport), contextlib.closing(counted(source, None)) as content:
        response = transport.handle_request(request(url, source, content))
        response.read()
        response.close()
        return response.status_code


async def asend(transport: httpx.AsyncBaseTransport, url: str, source: PathSource) -> int:
    """Upload asynchronously."""
    async with contextlib.aclosing(transport), contextlib.aclosing(acounted(source, None)) as content:
        response = await transport.handle_async_request(request(url, source, content))
        await response.aread()
        await response.aclose()
        return response.status_code


def upload(way: str, context: ssl.SSLContext, url: str, source: PathSource) -> int:
    """Upload in one of the ways that are compared."""
    limits = {"stall_seconds": SECONDS, "answer_seconds": SECONDS}
    match way:
        case "sync":
            return send(upload_transport(ssl_context=context, **limits), url, source)
        case "async":
            return asyncio.run(asend(async_upload_transport(ssl_context=context, **limits), url, source))
        case "httpx":
            return send(httpx.HTTPTransport(verify=context), url, source)
        case "httpx-async":
            return asyncio.run(asend(httpx.AsyncHTTPTransport(verify=context), url, source))
        case _:
            raise ValueError(f"no such way: {way}")


def memory(name: str) -> int:
    """Read one of this process's figures, in bytes; 0 where there is no /proc."""
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
    context = httpx.create_ssl_context()
    context.load_verify_locations(arguments.ca)
    source = PathSource(Path(arguments.file))
    idle = memory("VmRSS")
    started = time.perf_counter()
    status = upload(arguments.way, context, arguments.url, source)
    seconds = time.perf_counter() - started
    if status != 200:  # noqa: PLR2004 - the status that the sink gives
        raise SystemExit(f"the sink answered {status}")
    print(json.dumps({"seconds": seconds, "idle": idle, "peak": memory("VmHWM")}))


if __name__ == "__main__":
    main()
