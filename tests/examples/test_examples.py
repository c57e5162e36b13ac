"""Each example's own tests pass, run in its folder as its user would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.webhooks.postgres_server import postgres_server

EXAMPLES = Path(__file__).parents[2] / "examples"
TESTED = sorted(path.parent.name for path in EXAMPLES.glob("*/pytest.ini"))
WITH_DATABASE = {"django_receiver", "folder_ingester"}
RUN_ELSEWHERE = {"highlights"}
"""`tests/plugin/test_fixtures.py` runs it, and looks at its coverage."""

pytestmark = pytest.mark.process


def test_each_example_has_tests_and_says_what_it_is() -> None:
    """A README, and tests that pytest finds."""
    for name in TESTED:
        assert (EXAMPLES / name / "README.md").read_text(encoding="utf-8").startswith("# ")
        assert list((EXAMPLES / name).glob("test_*.py"))
        assert f"({name}" in (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [name for name in TESTED if name not in WITH_DATABASE | RUN_ELSEWHERE])
def test_example(name: str, tmp_path: Path) -> None:
    """Those that need no database."""
    _run(name, tmp_path, {})


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(WITH_DATABASE))
def test_example_with_database(name: str, tmp_path: Path) -> None:
    """Those that share a PostgreSQL database."""
    with postgres_server() as conninfo:
        _run(name, tmp_path, {"DATABASE_URL": conninfo})


def _run(name: str, folder: Path, environment: dict[str, str]) -> None:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CONTENTGROOVE"))}
    done = subprocess.run(  # noqa: S603  # our own examples
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'runs'}"],
        cwd=EXAMPLES / name,
        env={**inherited, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
