"""What an answer means: a value, or the error that says what happened and what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec
from contentgroove_api.types import check_levels

from contentgroove.errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ContentGrooveError,
    ErrorDetail,
    NotFoundError,
    OutcomeUnknownError,
    QuotaExceededError,
    RateLimitError,
    RequestInfo,
    ResponseDecodeError,
    ServerError,
    ServerOutcomeUnknownError,
    UnprocessableEntityError,
)

from .redaction import redact_url
from .retries import parse_retry_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .effects import Failure, Reply

BODY_EXCERPT = 2000
"""Characters of a body that an error keeps."""

LONGEST_TEXT = 1000
"""Characters that an error keeps of what the service says in one place."""

LISTED_DETAILS = 10
"""How many entries of the body's `errors` list a message tells; the error has them all."""

QUOTA_PAGE = "https://app.contentgroove.com/quota_usage"
"""Where an account's usage is shown, as the API's documentation says under "402"."""

JsonObject: TypeAlias = "dict[str, Any]"

_ERRORS: dict[int, type[APIError]] = {
    HTTPStatus.BAD_REQUEST: BadRequestError,
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.PAYMENT_REQUIRED: QuotaExceededError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.UNPROCESSABLE_ENTITY: UnprocessableEntityError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
}

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_NEXT_STEPS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "The service could not read the request: check the values passed to the call.",
    HTTPStatus.UNAUTHORIZED: (
        "Check the API key: pass api_key= or set the environment variable CONTENTGROOVE_API_KEY."
    ),
    HTTPStatus.PAYMENT_REQUIRED: f"See your usage at {QUOTA_PAGE}; trying again does not help before it changes.",
    HTTPStatus.NOT_FOUND: "Check the id, and that it belongs to the account of this API key.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The service refuses the values: correct them and call again.",
    HTTPStatus.TOO_MANY_REQUESTS: "Send fewer requests at once, or wait before calling again.",
}


def excerpt(content: bytes) -> str:
    """Give the start of a body as text, without credentials."""
    return redact_url(content[: BODY_EXCERPT * 4].decode("utf-8", "replace")[:BODY_EXCERPT])


def parse_error_details(content: bytes) -> tuple[ErrorDetail, ...]:
    """Read the `errors` list in any of the four shapes that the service uses; empty for anything else."""
    try:
        check_levels(content)
        body: object = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ()
    if not isinstance(body, dict):
        return ()
    entries = cast("JsonObject", body).get("errors")
    if not isinstance(entries, list):
        return ()
    return tuple(
        _detail(cast("JsonObject", entry)) for entry in cast("list[object]", entries) if isinstance(entry, dict)
    )


def _detail(entry: JsonObject) -> ErrorDetail:
    source: object = entry.get("source")
    pointer = cast("JsonObject", source).get("pointer") if isinstance(source, dict) else None
    return ErrorDetail(
        title=_text(entry.get("title")),
        detail=_text(entry.get("detail")) or _text(entry.get("message")),
        code=_text(entry.get("code")),
        status=_text(entry.get("status")),
        pointer=_text(pointer),
    )


def _text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return redact_url(text[:LONGEST_TEXT])


def error_from_reply(reply: Reply, request: RequestInfo, *, repeatable: bool, attempts: int, now: float) -> APIError:
    """Make the error of an answer that is no success.

    Args:
        reply: The answer.
        request: The request, redacted.
        repeatable: Whether the request does no more when it arrives twice than when it arrives once.
        attempts: How many times it was sent.
        now: Seconds since 1970, to read a `Retry-After` date.
    """
    status = reply.status_code
    details = parse_error_details(reply.content)
    error_class = _ERRORS.get(status, APIError)
    next_step = _NEXT_STEPS.get(status, "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error_class = ServerError
        next_step = "The service failed; try again later."
        if not repeatable:
            error_class = ServerOutcomeUnknownError
            next_step = (
                "What it asked for may have been done all the same, so it was not sent again: "
                "look for the result before repeating the call."
            )
    elif status in _REDIRECTS:
        next_step = "Redirects are not followed, because the API key would go along: check base_url."
    said = " ".join(text for text in (_sentence(detail) for detail in details[:LISTED_DETAILS]) if text)
    if len(details) > LISTED_DETAILS:
        said += f" … and {len(details) - LISTED_DETAILS} more."
    message = " ".join(
        part
        for part in (
            f"{request}: {status} {_phrase(status)}{_times(attempts)}.".replace(" .", "."),
            f"The service says: {said}" if said else "",
            next_step,
        )
        if part
    )
    error = error_class(
        message,
        status_code=status,
        errors=details,
        headers=reply.headers,
        request=request,
        body=excerpt(reply.content),
    )
    if isinstance(error, RateLimitError):
        error.retry_after = parse_retry_after(reply.headers.get("retry-after"), now)
    return error


def _sentence(detail: ErrorDetail) -> str:
    text = detail.detail or detail.title or detail.code or ""
    where = f" (at {detail.pointer})" if detail.pointer else ""
    return f"{text.rstrip('.')}{where}." if text else ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _times(attempts: int) -> str:
    return f", after {attempts} attempts" if attempts > 1 else ""


def error_from_failure(
    failure: Failure, request: RequestInfo, *, repeatable: bool, attempts: int
) -> ContentGrooveError:
    """Make the error of a request that got no whole answer; the cause is for the traceback."""
    times = _times(attempts)
    reason = redact_url(str(failure.cause)) or type(failure.cause).__name__
    if failure.kind == "too_large":
        return ResponseDecodeError(
            f"{request}: the answer is larger than any this API gives; it was not read to its end.",
            status_code=HTTPStatus.OK,
            request=request,
        )
    if failure.may_have_arrived and not repeatable:
        return OutcomeUnknownError(
            f"{request}: the connection failed after the request was sent ({reason}). What it asked for may "
            "have been done, so it was not sent again: look for the result before repeating the call.",
            request=request,
        )
    if failure.kind == "timeout":
        return APITimeoutError(
            f"{request}: no answer in time{times} ({reason}). Try again, or raise timeout=.", request=request
        )
    if failure.kind == "connect":
        return APIConnectionError(
            f"{request}: cannot connect{times} ({reason}). Check the network, the proxy and base_url.",
            request=request,
        )
    return APIConnectionError(
        f"{request}: the connection broke before the whole answer came{times} ({reason}). Try again.",
        request=request,
    )


def decode_error(reply: Reply, request: RequestInfo, reason: str) -> ResponseDecodeError:
    """Make the error of a success whose body does not fit the contract."""
    kind: Mapping[str, str] = reply.headers
    return ResponseDecodeError(
        f"{request}: the answer has status {reply.status_code}, and its body "
        f"({kind.get('content-type', 'no content type')}, {len(reply.content):,} bytes) is not what the API's "
        f"contract says: {redact_url(reason)}",
        status_code=reply.status_code,
        request=request,
        body=excerpt(reply.content),
    )
