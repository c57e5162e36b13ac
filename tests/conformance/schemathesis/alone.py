"""Runs Schemathesis in its own process, so that a seed results in the same requests each time.

Hypothesis generates values from the constants in loaded modules, and from sets in the order of their hashes:
in a process that has run other tests, the same seed results in other requests.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import contentgroove_mock

from tests.conformance.schemathesis.fuzzing import Effort, fuzz

if TYPE_CHECKING:
    from tests.conformance.schemathesis.fuzzing import Findings

ROOT = Path(__file__).parents[3]
_SECONDS = 110


def fuzz_alone(way: str, effort: Effort, *, seed: int) -> Findings:
    """Call `fuzz` with the simulator itself and the same arguments."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.conformance.schemathesis.alone"],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        input=pickle.dumps((way, effort, seed)),
        stdout=subprocess.PIPE,
        timeout=_SECONDS,
        check=True,
    )
    return cast("Findings", pickle.loads(done.stdout))  # noqa: S301 - written below


def _main() -> None:
    way, effort, seed = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - written above
    findings = fuzz(contentgroove_mock, way, effort, seed=seed)
    sys.stdout.buffer.write(pickle.dumps(findings))


if __name__ == "__main__":
    _main()
