"""Runs all of Schemathesis and all of tests/simulator on every mutant, and prints what fails first.

`python -m tests.conformance.schemathesis` takes some minutes; the test suite runs only what is listed for each mutant.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.conformance.schemathesis.fuzzing import CHECKED, Effort, fuzz
from tests.conformance.schemathesis.mutants import CAUGHT_BY_SCHEMATHESIS, CAUGHT_BY_TESTS
from tests.conformance.schemathesis.patched_copy import SimulatorTests, imported, patched_copy


def main() -> int:
    """Print the table; returns 1 if neither finds a mutant."""
    undetected = 0
    _print_line("| the mutant | Schemathesis | tests/simulator |\n|---|---|---|")
    for mutant in CAUGHT_BY_SCHEMATHESIS + CAUGHT_BY_TESTS:
        with tempfile.TemporaryDirectory() as name, SimulatorTests() as tests:
            folder = Path(name)
            patched_copy(mutant, folder)
            with imported(folder) as mock:
                checks = sorted(fuzz(mock, "BearerHeader", Effort(), seed=1, until=CHECKED).failures)
            done = tests.run(folder, "")
        failed = re.search(r"^FAILED tests/simulator/(\S+)", done.printed, re.MULTILINE)
        undetected += not checks and failed is None
        _print_line(f"| {mutant.bug} | {', '.join(checks)} | {failed[1] if failed else ''} |")
    return 1 if undetected else 0


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
