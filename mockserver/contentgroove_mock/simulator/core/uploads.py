"""Presigned upload URLs: how they are made, and why a request to one is rejected, with S3's error codes.

The form follows AWS Signature Version 4 in the query (`X-Amz-…`), signed with HMAC-SHA256 over method, host, path,
query and the further signed headers; the string to sign is not that of AWS.

What S3 accepts and rejects is taken from its documentation (docs.aws.amazon.com/AmazonS3/latest: "Download and upload
objects with presigned URLs", "Error responses"), and where that is silent from responses of S3 that others recorded:
LocalStack's tests/aws/services/s3/test_s3.snapshot.json, which its tests write with AWS, and issues of AWS's SDKs. The
ledger names the source of each.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from contentgroove_mock.simulator.core.records import Upload
from contentgroove_mock.simulator.core.store_errors import StoreError, error_by_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.core.records import Ids, State

PATH = "/_uploads"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods to which the store responds; upload URLs are signed for PUT."""
_ALGORITHM = "AWS4-HMAC-SHA256"
_TIME_FORMAT = "%Y%m%dT%H%M%SZ"
_PARAMETERS = frozenset({"X-Amz-Algorithm", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"})
_MD5_BYTES = 16


class StoreRequest(NamedTuple):
    """The head of a request, by which it can be rejected before its body is read; headers by lower-case name."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]


# (assumed: upload-each-new)
def prepare(state: State, account: str, ids: Ids, policy: Policy, now: dt.datetime) -> Upload:
    """Create an upload, to which a file can be PUT until it expires."""
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
    headers = {name.lower(): value for name, value in policy.upload_headers.items()}
    query = _canonical(
        {
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Date": made_at.strftime(_TIME_FORMAT),
            "X-Amz-Expires": str(policy.upload_seconds),
            "X-Amz-SignedHeaders": ";".join(sorted(["host", *headers])),
        }
    )
    request = StoreRequest("PUT", origin.partition("://")[2], path, query, headers)
    return f"{origin}{path}?{query}&X-Amz-Signature={_signature(state.secret, request, query, headers)}"


def check_request(state: State, request: StoreRequest, policy: Policy, now: dt.datetime) -> tuple[Upload, int]:
    """Check the head of a request to an upload URL, which must be a PUT.

    Returns:
        The upload, and the number of bytes of the body.

    Raises:
        StoreError: The store rejects it.
    """
    # (assumed: put-key-refused, put-signature-checked, put-other-method-refused, put-header-refused, put-type-taken,
    # put-without-type, upload-url-expired-403, put-digest-checked)
    _reject_method(request)
    _reject_second_credential(request)
    upload = _signed_upload(state, request)
    if now >= upload.expires_at:
        raise expired(upload, policy, now)
    _declared_digest(request)
    return upload, _length(request, policy)


# (assumed: upload-url-expired-403)
def expired(upload: Upload, policy: Policy, now: dt.datetime) -> StoreError:
    """Create the error of a URL that has expired."""
    return error_by_code(
        "s3",
        "AccessDenied",
        message="Request has expired",
        elements={
            "X-Amz-Expires": str(policy.upload_seconds),
            "Expires": f"{upload.expires_at:%Y-%m-%dT%H:%M:%SZ}",
            "ServerTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        },
    )


def check_body(request: StoreRequest, received: int, expected: int, digest: bytes) -> None:
    """Raise a StoreError if a body does not have the length and the MD5 digest that its head declares."""
    if received != expected:
        raise error_by_code("s3", "IncompleteBody")
    declared = _declared_digest(request)
    if declared is not None and declared != digest:
        elements = {"ExpectedDigest": declared.hex(), "CalculatedDigest": base64.b64encode(digest).decode()}
        raise error_by_code("s3", "BadDigest", elements=elements)


def etag(digest: bytes) -> str:
    """Return the ETag of a stored file, which S3 gives the MD5 digest of a file that was sent by one PUT."""
    return f'"{digest.hex()}"'


def _reject_method(request: StoreRequest) -> None:
    if request.method == "OPTIONS":
        elements = {"Method": request.headers.get("access-control-request-method", request.method)}
        raise error_by_code("s3", "AccessForbidden", elements={**elements, "ResourceType": "BUCKET"})
    if request.method == "PATCH":
        elements = {"Method": request.method, "ResourceType": "OBJECT"}
        raise error_by_code("s3", "MethodNotAllowed", elements=elements)


def _reject_second_credential(request: StoreRequest) -> None:
    names = {name.lower() for name, _ in parse_qsl(request.query, keep_blank_values=True)}
    # S3 itself ignores an X-API-KEY header; here its rejection shows that a client has sent its key to the store.
    if "authorization" in request.headers or "x-api-key" in request.headers or "api_key" in names:
        message = (
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query "
            "string parameter or the Authorization header should be specified"
        )
        raise error_by_code("s3", "InvalidArgument", message=message)


def _signed_upload(state: State, request: StoreRequest) -> Upload:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if not any(name.lower().startswith("x-amz-") for name in query):
        raise error_by_code("s3", "AccessDenied")
    if not query.keys() >= _PARAMETERS:
        raise error_by_code("s3", "AuthorizationQueryParametersError")
    signature = query.pop("X-Amz-Signature")
    names = set(query["X-Amz-SignedHeaders"].split(";"))
    _reject_unsigned_headers(request, names)
    headers = {name: request.headers.get(name, "") for name in names - {"host"}}
    expected = _signature(state.secret, request, _canonical(query), headers)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape")):
        raise error_by_code("s3", "SignatureDoesNotMatch")
    upload = state.uploads.get(request.path.removeprefix(f"{PATH}/"))
    if upload is None:
        raise error_by_code("s3", "NoSuchKey")
    return upload


def _reject_unsigned_headers(request: StoreRequest, signed: set[str]) -> None:
    """Reject the headers that S3 takes only if they are signed; it takes others, such as Content-Type, in any case."""
    content = "x-amz-content-sha256"
    strict = {name for name in request.headers if name.startswith("x-amz-") or name == "content-md5"}
    unsigned = sorted(strict - signed - {content})
    if unsigned:
        message = "There were headers present in the request which were not signed"
        raise error_by_code("s3", "AccessDenied", message=message, elements={"HeadersNotSigned": ", ".join(unsigned)})
    if content not in signed and request.headers.get(content, "UNSIGNED-PAYLOAD") != "UNSIGNED-PAYLOAD":
        # S3 takes its value for that of the signed request, in which it is UNSIGNED-PAYLOAD.
        raise error_by_code("s3", "SignatureDoesNotMatch")


# (assumed: put-chunked-refused, upload-limit)
def _length(request: StoreRequest, policy: Policy) -> int:
    if "transfer-encoding" in request.headers:
        raise error_by_code("s3", "NotImplemented", elements={"Header": "Transfer-Encoding"})
    content_length = request.headers.get("content-length", "")
    if not content_length:
        raise error_by_code("s3", "MissingContentLength")
    if not (content_length.isascii() and content_length.isdigit()):
        raise StoreError(400, "BadRequest", "Content-Length is not a number")
    length = int(content_length)
    if length > policy.upload_limit:
        elements = {"ProposedSize": str(length), "MaxSizeAllowed": str(policy.upload_limit)}
        raise error_by_code("s3", "EntityTooLarge", elements=elements)
    return length


def _declared_digest(request: StoreRequest) -> bytes | None:
    text = request.headers.get("content-md5")
    if text is None:
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _MD5_BYTES:
        raise error_by_code("s3", "InvalidDigest", elements={"Content-MD5": text})
    return digest


def _canonical(query: Mapping[str, str]) -> str:
    return urlencode(sorted(query.items()), quote_via=quote)


def _signature(secret: str, request: StoreRequest, query: str, headers: Mapping[str, str]) -> str:
    lines = [request.method, request.host, request.path, query]
    lines += [f"{name}:{' '.join(value.split())}" for name, value in sorted(headers.items())]
    return _hmac(secret, "\n".join(lines))


def _hmac(secret: str, message: str) -> str:
    return hmac.new(secret.encode(), message.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
