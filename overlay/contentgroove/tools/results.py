"""Results and errors of tools for models: `{ok: true, data, http}` or `{ok: false, error: {code, message, …}}`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from msgspec import Struct, to_builtins

from contentgroove import errors
from contentgroove._core.redaction import redact_echo
from contentgroove._openapi.documents import DocumentError

if TYPE_CHECKING:
    from contentgroove._core.secret import Secret
    from contentgroove._openapi.documents import Json

ErrorCode: TypeAlias = Literal[
    "unknown_tool", "invalid_input", "not_allowed", "configuration",
    "bad_request", "unauthorized", "quota_exceeded", "not_found", "unprocessable", "rate_limited", "server_error",
    "http_error", "connection_failed", "timed_out", "outcome_unknown", "unexpected_answer",
    "upload_failed", "processing_failed", "wait_timeout",
    "invalid_spec", "fetch_refused", "source_exists", "internal_error",
]  # fmt: skip

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
    (Exception, "internal_error"),
)

_STATUS_CODES: dict[int, ErrorCode] = {
    400: "bad_request",
    401: "unauthorized",
    402: "quota_exceeded",
    404: "not_found",
    422: "unprocessable",
    429: "rate_limited",
}


class ToolError(errors.ContentGrooveError):
    """A call of a tool failed.

    Attributes:
        code: The kind of failure, for programs.
        status: The HTTP status of the response; None if there was no response.
        details: More about it as JSON; None if there is nothing to add.
        retryable: Whether the same call can succeed later.
    """

    def __init__(
        self, code: ErrorCode, message: str, *, status: int | None = None, details: Any = None, retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.status = status
        self.details = details
        self.retryable = retryable


class SpecError(ToolError):
    """Tools cannot be made of a text: it is not an OpenAPI 3.x document, or something in it is not supported."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_spec", message)


class Success(Struct, frozen=True):
    """A tool's successful result.

    Attributes:
        data: The result as JSON; None if the response has no body.
        http: The response's status, and what its headers say; None if the result is not from a single response.
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


def redact(value: Any, secrets: list[Secret]) -> Any:
    """Redact secrets wherever they occur, because a server may echo its request."""
    if isinstance(value, str):
        return redact_echo(value, secrets)
    if isinstance(value, list):
        return [redact(item, secrets) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {redact(key, secrets): redact(item, secrets) for key, item in cast("Json", value).items()}
    return value


def _tool_error(error: Exception) -> ToolError:
    codes: list[ErrorCode] = [code for kind, code in _CODES if isinstance(error, kind)]
    code = codes[0]
    if not isinstance(error, errors.ContentGrooveError):
        return ToolError(code, f"The tool failed with {type(error).__name__}; this is a defect of contentgroove.")
    names = ("media_id", "clip_id", "reason", "retry_after")
    details: Json = {name: value for name in names if (value := getattr(error, name, None)) is not None}
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
