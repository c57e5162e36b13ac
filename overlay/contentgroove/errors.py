"""All errors that the public API raises, each a subclass of `ContentGrooveError`.

The message states what happened, to which id or file, and what to do next. No error contains the API key: requests
appear as method and redacted URL only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ._error_protocols import ContractViolation, MediaCandidate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AuthenticationError",
    "BadRequestError",
    "CheckpointError",
    "CheckpointInUseError",
    "ConfigurationError",
    "ContentGrooveError",
    "ContractViolation",
    "ContractViolationError",
    "ErrorDetail",
    "InvalidInputError",
    "MediaCandidate",
    "MediaProcessingError",
    "MissingFieldError",
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
    """The request that an error belongs to, safe to log.

    Attributes:
        method: The HTTP method, in upper case.
        url: The URL with all credentials redacted.
    """

    method: str
    url: str

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


class ErrorDetail(Struct, frozen=True):
    """One entry of the `errors` list of an error response; an attribute is None if the service omitted it.

    The service uses four shapes (401, 402, 404 and 429 differ); this class covers them all.

    Attributes:
        title: A short summary of the kind of error.
        detail: What went wrong in this case; a 401 sends it as `message`.
        code: A machine-readable code, such as `exceeded_quota_count`.
        status: The status in the body, which can differ from the HTTP status (a 402 contains "422").
        pointer: A JSON pointer to the invalid part of the request.
    """

    title: str | None = None
    detail: str | None = None
    code: str | None = None
    status: str | None = None
    pointer: str | None = None


class ContentGrooveError(Exception):
    """Base class of all errors of this library.

    Attributes:
        message: What happened and what to do next.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process pools and test workers, and the default calls the class with `args` only, which fails
        # where keyword arguments are required.
        return type(self).__new__, (type(self), *self.args), self.__dict__


class ConfigurationError(ContentGrooveError):
    """The client cannot work as configured: no key, an unsafe URL, used after close, a missing extra."""


class InvalidInputError(ContentGrooveError, ValueError):
    """An argument is invalid. Nothing was sent."""


class CheckpointInUseError(InvalidInputError):
    """Another upload is using the checkpoint, in this process, another one, or on another machine. Nothing was sent.

    Attributes:
        holder: The process, its host, and since when it uses the checkpoint; None if that is unknown.
    """

    def __init__(self, message: str, *, holder: str | None) -> None:
        super().__init__(message)
        self.holder = holder


class PagingError(ContentGrooveError):
    """The service's pages have no end, or their links are not usable. The items returned so far are valid."""


class APIConnectionError(ContentGrooveError):
    """The service could not be reached, or the connection broke before the response was complete.

    Attributes:
        request: The request, redacted.
    """

    def __init__(self, message: str, *, request: RequestInfo | None = None) -> None:
        super().__init__(message)
        self.request = request


class APITimeoutError(APIConnectionError):
    """The service did not respond within the timeout."""


