"""Check recordings against the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from contentgroove_mock.contract import CheckedRequest, CheckedResponse

if TYPE_CHECKING:
    from contentgroove_mock.contract import Checker, Violation
    from contentgroove_mock.recording.recordings import Recording

# Recordings contain no credentials; the recorded request had some.
_KEY = {"authorization": "Bearer scrubbed"}


def violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording, including those that its request makes on purpose."""
    request, response = recording.request, recording.response
    if recording.operation not in checker.operations:
        return checker.check_webhook(request.content, request.headers)
    target = checker.base_path + quote(request.path)
    if request.query:
        target = f"{target}?{urlencode(request.query)}"
    checked = CheckedRequest(request.method, target, {**request.headers, **_KEY}, request.content)
    return checker.check_exchange(checked, CheckedResponse(recording.status, response.headers, response.content))


def unexpected_violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording that are not on purpose."""
    found = violations(recording, checker)
    if recording.request_fault is None:
        return found
    return [violation for violation in found if not violation.location.startswith("request.")]
