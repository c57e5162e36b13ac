"""The wheel: builds, installs alone, and brings a handful of packages."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, **environment: str) -> str:
    """Run a command; gives what it prints."""
    done = subprocess.run(  # noqa: S603 - fixed commands
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as a user would."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ".")
    (built,) = folder.glob("contentgroove-*.whl")
    return built


@pytest.mark.timeout(600)
def test_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment the SDK and the low-level client import, and few packages came along."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    before = set(run(python, "-m", "pip", "list", "--format=freeze").split())
    run(python, "-m", "pip", "install", "--quiet", wheel)
    run(python, "-W", "error", "-c", "import contentgroove, contentgroove_api; from contentgroove import *")
    code = "from contentgroove import ContentGroove; ContentGroove('key').close()"
    run(python, "-W", "error", "-c", code)
    installed = set(run(python, "-m", "pip", "list", "--format=freeze").split()) - before
    names = {line.partition("==")[0].lower() for line in installed}
    direct = {"contentgroove", "anyio", "filetype", "httpx", "msgspec"}
    assert direct <= names
    # httpx and anyio bring these.
    assert names - direct <= {"certifi", "h11", "httpcore", "idna", "sniffio", "typing_extensions", "typing-extensions"}
    assert "contentgroove 0.1.0" in run(tmp_path / "venv" / "bin" / "contentgroove", "--version")


def test_what_is_inside(wheel: Path) -> None:
    """Three packages with their type markers, the license, the contract and the sample; no tests, no pipeline."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for package in ("contentgroove", "contentgroove_api", "contentgroove_mock"):
        assert f"{package}/py.typed" in names
    assert "contentgroove_mock/contract.json" in names
    assert "contentgroove_mock/sample.mp4" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "contentgroove",
        "contentgroove_api",
        "contentgroove_mock",
    }
