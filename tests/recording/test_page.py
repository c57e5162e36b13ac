"""The page's commands and its program run, and what it says of recordings is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import ContentGroove
from contentgroove_mock import ManualClock, Simulator, command, serve
from contentgroove_mock.recording import commands
from contentgroove_mock.recording.bodies import MAX_BODY
from contentgroove_mock.recording.session_scrubbing import MIN_SECRET
from typer.testing import CliRunner

from tests.recording.upstream import recording_of

if TYPE_CHECKING:
    import typer

PAGE = (Path(__file__).parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It lists the medias of a recording."""
    with (
        serve(Simulator(clock=ManualClock())) as server,
        recording_of(server.base_url, tmp_path / "session.jsonl") as proxy,
        ContentGroove("page-key", str(proxy.client.base_url)) as client,
    ):
        made = client.medias.create(source_url="https://films.example/a.mp4", name="Film")
        assert list(client.medias.list()) == [made]
    monkeypatch.chdir(tmp_path)
    (program,) = PROGRAMS
    exec(program, {})  # noqa: S102  # the page's own
    assert capsys.readouterr().out == f"{made.id} Film\n"


def test_the_commands_are_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line accepts them, with the arguments that the page means."""
    calls: list[tuple[str, tuple[Any, ...]]] = []
    for name in ("record_until_stopped", "replay_until_stopped"):
        monkeypatch.setattr(commands, name, lambda *given, name=name, **_: calls.append((name, given)))
    monkeypatch.setattr(command, "_stop_event", object)
    import typer

    app: typer.Typer = typer.Typer()
    command.register(app)
    for line in COMMANDS:
        arguments = line.split()
        assert arguments[:2] == ["contentgroove", "mock"]
        result = CliRunner().invoke(app, arguments[2:])
        assert result.exit_code == 0, result.output
    file = Path("session.jsonl")
    assert calls == [("record_until_stopped", (file, None, 8080)), ("replay_until_stopped", (file, 8080))]


def test_the_limits_are_those_of_the_code() -> None:
    """Sizes and lengths that the page names."""
    assert f"more than {MAX_BODY // 1024 // 1024} MiB" in PAGE
    assert MIN_SECRET == 6
    assert "fewer than six characters" in PAGE
