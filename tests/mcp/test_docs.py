from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import typer
from contentgroove.mcp import command
from contentgroove.tools import open_tools
from contentgroove.tools.results import ErrorCode
from typer.testing import CliRunner

from tests.mcp.conftest import KEY

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")


def test_every_tool_is_described() -> None:
    """The page names each built-in tool, and no others of their kind."""
    tools = open_tools(pytest.fail)
    named = set(re.findall(r"`([a-zA-Z]+_[a-zA-Z0-9_]+)`", PAGE.partition("The canonical names")[0]))
    assert named - {"upload_url"} == {tools.public_name(tool) for tool in tools.list_tools()}


def test_every_error_code_is_described() -> None:
    """The page names each code but the one that is an error of the protocol."""
    codes: tuple[str, ...] = get_args(ErrorCode)
    assert {code for code in codes if f"`{code}`" not in PAGE} == {"unknown_tool"}


def test_every_switch_is_described() -> None:
    """The page names each option that the command has."""
    made = typer.Typer()
    command.register(made)
    options = set(re.findall(r"--[a-z-]+", CliRunner().invoke(made, ["--help"]).output))
    own = options - {"--help", "--install-completion", "--show-completion"}
    assert len(own) == 9
    assert {option for option in own if option not in PAGE} == set()


@pytest.mark.process
def test_the_example_runs(simulator: tuple[Simulator, str]) -> None:
    """Unchanged, with the key and the mock's URL in the environment."""
    _, base_url = simulator
    (example,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", example],
        env={**os.environ, "CONTENTGROOVE_API_KEY": KEY, "CONTENTGROOVE_BASE_URL": base_url},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "medias_getApiV1Medias list medias\n" in done.stdout
    assert "'ok': True" in done.stdout
