"""Schemathesis or the simulator's own tests detect each mutant of the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.schemathesis.fuzzing import Effort, fuzz
from tests.conformance.schemathesis.mutants import CAUGHT_BY_SCHEMATHESIS, CAUGHT_BY_TESTS
from tests.conformance.schemathesis.patched_copy import SimulatorTests, imported, patched_copy

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conformance.schemathesis.mutants import Mutant

# These checks compare a request with those before it.
OF_CHAINS = {"use_after_free", "ensure_resource_availability"}


@pytest.fixture(scope="module")
def simulator_tests() -> Generator[SimulatorTests]:
    """Run the simulator's own tests on one copy after the other."""
    with SimulatorTests() as tests:
        yield tests


@pytest.mark.slow
@pytest.mark.parametrize("mutant", CAUGHT_BY_SCHEMATHESIS, ids=lambda mutant: mutant.bug)
def test_schemathesis_catches(mutant: Mutant, tmp_path: Path) -> None:
    """The mutant's check fails; on the simulator itself no check fails."""
    patched_copy(mutant, tmp_path)
    # The requests depend on earlier runs in this process; the first failure ends the run, so a high limit is cheap.
    effort = Effort(single=False, chains=200) if mutant.caught_by in OF_CHAINS else Effort(chains=0)
    with imported(tmp_path) as mock:
        findings = fuzz(mock, "BearerHeader", effort, seed=1, until={mutant.caught_by})
    assert mutant.caught_by in findings.failures


@pytest.mark.process
@pytest.mark.parametrize("mutant", CAUGHT_BY_TESTS, ids=lambda mutant: mutant.bug)
def test_own_test_catches(mutant: Mutant, simulator_tests: SimulatorTests, tmp_path: Path) -> None:
    """The mutant's test fails."""
    patched_copy(mutant, tmp_path)
    done = simulator_tests.run(tmp_path, mutant.caught_by)
    assert (done.status, f"FAILED tests/simulator/{mutant.caught_by}" in done.printed) == (1, True), done.printed


@pytest.mark.process
def test_without_a_bug_the_same_tests_pass(simulator_tests: SimulatorTests, tmp_path: Path) -> None:
    """The same tests pass on a copy without a bug."""
    patched_copy(None, tmp_path)
    done = simulator_tests.run(tmp_path, *(mutant.caught_by for mutant in CAUGHT_BY_TESTS))
    assert (done.status, f"{len(CAUGHT_BY_TESTS)} passed" in done.printed) == (0, True), done.printed
