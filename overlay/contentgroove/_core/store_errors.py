"""What the response of a file store means for an upload: try again, get a new URL, follow a redirect, or give up.

The service's example of an upload URL leads to Amazon S3; no response of its store was ever seen. So the codes of S3
are taken from the error responses in its API reference, and those of Google Cloud Storage and Azure Blob Storage, which
have presigned URLs as well, from theirs. A code that is not listed counts by its HTTP status.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec
from contentgroove_api.types import check_levels

from contentgroove.errors import RETRYABLE_STATUSES, UploadError

from .error_mapping import come_back, connection_advice
from .redaction import redact_text
from .responses import Response, TransportFailure
from .retries import requested_delay
from .settings import is_loopback

if TYPE_CHECKING:
    from contentgroove.errors import UploadErrorReason

# (assumed: store-redirects)
MAX_REDIRECTS = 3
"""How many redirects of one attempt are followed."""

_TAG = rb"<(?:\w{1,20}:)?(?:%b)(?:\s[^<>]{0,200})?>\s*(?:<!\[CDATA\[)?\s*"
"""The start of an XML element, as any writer may format it: with a prefix, attributes, on lines of its own."""

# (assumed: store-errors-xml, put-signature-checked)
_CODE = re.compile(_TAG % b"Code" + rb"([A-Za-z0-9.]{1,60})\s*(?:\]\]>\s*)?</")
_CODE_OF_HEADER = re.compile(r"[A-Za-z0-9.]{1,60}")
_MESSAGE = re.compile(_TAG % b"Message" + rb"([^<]{1,300})")
_ENDPOINT = re.compile(_TAG % b"Endpoint" + rb"([A-Za-z0-9.:-]{1,255})")
_UNSIGNED = re.compile(_TAG % b"HeadersNotSigned" + rb"([A-Za-z0-9-][A-Za-z0-9, -]{0,299})")
_DETAILS = re.compile(_TAG % b"Details|AuthenticationErrorDetail" + rb"([^<]{1,300})")
"""More about an error, of Google and of Azure; it may contain what was signed, so it is never shown."""


class Meaning(NamedTuple):
    """What an error response means.

    Attributes:
        reason: The reason of the `UploadError`; `unavailable` is retried after a delay, `expired` at once.
        advice: What the user reads after status and code.
    """

    reason: UploadErrorReason
    advice: str


_BUSY = Meaning("unavailable", "The store is overloaded or limits the rate of requests; upload again later.")
_FAILED = Meaning("unavailable", "The store failed; upload again later.")
_TOO_SLOW = Meaning("unavailable", "The store waited too long for the next bytes; check the network and upload again.")
_INCOMPLETE = Meaning("unavailable", "The store received only a part of the file; check the network and upload again.")
_CONFLICT = Meaning("unavailable", "Another request was changing the same object; upload again.")
_EXPIRED = Meaning("expired", "The upload URL expired before the file was uploaded; upload again.")
_SIGNATURE = Meaning("signature", "The upload URL was changed, or a header that was not signed was sent.")
_UNSIGNED_HEADER = Meaning(
    "signature",
    "A header was sent that the upload URL does not sign: remove it where it is added, in upload_http_client= or in a "
    "proxy.",
)
_TWO_CREDENTIALS = Meaning(
    "signature",
    "A credential was sent in addition to the upload URL's own: remove it where it is added, in upload_http_client= or "
    "in a proxy.",
)
_NO_LENGTH = Meaning(
    "refused",
    "The file arrived without its length: if a proxy sends it on in chunks, upload without that proxy.",
)
_CLOCK = Meaning(
    "clock",
    "The clocks of the store and of the service that signed the upload URL differ by too much; this machine's clock "
    "does not matter. Contact ContentGroove.",
)
_TOO_LARGE = Meaning("too_large", "The file is larger than the store accepts; shorten or compress it.")
_DIGEST = Meaning(
    "refused",
    "The store received other bytes than those the upload URL was signed for. If it happens again, contact "
    "ContentGroove.",
)
_EXISTS = Meaning("refused", "The upload URL allows no second upload to the same object; upload again for a new URL.")
_HEADER = Meaning(
    "refused",
    "The store requires a header that an upload to a presigned URL of S3 does not have, such as Azure's "
    "x-ms-blob-type. This version cannot upload to such a store; contact ContentGroove.",
)
_MOVED = Meaning(
    "redirect",
    "The store's bucket is at another address, for which the upload URL is not signed. If it happens again, contact "
    "ContentGroove.",
)
_NOT_FOLLOWED = Meaning(
    "redirect",
    "The store redirects to an address that is not followed: only https, at most "
    f"{MAX_REDIRECTS} times, and with a file that can be sent again from its start.",
)
_FAILED_FOR_GOOD = Meaning("refused", "The store failed; upload again later.")
_REFUSED = Meaning("refused", "Upload again; if it happens again, contact ContentGroove.")

_S3 = {
    "BadDigest": _DIGEST,
    "ConditionalRequestConflict": _CONFLICT,
    "EntityTooLarge": _TOO_LARGE,
    "ExpiredToken": _EXPIRED,
    "IncompleteBody": _INCOMPLETE,
    "InternalError": _FAILED,
    "InvalidAccessKeyId": _SIGNATURE,
    "InvalidDigest": _DIGEST,
    "MissingContentLength": _NO_LENGTH,
    "AuthorizationQueryParametersError": _SIGNATURE,
    "OperationAborted": _CONFLICT,
    "PermanentRedirect": _MOVED,
    "PreconditionFailed": _EXISTS,
    "RequestExpired": _EXPIRED,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestTimeout": _TOO_SLOW,
    "ServiceUnavailable": _BUSY,
    "SignatureDoesNotMatch": _SIGNATURE,
    "SlowDown": _BUSY,
    "TemporaryRedirect": _NOT_FOLLOWED,
    "XAmzContentSHA256Mismatch": _DIGEST,
}
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"""

