"""Every recording fits the contract, and every documented answer and webhook has a recording that is up to date."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.contract_check import unexpected_violations, violations
from contentgroove_mock.recording.folder import stale
from msgspec import structs

from tests.recorded.recordings import CONTRACT, RECORDINGS

CHECKER = Checker()
ANSWERS = sorted(CONTRACT.response_specs())


@pytest.mark.parametrize(("operation", "status"), ANSWERS)
def test_every_documented_answer_is_recorded(operation: str, status: int) -> None:
    """The contract documents it, so there is a recording; make record makes one."""
    assert [name for name, item in RECORDINGS.items() if (item.operation, item.status) == (operation, status)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_fits_the_contract(name: str) -> None:
    """The answer or webhook does, and the request does, but for the fault that the recording names."""
    recording = RECORDINGS[name]
    assert unexpected_violations(recording, CHECKER) == []
    assert bool(violations(recording, CHECKER)) == (recording.request_fault is not None)


def test_nothing_is_stale() -> None:
    """No recording is missing, left over, or made with another contract."""
    assert stale(RECORDINGS, CONTRACT) == []


def test_what_a_recording_breaks_is_found() -> None:
    """A member that the contract does not declare, one that is missing, and a request's fault that nobody meant."""
    recording = RECORDINGS["getMediaById-200"]
    body: Any = recording.response.body
    body = body | {"data": body["data"] | {"attributes": body["data"]["attributes"] | {"surprise": 1}}}
    changed = structs.replace(recording, response=structs.replace(recording.response, body=body))
    (violation,) = unexpected_violations(changed, CHECKER)
    assert violation.location == "response.body#/data/attributes/surprise"
    delivery = RECORDINGS["media.processing_finished-200"]
    body = {"event": "media.processing_finished"}
    (violation,) = unexpected_violations(
        structs.replace(delivery, request=structs.replace(delivery.request, body=body)), CHECKER
    )
    assert violation.location == "webhook.body#/payload"
    (violation,) = unexpected_violations(structs.replace(RECORDINGS["getMedias-400"], request_fault=None), CHECKER)
    assert violation.location == "request.query.filter[nothing_eq]"
