"""The command line in an empty folder, with its own account at a simulator."""

from __future__ import annotations

import signal
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pytest
from contentgroove_mock import Simulator, serve

from tests.cli.conftest import DEADLINE, QUICK, CommandLine, Reader

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contentgroove_mock import Server


TOKEN = "canary-token-1234567890"


@dataclass
class Listener:
    """`listen` in a process.

    Attributes:
        url: Its URL.
        process: The process.
        out: Its standard output.
        err: Its standard error.
    """

    url: str
    process: subprocess.Popen[str]
    out: Reader
    err: Reader

    @classmethod
    def of(cls, process: subprocess.Popen[str]) -> Self:
        """Wait until a process listens."""
        assert process.stderr is not None
        err = Reader(process.stderr.fileno())
        host = err.wait_for(r"http://127\.0\.0\.1:\d+/").partition("http://")[2].split(" ")[0]
        return cls(f"http://{host}", process, Reader(process.stdout.fileno() if process.stdout else -1), err)

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.url.split(":")[2].strip("/"))

    def stop(self, number: int = signal.SIGINT) -> int:
        """Stop it; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A simulator that is quick; each key has its own account."""
    with serve(Simulator(policy=QUICK)) as served:
        yield served


@pytest.fixture
def cli(server: Server, tmp_path: Path) -> CommandLine:
    """The command line, in an empty folder."""
    return CommandLine(server, tmp_path)


@pytest.fixture
def listen(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Listener]]:
    """Start `listen` on a free port, with a token."""
    monkeypatch.setenv("CONTENTGROOVE_WEBHOOK_TOKEN", TOKEN)
    with ExitStack() as stack:
        yield lambda *arguments, **options: Listener.of(
            stack.enter_context(cli.started("webhooks", "listen", *arguments, **options))
        )
