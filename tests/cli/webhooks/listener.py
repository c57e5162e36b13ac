"""`contentgroove webhooks listen` in a process."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.cli.conftest import DEADLINE, Reader

if TYPE_CHECKING:
    import subprocess

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
