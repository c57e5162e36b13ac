"""From an error response or a transport failure to the exception that reports it, with advice."""

from __future__ import annotations

import math
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec
from contentgroove_api.types import check_levels

from contentgroove.errors import (
    RETRYABLE_STATUSES,
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
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

from .moments import moment
from .redaction import redact_text
from .retries import requested_delay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .responses import Response, TransportFailure
    from .secret import Secret

MAX_EXCERPT = 2000
"""Characters of a body that an error keeps."""

MAX_TEXT = 1000
"""Characters that an error keeps of each text of the service."""

MAX_SEARCHED = 64 * 1024
"""Bytes of an unreadable body that are searched for ids."""

_ID = rb'"id"\s*:\s*(?:"([A-Za-z0-9._-]{1,100})"|([0-9]{1,100}))'
"""An id in JSON text that may be damaged; `re` compiles it on first use."""

MAX_LISTED_ERRORS = 10
"""Entries of the body's `errors` list that a message contains; the exception has all of them."""

QUOTA_PAGE = "https://app.contentgroove.com/quota_usage"
"""The page with an account's usage, according to the API's documentation of status 402."""

JsonObject: TypeAlias = "dict[str, Any]"

_PROBABLY_PERFORMED = (
    "The operation was probably performed, so it was not sent again: check for its result before you repeat the call."
)

_ERRORS: dict[int, type[APIError]] = {
    HTTPStatus.BAD_REQUEST: BadRequestError,
    HTTPStatus.UNAUTHORIZED: AuthenticationError,
    HTTPStatus.PAYMENT_REQUIRED: QuotaExceededError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.UNPROCESSABLE_ENTITY: UnprocessableEntityError,
    HTTPStatus.TOO_MANY_REQUESTS: RateLimitError,
}

_RESOURCES = (["medias"], ["clips"], ["webhook_subscriptions"], ["direct_uploads"])
"""What the paths of the API's requests start with below the base URL."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_ADVICE: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "The service could not read the request: check the values passed to the call.",
    HTTPStatus.UNAUTHORIZED: (
        "Check the API key: pass api_key= or set the environment variable CONTENTGROOVE_API_KEY."
    ),
    HTTPStatus.PAYMENT_REQUIRED: f"See your usage at {QUOTA_PAGE}. Retrying does not help until it changes.",
    HTTPStatus.NOT_FOUND: "Check the id, and that it belongs to the account of this API key.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "The service rejects the values: correct them and call again.",
    HTTPStatus.TOO_MANY_REQUESTS: "Send fewer requests at once, or wait before calling again.",
}


def body_excerpt(content: bytes) -> str:
    """Return the start of a body as text, without credentials."""
    return redact_text(content[: MAX_EXCERPT * 4].decode("utf-8", "replace")[:MAX_EXCERPT])


def parse_error_details(content: bytes) -> tuple[ErrorDetail, ...]:
    """Parse the `errors` list in any of the four shapes that the service uses; empty for anything else."""
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
        _parse_detail(cast("JsonObject", entry)) for entry in cast("list[object]", entries) if isinstance(entry, dict)
    )


# (assumed: error-400, error-401, error-404, error-422, error-500)
def _parse_detail(entry: JsonObject) -> ErrorDetail:
    source: object = entry.get("source")
    pointer = cast("JsonObject", source).get("pointer") if isinstance(source, dict) else None
    return ErrorDetail(
        title=_redacted_text(entry.get("title")),
        detail=_redacted_text(entry.get("detail")) or _redacted_text(entry.get("message")),
        code=_redacted_text(entry.get("code")),
        status=_redacted_text(entry.get("status")),
        pointer=_redacted_text(pointer),
    )


def _redacted_text(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return redact_text(text[:MAX_TEXT])


def error_from_response(
    response: Response, request: RequestInfo, *, idempotent: bool, attempts: int, now: float
) -> APIError:
    """Create the error of a response that is not a success; `now` is seconds since 1970, for a `Retry-After` date."""
    status = response.status_code
    retry_after = requested_delay(response.headers, now) if status in RETRYABLE_STATUSES else None
    details = parse_error_details(response.content)
    error_class = _ERRORS.get(status, APIError)
    advice = _ADVICE.get(status, "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        error_class = ServerError
        advice = "The service failed." + (" Try again later." if retry_after is None else "")
        if not idempotent:
            error_class = ServerOutcomeUnknownError
            advice = (
                "The operation may have been performed, so it was not sent again: "
                "check for its result before you repeat the call."
            )
    elif status == HTTPStatus.NOT_FOUND:
        advice = _base_url_advice(response, request) or advice
    elif status in _REDIRECTS:
        advice = "Redirects are not followed, because they would receive the API key: check base_url."
    details_text = " ".join(
        text for text in (detail_sentence(detail) for detail in details[:MAX_LISTED_ERRORS]) if text
    )
    if len(details) > MAX_LISTED_ERRORS:
        details_text += f" … and {len(details) - MAX_LISTED_ERRORS} more."
    message = " ".join(
        part
        for part in (
            f"{request}: {status} {reason_phrase(status)}{_after_attempts(attempts)}.".replace(" .", "."),
            f"The service reports: {details_text}" if details_text else "",
            advice,
            # What may have been performed must not simply be repeated later.
            "" if retry_after is None or error_class is ServerOutcomeUnknownError else come_back(retry_after, now),
        )
        if part
    )
    error = error_class(
        message,
        status_code=status,
        errors=details,
        headers=response.headers,
        request=request,
        body=body_excerpt(response.content),
    )
    if isinstance(error, RateLimitError):
        error.retry_after = retry_after
    return error


def _base_url_advice(response: Response, request: RequestInfo) -> str:
    """Return advice if the response, or the request's path, shows that base_url is not the API's; else nothing."""
    start = response.content[:200].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "The response is a web page, not the API's: check base_url, which usually ends in /api/v1."
    if urlsplit(request.url).path.split("/")[1:2] in _RESOURCES:
        return f"base_url has no path, but the API's usually ends in /api/v1. Or: {_ADVICE[HTTPStatus.NOT_FOUND]}"
    return ""


def _is_proxy_error(cause: Exception) -> bool:
    # By its name, which is that of httpcore's and httpx's class: this layer imports neither.
    return any(kind.__name__ == "ProxyError" for kind in type(cause).__mro__)


def connection_advice(failure: TransportFailure) -> str:
    """Return advice if a server's certificate was refused, or a proxy refused its user, else nothing."""
    text = failure.reason()
    if _is_proxy_error(failure.cause) and text.startswith("407"):
        return (
            "The proxy requires a user and a password, or refuses them: write them into its URL "
            "(http://user:password@host:port, each percent-encoded), in HTTPS_PROXY or in your own client's proxy."
        )
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return ""
    if "expired" in text or "not yet valid" in text:
        return "Check this machine's clock; else the server's certificate must be renewed."
    if "ostname mismatch" in text or "IP address mismatch" in text:
        return "The certificate is that of another host: check base_url and the proxy."
    return (
        "Nothing on this machine knows the authority that signed the server's certificate. If it is that of your "
        "network, set the environment variable SSL_CERT_FILE to a file with its certificate, or pass an http_client= "
        "(for uploads upload_http_client=) that trusts it."
    )


def not_sent_error(request: RequestInfo, reason: str, delay: float, now: float) -> RateLimitError:
    """Create the error of a call whose turn would come too late; `delay` is the seconds until then."""
    error = RateLimitError(
        f"{request}: not sent, because {reason}. {come_back(delay, now)}",
        status_code=HTTPStatus.TOO_MANY_REQUESTS,
        request=request,
    )
    error.retry_after = delay
    return error


def come_back(delay: float, now: float) -> str:
    """Return the sentence that says when to try again; `now` is seconds since 1970."""
    # Rounded up: a little early would be refused.
    seconds = math.ceil(delay * 10) / 10 if delay < 10 else math.ceil(delay)  # noqa: PLR2004 - two digits say enough
    return f"Try again in {seconds:,} s, at {moment(math.ceil(now + delay)):%Y-%m-%d %H:%M:%S} UTC."


def detail_sentence(detail: ErrorDetail) -> str:
    """Return an entry of an error response as a sentence; empty if the entry has no text."""
    text = detail.detail or detail.title or detail.code or ""
    location = f" (at {detail.pointer})" if detail.pointer else ""
    return f"{text.rstrip('.')}{location}." if text else ""


def reason_phrase(status: int) -> str:
    """Return the usual text of an HTTP status; empty if there is none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _after_attempts(attempts: int) -> str:
    return f", after {attempts} attempts" if attempts > 1 else ""


def error_from_transport_failure(
    failure: TransportFailure, request: RequestInfo, *, idempotent: bool, attempts: int, secrets: Sequence[Secret]
) -> ContentGrooveError:
    """Create the error of a request that got no complete response; `secrets` are removed from its reason."""
    times = _after_attempts(attempts)
    reason = failure.reason(secrets)
    if failure.kind == "too_large":
        performed = "" if idempotent else f" {_PROBABLY_PERFORMED}"
        return ResponseDecodeError(
            f"{request}: the response is larger than any of this API. It was not read completely.{performed}",
            status_code=HTTPStatus.OK,
            request=request,
        )
    if failure.kind == "closed":
        reason = "this client was closed meanwhile"
        if idempotent or not failure.may_have_arrived:
            return ConfigurationError(f"{request}: {reason}. Create a new client.")
    if failure.may_have_arrived and not idempotent:
        return OutcomeUnknownError(
            f"{request}: the connection failed after the request was sent ({reason}). The operation may have been "
            "performed, so it was not sent again: check for its result before you repeat the call.",
            request=request,
        )
    if failure.kind == "timeout":
        return APITimeoutError(
            f"{request}: no response in time{times} ({reason}). Try again, or pass a larger timeout=.", request=request
        )
    if failure.kind == "connect":
        return APIConnectionError(
            f"{request}: cannot connect{times} ({reason}). "
            f"{connection_advice(failure) or 'Check the network, the proxy and base_url.'}",
            request=request,
        )
    return APIConnectionError(
        f"{request}: the connection broke before the response was complete{times} ({reason}). Try again.",
        request=request,
    )


def response_decode_error(
    response: Response, request: RequestInfo, reason: str, *, idempotent: bool
) -> ResponseDecodeError:
    """Create the error of a success of whose body nothing can be read."""
    content_type = redact_text(response.headers.get("content-type", "no content type"))[:MAX_TEXT]
    message = (
        f"{request}: the body of the {response.status_code} response ({content_type}, {len(response.content):,} bytes) "
        f"does not match the API's contract: {redact_text(reason)}"
    )
    if advice := _base_url_advice(response, request):
        message += f". {advice}"
    elif not idempotent:
        message += f". {_PROBABLY_PERFORMED} {_visible_ids(response)}"
    return ResponseDecodeError(
        message, status_code=response.status_code, request=request, body=body_excerpt(response.content)
    )


def _visible_ids(response: Response) -> str:
    """Return a sentence with what in a response may name the resource that the request created."""
    ids = [(text or number).decode() for text, number in re.findall(_ID, response.content[:MAX_SEARCHED])]
    hints = [f"ids in it: {', '.join(dict.fromkeys(ids[:MAX_LISTED_ERRORS]))}"] if ids else []
    if location := response.headers.get("location"):
        hints.append(f"its Location header: {redact_text(location)[:MAX_TEXT]}")
    return f"The response names {'; '.join(hints)}." if hints else "The response names no id."