_GOOGLE = {
    "MalformedSecurityHeader": _SIGNATURE,
    "TooManyRequests": _BUSY,
    "backendError": _FAILED,
    "internalError": _FAILED,
    "rateLimitExceeded": _BUSY,
    "uploadBrokenConnection": _INCOMPLETE,
    "userRateLimitExceeded": _BUSY,
}
"""https://cloud.google.com/storage/docs/xml-api/reference-status and .../json_api/v1/status-codes; as S3 otherwise."""

_AZURE = {
    "AuthenticationFailed": _SIGNATURE,
    "BlobAlreadyExists": _EXISTS,
    "ConditionNotMet": _EXISTS,
    "Md5Mismatch": _DIGEST,
    "MissingRequiredHeader": _HEADER,
    "OperationTimedOut": _FAILED,
    "RequestBodyTooLarge": _TOO_LARGE,
    "ServerBusy": _BUSY,
}
"""https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes; InternalError as S3."""

_MEANINGS: dict[str, Meaning] = {**_S3, **_GOOGLE, **_AZURE}

_STATUSES: dict[int, Meaning] = {
    HTTPStatus.MOVED_PERMANENTLY: _MOVED,
    HTTPStatus.TEMPORARY_REDIRECT: _NOT_FOLLOWED,
    HTTPStatus.CONFLICT: _CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: _EXISTS,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: _TOO_LARGE,
}
"""The meanings of other statuses without a code."""

_SENT_ONCE = "It cannot be rewound, so it was not sent again: pass a path or a seekable file to allow retries."

# (assumed: upload-url-expired-403)
_EXPIRED_TEXTS = ("expired", "not valid in the specified time frame")
"""What S3 (code AccessDenied) and Azure (code AuthenticationFailed) write if the time of a URL is over."""


# (assumed: put-header-refused, put-key-refused, put-chunked-refused)
_BY_TEXT = (
    ("AccessDenied", "headers present in the request which were not signed", _UNSIGNED_HEADER),
    ("InvalidArgument", "only one auth mechanism allowed", _TWO_CREDENTIALS),
    ("NotImplemented", "a header you provided implies functionality that is not implemented", _NO_LENGTH),
)
"""Codes that S3 uses for several errors, with the text by which one of them is recognised."""


class StoreError(NamedTuple):
    """An error response of a store.

    Attributes:
        code: The store's code, None if it sent none.
        message: Its message, empty if it sent none; it may contain credentials.
        details: More text, only to classify the error.
    """

    code: str | None
    message: str
    details: str = ""


def parse_store_error(response: Response) -> StoreError:
    """Read code and message from XML (S3, Google, Azure), JSON (Google, Azure) or the header that Azure adds."""
    content = response.content
    code = _search(_CODE, content)
    message, details = _search(_MESSAGE, content) or "", _search(_DETAILS, content) or ""
    header = response.headers.get("x-ms-error-code", "")
    if code is None and _CODE_OF_HEADER.fullmatch(header):
        code = header
    if code is None and content.lstrip()[:1] == b"{":
        return _parse_json(content)
    return StoreError(code, " ".join(message.split()), details)


def _search(pattern: re.Pattern[bytes], content: bytes) -> str | None:
    found = pattern.search(content)
    return None if found is None else found[1].decode("utf-8", "replace")


def _parse_json(content: bytes) -> StoreError:
    try:
        check_levels(content)
        error = _member(msgspec.json.decode(content), "error")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return StoreError(None, "")
    entries = _member(error, "errors")
    first = cast("list[object]", entries)[0] if isinstance(entries, list) and entries else None
    reason, message = _member(first, "reason") or _member(error, "code"), _member(error, "message")
    code = reason if isinstance(reason, str) and _CODE_OF_HEADER.fullmatch(reason) else None
    return StoreError(code, " ".join(message.split())[:300] if isinstance(message, str) else "")


