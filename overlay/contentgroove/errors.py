"""Every error that leaves the public API, all below `ContentGrooveError`.

An error's message says what happened, to which id or file, and what to do next. No error carries the API
key: requests appear as method and redacted URL only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "CheckpointError",
    "ConfigurationError",
    "ContentGrooveError",
    "ContractViolation",
    "ContractViolationError",
    "ErrorDetail",
    "InvalidInputError",
    "MediaProcessingError",
    "NotFoundError",
    "OutcomeUnknownError",
    "PagingError",
    "QuotaExceededError",
    "RateLimitError",
    "RequestInfo",
    "ResponseDecodeError",
    "ServerError",
    "ServerOutcomeUnknownError",
    "UnprocessableEntityError",
    "UploadError",
    "UploadErrorReason",
    "WaitTimeoutError",
    "WebhookAuthError",
    "WebhookPayloadError",
]


class RequestInfo(Struct, frozen=True):
    """The request an error belongs to, safe to log.

    Attributes:
        method: The HTTP method, upper case.
        url: The URL with every credential in it replaced.
    """

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class ErrorDetail(Struct, frozen=True):
    """One entry of an error answer's `errors` list; what the service left out is None.

    The service uses four shapes (401, 402, 404 and 429 differ); all fit here.

    Attributes:
        title: A short summary of the kind of error.
        detail: What went wrong in this case; a 401 sends it as `message`.
        code: A code for programs, such as `exceeded_quota_count`.
        status: The status the body names, which can differ from the HTTP status (402 says "422").
        pointer: A JSON pointer to the part of the request that is wrong.
    """

    title: str | None = None
    detail: str | None = None
    code: str | None = None
    status: str | None = None
    pointer: str | None = None


class ContentGrooveError(Exception):
    """The base of all errors of this library.

    Attributes:
        message: What happened and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # The default calls the class with `args` alone, which fails where other arguments are required:
        # errors cross process pools and test workers.
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    error_class: type[ContentGrooveError], args: tuple[object, ...], state: dict[str, object]
) -> ContentGrooveError:
    error = error_class.__new__(error_class, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(ContentGrooveError):
    """A client cannot work as it is set up: no key, an unsafe URL, used after close, a missing extra."""


class InvalidInputError(ContentGrooveError, ValueError):
    """An argument is wrong; nothing was sent."""


class PagingError(ContentGrooveError):
    """The service's paging links lead in a circle or are no links; items already given stay valid."""


class APIConnectionError(ContentGrooveError):
    """The service could not be reached, or the connection broke before a whole answer came.

    Attributes:
        request: The request, redacted.
    """

    def __init__(self, message: str, *, request: RequestInfo | None = None) -> None:
        super().__init__(message)
        self.request = request


class APITimeoutError(APIConnectionError):
    """The service did not answer within the timeout."""


class OutcomeUnknownError(ContentGrooveError):
    """A request that creates or changes something was sent, and whether it took effect is not known.

    It was not repeated, because creating a media twice is paid for twice. Look for the result before sending
    the request again.

    Attributes:
        request: The request, redacted.
    """

    def __init__(self, message: str, *, request: RequestInfo | None = None) -> None:
        super().__init__(message)
        self.request = request


class APIError(ContentGrooveError):
    """The service answered with an error status.

    Attributes:
        status_code: The HTTP status.
        errors: The entries of the body's `errors` list, empty if the body has none.
        headers: The answer's headers.
        request: The request, redacted.
        body: The start of the answer's body as text, for diagnosis (at most 2,000 characters).
        retryable: Whether the same call can succeed later without a change to it.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        errors: Sequence[ErrorDetail] = (),
        headers: Mapping[str, str] | None = None,
        request: RequestInfo | None = None,
        body: str = "",
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.errors = tuple(errors)
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.request = request
        self.body = body

    @property
    def retryable(self) -> bool:
        """Whether the same call can succeed later without a change to it."""
        return self.status_code in RETRYABLE_STATUSES


# Request timeout, too many requests, and what a gateway says of a server that cannot answer now; numbers, because
# whoever only reads webhooks would wait for `http` to be imported.
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class BadRequestError(APIError):
    """400: the service could not read the request's JSON."""


class AuthenticationError(APIError):
    """401: the API key is missing, wrong or not allowed to do this."""


class QuotaExceededError(APIError):
    """402: the account's usage limit is reached; trying again does not help before that changes."""


class NotFoundError(APIError):
    """404: no such resource for this account."""


class UnprocessableEntityError(APIError):
    """422: the service read the request and refuses its values."""


class RateLimitError(APIError):
    """429: too many requests in the current window.

    Attributes:
        retry_after: Seconds to wait as the service asked, None if it did not say.
    """

    retry_after: float | None = None


class ServerError(APIError):
    """5xx: the request may be fine, and the service failed."""


class ServerOutcomeUnknownError(ServerError, OutcomeUnknownError):
    """5xx in answer to a request that creates something: it may have been created all the same."""

    @property
    def retryable(self) -> bool:
        """False: the same call may create the same thing twice, so look for the result first."""
        return False


class ResponseDecodeError(ContentGrooveError):
    """The service answered with success, and the body is not what the contract says.

    Attributes:
        status_code: The HTTP status.
        request: The request, redacted.
        body: The start of the body as text, for diagnosis (at most 2,000 characters).
    """

    def __init__(self, message: str, *, status_code: int, request: RequestInfo | None = None, body: str = "") -> None:
        super().__init__(message)
        self.status_code = status_code
        self.request = request
        self.body = body


UploadErrorReason = Literal[
    "missing",
    "not_a_file",
    "empty",
    "too_large",
    "not_audio_or_video",
    "unreadable",
    "changed",
    "expired",
    "signature",
    "refused",
    "connection",
]


class UploadError(ContentGrooveError):
    """A file was not uploaded. No media was created of it.

    Attributes:
        reason: What kept it: the file (`missing`, `not_a_file`, `empty`, `too_large`, `not_audio_or_video`,
            `unreadable`, `changed`), the store (`expired`, `signature`, `refused`, `too_large`) or the
            `connection`.
        file: The file's name, None if the source has none.
        status_code: The store's HTTP status, None if it did not answer.
        code: The store's own error code, such as `AccessDenied`, None if it gave none.
        retryable: Whether the same upload can succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: UploadErrorReason,
        file: str | None = None,
        status_code: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.reason: UploadErrorReason = reason
        self.file = file
        self.status_code = status_code
        self.code = code

    @property
    def retryable(self) -> bool:
        """Whether the same upload can succeed later."""
        if self.reason in {"expired", "connection"}:
            return True
        return self.status_code in RETRYABLE_STATUSES


class CheckpointError(ContentGrooveError):
    """An upload could not write down how far it is, and was left there; its message says what a next call does.

    Attributes:
        checkpoint: The checkpoint's file.
        media_id: The media, if it was created all the same; None if it was not.
    """

    def __init__(self, message: str, *, checkpoint: str, media_id: str | None = None) -> None:
        super().__init__(message)
        self.checkpoint = checkpoint
        self.media_id = media_id


class MediaProcessingError(ContentGrooveError):
    """The service could not process a media, such as one whose `source_url` it could not fetch.

    Attributes:
        media_id: The media.
    """

    def __init__(self, message: str, *, media_id: str) -> None:
        super().__init__(message)
        self.media_id = media_id


class WaitTimeoutError(ContentGrooveError):
    """Processing did not finish within the time to wait. It goes on: wait again with the same id.

    Attributes:
        media_id: The media that was waited for, or whose clip was; None if it is not known.
        clip_id: The clip that was waited for, None if it was a media.
    """

    def __init__(self, message: str, *, media_id: str | None, clip_id: str | None = None) -> None:
        super().__init__(message)
        self.media_id = media_id
        self.clip_id = clip_id


class WebhookPayloadError(ContentGrooveError):
    """A webhook's body is not an event: not JSON, not an object, or without what an event must have."""


class WebhookAuthError(ContentGrooveError):
    """A webhook came without the secret token of the subscribed URL, or with a wrong one."""


class ContractViolation(Protocol):
    """One place where an exchange is not what the API's document says; its `str` is one line to read."""

    @property
    def operation(self) -> str | None:
        """The operationId; None where no operation fits."""
        ...

    @property
    def location(self) -> str:
        """Where, such as `request.query.limit` or `response.body#/data/attributes/name`."""
        ...

    @property
    def rule(self) -> str:
        """What kind of rule is broken, such as `undeclared-field` or `enum`."""
        ...

    @property
    def message(self) -> str:
        """What the document says."""
        ...

    @property
    def actual(self) -> str:
        """What was there instead, shortened and without credentials."""
        ...


class ContractViolationError(ContentGrooveError):
    """An exchange is not what the API's document says (`on_contract_violation="raise"`).

    The call itself may have succeeded: what it created is there.

    Attributes:
        violations: What is wrong.
    """

    _LISTED = 10

    def __init__(self, violations: Sequence[ContractViolation]) -> None:
        self.violations = tuple(violations)
        count = len(self.violations)
        lines = "".join(f"\n  {violation}" for violation in self.violations[: self._LISTED])
        if count > self._LISTED:
            lines += f"\n  … and {count - self._LISTED} more"
        super().__init__(f"The contract is broken in {count} place{'' if count == 1 else 's'}:{lines}")
