"""The official inspector, by its command line, as a client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from contentgroove_mock.npm import child_environment, is_complete, node_program, npm_ci

from tests.mcp.conftest import KEY, TOOLS

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

pytestmark = pytest.mark.process

HOME = Path(__file__).parent / "inspector"
SCRIPT = HOME / "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"

Inspect: TypeAlias = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def inspect(simulator: tuple[Simulator, str], tmp_path: Path) -> Inspect:
    """Give a function that runs the inspector, with the server that it starts."""
    if not is_complete(HOME):
        npm_ci(HOME / "package-lock.json", HOME)
    _, base_url = simulator
    # In a file, because everyone on a machine can read arguments.
    server = {
        "command": sys.executable,
        "args": ["-m", "contentgroove.mcp"],
        "env": {"CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": base_url},
    }
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"mcpServers": {"contentgroove": server}}), encoding="utf-8")

    def run(era: str, method: str, *options: str) -> subprocess.CompletedProcess[str]:
        fixed = ["--cli", "--config", str(config), "--server", "contentgroove", "--connect-timeout", "60000"]
        return subprocess.run(  # noqa: S603 - the installed inspector
            [node_program(), SCRIPT, *fixed, "--protocol-era", era, "--method", method, *options],
            env={**child_environment(), "HOME": str(tmp_path), "MCP_INSPECTOR_SECRET_STORE": "memory"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=90,
            check=False,
        )

    return run


def call(inspect: Inspect, era: str, name: str, arguments: dict[str, Any]) -> tuple[int, Any]:
    """Call a tool; return the inspector's exit status and the structured result."""
    done = inspect(era, "tools/call", "--tool-name", name, "--tool-args-json", json.dumps(arguments))
    assert KEY not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)["structuredContent"]


def test_schemas_are_portable(inspect: Inspect) -> None:
    """The inspector finds nothing in names and schemas that a host could refuse."""
    done = inspect("legacy", "tools/list", "--strict")
    assert done.returncode == 0, done.stderr
    tools = json.loads(done.stdout)["tools"]
    assert len(tools) == TOOLS
    assert "medias_getApiV1Medias" in {tool["name"] for tool in tools}


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_calls(inspect: Inspect, era: str) -> None:
    """A call that succeeds exits with 0, one that fails with the inspector's status for errors of tools."""
    status, result = call(inspect, era, "medias_getApiV1Medias", {"page": {"size": 1}})
    assert (status, result["ok"], result["data"]["data"]) == (0, True, [])
    status, result = call(inspect, era, "medias_getApiV1MediasId", {"id": "nowhere"})
    assert status != 0
    assert (result["ok"], result["error"]["code"]) == (False, "not_found")
