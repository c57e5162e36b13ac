"""Presigned upload URLs: how they are made, and why a PUT to one is rejected, with S3's error codes.

The form follows AWS Signature Version 4 in the query (`X-Amz-…`), signed with HMAC-SHA256 over method, host, path
and query; the string to sign is not that of AWS.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from contentgroove_mock.simulator.core.records import Upload
from contentgroove_mock.simulator.core.store_errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.core.records import Ids, State

PATH = "/_uploads"
_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"


class PutRequest(NamedTuple):
    """The head of a PUT, by which it can be rejected before its body is read; headers by lower-case name."""

    host: str
    path: str
    query: str
    headers: Mapping[str, str]


# (assumed: upload-each-new)
def prepare(state: State, account: str, ids: Ids, policy: Policy, now: dt.datetime) -> Upload:
    """Create an upload, to which a file can be PUT once."""
    identifier = ids.uuid()
    signature = _hmac(state.secret, f"upload_id\n{identifier}")[:40]
    upload = Upload(
        id=identifier,
        account=account,
        upload_id=f"{identifier.replace('-', '')}--{signature}",
        expires_at=now + dt.timedelta(seconds=policy.upload_seconds),
    )
    state.uploads[identifier] = upload
    return upload


# (assumed: upload-url-s3, upload-url-week)
def signed_url(state: State, upload: Upload, origin: str, policy: Policy) -> str:
    """Return the URL of a prepared upload, for a PUT to the simulator at the origin: scheme, host and port."""
    path = f"{PATH}/{upload.id}"
    made_at = upload.expires_at - dt.timedelta(seconds=policy.upload_seconds)
    query = urlencode(
        {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Date": made_at.strftime(_TIME_FORMAT),
            "X-Amz-Expires": str(policy.upload_seconds),
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=quote,
    )
    signature = _signature(state.secret, origin.partition("://")[2], path, query)
    return f"{origin}{path}?{query}&X-Amz-Signature={signature}"


def check_put(state: State, put: PutRequest, policy: Policy, now: dt.datetime) -> tuple[Upload, int]:
    """Check the head of a PUT.

    Returns:
        The upload, and the number of bytes of the body.

    Raises:
        StoreError: The store rejects it.
    """
    # (assumed: put-key-refused, put-signature-checked, upload-url-expired-403, put-repeat-refused, put-type-refused,
    # put-without-type)
    _reject_second_credential(put)
    upload = _has_valid_signature(state, put)
    if now >= upload.expires_at:
        raise StoreError(403, "AccessDenied", "Request has expired")
    if upload.path is not None:
        raise StoreError(403, "AccessDenied", "This upload URL has been used")
    if "content-type" in put.headers:
        # S3 includes this header in its own signature, and the URL was signed without it.
        raise _signature_mismatch()
    return upload, _length(put, policy)


def check_complete(received: int, expected: int) -> None:
    """Raise a StoreError if a body does not have the length of its Content-Length."""
    if received != expected:
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header"
        raise StoreError(400, "IncompleteBody", message)


def _reject_second_credential(put: PutRequest) -> None:
    names = {name.lower() for name, _ in parse_qsl(put.query, keep_blank_values=True)}
    if "authorization" in put.headers or "x-api-key" in put.headers or "api_key" in names:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
            "string parameter or the Authorization header should be specified"
        )
        raise StoreError(400, "InvalidArgument", message)


def _has_valid_signature(state: State, put: PutRequest) -> Upload:
    signed, separator, signature = put.query.rpartition("&X-Amz-Signature=")
    if not separator:
        raise StoreError(403, "AccessDenied", "Access Denied")
    expected = _signature(state.secret, put.host, put.path, signed)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise _signature_mismatch()
    upload = state.uploads.get(put.path.removeprefix(f"{PATH}/"))
    if upload is None:
        raise StoreError(404, "NoSuchKey", "The specified key does not exist.")
    return upload


# (assumed: put-chunked-refused, upload-limit)
def _length(put: PutRequest, policy: Policy) -> int:
    if "transfer-encoding" in put.headers:
        raise StoreError(501, "NotImplemented", "A header you provided implies functionality that is not implemented")
    content_length = put.headers.get("content-length", "")
    if not content_length:
        raise StoreError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    if not (content_length.isascii() and content_length.isdigit()):
        raise StoreError(400, "BadRequest", "Content-Length is not a number")
    length = int(content_length)
    if length > policy.upload_limit:
        raise StoreError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size")
    return length


def _signature_mismatch() -> StoreError:
    message = "The request signature we calculated does not match the signature you provided. "
    return StoreError(403, "SignatureDoesNotMatch", message + "Check your key and signing method.")


def _signature(secret: str, host: str, path: str, query: str) -> str:
    return _hmac(secret, f"PUT\n{host}\n{path}\n{query}")


def _hmac(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
