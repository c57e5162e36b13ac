"""Schemathesis finds nothing in the simulator, and it or the simulator's own tests detect each mutant of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.schemathesis.alone import fuzz_alone
from tests.conformance.schemathesis.document import document, operation_ids
from tests.conformance.schemathesis.fuzzing import CHECKED, WAYS, Effort, fuzz
from tests.conformance.schemathesis.mutants import CAUGHT_BY_SCHEMATHESIS, CAUGHT_BY_TESTS
from tests.conformance.schemathesis.patched_copy import SimulatorTests, imported, patched_copy

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.conformance.schemathesis.mutants import Mutant

DELETES = {"deleteMediaById", "deleteClipById", "deleteWebhookSubscriptionById"}
# These checks compare a request with those before it.
OF_CHAINS = {"use_after_free", "ensure_resource_availability"}


@pytest.mark.process
def test_schemathesis_finds_nothing() -> None:
    """In all phases of Schemathesis, the simulator responds according to the contract."""
    findings = fuzz_alone("BearerHeader", Effort(), seed=1)
    assert findings.failures == {}
    # No findings only mean something if everything was checked.
    assert findings.ways == {frozenset({"authorization"})}
    assert {"examples", "coverage", "fuzzing", "stateful"} - set(findings.phases) == set()
    assert CHECKED - set(findings.checks) == set()
    successes = {(operation, 204 if operation in DELETES else 200) for operation in operation_ids(document())}
    assert successes - set(findings.responses) == set()


@pytest.mark.process
@pytest.mark.parametrize(("way", "sent"), [("ApiKeyHeader", "x-api-key"), ("ApiKeyQuery", "api_key")])
def test_chains_work_with_the_other_ways_to_authenticate(way: str, sent: str) -> None:
    """A chain's requests find what earlier ones created, with each way to send the key."""
    findings = fuzz_alone(way, Effort(single=False, chains=12), seed=2)
    assert findings.failures == {}
    assert findings.ways == {frozenset({sent})}
    assert CHECKED - set(findings.checks) == set()


def test_every_way_to_authenticate_is_tried() -> None:
    """The ways to authenticate are those of the contract."""
    assert set(WAYS) == set(document()["components"]["securitySchemes"])


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