def _member(value: object, name: str) -> object:
    return cast("dict[str, Any]", value).get(name) if isinstance(value, dict) else None


def classify(status: int, error: StoreError) -> Meaning:
    """Return what an error response means; without a known code its status decides."""
    meaning = _MEANINGS.get(error.code or "")
    text = f"{error.message} {error.details}".lower()
    for code, words, special in _BY_TEXT:
        if error.code == code and words in text:
            return special
    if (
        status == HTTPStatus.FORBIDDEN
        and (meaning is None or error.code == "AuthenticationFailed")
        and any(expired in text for expired in _EXPIRED_TEXTS)
    ):
        return _EXPIRED
    if meaning is not None:
        return meaning
    if status in RETRYABLE_STATUSES:
        return _FAILED
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _FAILED_FOR_GOOD
    return _STATUSES.get(status, _REFUSED)


def upload_error(
    outcome: Response | TransportFailure, file: str | None, now: float, *, rewindable: bool
) -> UploadError:
    """Create the error of a file that the store did not accept; `now` is seconds since 1970."""
    subject = file or "the data"
    if isinstance(outcome, TransportFailure):
        return _connection_error(outcome, subject, file, rewindable=rewindable)
    status = outcome.status_code
    error = parse_store_error(outcome)
    reason, advice = classify(status, error)
    if reason == "redirect" and (endpoint := _search(_ENDPOINT, outcome.content)) is not None:
        advice = f"{advice} Its address is {endpoint}."
    if advice == _UNSIGNED_HEADER.advice and (names := _search(_UNSIGNED, outcome.content)) is not None:
        advice = f"{advice} Not signed: {names}."
    retry_after = requested_delay(outcome.headers, now) if reason == "unavailable" else None
    if retry_after is not None:
        advice = f"{advice} {come_back(retry_after, now)}"
    if reason == "unavailable" and not rewindable:
        advice = f"{advice} {_SENT_ONCE}"
    message = f"({redact_text(error.message)})" if error.message else None
    details = " ".join(part for part in (f"{status}", error.code, message) if part)
    return UploadError(
        f"The store refused {subject}: {details}. {advice} No media was created.",
        reason=reason,
        file=file,
        status_code=status,
        code=error.code,
        retry_after=retry_after,
    )


def _connection_error(failure: TransportFailure, subject: str, file: str | None, *, rewindable: bool) -> UploadError:
    reason: UploadErrorReason = "connection"
    cause = failure.reason()
    text = f"The connection to the store failed while {subject} was sent ({cause})."
    if failure.kind == "source_changed":
        reason, text = "changed", f"{subject} changed while it was sent ({cause}). Upload it again once it is complete."
    elif failure.kind == "unreadable":
        reason, text = "unreadable", f"{subject} could not be read to its end ({cause})."
    elif not rewindable:
        text = f"{text} {_SENT_ONCE}"
    elif advice := connection_advice(failure):
        text = f"{text} {advice}"
    return UploadError(f"{text} No media was created.", reason=reason, file=file)


def paused_error(file: str | None, delay: float, now: float) -> UploadError:
    """Create the error of a file that was not sent, because the store requested a pause that is too long."""
    subject = file or "The data"
    return UploadError(
        f"{subject} was not sent: the store requested a pause. {come_back(delay, now)} No media was created.",
        reason="unavailable",
        file=file,
        retry_after=delay,
    )


def store_of(url: str) -> str:
    """Return scheme, host and port of an upload URL."""
    scheme, _, authority = "/".join(url.split("/", 3)[:3]).partition("//")
    return f"{scheme}//{authority.rpartition('@')[2]}"


def redirect_target(url: str, response: Response) -> str | None:
    """Return the URL to which a store redirects an upload, None if it does not or must not be followed.

    S3 redirects (307) while a new bucket's region is not yet in the domain name system; the request is sent again,
    with its body, to `Location`, which repeats the signed query. That query is valid there only if the signature does
    not cover the host or the store takes both for one; else the response is a 403. The URL is a credential, so it goes
    over https only, except inside this machine. The API key is in no request to a store.
    """
    location = response.headers.get("location")
    if response.status_code != HTTPStatus.TEMPORARY_REDIRECT or not location:
        return None
    try:
        origin, target = urlsplit(url), urlsplit(urljoin(url, location))
        host, _ = target.hostname or "", target.port
        is_local = origin.scheme == target.scheme == "http" and is_loopback(origin.hostname or "") and is_loopback(host)
    except ValueError:
        return None
    if not host or not host.isascii() or target.username is not None:
        return None
    if target.scheme != "https" and not is_local:
        return None
    return urlunsplit(target._replace(query=target.query or origin.query, fragment=""))
