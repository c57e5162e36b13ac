from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer
from contentgroove import ConfigurationError, InvalidInputError
from contentgroove.mcp import command
from typer.testing import CliRunner

from tests.mcp.conftest import TOOLS
from tests.platforms import SIGNALS

if TYPE_CHECKING:
    from pathlib import Path

KEY = "canary-key-55aa01fe"


def environment() -> dict[str, str]:
    """Give an environment whose service cannot be reached."""
    service = {"CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": "http://127.0.0.1:9/api/v1"}
    return {**os.environ, **service}


def frame(method: str, params: dict[str, Any], number: int | None = None) -> str:
    """Write a message of the protocol."""
    message = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(message if number is None else message | {"id": number}) + "\n"


@pytest.mark.process
def test_standard_output_is_the_protocols_alone() -> None:
    """Every line is a frame, nothing is written to standard error, and the process ends when its input does."""
    process = subprocess.Popen(
        [sys.executable, "-X", "dev", "-m", "contentgroove.mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    process.stdin.write(frame("initialize", client, 1))
    process.stdin.write(frame("notifications/initialized", {}))
    process.stdin.write(frame("tools/list", {}, 2))
    process.stdin.write(frame("tools/call", {"name": "openapi_previewSpec", "arguments": {"spec": "x"}}, 3))
    process.stdin.write("nonsense\n")
    process.stdin.flush()
    lines: list[str] = []
    received: set[int] = set()
    while not {1, 2, 3} <= received:
        lines.append(process.stdout.readline())
        received.add(json.loads(lines[-1]).get("id"))
    rest, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    frames = [json.loads(line) for line in (*lines, *rest.splitlines())]
    assert {frame["jsonrpc"] for frame in frames} == {"2.0"}
    by_id = {frame.get("id"): frame for frame in frames}
    assert by_id[1]["result"]["serverInfo"]["name"] == "contentgroove"
    assert len(by_id[2]["result"]["tools"]) == TOOLS
    assert by_id[3]["result"]["isError"] is True
    assert "Traceback" not in errors
    assert KEY not in "".join(lines) + rest + errors


@SIGNALS
@pytest.mark.process
def test_ctrl_c_ends_it_at_once() -> None:
    """Although standard input stays open, and without a word."""
    process = subprocess.Popen(
        [sys.executable, "-m", "contentgroove.mcp"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(frame("ping", {}, 1))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 1
    process.send_signal(signal.SIGINT)
    try:
        assert process.wait(30) == -signal.SIGINT
    finally:
        process.kill()
        _, errors = process.communicate()
    assert errors == ""


@pytest.mark.process
def test_errors_are_one_line() -> None:
    """An unknown tool is reported on standard error, without a traceback, and nothing is served."""
    done = subprocess.run(
        [sys.executable, "-m", "contentgroove.mcp", "--tools", "getMediaz"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: There is no tool 'getMediaz'.")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def app() -> typer.Typer:
    """Make a command line that has the command, and another one."""
    made = typer.Typer()
    made.command("other")(lambda: None)
    command.register(made)
    return made


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--read-only", "--allow-destructive"], "choose one"),
        (["--allow-origin", "ftp://example.com"], "not an https URL"),
        (["--tools", "a,b"], "no tool 'a'"),
    ],
)
def test_options_that_cannot_be_served(app: typer.Typer, options: list[str], message: str) -> None:
    """They are documented errors of wrong usage, which the command line tells in its own way."""
    result = CliRunner().invoke(app, ["mcp", *options])
    assert isinstance(result.exception, InvalidInputError)
    assert message in result.exception.message


def test_folders_that_do_not_exist(app: typer.Typer, tmp_path: Path) -> None:
    """An upload root must be there when the server starts."""
    result = CliRunner().invoke(app, ["mcp", "--upload-root", str(tmp_path / "none")])
    assert result.exit_code == 2


def test_without_the_extra(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the command that installs what is missing."""
    for name in ("contentgroove.mcp.server", "mcp", "mcp_types"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, "meta_path", [Without("mcp_types"), *sys.meta_path])
    result = CliRunner().invoke(app, ["mcp"])
    assert isinstance(result.exception, ConfigurationError)
    assert "mcp_types: pip install 'contentgroove[mcp]'" in result.exception.message


class Without:
    """Finds a module missing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> None:
        """Say that it is not installed."""
        if name == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@pytest.mark.process
def test_nothing_is_imported_before_it_is_needed() -> None:
    """The SDK and the command line cost nothing more with this extra, and the tools know no protocol."""
    code = (
        "import sys, contentgroove, contentgroove.mcp.command\n"
        "slow = {'mcp', 'mcp_types', 'pydantic', 'jsonschema_rs', 'yaml', 'httpx', 'contentgroove.tools'}\n"
        "print(sorted(slow & sys.modules.keys()))\n"
        "import contentgroove.tools\n"
        "print(sorted({'mcp', 'mcp_types', 'pydantic'} & sys.modules.keys()))"
    )
    command_line = [sys.executable, "-c", code]
    done = subprocess.run(command_line, capture_output=True, encoding="utf-8", timeout=60, check=True)  # noqa: S603 - our own code
    assert done.stdout == "[]\n[]\n"
