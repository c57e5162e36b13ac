"""Every recording fits the contract, and every documented answer and webhook has a recording that is up to date."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.folder import stale
from msgspec import structs

from tests.recorded.recordings import CALLS, CONTRACT, DELIVERIES, RECORDINGS, answer, request

CHECKER = Checker()
ANSWERS = sorted(CONTRACT.answers())


@pytest.mark.parametrize(("operation", "status"), ANSWERS)
def test_every_documented_answer_is_recorded(operation: str, status: int) -> None:
    """The contract documents it, so there is a recording; make record makes one."""
    assert [name for name, item in RECORDINGS.items() if (item.operation, item.status) == (operation, status)]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_fits_the_contract(name: str) -> None:
    """The answer does, and the request does, but for the fault that the recording names."""
    recording = CALLS[name]
    violations = CHECKER.check(request(recording), answer(recording))
    faults = [violation for violation in violations if violation.place.startswith("request.")]
    assert bool(faults) == (recording.request_fault is not None), faults
    assert [violation for violation in violations if violation not in faults] == []


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_webhook_fits_the_contract(name: str) -> None:
    """What the service sends is what the contract's callback says."""
    sent = DELIVERIES[name].request
    assert CHECKER.check_delivery(sent.content, sent.headers) == []


def test_nothing_is_stale() -> None:
    """No recording is missing, left over, or made with another contract."""
    assert stale(RECORDINGS, CONTRACT) == []


def test_the_checker_sees_what_a_recording_holds() -> None:
    """A member that the contract does not declare is found, on either side, so these tests can fail."""
    recording = CALLS["getMediaById-200"]
    body: Any = recording.response.body
    body = body | {"data": body["data"] | {"attributes": body["data"]["attributes"] | {"surprise": 1}}}
    changed = structs.replace(recording, response=structs.replace(recording.response, body=body))
    (violation,) = CHECKER.check(request(changed), answer(changed))
    assert violation.place == "response.body#/data/attributes/surprise"
    delivery = DELIVERIES["media.processing_finished-200"].request
    without = structs.replace(delivery, body={"event": "media.processing_finished"})
    assert CHECKER.check_delivery(without.content, without.headers)
