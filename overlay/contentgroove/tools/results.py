"""Results of tools: `{ok: true, data, http}` or `{ok: false, error: {code, message, …}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, to_builtins

from contentgroove import errors
from contentgroove._openapi.documents import DocumentError

from .errors import ErrorCode, ToolError

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json

_CODES: tuple[tuple[type[Exception], ErrorCode], ...] = (
    # Subclasses are before their bases.
    (errors.OutcomeUnknownError, "outcome_unknown"),
    (errors.BadRequestError, "bad_request"),
    (errors.AuthenticationError, "unauthorized"),
    (errors.QuotaExceededError, "quota_exceeded"),
    (errors.NotFoundError, "not_found"),
    (errors.UnprocessableEntityError, "unprocessable"),
    (errors.RateLimitError, "rate_limited"),
    (errors.ServerError, "server_error"),
    (errors.APIError, "http_error"),
    (errors.APITimeoutError, "timed_out"),
    (errors.APIConnectionError, "connection_failed"),
    (errors.ResponseDecodeError, "unexpected_answer"),
    (errors.PagingError, "unexpected_answer"),
    (errors.UploadError, "upload_failed"),
    (errors.MediaProcessingError, "processing_failed"),
    (errors.WaitTimeoutError, "wait_timeout"),
    (DocumentError, "invalid_spec"),
    (errors.InvalidInputError, "invalid_input"),
    (errors.ConfigurationError, "configuration"),
)

_STATUS_CODES: dict[int, ErrorCode] = {
    400: "bad_request",
    401: "unauthorized",
    402: "quota_exceeded",
    404: "not_found",
    422: "unprocessable",
    429: "rate_limited",
}


class Success(Struct, frozen=True):
    """A tool's successful result.

    Attributes:
        data: The result as JSON; None if the response has no body.
        http: The response's status; None if the result is not from a single response.
    """

    data: Any
    http: dict[str, Any] | None = None


def success(result: Success) -> Json:
    """Return the envelope of a result."""
    return {"ok": True, "data": to_builtins(result.data), "http": result.http}


def failure(error: Exception) -> Json:
    """Return the envelope of an error; only the name of an undocumented error is included."""
    known = error if isinstance(error, ToolError) else _tool_error(error)
    content: Json = {"code": known.code, "message": known.message, "retryable": known.retryable}
    if known.status is not None:
        content["status"] = known.status
    if known.details is not None:
        content["details"] = to_builtins(known.details)
    return {"ok": False, "error": content}


def error_code(status: int) -> ErrorCode:
    """Return the error code for an HTTP status."""
    return _STATUS_CODES.get(status, "server_error" if status >= 500 else "http_error")  # noqa: PLR2004 - HTTP's classes


def redact(value: Any, secret: str, replacement: str) -> Any:
    """Replace a secret wherever it occurs, because a server may echo its request."""
    if isinstance(value, str):
        return value.replace(secret, replacement)
    if isinstance(value, list):
        return [redact(item, secret, replacement) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        members = cast("Json", value)
        return {redact(key, secret, replacement): redact(item, secret, replacement) for key, item in members.items()}
    return value


def _code_for_error(error: Exception) -> ErrorCode:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return "internal_error"


def _tool_error(error: Exception) -> ToolError:
    code = _code_for_error(error)
    if not isinstance(error, errors.ContentGrooveError):
        return ToolError(code, f"The tool failed with {type(error).__name__}; this is a defect of contentgroove.")
    details: Json = {}
    for name in ("media_id", "clip_id", "reason", "retry_after"):
        if (value := getattr(error, name, None)) is not None:
            details[name] = value
    if isinstance(error, errors.APIError) and error.errors:
        details["errors"] = [
            {key: value for key, value in cast("Json", to_builtins(detail)).items() if value is not None}
            for detail in error.errors
        ]
    is_retryable = getattr(error, "retryable", isinstance(error, errors.APIConnectionError | errors.WaitTimeoutError))
    return ToolError(
        code,
        error.message,
        status=getattr(error, "status_code", None),
        details=details or None,
        retryable=is_retryable is True and code != "outcome_unknown",
    )
