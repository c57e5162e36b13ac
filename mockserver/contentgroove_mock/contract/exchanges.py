"""Exchanges of any HTTP library, and what HTTP itself says about them: conditions, Retry-After, charsets."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003  # msgspec reads the fields' types at run time
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove_mock.contract.violations import Violation, short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

_READS = frozenset({"GET", "HEAD"})
_CONDITIONS: dict[int, tuple[str, ...]] = {
    HTTPStatus.NOT_MODIFIED: ("if-none-match", "if-modified-since"),
    HTTPStatus.PRECONDITION_FAILED: ("if-match", "if-unmodified-since", "if-none-match"),
    HTTPStatus.PARTIAL_CONTENT: ("range",),
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: ("range",),
    HTTPStatus.EXPECTATION_FAILED: ("expect",),
}
_OF_READS = frozenset({HTTPStatus.NOT_MODIFIED, HTTPStatus.PARTIAL_CONTENT})
# The form that is sent, and the two old ones that recipients must read (RFC 9110, 5.6.7).
_DATES = (
    re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII),
    re.compile(r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT", re.ASCII),
    re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}", re.ASCII),
)
_SECONDS = re.compile(r"\d+", re.ASCII)
_MEDIA_TYPE_PARAMETER = re.compile(r';\s*([^\s=;"]+)=("(?:[^"\\]|\\.)*"|[^\s;"]*)')


class CheckedRequest(Struct, frozen=True):
    """A request.

    Attributes:
        method: In upper case.
        target: The path, percent-encoded, with the query.
        headers: By name; lookups use lower-case names.
        content: The body.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, request: httpx.Request) -> CheckedRequest:
        """Make one from a request of httpx whose body was read."""
        # A dict, because it is read often: names in httpx's own mapping are encoded at each look-up.
        target = request.url.raw_path.decode("ascii")
        return cls(request.method, target, dict(request.headers.items()), request.content)


class CheckedResponse(Struct, frozen=True):
    """A response.

    Attributes:
        status: The HTTP status.
        headers: Like `CheckedRequest.headers`.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @classmethod
    def from_httpx(cls, response: httpx.Response) -> CheckedResponse:
        """Make one from a response of httpx that was read."""
        return cls(response.status_code, dict(response.headers.items()), response.content)


def responds_to_condition(method: str, headers: Mapping[str, str], status: int) -> bool:
    """Return whether HTTP defines a status as the response to a header of the request, such as 304."""
    asked = any(name in headers for name in _CONDITIONS.get(status, ()))
    return asked and (method in _READS or status not in _OF_READS)


def check_empty(operation: str, content: bytes, reason: str) -> Iterator[Violation]:
    """Check that a response has no body."""
    if content:
        message = f"there is no body: {reason}"
        yield Violation(operation, "response.body", "unexpected-body", message, short_repr(content[:200]))


def check_retry_after(operation: str, headers: Mapping[str, str]) -> Iterator[Violation]:
    """Check the Retry-After of a response; a missing one is right."""
    text = headers.get("retry-after")
    if text is None or _SECONDS.fullmatch(text):
        return
    if not _is_date(text):
        message = "Retry-After is a number of seconds or a date such as Thu, 01 Jan 2026 00:00:00 GMT"
        yield Violation(operation, "response.headers.retry-after", "retry-after", message, short_repr(text))


def _is_date(text: str) -> bool:
    # The parser takes many other forms, too.
    if not any(pattern.fullmatch(text) for pattern in _DATES):
        return False
    try:
        parsedate_to_datetime(text)
    except ValueError:
        return False
    return True


def is_utf8(media_type: str) -> bool:
    """Return whether no parameter of a media type names a charset other than UTF-8."""
    names = (
        value.strip('"').lower()
        for name, value in _MEDIA_TYPE_PARAMETER.findall(media_type)
        if name.lower() == "charset"
    )
    return all(name == "utf-8" for name in names)
