"""`contentgroove mock --record` and `--replay` as a user runs them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove.cli.app import run
from contentgroove_mock import ManualClock, Simulator, command, serve
from contentgroove_mock.recording.sessions import read_session

from tests.platforms import WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

KEY = {"authorization": "Bearer canary-key-of-the-command"}
LIMIT = 30.0
STOP = getattr(signal, "CTRL_BREAK_EVENT") if WINDOWS else signal.SIGINT  # noqa: B009  # only Windows has it


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # this interpreter, fixed code
        [sys.executable, "-m", "contentgroove", "mock", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def introduction(process: subprocess.Popen[str]) -> tuple[str, list[str]]:
    """Return the base URL that a command prints, and what it prints first, until it says how to stop it."""
    assert process.stdout is not None
    lines = [process.stdout.readline().rstrip("\n")]
    while "Ctrl-C" not in lines[-1]:
        lines.append(process.stdout.readline().rstrip("\n"))
        assert lines[-1], lines
    found = re.search(r" at (http://127\.0\.0\.1:\d+/api/v1)$", lines[0])
    assert found is not None, lines
    return found[1], lines


@pytest.mark.process
@pytest.mark.slow
def test_record_kill_and_replay(tmp_path: Path) -> None:
    """What a caller has received is in the file after a kill -9, and the replay responds with it."""
    file = tmp_path / "session.jsonl"
    body = {"data": {"attributes": {"source_url": "https://films.example/a.mp4", "name": "Film"}}}
    with (
        serve(Simulator(clock=ManualClock())) as server,
        start("--record", str(file), "--target", server.base_url) as process,
    ):
        try:
            with httpx.Client(base_url=introduction(process)[0], headers=KEY, trust_env=False) as client:
                made = client.post("/medias", json=body).json()
                missing = client.get("/medias/none?nothing=1").json()
        finally:
            process.kill()
    assert "canary" not in file.read_text("utf-8")
    with start("--replay", str(file)) as process:
        try:
            with httpx.Client(base_url=introduction(process)[0], headers=KEY, trust_env=False) as client:
                again = client.post("/medias", json=body).json()
                assert again["data"] == made["data"]
                assert client.get("/medias/none?nothing=1").json() == missing
                assert client.get("/medias").status_code == 501
            process.send_signal(STOP)
            output, err = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert output.splitlines() == [
        "POST /medias → 200", "GET /medias/none?nothing=1 → 404", "GET /medias → 501",
    ]  # fmt: skip


@pytest.mark.process
@pytest.mark.slow
def test_record_until_ctrl_c(tmp_path: Path) -> None:
    """Each exchange is printed with its violations, and the end says what to do next."""
    file = tmp_path / "session.jsonl"
    with (
        serve(Simulator(clock=ManualClock())) as server,
        start("--record", str(file), "--target", server.base_url) as process,
    ):
        try:
            base_url, lines = introduction(process)
            httpx.get(f"{base_url}/medias?api_key=canary-key-1&nothing=1", trust_env=False)
            process.send_signal(STOP)
            output, err = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert lines[0] == f"Recording proxy of {server.base_url} at {base_url}"
    assert lines[1] == f"Use it:  export CONTENTGROOVE_BASE_URL={base_url}"
    exchange, violation, *end = output.splitlines()
    assert exchange == "GET /medias?api_key=scrubbed&nothing=1 → 200"
    assert violation.startswith("    getMedias: request.query.nothing: unknown-parameter: ")
    assert end == [
        f"1 exchange in {file}, 1 violation of the contract.",
        f"Replay: contentgroove mock --replay {file}",
    ]
    assert "canary" not in output
    (recording,) = read_session(file).recordings
    assert recording.violations == (violation.strip(),)


@pytest.fixture
def _signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the signal handlers of the test run as they are."""
    monkeypatch.setattr(command, "_stop_event", threading.Event)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--record", "a", "--replay", "b"], "--record cannot be combined with --replay."),
        (["--record", "a", "--control"], "--record cannot be combined with --control."),
        (["--replay", "a", "--state", "b", "--control"], "--replay cannot be combined with --control or --state."),
        (["--replay", "a", "--document", "b"], "--replay cannot be combined with --document."),
        (["--replay", "a", "--target", "https://s.example"], "--target belongs to --record."),
        (["--target", "https://s.example"], "--target belongs to --record."),
        (["--record", "a", "--host", "::1"], "--record cannot be combined with --host."),
        (["--record", "a", "--target", "http://s.example"], "--target 'http://s.example' would send the API key"),
        (["--record", "a", "--target", "s.example"], "--target is not an http or https URL"),
    ],
)  # fmt: skip
def test_wrong_options(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong usage is exit code 2, and creates nothing."""
    monkeypatch.chdir(tmp_path)
    assert run(["mock", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_signals")
def test_a_proxy_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The variable that the proxy asks for, still set when it starts again, would send each request round and round."""
    monkeypatch.setenv("CONTENTGROOVE_BASE_URL", "http://localhost:8470/api/v1")
    assert run(["mock", "--record", str(tmp_path / "s.jsonl"), "--port", "8470"]) == 1
    message = "The target http://localhost:8470/api/v1 is this proxy itself. Pass the service's URL with --target."
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_signals")
def test_files_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A recording that exists, and a file that is none: exit code 1, and what to do."""
    file = tmp_path / "notes.txt"
    file.write_text("notes", encoding="utf-8")
    errors: list[str] = []
    for option in ("--record", "--replay"):
        assert run(["mock", option, str(file)]) == 1
        errors.append(" ".join(capsys.readouterr().err.split()))
    assert f"The recording proxy cannot start: {file} exists. Delete it, or choose another file." in errors[0]
    assert f"The replay cannot start: {file} is not a recording: line 1: " in errors[1]
    assert errors[1].endswith("Record one: contentgroove mock --record FILE.")
