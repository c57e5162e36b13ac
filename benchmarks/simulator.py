"""The simulator's start-up time, its requests beside a large state file, and its rate compared with Prism's proxy.

`python -m benchmarks.simulator [--seconds 2]`. The state file is measured as the ratio of the time of a request with it
to that without, both with 10,000 medias. Throughput is that of one process with the in-process checker around
the simulator, against `prism proxy --errors` in front of a process with the simulator alone; the same aiohttp client
sends both the same requests over eight connections, in turns. Prism must be installed (`make setup`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from contentgroove_mock.prism import Prism

from benchmarks.figures import Figure, show

if TYPE_CHECKING:
    from collections.abc import Generator

BENCHMARK = "Simulator"
KEY = "benchmark-key"
STARTS = 11
ROUNDS = 5
CONNECTIONS = 8
MEDIAS = 25
LARGE_MEDIAS = 10_000
CONTRACT = Path(__file__).parents[1] / "spec" / "contract.yaml"

ONCE = """
import time
start = time.perf_counter()
import asyncio, httpx
loaded_httpx = time.perf_counter()
from contentgroove_mock import Simulator
loaded = time.perf_counter()

async def first():
    transport = httpx.ASGITransport(app=Simulator())
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator.example/api/v1") as client:
        assert (await client.get("/medias", headers={"X-API-KEY": "any"})).status_code == 200

asyncio.run(first())
cold = time.perf_counter()
asyncio.run(first())
print(loaded - loaded_httpx + cold - loaded, cold - loaded, time.perf_counter() - cold)
"""
ALONE = """
import sys
from contentgroove_mock import Simulator, serve
with serve(Simulator()) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""
LARGE = """
import sys
import uuid
from contentgroove_mock import Simulator, serve
from contentgroove_mock.simulator.core.accounts import account_id
from contentgroove_mock.simulator.core.records import Media

path, key, count = sys.argv[1:]
simulator = Simulator(state_file=path or None)
at = simulator.clock.now()
with simulator._context.locked_service() as service:
    for number in range(int(count)):
        media = Media(
            id=str(uuid.UUID(int=number)), account=account_id(key), origin="http://127.0.0.1", name=f"Film {number}",
            description="Text. " * 40, source_url="https://films.example/a.mp4", path=None, file=None, created_at=at,
            starts_at=at, finishes_at=at, stage="failed",
        )
        service.state.medias[media.id] = media
with serve(simulator) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""
CHECKED = """
import sys
from contentgroove_mock import Simulator, serve
from contentgroove_mock.contract import CheckedApp, Checker
simulator = Simulator()
with serve(simulator, app=CheckedApp(simulator, Checker())) as server:
    print(server.base_url, flush=True)
    sys.stdin.read()
"""


class Call(NamedTuple):
    """One kind of request."""

    name: str
    method: str
    path: str
    body: bytes | None = None


def check(condition: bool, message: object) -> None:  # noqa: FBT001  # as in assert
    """End the benchmark if it would measure something else."""
    if not condition:
        raise SystemExit(f"error: {message}")


def read_base_url(process: subprocess.Popen[str]) -> str:
    """Read the base URL that a process announces in its first line."""
    line = process.stdout.readline() if process.stdout else ""
    found = re.search(r"http://\S+", line)
    if found is None:
        raise SystemExit(f"error: a server did not start; it printed {line!r}")
    return found[0]


def time_to_response() -> float:
    """Return the seconds from the start of `contentgroove mock` to the first byte of its first response."""
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "contentgroove", "mock"],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
    ) as process:
        try:
            port = int(read_base_url(process).rpartition(":")[2].partition("/")[0])
            with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as client:
                client.sendall(b"GET /api/v1/medias HTTP/1.1\r\nHost: a\r\nX-API-KEY: any\r\n\r\n")
                check(client.recv(12) == b"HTTP/1.1 200", "the simulator does not respond")
            return time.perf_counter() - start
        finally:
            process.kill()


@contextlib.contextmanager
def served(code: str, *arguments: str) -> Generator[str]:
    """Serve from a separate process; yields the base URL."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            yield read_base_url(process)
        finally:
            process.kill()


async def prepare(base_url: str) -> str:
    """Make a page of medias, and return the id of one."""
    identifier = ""
    async with aiohttp.ClientSession(headers={"X-API-KEY": KEY}) as client:
        for number in range(MEDIAS):
            attributes = {"source_url": "https://films.example/a.mp4", "name": f"Film {number}"}
            async with client.post(f"{base_url}/medias", json={"data": {"attributes": attributes}}) as response:
                identifier = (await response.json())["data"]["id"]
    return identifier


