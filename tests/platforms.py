"""What some tests need and not every system has. Each mark's reason is a fact about the system; Linux has all of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WINDOWS = os.name == "nt"

SIGNALS = pytest.mark.skipif(WINDOWS, reason="Windows: no program can send another one SIGINT or SIGTERM")
PIPES = pytest.mark.skipif(WINDOWS, reason="Windows: select waits for sockets only, not for what a program prints")
NAMED_PIPES = pytest.mark.skipif(WINDOWS, reason="Windows: no named pipes in folders")
TERMINALS = pytest.mark.skipif(WINDOWS, reason="Windows: no pseudo-terminals as POSIX has them")
LINKS = pytest.mark.skipif(WINDOWS, reason="Windows: symbolic links need a right that users mostly lack")
RIGHTS = pytest.mark.skipif(WINDOWS, reason="Windows: files have no mode that says who may read them")
SHELL = pytest.mark.skipif(WINDOWS, reason="Windows: no sh, and no programs that are its scripts")
FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows: no fork")
HOLES = pytest.mark.skipif(WINDOWS, reason="Windows: a file made larger is written in full, here gigabytes")
DESCRIPTORS = pytest.mark.skipif(WINDOWS, reason="Windows: a process cannot list what it has open")
PROC = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone lists a process's sockets in /proc")
LOOPBACKS = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has more loopback addresses than 127.0.0.1")
FULL_DEVICE = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has /dev/full")
BYTE_NAMES = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has file names that are not text")

KILL = 9
"""What `os.kill` ends a process with, without a word: SIGKILL, and on Windows its exit code."""


def was_killed(code: int | None) -> bool:
    """Whether an exit code is that of a process that ended itself with `KILL`."""
    return code == (KILL if WINDOWS else -KILL)


def make_named_pipe(path: Path) -> None:
    """Make a named pipe; the test needs `NAMED_PIPES`."""
    if sys.platform == "win32":
        raise NotImplementedError("the test lacks the mark NAMED_PIPES")
    os.mkfifo(path)
