"""The errors of tools, with the codes that results have."""

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
    """A call of a tool failed.

    Attributes:
        code: The kind of failure, for programs.
        status: The HTTP status of the response; None if there was no response.
        details: More about it as JSON; None if there is nothing to add.
        retryable: Whether the same call can succeed later.
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
    """Tools cannot be made of a text: it is not an OpenAPI 3.x document, or something in it is not supported."""

    def __init__(self, message: str) -> None:
        super().__init__("invalid_spec", message)