async def rate(base_url: str, call: Call, identifier: str, seconds: float) -> float:
    """Return the requests per second; each must have status 200."""
    headers = {"X-API-KEY": KEY} | ({"Content-Type": "application/json"} if call.body else {})
    url = base_url + call.path.format(id=identifier)
    start = time.perf_counter()
    count = 0
    async with aiohttp.ClientSession(headers=headers) as client:

        async def send() -> None:
            nonlocal count
            while time.perf_counter() < start + seconds:
                content = call.body and call.body.replace(b"COUNT", str(count).encode())
                async with client.request(call.method, url, data=content) as response:
                    body = await response.read()
                    check(response.status == HTTPStatus.OK, body)
                count += 1

        await asyncio.gather(*(send() for _ in range(CONNECTIONS)))
    return count / (time.perf_counter() - start)


def compare_state_file(seconds: float) -> None:
    """Compare the time of a request with a state file to that without, as a median ratio."""
    identifier = str(uuid.UUID(int=7))
    with (
        tempfile.TemporaryDirectory() as folder,
        served(LARGE, "", KEY, str(LARGE_MEDIAS)) as without,
        served(LARGE, f"{folder}/state", KEY, str(LARGE_MEDIAS)) as with_file,
    ):
        body = json.dumps({"data": {"attributes": {"name": "Film COUNT"}}}).encode()
        for call in (Call("one media", "GET", "/medias/{id}"), Call("an update", "PUT", "/medias/{id}", body)):
            ratios: list[float] = []
            for _ in range(ROUNDS):
                plain = asyncio.run(rate(without, call, identifier, seconds))
                ratios.append(plain / asyncio.run(rate(with_file, call, identifier, seconds)))
            what = f"{call.name} beside {LARGE_MEDIAS:,}, time with a state file"
            show(Figure(BENCHMARK, what, statistics.median(ratios), "< 1.5"))


def compare_throughput(seconds: float) -> None:
    """Compare the checked requests per second with Prism's proxy, as a median ratio."""
    calls = (
        Call("one media", "GET", "/medias/{id}"),
        Call("a page of 25 medias", "GET", "/medias?page[number]=1&page[size]=25"),
        Call("an update", "PUT", "/medias/{id}", json.dumps({"data": {"attributes": {"name": "New"}}}).encode()),
    )
    with served(ALONE) as alone, served(CHECKED) as checked, Prism.proxy(CONTRACT, alone) as prism:
        behind, own = asyncio.run(prepare(alone)), asyncio.run(prepare(checked))
        for call in calls:
            # Node compiles frequent code, and Python specialises it, so both are warmed up.
            asyncio.run(rate(checked, call, own, 2 * seconds))
            asyncio.run(rate(prism.base_url, call, behind, 2 * seconds))
            ours: list[float] = []
            theirs: list[float] = []
            for _ in range(ROUNDS):
                ours.append(asyncio.run(rate(checked, call, own, seconds)))
                theirs.append(asyncio.run(rate(prism.base_url, call, behind, seconds)))
            ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
            rates = f"{statistics.median(ours):.0f}/s with the checker, {statistics.median(theirs):.0f}/s through Prism"
            show(Figure(BENCHMARK, f"{call.name} / the same through Prism's proxy", ratio, ">= 3", detail=rates))


def main() -> None:
    """Run all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn of each side")
    seconds = parser.parse_args().seconds
    started = statistics.median(time_to_response() for _ in range(STARTS))
    show(Figure(BENCHMARK, "contentgroove mock, start to first response", started, "< 0.5", "s"))
    runs = [
        [
            float(word)
            for word in subprocess.run(
                [sys.executable, "-c", ONCE], check=True, capture_output=True, encoding="utf-8"
            ).stdout.split()
        ]
        for _ in range(STARTS)
    ]
    with_imports, cold, warm = (statistics.median(column) for column in zip(*runs, strict=True))
    show(Figure(BENCHMARK, "in process, construct to first response", cold, "< 0.020", "s"))
    show(Figure(BENCHMARK, "the same, a second simulator", warm, "< 0.020", "s"))
    show(Figure(BENCHMARK, "the same as the first with its imports, httpx loaded before", with_imports, unit="s"))
    compare_state_file(seconds)
    compare_throughput(seconds)


if __name__ == "__main__":
    main()
