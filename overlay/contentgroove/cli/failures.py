"""What a failure is called on the command line: exit codes, and the words for people."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from contentgroove import errors
from contentgroove._extras import advice, find_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """The exit codes. The lower-case names are the `kind` of errors in JSON output."""

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
    ExitCode.OK: "all went through",
    ExitCode.FAILED: "anything not below",
    ExitCode.USAGE: "wrong usage; nothing was sent",
    ExitCode.AUTH: "no API key, or the service refuses it (401)",
    ExitCode.NOT_FOUND: "no such media, clip or subscription (404)",
    ExitCode.QUOTA: "the account's usage limit is reached (402)",
    ExitCode.RATE_LIMIT: "too many requests (429)",
    ExitCode.NETWORK: "the service or the file store could not be reached",
    ExitCode.PROCESSING_FAILED: "the service could not process the media",
    ExitCode.TIMEOUT: "processing was not finished in time; it goes on",
    ExitCode.REFUSED: "the service refused the request (400, 422 and others)",
    ExitCode.SERVICE: "the service failed (5xx) or its answer was unreadable",
    ExitCode.FILE: "the file cannot be uploaded",
    ExitCode.OUTCOME_UNKNOWN: "something may have been created; look before you repeat",
    ExitCode.PARTIAL: "of several, some failed",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.CLOSED_PIPE: "the reader of the output went away",
}


class ErrorReport(NamedTuple):
    """A failure as it is shown.

    Attributes:
        exit: Its exit code.
        message: What happened.
        hint: What to do next; empty if the message says it.
    """

    exit: ExitCode
    message: str
    hint: str = ""


class CommandError(Exception):
    """A command cannot go on, for a reason of its own.

    Attributes:
        failure: What is shown.
    """

    def __init__(self, exit_code: ExitCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.failure = ErrorReport(exit_code, message, hint)


# Searched in this order: a lost answer of a POST is a ServerError, too, and what matters is that it may have worked.
_EXITS: tuple[tuple[type[BaseException], ExitCode, str], ...] = (
    (
        errors.OutcomeUnknownError,
        ExitCode.OUTCOME_UNKNOWN,
        "Look for the result, such as by a list, before you repeat it.",
    ),
    (errors.AuthenticationError, ExitCode.AUTH, "Check the API key: contentgroove --help says where it is read from."),
    (errors.QuotaExceededError, ExitCode.QUOTA, "See your usage at https://app.contentgroove.com/quota_usage."),
    (errors.NotFoundError, ExitCode.NOT_FOUND, "Check the id, and that it belongs to the account of this API key."),
    (errors.RateLimitError, ExitCode.RATE_LIMIT, "Wait before you try again."),
    (errors.ServerError, ExitCode.SERVICE, "The service failed; try again later."),
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
    """Say what an error is on the command line."""
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
            where = f"{error.filename}: " if error.filename else ""
            failure = ErrorReport(ExitCode.FAILED, f"{where}{error.strerror or error}")
        case Exception() if (trouble := find_trouble(error)) is not None:
            failure = ErrorReport(ExitCode.USAGE, f"this command needs {advice(trouble, 'cli')}")
        case _:
            failure = ErrorReport(
                ExitCode.FAILED,
                f"Unexpected {type(error).__name__}: {error}",
                "This is a defect: run it again with --debug and report what it prints.",
            )
    return failure


def combined_exit_code(exits: Iterable[ExitCode]) -> ExitCode:
    """Give the exit code of several pieces of work: one that all share, else PARTIAL."""
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
    what, id_ = ("clip", error.clip_id) if error.clip_id else ("media", error.media_id)
    again = f"Wait again, and longer: contentgroove {what}s wait {id_} --timeout SECONDS" if id_ else ""
    return ErrorReport(
        ExitCode.TIMEOUT, f"{what.capitalize()} {id_} was not finished in time; processing goes on.", again
    )


def _response_text(error: errors.APIError) -> str:
    try:
        phrase = f" {HTTPStatus(error.status_code).phrase}"
    except ValueError:
        phrase = ""
    said = " ".join(_sentence(detail) for detail in error.errors)
    where = f" to {error.request}" if error.request else ""
    return f"The service answered {error.status_code}{phrase}{where}{': ' if said.strip() else '.'}{said}".rstrip()


def _sentence(detail: errors.ErrorDetail) -> str:
    text = (detail.detail or detail.title or detail.code or "").rstrip(".")
    place = f" (at {detail.pointer})" if detail.pointer else ""
    return f"{text}{place}." if text else ""
