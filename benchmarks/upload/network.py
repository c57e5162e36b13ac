"""A separate network for the benchmark, if the system permits it.

BBR, the default of many machines, paces plain http over loopback and presses every ratio toward 1. In its
own namespace the benchmark can use reno without changing anything for others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")
INSIDE = "CONTENTGROOVE_BENCHMARK_NAMESPACE"


def enter(module: str, arguments: list[str]) -> None:
    """Run the benchmark again inside a namespace and end with its status; return if that is not permitted."""
    unshare = shutil.which("unshare")
    if os.environ.get(INSIDE) or unshare is None:
        return
    namespace = [unshare, "--net", "--map-root-user"]
    if subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
        return
    command = [*namespace, sys.executable, "-m", module, *arguments]
    raise SystemExit(subprocess.run(command, check=False, env={**os.environ, INSIDE: "1"}).returncode)


def prepare() -> str:
    """Set up loopback and return a description of the network."""
    if not os.environ.get(INSIDE):
        return f"the machine's own network, {_congestion_control()}"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    try:
        CONGESTION_CONTROL.write_text("reno", "ascii")
    except OSError as error:
        return f"a network namespace of its own, {_congestion_control()} (reno was rejected: {error.strerror})"
    return f"a network namespace of its own, {_congestion_control()}"


def _congestion_control() -> str:
    try:
        return CONGESTION_CONTROL.read_text("ascii").strip()
    except OSError:
        return "congestion control unknown"
