"""Output where the system's own encoding is narrow: Windows' pipes are cp1252, a bare container's are ASCII."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from contentgroove import progress_bar
from contentgroove.cli.streams import is_closed_pipe, prepare_streams
from rich.console import Console

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


class Terminal(io.TextIOWrapper):
    """A stream that a person sits at."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def use_pipe(monkeypatch: pytest.MonkeyPatch) -> io.TextIOWrapper:
    """Take the place of standard output, as Windows makes it for a pipe. In the test: pytest changes it before."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def written(stream: io.TextIOWrapper) -> bytes:
    """Give what a stream has passed on."""
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_pipes_carry_the_same_on_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8, plain newlines, and an escape for what is no text."""
    pipe = use_pipe(monkeypatch)
    prepare_streams()
    pipe.write("film ✓ \udcff\n")
    assert written(pipe) == b"film \xe2\x9c\x93 \\udcff\n"


def test_terminals_keep_their_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it lacks is shown by its number."""
    terminal = Terminal(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    prepare_streams()
    terminal.write("é ✓")
    assert written(terminal) == b"\xe9 \\u2713"


def test_a_progress_bar_outlives_a_name_that_cannot_be_written() -> None:
    """An upload must not fail because of how its file is called."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    with progress_bar("ふilm é.mp4", console=Console(file=stream, width=120)) as progress:
        progress(1, 2)
    assert "\\u3075ilm é.mp4".encode("cp1252") in written(stream)


@pytest.mark.parametrize(
    ("error", "system", "closed"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "posix", True),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "nt", True),
        (OSError(errno.EINVAL, "Invalid argument"), "nt", True),
        (OSError(errno.EINVAL, "Invalid argument"), "posix", False),
        (OSError(errno.EINVAL, "Invalid argument", "a?b.mp4"), "nt", False),
        (OSError(errno.ENOSPC, "No space left"), "nt", False),
        (ValueError("no"), "nt", False),
        (None, "nt", False),
    ],
)
def test_a_pipe_that_nobody_reads(error: BaseException | None, system: str, *, closed: bool) -> None:
    """Windows says of it what it says of a file's impossible name as well, but then names the file."""
    assert is_closed_pipe(error, system) is closed


@pytest.mark.parametrize(
    "program",
    [
        ("examples/demo.py",),
        ("-m", "contentgroove", "--help"),
        ("-m", "contentgroove", "medias", "upload", "--help"),
        ("-m", "contentgroove", "spec", "diff", "--help"),
        ("-m", "contentgroove", "doctor", "--help"),
        ("-m", "contentgroove.mcp", "--help"),
    ],
    ids=" ".join,
)
def test_programs_run_where_output_is_narrow(program: tuple[str, ...]) -> None:
    """None dies of a character, where Windows' cp1252 has more, and none opens a file in the encoding of the system."""
    narrow = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    done = subprocess.run(  # noqa: S603 - this interpreter, fixed arguments
        [sys.executable, "-X", "warn_default_encoding", *program],
        cwd=ROOT,
        env={**os.environ, **narrow},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    ours = [line for line in done.stderr.splitlines() if "EncodingWarning" in line and "site-packages" not in line]
    assert ours == []
