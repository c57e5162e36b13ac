"""What keeps a tool from doing what it was asked."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from contentgroove.errors import ContentGrooveError

ErrorCode: TypeAlias = Literal[
    "unknown_tool",
    "invalid_input",
    "not_allowed",
    "configuration",
    "bad_request",
    "unauthorized",
    "quota_exceeded",
    "not_found",
    "unprocessable",
    "rate_limited",
    "server_error",
    "http_error",
    "connection_failed",
    "timed_out",
    "outcome_unknown",
    "unexpected_answer",
    "upload_failed",
    "processing_failed",
    "wait_timeout",
    "invalid_spec",
    "fetch_refused",
    "source_exists",
    "internal_error",
]


class ToolError(ContentGrooveError):
    """A tool did not do what it was asked.

    Attributes:
        code: The kind of failure, for programs.
        status: The HTTP status of the answer, None if there was none.
        details: More about it as JSON, None if there is no more.
        retryable: Whether the same call can succeed later without a change to it.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        status: int | None = None,
        details: Any = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.status = status
        self.details = details
        self.retryable = retryable


class SpecError(ToolError):
    """A text is no OpenAPI 3.x document that tools can be made of."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_spec", message)
