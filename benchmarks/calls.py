"""Small calls, parsing and imports, each as a ratio to a named rival in the same run.

`python -m benchmarks.calls [--seconds 2]`: a local keep-alive server responds from memory; the rivals take turns.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import json
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import contentgroove
import contentgroove_api
import httpx
from contentgroove import AsyncContentGroove, ContentGroove
from contentgroove.webhooks import parse_event
from httpx_aiohttp import HttpxAiohttpClient

from benchmarks.figures import Figure, show

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

BENCHMARK = "Calls, parsing and imports"
KEY = "benchmark-key"
ROUNDS = 7
START_SECONDS = 30.0
CONTRACT = Path(__file__).parents[1] / "mockserver" / "contentgroove_mock" / "contract.json"


def documents() -> tuple[bytes, bytes, bytes]:
    """One media, a page of a hundred, and a webhook, from the contract's examples."""
    paths = json.loads(CONTRACT.read_text(encoding="utf-8"))["paths"]
    one = paths["/medias/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    item = paths["/medias"]["get"]["responses"]["200"]["content"]["application/json"]["example"]["data"][0]
    page = {"data": [{**item, "id": f"m-{n}"} for n in range(100)], "links": {"self": "x"}}
    callback = paths["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    hook = next(iter(callback.values()))["post"]["requestBody"]["content"]["application/json"]["example"]
    clips = hook["payload"]["included"]
    hook["payload"]["included"] = clips[:1] * 9 + clips[1:]
    return tuple(json.dumps(value).encode() for value in (one, page, hook))  # type: ignore[return-value]  # three of them


class Server(asyncio.Protocol):
    """Sends a fixed body for each path; keeps connections open."""

    bodies: dict[bytes, bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection."""
        self.transport: Any = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        """Respond to complete requests, which have no body here."""
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].partition(b"?")[0]
            body = self.bodies[b"page" if path.endswith(b"/medias") else b"one"]
            if b"number]=" in head:
                # Each page has other items, because equal pages would be detected as a loop.
                number = head.partition(b"number]=")[2].partition(b"&")[0].partition(b" ")[0]
                body = body.replace(b'"m-', b'"m-%b-' % number)
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )


def serve(bodies: dict[bytes, bytes]) -> int:
    """Serve from a thread and return the port."""
    Server.bodies = bodies
    ready = threading.Event()
    port = 0

    async def run() -> None:
        nonlocal port
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(run()), daemon=True).start()
    if not ready.wait(START_SECONDS):
        raise SystemExit("The benchmark's server did not start.")
    return port


def rate(call: Callable[[], object], seconds: float) -> float:
    """Return the calls per second."""
    end = time.perf_counter() + seconds
    count = 0
    start = time.perf_counter()
    while time.perf_counter() < end:
        call()
        count += 1
    return count / (time.perf_counter() - start)


def compare(
    name: str,
    ours: Callable[[], object],
    rival: Callable[[], object],
    seconds: float,
    goal: str,
    *,
    benchmark: str = BENCHMARK,
) -> None:
    """Show the median ratio of our rate to the rival's, measured in turns."""
    ours()
    rival()
    ratios = [rate(ours, seconds) / rate(rival, seconds) for _ in range(ROUNDS)]
    show(Figure(benchmark, name, statistics.median(ratios), goal))


async def at_once(call: Callable[[], Awaitable[object]], seconds: float) -> float:
    """Return the calls per second with fifty at once."""
    end = time.perf_counter() + seconds
    count = 0
    start = time.perf_counter()
    while time.perf_counter() < end:
        await asyncio.gather(*(call() for _ in range(50)))
        count += 50
    return count / (time.perf_counter() - start)


async def compare_async(base: str, seconds: float) -> None:
    """Compare fifty async calls at once with stock httpx, by default and over aiohttp (extra `aiohttp`)."""
    async with HttpxAiohttpClient() as aiohttp:
        cases = (
            ("50 async calls at once / httpx.AsyncClient", AsyncContentGroove(KEY, base), ">= 1.5"),
            ("the same over httpx-aiohttp", AsyncContentGroove(KEY, base, http_client=aiohttp), ">= 4"),
        )
        for name, client, goal in cases:
            await compare_one_async(name, client, goal, base, seconds)


async def compare_one_async(name: str, client: AsyncContentGroove, goal: str, base: str, seconds: float) -> None:
    """Compare one client with stock httpx, in turns."""
    async with client, httpx.AsyncClient() as stock:
        headers = {"Authorization": f"Bearer {KEY}"}

        async def rival() -> object:
            return json.loads((await stock.get(f"{base}/medias/m-1", headers=headers)).content)

        ratios = [
            await at_once(lambda: client.medias.get("m-1"), seconds) / await at_once(rival, seconds)
            for _ in range(ROUNDS)
        ]
    show(Figure(BENCHMARK, name, statistics.median(ratios), goal))


def compare_length(base: str) -> None:
    """Compare a list of ten thousand items with one of a hundred: the cost of an item, and the memory."""

    def cost(items: int) -> float:
        with ContentGroove(KEY, base) as client:
            start = time.perf_counter()
            count = sum(1 for _ in client.medias.list(page_size=100, limit=items))
            return (time.perf_counter() - start) / count

    cost(100)
    ratios = [cost(10_000) / statistics.median(cost(100) for _ in range(20)) for _ in range(3)]
    show(Figure(BENCHMARK, "10,000 items / 100 items, time an item", statistics.median(ratios), "about 1"))
    peaks: list[int] = []
    for items in (1_000, 10_000):
        tracemalloc.start()
        cost(items)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    show(Figure(BENCHMARK, "10,000 items / 1,000 items, peak memory", peaks[1] / peaks[0], "about 1"))


def started(code: str) -> float:
    """Return the seconds that a new interpreter needs for some code."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def compare_imports(base: str) -> None:
    """Compare new interpreters, in turns; httpx without its command line, which it imports if click is installed."""
    # Installers compile modules, but those of a checkout may never have been compiled (PYTHONDONTWRITEBYTECODE).
    for package in (contentgroove, contentgroove_api):
        compileall.compile_dir(str(Path(str(package.__file__)).parent), quiet=1)
    httpx_alone = "import sys; sys.modules['click'] = None; import httpx"
    get = f"c.get('{base}/medias/m-1', headers={{'Authorization': 'Bearer k'}})"
    cases = [
        ("import contentgroove / bare Python", "import contentgroove", "pass", "", "<= 1.2"),
        (
            "parse_event imported / import httpx",
            "from contentgroove.webhooks import parse_event",
            httpx_alone,
            "pass",
            "<= 0.6",
        ),
        (
            "import to first response / the same with httpx",
            f"from contentgroove import ContentGroove; c = ContentGroove('k', '{base}'); c.medias.get('m-1')",
            f"{httpx_alone}, json; c = httpx.Client(); json.loads({get}.content)",
            "",
            "<= 1.05",
        ),
    ]
    for name, ours, rival, net, goal in cases:
        ratios: list[float] = []
        for _ in range(11):
            base_seconds = started(net) if net else 0.0
            ratios.append((started(ours) - base_seconds) / (started(rival) - base_seconds))
        show(Figure(BENCHMARK, name, statistics.median(ratios), goal))


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn of each side")
    seconds = parser.parse_args().seconds
    one, page, hook = documents()
    base = f"http://127.0.0.1:{serve({b'one': one, b'page': page})}/api/v1"
    with ContentGroove(KEY, base) as client, httpx.Client() as stock:
        headers = {"Authorization": f"Bearer {KEY}"}
        compare(
            "one media / json.loads(httpx.Client.get)",
            lambda: client.medias.get("m-1"),
            lambda: json.loads(stock.get(f"{base}/medias/m-1", headers=headers).content),
            seconds,
            ">= 1.0",
        )
        compare(
            "list of 100 / json.loads(httpx.Client.get)",
            lambda: [media.name for media in client.medias.list(page_size=100, limit=100)],
            lambda: json.loads(stock.get(f"{base}/medias", headers=headers).content),
            seconds,
            ">= 1.3",
        )
    asyncio.run(compare_async(base, seconds))
    compare(
        "parse_event, time / json.loads", lambda: json.loads(hook), lambda: parse_event(hook), seconds, "<= 0.65 (time)"
    )
    compare_length(base)
    compare_imports(base)


if __name__ == "__main__":
    main()
