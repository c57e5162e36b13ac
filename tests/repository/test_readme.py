"""The README's examples run, and its commands are the ones that CI runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Policy, Simulator, sample_video, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A simulator that is quick."""
    with serve(Simulator(policy=Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01))) as server:
        yield server.base_url


@pytest.mark.process
@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_example(index: int, base_url: str, tmp_path: Path) -> None:
    """Each Python example runs as it stands, with the key and the mock's URL in the environment."""
    shutil.copy(sample_video(), tmp_path / "film.mp4")
    environment = {**os.environ, "CONTENTGROOVE_API_KEY": "readme-key", "CONTENTGROOVE_BASE_URL": base_url}
    (tmp_path / "test_example.py").write_text(EXAMPLES[index], encoding="utf-8")
    is_test = "\ndef test_" in EXAMPLES[index]
    without = [
        word
        for name in ("cacheprovider", "asyncio", "schemathesis", "hypothesispytest")
        for word in ("-p", f"no:{name}")
    ]
    pytest_run = ["-m", "pytest", "-q", "--strict-markers", *without]
    command = [*pytest_run, "test_example.py"] if is_test else ["test_example.py"]
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-W", "error", *command],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "readme-key" not in done.stdout + done.stderr


def test_there_are_examples() -> None:
    """A change of the README's layout does not silently switch its test off."""
    assert len(EXAMPLES) >= 6


def test_the_first_example_has_ten_lines() -> None:
    """The promise of a ten-line example is kept."""
    lines = [line for line in EXAMPLES[0].splitlines() if line.strip()]
    assert len(lines) <= 10