class OutcomeUnknownError(ContentGrooveError):
    """A request that creates or changes something was sent, but its outcome is unknown.

    The request was not retried, because creating a media twice is charged twice. Check whether it took effect before
    you send it again.

    Attributes:
        request: The request, redacted; None if an earlier process sent it.
        upload_id: The `upload_id` of the upload whose media was to be created; None if it was not about an upload.
        candidates: For an upload, the `Media`s that its media may be: those without a `source_url` and with a
            compatible name that the list shows as created since the upload was prepared. Resemblance proves
            nothing, and its own may be missing: a list can show a new media late.
        checkpoint: The path of the upload's checkpoint, for `client.medias.resolve`; None if it has none.
    """

    # Defaults of the class: the sub-class that is also a ServerError does not call this constructor.
    upload_id: str | None = None
    candidates: tuple[MediaCandidate, ...] = ()
    checkpoint: str | None = None

    def __init__(
        self,
        message: str,
        *,
        request: RequestInfo | None = None,
        upload_id: str | None = None,
        candidates: Sequence[MediaCandidate] = (),
        checkpoint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.request = request
        self.upload_id = upload_id
        self.candidates = tuple(candidates)
        self.checkpoint = checkpoint


class APIError(ContentGrooveError):
    """The service responded with an error status.

    Attributes:
        status_code: The HTTP status.
        errors: The entries of the body's `errors` list; empty if the body has none.
        headers: The response's headers.
        request: The request, redacted.
        body: The start of the response's body as text, for diagnosis (at most 2,000 characters).
        retryable: True if the same call can succeed later.
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
        """True if the same call can succeed later."""
        return self.status_code in RETRYABLE_STATUSES


# Numbers, because importing `http` would delay applications that only receive webhooks.
RETRYABLE_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
"""Request timeout, too many requests, and the temporary failures of servers and gateways."""


class BadRequestError(APIError):
    """400: the service could not parse the request's JSON."""


class AuthenticationError(APIError):
    """401: the API key is missing, wrong or not allowed to do this."""


class QuotaExceededError(APIError):
    """402: the account's usage limit is reached; retrying does not help until it is raised."""


class NotFoundError(APIError):
    """404: the account has no such resource."""


class UnprocessableEntityError(APIError):
    """422: the service understood the request but rejected its values."""


class RateLimitError(APIError):
    """429: too many requests in the current window. The message says when to try again if the service did.

    Attributes:
        retry_after: Seconds to wait, as requested by the service, fractions included; None if it did not state any.
            If the call was not sent, because of a pause that the service requested earlier or because of the client's
            `rate_limit=`: the seconds until its turn.
    """

    retry_after: float | None = None


class ServerError(APIError):
    """5xx: the service failed; the request may be valid."""


class ServerOutcomeUnknownError(ServerError, OutcomeUnknownError):
    """5xx in response to a request that creates something: it may have been created."""

    @property
    def retryable(self) -> bool:
        """False: the same call may create the same resource twice, so check for the result first."""
        return False


class ResponseDecodeError(ContentGrooveError):
    """The response has a success status, but its body does not match the contract.

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


class MissingFieldError(ResponseDecodeError, AttributeError):
    """An attribute of a model was read that the service omitted or sent as null or another type, against its contract.

    The attributes that are not in the model's `missing` can be read. This is an AttributeError, too, so that
    `getattr(media, "name", None)` and `hasattr` work.

    Attributes:
        model: The name of the model's class, such as `Media`.
        resource_id: The resource's id.
        field: The name of the attribute.
        reason: What is wrong with it, such as `attributes.name is null`.
    """

    def __init__(self, message: str, *, model: str, resource_id: str, field: str, reason: str) -> None:
        super().__init__(message, status_code=200)
        self.model = model
        self.resource_id = resource_id
        self.field = field
        self.reason = reason


UploadErrorReason = Literal[
    "missing", "not_a_file", "empty", "too_large", "not_audio_or_video", "unreadable", "changed", "expired",
    "signature", "clock", "redirect", "unavailable", "refused", "connection",
]  # fmt: skip
"""More values may be added: treat one that you do not know like `refused`."""


class UploadError(ContentGrooveError):
    """A file was not uploaded. No media was created.

    Attributes:
        reason: The cause: the file (`missing`, `not_a_file`, `empty`, `too_large`, `not_audio_or_video`,
            `unreadable`, `changed`), the upload URL (`expired`, `signature`, `clock` if the clocks of its signer and
            the store differ, `redirect` if it leads elsewhere), the store (`unavailable` if it failed or is overloaded
            for now, `too_large`, `refused` for anything else) or the `connection`.
        file: The file's name; None if the source has none.
        status_code: The store's HTTP status; None if it did not respond.
        code: The store's own error code, such as `AccessDenied`; None if it sent none.
        retry_after: Seconds to wait, as requested by the store; None if it did not request any.
        retryable: True if the same upload can succeed later.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: UploadErrorReason,
        file: str | None = None,
        status_code: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason: UploadErrorReason = reason
        self.file = file
        self.status_code = status_code
        self.code = code
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        """True if the same upload can succeed later."""
        if self.reason in {"expired", "unavailable", "connection"}:
            return True
        return self.status_code in RETRYABLE_STATUSES


class CheckpointError(ContentGrooveError):
    """An upload was stopped because its checkpoint could not be written; the message states what the next call does.

    Attributes:
        checkpoint: The path of the checkpoint, or in a database its key or job.
        media_id: The media's id if it was created; None if it was not.
        taken_over: Whether another process has taken the upload over, because this one did not renew its claim.
    """

    def __init__(self, message: str, *, checkpoint: str, media_id: str | None = None, taken_over: bool = False) -> None:
        super().__init__(message)
        self.checkpoint = checkpoint
        self.media_id = media_id
        self.taken_over = taken_over


class MediaProcessingError(ContentGrooveError):
    """The service could not process a media, such as one whose `source_url` it could not fetch.

    Attributes:
        media_id: The media's id.
    """

    def __init__(self, message: str, *, media_id: str) -> None:
        super().__init__(message)
        self.media_id = media_id


class WaitTimeoutError(ContentGrooveError):
    """Processing did not finish before the timeout. It continues: wait again with the same id.

    Attributes:
        media_id: The id of the awaited media, or of the awaited clip's media; None if it is unknown.
        clip_id: The id of the awaited clip; None if a media was awaited.
    """

    def __init__(self, message: str, *, media_id: str | None, clip_id: str | None = None) -> None:
        super().__init__(message)
        self.media_id = media_id
        self.clip_id = clip_id


class WebhookPayloadError(ContentGrooveError):
    """A webhook's body is not an event: not JSON, not an object, or without a required member."""


class WebhookAuthError(ContentGrooveError):
    """A webhook was received without the secret token of the subscribed URL, or with a wrong one."""


class ContractViolationError(ContentGrooveError):
    """An exchange does not match the API's document (`on_contract_violation="raise"`).

    The call itself may have succeeded; what it created still exists.

    Attributes:
        violations: The violations, in the order in which they were found.
    """

    _MAX_LISTED = 10

    def __init__(self, violations: Sequence[ContractViolation]) -> None:
        self.violations = tuple(violations)
        count = len(self.violations)
        lines = "".join(f"\n  {violation}" for violation in self.violations[: self._MAX_LISTED])
        if count > self._MAX_LISTED:
            lines += f"\n  … and {count - self._MAX_LISTED} more"
        super().__init__(f"The exchange violates the contract ({count} violation{'' if count == 1 else 's'}):{lines}")
