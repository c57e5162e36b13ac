"""A simulator on loopback, and three ways to run the command line: in process, as a child, in a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import select
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyte
import pytest
from contentgroove import ContentGroove
from contentgroove.cli.app import run
from contentgroove_mock import Policy, Server, Simulator, sample_video, serve

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

DEADLINE = 30.0
"""Seconds that a test waits for a child."""

# Ctrl-C reaches only those whose controlling terminal it is.
_IN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""

QUICK = Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01)


class Ran(NamedTuple):
    """What a run printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def document(self) -> Any:
        """The JSON document."""
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Runs `contentgroove` against a server, with its own account.

    Attributes:
        server: The server.
        folder: The working folder of children.
        key: The API key.
    """

    server: Server
    folder: Path
    key: str = field(default_factory=lambda: f"canary-{uuid.uuid4().hex}")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a child; its output is buffered, as it is for most."""
        excluded = {"NO_COLOR", "COLUMNS", "LINES", "PYTHONUNBUFFERED"}
        kept = {name: value for name, value in os.environ.items() if name not in excluded}
        return {
            **kept,
            "CONTENTGROOVE_API_KEY": self.key,
            "CONTENTGROOVE_BASE_URL": self.server.base_url,
            "TERM": "xterm-256color",
        }

    def __call__(self, *arguments: str, key: str | None = None) -> Ran:
        """Run in this process, without a terminal."""
        out, err = _Stream(), _Stream()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CONTENTGROOVE_API_KEY", self.key if key is None else key)
            patch.setenv("CONTENTGROOVE_BASE_URL", self.server.base_url)
            patch.chdir(self.folder)
            patch.setattr(sys, "stdin", io.StringIO())
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(list(arguments))
        return Ran(code, out.text(), err.text())

    def child(self, *arguments: str, environment: dict[str, str] | None = None) -> Ran:
        """Run as a child whose output goes to pipes."""
        done = subprocess.run(  # noqa: S603 - this interpreter, our own arguments
            _command(arguments),
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=DEADLINE,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def started(self, *arguments: str, output: int = subprocess.PIPE) -> Generator[subprocess.Popen[str]]:
        """Start a child, which ends with the context."""
        with subprocess.Popen(  # noqa: S603 - as above
            _command(arguments),
            cwd=self.folder,
            env=self.environment,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    @contextlib.contextmanager
    def terminal(
        self,
        *arguments: str,
        columns: int = 100,
        environment: dict[str, str] | None = None,
        output: int | None = None,
    ) -> Generator[Terminal]:
        """Run in a terminal of 30 lines; standard output may go elsewhere."""
        if sys.platform == "win32":
            raise NotImplementedError("the test lacks the mark TERMINALS")
        import fcntl
        import pty
        import struct
        import termios

        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
        with subprocess.Popen(  # noqa: S603 - as above
            [sys.executable, "-c", _IN_TERMINAL, *_command(arguments)],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdin=theirs,
            stdout=theirs if output is None else output,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            try:
                yield Terminal(process, ours, columns)
            finally:
                process.kill()
                os.close(ours)

    def client(self) -> ContentGroove:
        """Create a client of the same account."""
        return ContentGroove(self.key, self.server.base_url)

    def media(self, name: str = "Film", description: str | None = None) -> str:
        """Create a processed media; returns its id."""
        with self.client() as client:
            media = client.medias.upload(sample_video(), name=name, description=description)
        self.server.simulator.finish_media(media.id)
        return media.id

    def file(self, name: str, size: int | None = None) -> str:
        """Create a video in the working folder, filled up to a size; returns its name."""
        path = self.folder / name
        path.write_bytes(sample_video().read_bytes())
        if size is not None:
            os.truncate(path, size)
        return name


class Reader:
    """Reads what a program prints, as it comes; the test needs the mark PIPES.

    Attributes:
        raw: All that was read.
    """

    def __init__(self, descriptor: int) -> None:
        self.raw = b""
        self._descriptor = descriptor

    @property
    def text(self) -> str:
        """All that was read, as text."""
        return self.raw.decode("utf-8", "replace")

    def wait_for(self, pattern: str) -> str:
        """Read until a pattern was printed; returns the text."""
        end = time.monotonic() + DEADLINE
        while not re.search(pattern, self.text):
            assert self._read(end), f"{pattern!r} did not appear in:\n{self.text}"
        return self.text

    def rest(self) -> str:
        """Read to the end; returns the text."""
        end = time.monotonic() + DEADLINE
        while self._read(end):
            pass
        return self.text

    def _read(self, end: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"the program went silent at:\n{self.text}"
        try:
            content = os.read(self._descriptor, 65536)
        except OSError:
            # A terminal's end on Linux.
            return False
        self.raw += content
        self._take(content)
        return bool(content)

    def _take(self, content: bytes) -> None:
        """Process the new content."""


class Terminal(Reader):
    """A terminal and the program in it.

    Attributes:
        process: The program.
        screen: What the terminal shows, with colours.
    """

    def __init__(self, process: subprocess.Popen[bytes], descriptor: int, columns: int) -> None:
        super().__init__(descriptor)
        self.process = process
        self.screen = pyte.HistoryScreen(columns, 30, history=2000)
        self._stream = pyte.ByteStream(self.screen)

    @property
    def text(self) -> str:
        """The text on the screen, with the lines that have scrolled away."""
        above = ["".join(line[x].data for x in sorted(line)) for line in self.screen.history.top]
        return "\n".join(line.rstrip() for line in (*above, *self.screen.display)).rstrip()

    def wait_for_input(self, prompt: str) -> None:
        """Wait until the program asks for input and sleeps, where the system can tell.

        Python looks for signals before it reads and after it has read: between the two, Ctrl-C would come too early.
        """
        self.wait_for(re.escape(prompt))
        state = Path(f"/proc/{self.process.pid}/stat")
        end = time.monotonic() + DEADLINE
        while state.exists() and state.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2][:1] != "S":
            assert time.monotonic() < end, "the program does not wait for input"

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._descriptor, text.encode())

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        self.rest()
        return self.process.wait(DEADLINE)

    def _take(self, content: bytes) -> None:
        self._stream.feed(content)


class _Stream(io.TextIOWrapper):
    """A stream in memory that can be reconfigured as a real one."""

    def __init__(self) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", write_through=True)

    def text(self) -> str:
        """What was written."""
        return self._bytes.getvalue().decode()


def _command(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-W", "error", "-m", "contentgroove", *arguments]


@pytest.fixture(scope="session")
def quick_server() -> Iterator[Server]:
    """A simulator that is quick; each key has its own account."""
    with serve(Simulator(policy=QUICK)) as server:
        yield server


@pytest.fixture
def cli(quick_server: Server, tmp_path: Path) -> CommandLine:
    """The command line, with an empty account."""
    return CommandLine(quick_server, tmp_path)


@pytest.fixture
def own_cli(tmp_path: Path) -> Iterator[CommandLine]:
    """The command line with its own simulator, whose faults and limits affect no other test."""
    with serve(Simulator(policy=QUICK)) as server:
        yield CommandLine(server, tmp_path)
