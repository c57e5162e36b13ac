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

import httpcore
import httpx
from contentgroove._io.connections import trusting
from contentgroove._io.http import parse_url
from contentgroove._io.httpx_lines import AsyncHttpxLine, HttpxLine
from contentgroove._io.progress import acounted, counted
from contentgroove._io.sources import PathSource
from contentgroove._io.upload_network import AsyncUploadLine, UploadLine

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Generator

    from contentgroove._io.async_connections import AsyncLine
    from contentgroove._io.connections import Line

SECONDS = 60.0


def request(url: str, source: PathSource, content: Generator[bytes] | AsyncGenerator[bytes]) -> httpcore.Request:
    """Make the request that every way sends."""
    headers = [("Host", "sink"), ("Content-Length", str(source.size))]
    return httpcore.Request("PUT", parse_url(url), headers=headers, content=content)


def send(line: Line, url: str, source: PathSource) -> int:
    """Upload synchronously."""
    with contextlib.closing(line), contextlib.closing(counted(source, None)) as content:
        answer = line.handle_request(request(url, source, content))
        answer.read()
        answer.close()
        return answer.status


async def asend(line: AsyncLine, url: str, source: PathSource) -> int:
    """Upload asynchronously."""
    async with contextlib.aclosing(line), contextlib.aclosing(acounted(source, None)) as content:
        answer = await line.handle_async_request(request(url, source, content))
        await answer.aread()
        await answer.aclose()
        return answer.status


def upload(way: str, context: ssl.SSLContext, url: str, source: PathSource) -> int:
    """Upload in one of the ways that are compared."""
    limits = {"stall_seconds": SECONDS, "answer_seconds": SECONDS}
    match way:
        case "sync":
            return send(UploadLine(ssl_context=context, **limits), url, source)
        case "async":
            return asyncio.run(asend(AsyncUploadLine(ssl_context=context, **limits), url, source))
        case "httpx":
            return send(HttpxLine(httpx.HTTPTransport(verify=context).handle_request), url, source)
        case "httpx-async":
            line = AsyncHttpxLine(httpx.AsyncHTTPTransport(verify=context).handle_async_request)
            return asyncio.run(asend(line, url, source))
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
    context = trusting()
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
