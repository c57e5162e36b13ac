"""Schemathesis on the simulator."""

from __future__ import annotations

import pytest

from tests.conformance.schemathesis.alone import fuzz_alone
from tests.conformance.schemathesis.document import document, operation_ids
from tests.conformance.schemathesis.fuzzing import CHECKED, WAYS, Effort

DELETES = {"deleteMediaById", "deleteClipById", "deleteWebhookSubscriptionById"}


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
