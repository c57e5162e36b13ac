"""The workflow for apps: it is valid, safe by zizmor, and its steps work."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.platforms import SHELL

from .conftest import GENERATION_2, GENERATION_3

pytestmark = SHELL

ROOT = Path(__file__).parents[3]
WORKFLOW = ROOT / "examples" / "ci" / "contract.yml"
TEXT = WORKFLOW.read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent

COVERAGE: dict[str, Any] = {
    "version": 1,
    "operations": {"getMedias": {"method": "GET", "path": "/api/v1/medias", "statuses": {"200": {"calls": 1}}}},
}


def checked(tool: str, *arguments: str, text: str, folder: Path) -> int:
    """Run a checker on a workflow, and return its status."""
    path = folder / "contract.yml"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - installed beside this Python
        [TOOLS / tool, *arguments, path], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    return done.returncode


def zizmor(text: str, folder: Path) -> int:
    """Search for dangerous constructs."""
    return checked("zizmor", "--offline", "--no-progress", text=text, folder=folder)


def schema(text: str, folder: Path) -> int:
    """Check the form, with the schema of the tool."""
    return checked("check-jsonschema", "--builtin-schema", "vendor.github-workflows", text=text, folder=folder)


@pytest.mark.process
def test_the_workflow_is_valid(tmp_path: Path) -> None:
    """Zizmor finds nothing dangerous, and the file matches GitHub's schema."""
    assert zizmor(TEXT, tmp_path) == 0
    assert schema(TEXT, tmp_path) == 0


@pytest.mark.process
def test_the_checkers_find_faults(tmp_path: Path) -> None:
    """An unpinned action, another user's title in a script, and an unknown key are found."""
    assert zizmor(re.sub(r"actions/checkout@\w+", "actions/checkout@v7", TEXT), tmp_path) != 0
    assert zizmor(TEXT.replace('echo "Nothing new."', "echo '${{ github.head_ref }}'"), tmp_path) != 0
    assert schema(TEXT.replace("runs-on:", "runs-in:"), tmp_path) != 0


def test_actions_are_pinned_by_commit() -> None:
    """Each has its version next to its commit."""
    uses = re.findall(r"uses: (.+)", TEXT)
    assert uses
    for line in uses:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def script(name: str) -> str:
    """Return the shell script of a step."""
    steps = yaml.safe_load(TEXT)["jobs"]["document"]["steps"]
    (found,) = [step["run"] for step in steps if step.get("name") == name]
    return str(found)


class Repository:
    """An app's repository with a remote, and a GitHub that only records its calls."""

    def __init__(self, folder: Path, published: Path) -> None:
        self.app, self.remote, self.bin = folder / "app", folder / "remote.git", folder / "bin"
        self.bin.mkdir()
        # The published document replaces a download.
        self._program("contentgroove", f'exec "{sys.executable}" -m contentgroove "$@" "{published}"')
        self._program("gh", 'echo "$@" >> "$GH_LOG"')
        self.log = folder / "gh.log"
        self.log.touch()
        self.run("git init --quiet --bare remote.git && git init --quiet --initial-branch=main app", folder)
        (self.app / "contentgroove.yaml").write_bytes(GENERATION_2.read_bytes())
        (self.app / "coverage.json").write_text(json.dumps(COVERAGE), encoding="utf-8")
        self.run(
            "git config user.name a && git config user.email a@example.com && git add contentgroove.yaml "
            "&& git commit --quiet -m first && git remote add origin ../remote.git && git push --quiet origin main"
        )

    def _program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        path.chmod(0o755)

    def run(self, text: str, folder: Path | None = None) -> str:
        """Run a script as GitHub does."""
        environment = {
            **os.environ,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "GH_LOG": str(self.log),
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        done = subprocess.run(  # noqa: S603 - the workflow's own script
            ["bash", "-e", "-c", text],  # noqa: S607 - a runner's shell
            cwd=folder or self.app,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def branches(self) -> list[str]:
        """Return the remote's branches."""
        return self.run("git for-each-ref --format='%(refname:short)'", self.remote).split()


@pytest.mark.process
def test_a_new_document_opens_one_pull_request(tmp_path: Path) -> None:
    """The branch has only the new copy, the report is the request's body, and the next week opens no second one."""
    repository = Repository(tmp_path, GENERATION_3)
    repository.run(script("Compare"))
    repository.run(script("Open a pull request"))
    main, branch = sorted(repository.branches(), key=lambda name: name != "main")
    assert (main, branch[:14]) == ("main", "contentgroove-")
    assert repository.run(f"git show --stat --format= {branch}", repository.remote).split()[0] == "contentgroove.yaml"
    calls = repository.log.read_text(encoding="utf-8")
    assert f"pr create --title ContentGroove published another document --body-file report.md --head {branch}" in calls
    report = (repository.app / "report.md").read_text(encoding="utf-8")
    assert "0 breaking changes; you use 0." in report
    assert "GET /api/v1/medias, response 200" in report
    repository.run("git switch --quiet main")
    repository.run(script("Compare"))
    assert "open already" in repository.run(script("Open a pull request"))
    assert repository.log.read_text(encoding="utf-8") == calls


@pytest.mark.process
def test_no_new_document_opens_nothing(tmp_path: Path) -> None:
    """If the copy has the same content, nothing is pushed."""
    repository = Repository(tmp_path, GENERATION_2)
    repository.run(script("Compare"))
    assert "Nothing new" in repository.run(script("Open a pull request"))
    assert repository.branches() == ["main"]
    assert repository.log.read_text(encoding="utf-8") == ""
