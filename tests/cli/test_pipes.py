"""The command line with other programs: pipes, closed pipes, signals, and secrets that must not appear."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove import RetryPolicy
from contentgroove_mock import Fault

from tests.cli.conftest import Reader
from tests.platforms import FULL_DEVICE, PIPES, SHELL, SIGNALS

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.mark.process
def test_nothing_but_results_in_a_pipe(cli: CommandLine) -> None:
    """No colours and no progress, and nothing on standard error."""
    ran = cli.child("medias", "upload", cli.file("a.mp4"), "--wait")
    assert (ran.code, ran.err) == (0, "")
    assert "\x1b" not in ran.out


@pytest.mark.process
@pytest.mark.parametrize("arguments", [("medias", "list"), ("medias", "list", "--json"), ("--help",)])
def test_a_closed_pipe(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    """`| head -0` ends the program with the code of shells for it, and without a message."""
    cli.media()
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with cli.started(*arguments, output=writing) as process:
            _, err = process.communicate(timeout=30)
    finally:
        os.close(writing)
    assert (process.returncode, err) == (141, "")


@pytest.mark.process
def test_head_takes_the_first_line(cli: CommandLine) -> None:
    """`| head -1` of a list of many pages: one line is printed, and the other pages are not fetched."""
    for number in range(6):
        cli.media(str(number))
    with cli.started("medias", "list", "--page-size", "1", "--sort", "name") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.wait(30)
    assert first.endswith("\t0\n")
    assert err == ""
    assert process.returncode in {0, 141}


@PIPES
@SIGNALS
@pytest.mark.process
def test_an_interrupt_without_a_terminal(own_cli: CommandLine) -> None:
    """SIGINT ends it with code 130 and one line."""
    own_cli.server.simulator.add_fault(Fault(kind="latency", operation="getMediaById", seconds=600, count=9))
    with own_cli.started("medias", "wait", "m-1", "--debug") as process:
        assert process.stderr is not None
        reader = Reader(process.stderr.fileno())
        reader.wait_for(r"debug: GET \S+/medias/m-1\n")
        process.send_signal(signal.SIGINT)
        text = reader.rest()
        assert process.wait(30) == 130
    assert text.endswith("error: Interrupted.\n")


@FULL_DEVICE
@pytest.mark.process
@pytest.mark.parametrize(
    "arguments", [("medias", "list"), ("clips", "export", "--format", "srt"), ("--help",), ("--version",)]
)
def test_full_disk(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    """Output that cannot be written is an error, which is reported once."""
    media = cli.media()
    if arguments[0] == "clips":
        arguments += (media,)
    with Path("/dev/full").open("wb") as full, cli.started(*arguments, output=full.fileno()) as process:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, "error: Cannot write to standard output: No space left on device.\n")


@SHELL
@pytest.mark.process
@pytest.mark.parametrize("arguments", ["medias list", "--version"])
def test_no_standard_output(cli: CommandLine, arguments: str) -> None:
    """A closed standard output is reported at the start."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        ["sh", "-c", f'"{sys.executable}" -m contentgroove {arguments} >&-'],  # noqa: S607 - any POSIX shell
        env=cli.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "error: Cannot print: standard output is closed.\n")


def test_no_service(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """If nothing listens, the code is that of the network."""
    monkeypatch.setattr(RetryPolicy, "backoff", lambda *_: 0.0)
    ran = cli("medias", "create", "https://files.example/film.mp4", "--base-url", "http://127.0.0.1:9/api/v1")
    assert ran.code == 7
    assert "cannot connect" in ran.err


def test_plain_http_to_another_machine(cli: CommandLine) -> None:
    """The key is not sent in clear text."""
    ran = cli("medias", "list", "--base-url", "http://files.example/api/v1")
    assert ran.code == 2
    assert "clear text" in ran.err


def test_debug_shows_requests_and_no_secrets(own_cli: CommandLine) -> None:
    """--debug prints each request and the traceback of an error, without key and signature."""
    own_cli.server.simulator.add_fault(Fault(kind="status", status=422, operation="createMedia"))
    ran = own_cli("medias", "upload", own_cli.file("a.mp4"), "--debug")
    assert ran.code == 10
    assert "debug: PUT http://127.0.0.1" in ran.err
    assert "X-Amz-Signature=[redacted]" in ran.err
    ran = own_cli("medias", "show", "nothing", "--debug")
    assert "Traceback" in ran.err
    assert ran.err.splitlines()[-2].startswith("error: The service returned 404")
    for text in (*ran, ran.err):
        assert own_cli.key not in str(text)


@pytest.mark.parametrize("arguments", [(), ("--debug",)])
def test_a_defect_has_a_message(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    """An unexpected error has two lines without credentials; its traceback is printed with --debug only."""

    def defect(_: object) -> None:
        raise LookupError("\x1b[2J https://files.example/x?X-Amz-Signature=canary-signature")

    monkeypatch.setattr("contentgroove.cli.medias.document", defect)
    cli.media()
    ran = cli("medias", "list", "--json", *arguments)
    assert ran.code == 1
    *before, error, hint = ran.err.splitlines()
    assert error == "error: Unexpected LookupError: \\x1b[2J https://files.example/x?X-Amz-Signature=[redacted]"
    assert "--debug" in hint
    assert ("Traceback (most recent call last):" in before) == bool(arguments)
    assert bool(before) == bool(arguments)
    assert "canary" not in ran.err
    assert "\x1b" not in ran.err
