"""The recordings match the contract, every documented response and webhook has one, and all are up to date."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.recordings import stale, unexpected_violations, violations
from msgspec import structs

from tests.recorded.recordings import CONTRACT, RECORDINGS

CHECKER = Checker()
RESPONSES = sorted(CONTRACT.response_specs())


@pytest.mark.parametrize(("operation", "status"), RESPONSES)
def test_every_documented_response_is_recorded(operation: str, status: int) -> None:
    """The contract documents it, so there is a recording; make record creates it."""
    assert [name for name, item in RECORDINGS.items() if (item.operation, item.status) == (operation, status)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_a_recording_fits_the_contract(name: str) -> None:
    """The response or webhook matches it, and so does the request, except for the fault that the recording names."""
    recording = RECORDINGS[name]
    assert unexpected_violations(recording, CHECKER) == []
    assert bool(violations(recording, CHECKER)) == (recording.request_fault is not None)


def test_nothing_is_stale() -> None:
    """No recording is missing, superfluous, or from another contract."""
    assert stale(RECORDINGS, CONTRACT) == []


def test_violations_in_a_recording_are_found() -> None:
    """An undeclared member, a missing one, and a fault of a request that is not on purpose."""
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
