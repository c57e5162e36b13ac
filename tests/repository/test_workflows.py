"""The repository's own workflows: valid, safe by zizmor, and made of the commands that people use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS = Path(sys.executable).parent

pytestmark = pytest.mark.process


def passes(tool: str, *arguments: str | Path) -> bool:
    """Run a checker and return whether it found nothing."""
    done = subprocess.run(  # noqa: S603 - installed beside this Python
        [TOOLS / tool, *arguments], capture_output=True, check=False, timeout=60
    )
    return done.returncode == 0


def jobs(path: Path) -> dict[str, Any]:
    """Read a workflow's jobs."""
    return dict(yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"])


def commands(path: Path) -> list[str]:
    """List the commands of all steps."""
    steps = (step for job in jobs(path).values() for step in job["steps"])
    return [line for step in steps for line in step.get("run", "").splitlines()]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_workflow_is_valid(path: Path) -> None:
    """Zizmor finds nothing dangerous, the file matches GitHub's schema, and actions are pinned by commit."""
    assert passes("zizmor", "--offline", "--no-progress", path)
    assert passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8")):
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_the_checkers_find_faults(tmp_path: Path) -> None:
    """An unpinned action and an unknown key are found."""
    text = WORKFLOWS[0].read_text(encoding="utf-8")
    broken = tmp_path / "broken.yml"
    broken.write_text(re.sub(r"actions/checkout@\w+", "actions/checkout@v7", text), encoding="utf-8")
    assert not passes("zizmor", "--offline", "--no-progress", broken)
    broken.write_text(text.replace("runs-on:", "runs-in:"), encoding="utf-8")
    assert not passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", broken)


def test_every_declared_python_is_run() -> None:
    """The workflows run everything on the Pythons of the metadata, and try the bounds with them."""
    declared = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ci, weekly = (jobs(ROOT / ".github" / "workflows" / name) for name in ("ci.yml", "weekly.yml"))
    assert ci["linux"]["strategy"]["matrix"]["python"] == declared
    assert weekly["bounds"]["strategy"]["matrix"]["python"] == declared
    assert {"lowest", "newest"} <= set(weekly["bounds"]["strategy"]["matrix"]["versions"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_the_commands_exist(path: Path) -> None:
    """A workflow uses existing targets of the Makefile and existing files."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in commands(path):
        words = command.replace("-o check ", "").split()
        if words[:1] == ["make"]:
            assert words[1] in targets, command
        for word in words:
            if word.startswith(("tests/", "requirements/", "examples/")):
                assert (ROOT / word).exists(), word
