"""What a failure is called on the command line: exit codes, and the words for people."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from contentgroove import errors
from contentgroove._extras import advice, find_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
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


MEANINGS: dict[Exit, str] = {
    Exit.OK: "all went through",
    Exit.FAILED: "anything not below",
    Exit.USAGE: "wrong usage; nothing was sent",
    Exit.AUTH: "no API key, or the service refuses it (401)",
    Exit.NOT_FOUND: "no such media, clip or subscription (404)",
    Exit.QUOTA: "the account's usage limit is reached (402)",
    Exit.RATE_LIMIT: "too many requests (429)",
    Exit.NETWORK: "the service or the file store could not be reached",
    Exit.PROCESSING_FAILED: "the service could not process the media",
    Exit.TIMEOUT: "processing was not finished in time; it goes on",
    Exit.REFUSED: "the service refused the request (400, 422 and others)",
    Exit.SERVICE: "the service failed (5xx) or its answer was unreadable",
    Exit.FILE: "the file cannot be uploaded",
    Exit.OUTCOME_UNKNOWN: "something may have been created; look before you repeat",
    Exit.PARTIAL: "of several, some failed",
    Exit.INTERRUPTED: "interrupted (Ctrl-C)",
    Exit.CLOSED_PIPE: "the reader of the output went away",
}


class Failure(NamedTuple):
    """A failure as it is shown.

    Attributes:
        exit: Its exit code.
        message: What happened.
        hint: What to do next; empty if the message says it.
    """

    exit: Exit
    message: str
    hint: str = ""


class CommandError(Exception):
    """A command cannot go on, for a reason of its own.

    Attributes:
        failure: What is shown.
    """

    def __init__(self, exit_code: Exit, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.failure = Failure(exit_code, message, hint)


# Searched in this order: a lost answer of a POST is a ServerError, too, and what matters is that it may have worked.
_EXITS: tuple[tuple[type[BaseException], Exit, str], ...] = (
    (errors.OutcomeUnknownError, Exit.OUTCOME_UNKNOWN, "Look for the result, such as by a list, before you repeat it."),
    (errors.AuthenticationError, Exit.AUTH, "Check the API key: contentgroove --help says where it is read from."),
    (errors.QuotaExceededError, Exit.QUOTA, "See your usage at https://app.contentgroove.com/quota_usage."),
    (errors.NotFoundError, Exit.NOT_FOUND, "Check the id, and that it belongs to the account of this API key."),
    (errors.RateLimitError, Exit.RATE_LIMIT, "Wait before you try again."),
    (errors.ServerError, Exit.SERVICE, "The service failed; try again later."),
    (errors.APIError, Exit.REFUSED, "Correct the values and try again."),
    (errors.APIConnectionError, Exit.NETWORK, ""),
    (errors.ResponseDecodeError, Exit.SERVICE, "If it happens again, report it with the output of --debug."),
    (errors.PagingError, Exit.SERVICE, ""),
    (errors.ContractViolationError, Exit.SERVICE, ""),
    (errors.MediaProcessingError, Exit.PROCESSING_FAILED, ""),
    (errors.InvalidInputError, Exit.USAGE, ""),
    (errors.ConfigurationError, Exit.USAGE, ""),
)


def failure_of(error: BaseException) -> Failure:
    """Say what an error is on the command line."""
    match error:
        case CommandError():
            failure = error.failure
        case errors.WaitTimeoutError():
            failure = _not_finished(error)
        case errors.UploadError():
            lost = error.reason == "connection" and error.status_code is None
            failure = Failure(Exit.NETWORK if lost else Exit.FILE, error.message)
        case errors.ContentGrooveError():
            failure = _of_library(error)
        case OSError():
            where = f"{error.filename}: " if error.filename else ""
            failure = Failure(Exit.FAILED, f"{where}{error.strerror or error}")
        case Exception() if (trouble := find_trouble(error)) is not None:
            failure = Failure(Exit.USAGE, f"this command needs {advice(trouble, 'cli')}")
        case _:
            failure = Failure(
                Exit.FAILED,
                f"Unexpected {type(error).__name__}: {error}",
                "This is a defect: run it again with --debug and report what it prints.",
            )
    return failure


def exit_of_all(exits: Iterable[Exit]) -> Exit:
    """Give the exit code of several pieces of work: one that all share, else PARTIAL."""
    found = set(exits)
    if not found:
        return Exit.OK
    return found.pop() if len(found) == 1 else Exit.PARTIAL


def _of_library(error: errors.ContentGrooveError) -> Failure:
    for kind, code, hint in _EXITS:
        if isinstance(error, kind):
            return Failure(code, _answer(error) if isinstance(error, errors.APIError) else error.message, hint)
    return Failure(Exit.FAILED, error.message)


def _not_finished(error: errors.WaitTimeoutError) -> Failure:
    what, id_ = ("clip", error.clip_id) if error.clip_id else ("media", error.media_id)
    again = f"Wait again, and longer: contentgroove {what}s wait {id_} --timeout SECONDS" if id_ else ""
    return Failure(Exit.TIMEOUT, f"{what.capitalize()} {id_} was not finished in time; processing goes on.", again)


def _answer(error: errors.APIError) -> str:
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
