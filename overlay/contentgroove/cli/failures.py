"""Exit codes, and the message for each error."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from contentgroove import errors
from contentgroove._extras import advice, find_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """The exit codes. Their names in lower case are the `kind` of errors in JSON output."""

    OK = 0
    FAILED = 1
    USAGE = 2
    AUTH = 3
    NOT_FOUND = 4
    QUOTA = 5
    RATE_LIMIT = 6
    NETWORK = 7
    PROCESSING_FAILED = 8
    TIMEOUT = 9
    REFUSED = 10
    SERVICE = 11
    FILE = 12
    OUTCOME_UNKNOWN = 13
    PARTIAL = 14
    INTERRUPTED = 130
    CLOSED_PIPE = 141

    @property
    def kind(self) -> str:
        """The name in JSON output."""
        return self.name.lower()


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "success",
    ExitCode.FAILED: "any other failure",
    ExitCode.USAGE: "wrong usage; nothing was sent",
    ExitCode.AUTH: "no API key, or the service rejects it (401)",
    ExitCode.NOT_FOUND: "no such media, clip or subscription (404)",
    ExitCode.QUOTA: "the account's usage limit is reached (402)",
    ExitCode.RATE_LIMIT: "too many requests (429)",
    ExitCode.NETWORK: "cannot reach the service or the file store",
    ExitCode.PROCESSING_FAILED: "the service could not process the media",
    ExitCode.TIMEOUT: "processing was not finished in time; it continues",
    ExitCode.REFUSED: "the service rejected the request (400, 422 and others)",
    ExitCode.SERVICE: "the service failed (5xx) or its response is unreadable",
    ExitCode.FILE: "the file cannot be uploaded",
    ExitCode.OUTCOME_UNKNOWN: "something may have been created; check before you repeat it",
    ExitCode.PARTIAL: "some of several items failed",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.CLOSED_PIPE: "the output pipe was closed",
}


class ErrorReport(NamedTuple):
    """An error as it is shown.

    Attributes:
        exit: Its exit code.
        message: What happened.
        hint: What to do next; empty if the message says it.
    """

    exit: ExitCode
    message: str
    hint: str = ""


class CommandError(Exception):
    """A command cannot continue, for a reason that is not an error of the library.

    Attributes:
        failure: The error as it is shown.
    """

    def __init__(self, exit_code: ExitCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.failure = ErrorReport(exit_code, message, hint)


# The first match counts: an unknown outcome can also be a ServerError, but may have been performed.
_EXITS: tuple[tuple[type[BaseException], ExitCode, str], ...] = (
    (
        errors.OutcomeUnknownError,
        ExitCode.OUTCOME_UNKNOWN,
        "Check whether it was performed, for example with a list, before you repeat it.",
    ),
    (errors.AuthenticationError, ExitCode.AUTH, "Check the API key: contentgroove --help shows where it is read from."),
    (errors.QuotaExceededError, ExitCode.QUOTA, "See your usage at https://app.contentgroove.com/quota_usage."),
    (errors.NotFoundError, ExitCode.NOT_FOUND, "Check the id, and that it belongs to the account of this API key."),
    (errors.RateLimitError, ExitCode.RATE_LIMIT, "Try again later."),
    (errors.ServerError, ExitCode.SERVICE, "Try again later."),
    (errors.APIError, ExitCode.REFUSED, "Correct the values and try again."),
    (errors.APIConnectionError, ExitCode.NETWORK, ""),
    (errors.ResponseDecodeError, ExitCode.SERVICE, "If it happens again, report it with the output of --debug."),
    (errors.PagingError, ExitCode.SERVICE, ""),
    (errors.ContractViolationError, ExitCode.SERVICE, ""),
    (errors.MediaProcessingError, ExitCode.PROCESSING_FAILED, ""),
    (errors.InvalidInputError, ExitCode.USAGE, ""),
    (errors.ConfigurationError, ExitCode.USAGE, ""),
)


def describe_error(error: BaseException) -> ErrorReport:
    """Return the exit code, message and hint of an error."""
    match error:
        case CommandError():
            failure = error.failure
        case errors.WaitTimeoutError():
            failure = _timeout_report(error)
        case errors.UploadError():
            lost = error.reason == "connection" and error.status_code is None
            failure = ErrorReport(ExitCode.NETWORK if lost else ExitCode.FILE, error.message)
        case errors.ContentGrooveError():
            failure = _library_error(error)
        case OSError():
            path = f"{error.filename}: " if error.filename else ""
            failure = ErrorReport(ExitCode.FAILED, f"{path}{error.strerror or error}")
        case Exception() if (trouble := find_trouble(error)) is not None:
            failure = ErrorReport(ExitCode.USAGE, f"This command needs {advice(trouble, 'cli')}")
        case _:
            failure = ErrorReport(
                ExitCode.FAILED,
                f"Unexpected {type(error).__name__}: {error}",
                "This is a defect: run the command again with --debug and report its output.",
            )
    return failure


def combined_exit_code(exits: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code that all items share, else PARTIAL."""
    found = set(exits)
    if not found:
        return ExitCode.OK
    return found.pop() if len(found) == 1 else ExitCode.PARTIAL


def _library_error(error: errors.ContentGrooveError) -> ErrorReport:
    for kind, code, hint in _EXITS:
        if isinstance(error, kind):
            return ErrorReport(
                code, _response_text(error) if isinstance(error, errors.APIError) else error.message, hint
            )
    return ErrorReport(ExitCode.FAILED, error.message)


def _timeout_report(error: errors.WaitTimeoutError) -> ErrorReport:
    subject, id_ = ("clip", error.clip_id) if error.clip_id else ("media", error.media_id)
    hint = f"Wait longer: contentgroove {subject}s wait {id_} --timeout SECONDS" if id_ else ""
    return ErrorReport(
        ExitCode.TIMEOUT, f"{subject.capitalize()} {id_} was not finished in time. Processing continues.", hint
    )


def _response_text(error: errors.APIError) -> str:
    try:
        phrase = f" {HTTPStatus(error.status_code).phrase}"
    except ValueError:
        phrase = ""
    text = " ".join(_sentence(detail) for detail in error.errors)
    request = f" for {error.request}" if error.request else ""
    return f"The service returned {error.status_code}{phrase}{request}{': ' if text.strip() else '.'}{text}".rstrip()


def _sentence(detail: errors.ErrorDetail) -> str:
    text = (detail.detail or detail.title or detail.code or "").rstrip(".")
    location = f" (at {detail.pointer})" if detail.pointer else ""
    return f"{text}{location}." if text else ""
