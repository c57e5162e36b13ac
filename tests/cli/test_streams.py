"""Output where the system's encoding is limited: pipes are cp1252 on Windows, and ASCII in a bare container."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from contentgroove import progress_bar
from contentgroove.cli.output import Column, Output, is_closed_pipe, prepare_streams
from contentgroove.cli.progress_display import wait_spinner
from rich.console import Console

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SECONDS = 60.0


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


def use_pipe(monkeypatch: pytest.MonkeyPatch) -> io.TextIOWrapper:
    """Replace standard output by a pipe as on Windows. Called in the test, because pytest replaces it before."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    return stream


def written(stream: io.TextIOWrapper) -> bytes:
    """Return the bytes that a stream has written."""
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue()


def test_pipes_carry_the_same_on_every_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """UTF-8, plain newlines, and an escape for what is not text."""
    pipe = use_pipe(monkeypatch)
    prepare_streams()
    pipe.write("film ✓ \udcff\n")
    assert written(pipe) == b"film \xe2\x9c\x93 \\udcff\n"


def test_terminals_keep_their_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A character that it lacks is shown by its number."""
    terminal = Terminal(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", terminal)
    prepare_streams()
    terminal.write("é ✓")
    assert written(terminal) == b"\xe9 \\u2713"


def lines_of_a_table(monkeypatch: pytest.MonkeyPatch, encoding: str, *names: str) -> list[str]:
    """Return what a terminal of 20 columns shows of a list."""
    terminal = Terminal(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "20")
    prepare_streams()
    columns = [Column[str]("n", lambda _: "1", 2), Column[str]("name", str)]
    Output().table([names], columns, lambda name: {"name": name}, "none")
    return re.sub("\x1b\\[[0-9;]*m", "", written(terminal).decode(encoding)).splitlines()


def test_a_row_stays_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers of characters that the encoding lacks are a part of the layout, and so is the ellipsis."""
    name = "\u65e5\u672c " + "x" * 40
    assert lines_of_a_table(monkeypatch, "utf-8", name)[1:] == ["1   \u65e5\u672c xxxxxxxxxx\u2026"]
    ascii_lines = lines_of_a_table(monkeypatch, "ascii", name)
    assert ascii_lines[1:] == ["1   \\u65e5\\u672c xxx"]
    assert {len(line) for line in ascii_lines} == {20}


@pytest.mark.parametrize(
    ("columns", "shown"), [(40, "Processing 3 medias, 0 done 0:00:00"), (90, "done 0:00:00 of at most 1:00:00")]
)
def test_progress_fits_and_results_above_it_stay_whole(
    monkeypatch: pytest.MonkeyPatch, columns: int, shown: str
) -> None:
    """An id or a path that is broken by a line feed can be neither clicked nor copied."""
    terminal = Terminal(io.BytesIO(), encoding="utf-8")
    for stream in ("stdout", "stderr"):
        monkeypatch.setattr(sys, stream, terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    out = Output()
    path = "videos/a long name of a film" * 9
    with wait_spinner(out, "Processing 3 medias, 0 done", 3600):
        out.line({}, ("m-1", path))
    text = re.sub("\x1b\\[[0-9;]*m", "", written(terminal).decode())
    assert f"m-1  {path}\n" in text
    assert shown in text
    lines = re.split("[\r\n]|\x1b\\[[?0-9;]*[A-Za-z]", text)
    assert max(len(line) for line in lines if path not in line) < columns - 1


def test_a_progress_bar_survives_a_name_that_cannot_be_written() -> None:
    """An upload must not fail because of the name of its file."""
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
def test_a_closed_pipe(error: BaseException | None, system: str, *, closed: bool) -> None:
    """Windows reports the same error for an invalid file name, but then with the name."""
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
def test_programs_run_with_a_limited_encoding(program: tuple[str, ...]) -> None:
    """Not one fails because of a character, and not one opens a file in the encoding of the system."""
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
    warnings = [line for line in done.stderr.splitlines() if "EncodingWarning" in line and "site-packages" not in line]
    assert warnings == []
