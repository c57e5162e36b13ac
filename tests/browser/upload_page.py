"""Runs the example of a page for uploads with its own command, against a simulator that is served."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock import Server

EXAMPLE = Path(__file__).parents[2] / "examples" / "upload_page" / "upload_page.py"
KEY = "canary-key-of-the-page"


class RunningPage(NamedTuple):
    """The example that is running.

    Attributes:
        url: The page's address.
        process: Its process.
    """

    url: str
    process: subprocess.Popen[str]


@contextlib.contextmanager
def running(server: Server, folder: Path) -> Generator[RunningPage]:
    """Run the example with its data in a folder, until the context is left; its output has no traceback and no key."""
    environment = {**os.environ, "CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": server.base_url}
    process = subprocess.Popen(  # noqa: S603  # our own example
        [sys.executable, str(EXAMPLE), "--port", str(_free_port()), "--data", str(folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("Open http://"), first + process.stdout.read()
        yield RunningPage(first.removeprefix("Open ").strip(), process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            rest, _ = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
    assert KEY not in rest


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
