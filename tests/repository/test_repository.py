"""The committed files name no registry, no machine's folders, and no secrets; CI runs the README's command."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    """List the existing text files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)  # noqa: S607 - git
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.process
@pytest.mark.parametrize(
    "pattern",
    [
        r"registry\.npmjs\." + "org",
        r"pypi\.org/" + "simple",
        r"files\." + r"pythonhosted\.org",
        r"(?<![\w.~-])/(?:work|root)" + "/",
        "bash_" + "jobs",
        r'"resolved"' + r"\s*:",
    ],
)
def test_nothing_of_this_machine_is_committed(pattern: str) -> None:
    """No file names a package registry's host or a folder of a developer's machine."""
    expression = re.compile(pattern.encode())
    found = [str(path.relative_to(ROOT)) for path in tracked() if expression.search(path.read_bytes())]
    assert found == []


def test_ci_runs_the_command_that_the_readme_names() -> None:
    """One command for people and for CI."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    commands = re.findall(r"^(make \w+)  ", readme, re.MULTILINE)
    assert commands == ["make demo", "make test"]
    assert re.findall(r"\bmake [\w-]+", script) == ["make setup", "make test", "make test-browser"]


def test_imports_go_one_way() -> None:
    """Generated code does not import the SDK, and the SDK does not import the mock or the pipeline."""
    rules = {
        "generated/contentgroove_api": ("contentgroove", "contentgroove_mock", "spec"),
        "overlay/contentgroove": ("contentgroove_mock", "spec"),
        "mockserver/contentgroove_mock": ("spec",),
    }
    for folder, forbidden in rules.items():
        expression = re.compile(rf"^\s*(?:from|import) (?:{'|'.join(forbidden)})(?![\w])", re.MULTILINE)
        found = [
            str(path) for path in (ROOT / folder).rglob("*.py") if expression.search(path.read_text(encoding="utf-8"))
        ]
        assert found == []


def test_the_core_has_no_shell() -> None:
    """`_core` opens nothing, reads no clock and draws no numbers."""
    expression = re.compile(
        r"^\s*(?:from|import) (?:httpx|socket|ssl|time|random|os|pathlib|asyncio|anyio|threading)\b", re.MULTILINE
    )
    core = ROOT / "overlay" / "contentgroove" / "_core"
    assert [path.name for path in core.glob("*.py") if expression.search(path.read_text(encoding="utf-8"))] == []


def test_modules_are_short() -> None:
    """No handwritten module of the packages has more than about 400 lines."""
    for folder in ("overlay", "mockserver", "spec"):
        for path in (ROOT / folder).rglob("*.py"):
            if "node_modules" not in path.parts:
                lines = len(path.read_text(encoding="utf-8").splitlines())
                assert lines <= 420, path


def test_named_files_exist() -> None:
    """Each folder and file that CONTRIBUTING.md and SECURITY.md name exists."""
    # The lock's files are those of the commands that write them.
    names = {
        name
        for page in ("CONTRIBUTING.md", "SECURITY.md")
        for name in re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", (ROOT / page).read_text(encoding="utf-8"))
        if "/" in name and not name.startswith("requirements/")
    }
    assert len(names) > 40
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []
