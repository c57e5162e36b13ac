"""Compare uploads with `curl -T`, over http and https on loopback: `python -m benchmarks.upload`.

Each upload is a process; its time runs from before the connection to after the response, without the process's
start, for curl (`time_total`) as for the others. The ways alternate; each run is compared with the rival's run just
before it, because machines have fast and slow minutes, and the median of these ratios is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.figures import Figure, keep

from . import network
from .sink import running_sink

WAYS = ("curl", "sync", "async", "httpx", "httpx-async")
SCHEMES = ("http", "https")
MEBIBYTE = 1024 * 1024
UNITS = {"MIB": MEBIBYTE, "GIB": 1024 * MEBIBYTE}
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
GOALS = {
    ("http", "sync"): 1.6,
    ("https", "sync"): 1.25,
    ("http", "async"): 1.2,
    ("https", "async"): 1.1,
}
"""The ratio to curl's throughput that each way should reach."""
MEMORY_GOAL = 8 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Run:
    """One upload: seconds, and the bytes of memory it needed beyond those of the idle process."""

    seconds: float
    memory: int


def size(text: str) -> int:
    """Read a size such as 1GiB or 256MiB."""
    match = re.fullmatch(r"(\d+)(MiB|GiB)", text, re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 256MiB or 1GiB")
    return int(match[1]) * UNITS[match[2].upper()]


def make_file(path: Path, total: int) -> None:
    """Write a file that passes for a video, so that it is in the page cache."""
    block = os.urandom(MEBIBYTE)
    with path.open("wb") as file:
        file.write(MP4)
        while (left := total - file.tell()) > 0:
            file.write(block[:left])


def run(way: str, url: str, file: Path, ca: Path) -> Run:
    """Upload once."""
    if way == "curl":
        command = ["curl", "--silent", "--show-error", "--fail", "--cacert", str(ca), "--header", "Expect:"]
        command += ["--write-out", "%{time_total}", "--upload-file", str(file), url]
        return Run(float(_output(command)), 0)
    command = [sys.executable, "-m", "benchmarks.upload.sender"]
    command += ["--way", way, "--url", url, "--file", str(file), "--ca", str(ca)]
    result = json.loads(_output(command))
    return Run(result["seconds"], result["peak"] - result["idle"])


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def report(runs: dict[tuple[str, str], list[Run]], total: int) -> None:
    """Print what was measured."""
    print(f"{'':18}{'MiB/s':>8}{'min':>8}{'max':>8}{'by curl':>9}{'goal':>7}{'MiB over idle':>15}")
    for (scheme, way), done in runs.items():
        speeds = [total / MEBIBYTE / each.seconds for each in done]
        ratio = statistics.median(
            rival.seconds / each.seconds for rival, each in zip(runs[scheme, "curl"], done, strict=True)
        )
        goal = GOALS.get((scheme, way))
        print(
            f"{scheme + ' ' + way:18}{statistics.median(speeds):8.0f}{min(speeds):8.0f}{max(speeds):8.0f}{ratio:9.2f}"
            f"{'' if goal is None else f'{goal:g}':>7}"
            f"{'' if way == 'curl' else f'{max(each.memory for each in done) / MEBIBYTE:.1f}':>15}"
        )
        if way != "curl":
            limit = "" if goal is None else f">= {goal:g}"
            speed = f"{statistics.median(speeds):,.0f} MiB/s, from {min(speeds):,.0f} to {max(speeds):,.0f}"
            keep(Figure("Uploads", f"{scheme}, {way} / curl", ratio, limit, detail=speed))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.upload", description=__doc__)
    parser.add_argument("--size", type=size, default=size("1GiB"), help="of the file (default: 1GiB)")
    parser.add_argument("--runs", type=int, default=5, help="of each way (default: 5)")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS, help="curl is always among them")
    parser.add_argument("--folder", type=Path, help="where the file is made for the time of the run")
    network.enter("benchmarks.upload", sys.argv[1:])
    arguments = parser.parse_args()
    if shutil.which("curl") is None:
        raise SystemExit("Uploads are compared with curl: install it and run this again.")
    print(f"{arguments.size / MEBIBYTE:,.0f} MiB, {arguments.runs} runs of each way, on {network.prepare()}")
    authority = trustme.CA()
    ways = ["curl", *(way for way in arguments.ways if way != "curl")]
    runs: dict[tuple[str, str], list[Run]] = defaultdict(list)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        file, ca, certificate = Path(name) / "video.mp4", Path(name) / "ca.pem", Path(name) / "sink.pem"
        authority.cert_pem.write_to_path(ca)
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
        make_file(file, arguments.size)
        with running_sink(str(certificate)) as ports:
            for scheme in SCHEMES:
                for _ in range(arguments.runs):
                    for way in ways:
                        runs[scheme, way].append(run(way, f"{scheme}://127.0.0.1:{ports[scheme]}/video", file, ca))
    report(runs, arguments.size)


if __name__ == "__main__":
    main()
