"""Coverage-guided fuzzing of `parse_event`, for a few seconds; `target.py` explains how to run it for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNS = 20_000

pytestmark = [pytest.mark.skipif(sys.platform != "linux", reason="atheris is made for Linux"), pytest.mark.process]


def fuzz(folder: Path, *options: str, runs: int = RUNS) -> subprocess.CompletedProcess[str]:
    """Fuzz with a fixed seed, from the inputs next to this file; findings are written to a folder."""
    limits = ("-timeout=10", "-rss_limit_mb=0", "-max_len=65536", "-len_control=0")
    return subprocess.run(  # noqa: S603 - the program next to this file
        [
            *(sys.executable, "-m", "tests.webhooks.fuzzing.target", *options, *limits, f"-runs={runs}", "-seed=1"),
            *(f"-dict={HERE / 'tokens.dict'}", f"-artifact_prefix={folder}/", str(folder), str(HERE / "corpus")),
        ],
        cwd=HERE.parents[2],
        capture_output=True,
        encoding="utf-8",
        timeout=110,
        check=False,
    )


def test_no_body_fails_a_check(tmp_path: Path) -> None:
    """Each body is an event with its content, or the one error, in bounded time and memory."""
    done = fuzz(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Done {RUNS} runs" in done.stderr


def test_the_fuzzer_finds_a_planted_failure(tmp_path: Path) -> None:
    """It is behind two conditions on valid events."""
    # About 3,000 to 25,000 runs find it; the number is random in spite of the seed.
    done = fuzz(tmp_path, "--planted", runs=10 * RUNS)
    assert done.returncode != 0
    assert "LookupError: planted" in done.stdout + done.stderr
