"""Exit codes, and the message for each error."""

from __future__ import annotations

import re
import shlex
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple, Self

from contentgroove import errors
from contentgroove._extras import advice, find_trouble

if TYPE_CHECKING:
    from collections.abc import Iterable


class ExitCode(IntEnum):
    """The exit codes, each with its text in --help."""

    meaning: str

    def __new__(cls, value: int, meaning: str) -> Self:
        """Create a member."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    OK = 0, "success"
    FAILED = 1, "any other failure"
    USAGE = 2, "wrong usage; nothing was sent"
    AUTH = 3, "no API key, or the service rejects it (401)"
    NOT_FOUND = 4, "no such media, clip or subscription (404)"
    QUOTA = 5, "the account's usage limit is reached (402)"
    RATE_LIMIT = 6, "too many requests (429)"
    NETWORK = 7, "cannot reach the service or the file store"
    PROCESSING_FAILED = 8, "the service could not process the media"
    TIMEOUT = 9, "processing was not finished in time; it continues"
    REFUSED = 10, "the service rejected the request (400, 422 and others)"
    SERVICE = 11, "the service failed (5xx) or its response is unreadable"
    FILE = 12, "the file cannot be read or uploaded"
    OUTCOME_UNKNOWN = 13, "something may have been created; check before you repeat it"
    PARTIAL = 14, "some of several items failed"
    INTERRUPTED = 130, "interrupted (Ctrl-C)"
    CLOSED_PIPE = 141, "the output pipe was closed"

    @property
    def kind(self) -> str:
        """The name in JSON output."""
        return self.name.lower()


class ErrorReport(NamedTuple):
    """An error as it is shown; the hint is what to do next, if the message does not say it."""

    exit: ExitCode
    message: str
    hint: str = ""


class CommandError(Exception):
    """A command cannot continue, for a reason that is not an error of the library."""

    def __init__(self, exit_code: ExitCode, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.failure = ErrorReport(exit_code, message, hint)


_BASE_URL = "--base-url or CONTENTGROOVE_BASE_URL"
_AS_OPTIONS = {
    "base_url": _BASE_URL,
    "checkpoint_dir": "--checkpoint-dir",
    "page_size": "--page-size",
    "start_time": "--start",
    "end_time": "--end",
    "source_url": "SOURCE-URL",
}

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
    (errors.ContentGrooveError, ExitCode.FAILED, ""),
)


def describe_error(error: BaseException, job: str | None = None) -> ErrorReport:
    """Return the exit code, message and hint of an error."""
    match error:
        case CommandError():
            failure = error.failure
        case errors.WaitTimeoutError():
            failure = _timeout_report(error)
        case errors.UploadError():
            lost = error.reason == "connection" and error.status_code is None
            failure = ErrorReport(ExitCode.NETWORK if lost else ExitCode.FILE, error.message)
        case errors.OutcomeUnknownError(checkpoint=str() as checkpoint):
            path = shlex.quote(checkpoint)
            command = f"medias resolve {path}" if job is None else f"medias resolve {path} --job {shlex.quote(job)}"
            hint = f"Settle it: contentgroove {command} --media MEDIA-ID, or --not-created; then upload again."
            failure = ErrorReport(ExitCode.OUTCOME_UNKNOWN, error.message, hint)
        case errors.ContentGrooveError():
            message = _response_text(error) if isinstance(error, errors.APIError) else _as_options(error.message)
            code, hint = next((code, hint) for kind, code, hint in _EXITS if isinstance(error, kind))
            if isinstance(error, errors.NotFoundError) and error.request and _has_no_id(error.request):
                from contentgroove._core.settings import DEFAULT_BASE_URL

                hint = f"Check {_BASE_URL}: that of the service is {DEFAULT_BASE_URL}."
            failure = ErrorReport(code, message, hint)
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


def _has_no_id(request: errors.RequestInfo) -> bool:
    """Whether a request names nothing that may be missing: what does not exist is then the service itself."""
    collection = request.url.partition("?")[0].rpartition("/")[2]
    # A new clip names its media.
    return collection in {"medias", "webhook_subscriptions"} or (collection == "clips" and request.method == "GET")


def _as_options(message: str) -> str:
    """Name the parameters of the library as users of the command line know them."""
    return re.sub(rf"^url\b|\b(?:{'|'.join(_AS_OPTIONS)})\b", lambda found: _AS_OPTIONS.get(found[0], "URL"), message)


def combined_exit_code(exits: Iterable[ExitCode]) -> ExitCode:
    """Return the exit code that all items share, else PARTIAL."""
    distinct = set(exits) or {ExitCode.OK}
    return distinct.pop() if len(distinct) == 1 else ExitCode.PARTIAL


def _timeout_report(error: errors.WaitTimeoutError) -> ErrorReport:
    subject, id_ = ("clip", error.clip_id) if error.clip_id else ("media", error.media_id)
    hint = f"Wait longer: contentgroove {subject}s wait {id_} --timeout SECONDS" if id_ else ""
    message = f"{subject.capitalize()} {id_} was not finished in time. Processing continues."
    return ErrorReport(ExitCode.TIMEOUT, message, hint)


def _response_text(error: errors.APIError) -> str:
    from contentgroove._core.error_mapping import detail_sentence, reason_phrase

    status = f"{error.status_code} {reason_phrase(error.status_code)}".rstrip()
    text = " ".join(map(detail_sentence, error.errors))
    request = f" for {error.request}" if error.request else ""
    return f"The service returned {status}{request}{': ' if text.strip() else '.'}{text}".rstrip()
