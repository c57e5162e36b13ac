"""The wheel that users install, built once, with the build requirements of this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command, by default in the repository, and return its output."""
    done = subprocess.run(  # noqa: S603 - fixed commands
        [str(part) for part in command],
        cwd=cwd,
        # As in the Makefile, installed files stay inside the repository.
        env={**os.environ, "UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel like a user."""
    folder = tmp_path_factory.mktemp("wheel")
    return build_wheel(ROOT, folder)


def build_wheel(source: Path, folder: Path) -> Path:
    """Build the wheel from a folder or an sdist, without using an index for the build's requirements."""
    command = ("-m", "pip", "wheel", "--quiet", "--no-cache-dir", "--no-deps", "--no-build-isolation", "--wheel-dir")
    run(sys.executable, *command, folder, source)
    (built,) = folder.glob("contentgroove-*.whl")
    return built
