"""Holds a recording to the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from contentgroove_mock.contract import CheckedRequest, CheckedResponse

if TYPE_CHECKING:
    from contentgroove_mock.contract import Checker, Violation
    from contentgroove_mock.recording.exchange import Recording

# Recordings hold no credentials; whatever stands here was there when the exchange was made.
_KEY = {"authorization": "Bearer scrubbed"}


def violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Tell what in a recording breaks the contract, what its request breaks on purpose included."""
    request, response = recording.request, recording.response
    if recording.operation not in checker.operations:
        return checker.check_webhook(request.content, request.headers)
    target = checker.base_path + quote(request.path)
    if request.query:
        target = f"{target}?{urlencode(request.query)}"
    asked = CheckedRequest(request.method, target, {**request.headers, **_KEY}, request.content)
    return checker.check_exchange(asked, CheckedResponse(recording.status, response.headers, response.content))


def unexpected_violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Tell what in a recording breaks the contract without being meant to."""
    found = violations(recording, checker)
    if recording.request_fault is None:
        return found
    return [violation for violation in found if not violation.location.startswith("request.")]
