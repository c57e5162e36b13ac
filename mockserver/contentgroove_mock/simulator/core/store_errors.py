"""The error responses of the file store: those of Amazon S3, and on request those of Google's and Azure's stores.

Statuses, codes and forms of the bodies are those of the stores' references. No response of the service's own store was
ever seen (assumed: store-errors-xml).
"""

from __future__ import annotations

import json
from typing import Literal, NamedTuple, TypeAlias
from xml.sax.saxutils import escape

StoreKind: TypeAlias = Literal["s3", "google", "azure"]


class StoreError(Exception):  # a response, not a programming error
    """An error response of the file store.

    Attributes:
        status: The HTTP status.
        code: The store's code.
        message: What the store writes about it.
        form: How the body is written.
        headers: Further headers.
        elements: Further elements of an XML body.
        store: The store that responds so.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        form: Literal["xml", "json"] = "xml",
        headers: dict[str, str] | None = None,
        elements: dict[str, str] | None = None,
        store: StoreKind = "s3",
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.message = message
        self.form = form
        self.headers = headers or {}
        self.elements = elements or {}
        self.store: StoreKind = store

    @property
    def content_type(self) -> str:
        """The media type of the body."""
        return f"application/{self.form}"

    def body(self) -> str:
        """Return the body of the response."""
        if self.form == "json":
            reason = {"domain": "global", "reason": self.code, "message": self.message}
            return json.dumps({"error": {"code": self.status, "message": self.message, "errors": [reason]}})
        elements = {"Code": self.code, "Message": self.message, **self.elements}
        content = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{content}</Error>'


class _Known(NamedTuple):
    status: int
    message: str
    form: Literal["xml", "json"] = "xml"
    elements: tuple[tuple[str, str], ...] = ()


_AZURE_EXPIRED = (
    "Signature not valid in the specified time frame: Start [Mon, 05 Jan 2026 10:00:00 GMT] - Expiry [Mon, 05 Jan 2026 "
    "11:00:00 GMT] - Current [Mon, 05 Jan 2026 11:00:01 GMT]"
)

_CODES: dict[StoreKind, dict[str, _Known]] = {
    "s3": {
        "AccessDenied": _Known(403, "Access Denied"),
        "AccessForbidden": _Known(403, "CORSResponse: CORS is not enabled for this bucket."),
        "AuthorizationQueryParametersError": _Known(
            400,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, "
            "X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ),
        "BadDigest": _Known(400, "The Content-MD5 you specified did not match what we received."),
        "ConditionalRequestConflict": _Known(409, "A conflicting operation occurred during the request."),
        "EntityTooLarge": _Known(400, "Your proposed upload exceeds the maximum allowed object size"),
        "ExpiredToken": _Known(400, "The provided token has expired."),
        "IncompleteBody": _Known(
            400, "You did not provide the number of bytes specified by the Content-Length HTTP header"
        ),
        "InternalError": _Known(500, "An internal error occurred. Try again."),
        "InvalidAccessKeyId": _Known(403, "The access key does not exist."),
        "InvalidArgument": _Known(400, "Invalid Argument"),
        "InvalidDigest": _Known(400, "The Content-MD5 you specified was invalid."),
        "MethodNotAllowed": _Known(405, "The specified method is not allowed against this resource."),
        "MissingContentLength": _Known(411, "You must provide the Content-Length HTTP header."),
        "NoSuchBucket": _Known(404, "The bucket does not exist."),
        "NoSuchKey": _Known(404, "The specified key does not exist."),
        "NotImplemented": _Known(501, "A header you provided implies functionality that is not implemented"),
        "OperationAborted": _Known(409, "A conflicting conditional operation is in progress. Try again."),
        "PermanentRedirect": _Known(301, "The bucket must be addressed at the specified endpoint."),
        "PreconditionFailed": _Known(412, "At least one of the preconditions did not hold."),
        "RequestTimeTooSkewed": _Known(403, "The time of the request and the current time differ by too much."),
        "RequestTimeout": _Known(400, "The connection was idle for too long."),
        "ServiceUnavailable": _Known(503, "Reduce your request rate."),
        "SignatureDoesNotMatch": _Known(
            403,
            "The request signature we calculated does not match the signature you provided. Check your key and signing "
            "method.",
        ),
        "SlowDown": _Known(503, "Reduce your request rate."),
        "TemporaryRedirect": _Known(307, "Send this request again to the specified temporary endpoint."),
    },
    "google": {
        "AccessDenied": _Known(403, "Access denied."),
        "EntityTooLarge": _Known(400, "The upload exceeds the maximum allowed object size."),
        "ExpiredToken": _Known(
            400, "The provided token has expired.", elements=(("Details", "Request signature expired"),)
        ),
        "IncompleteBody": _Known(400, "The body has fewer bytes than its Content-Length."),
        "InternalError": _Known(500, "An internal error occurred. Try again."),
        "RequestTimeout": _Known(408, "The connection was idle for too long."),
        "ServiceUnavailable": _Known(503, "Reduce your request rate."),
        "SignatureDoesNotMatch": _Known(403, "The calculated signature does not match the provided one."),
        "SlowDown": _Known(429, "Reduce your request rate."),
        "backendError": _Known(503, "Backend Error", "json"),
        "internalError": _Known(500, "Internal Error", "json"),
        "rateLimitExceeded": _Known(429, "The rate of requests exceeds the limit.", "json"),
        "uploadBrokenConnection": _Known(503, "The connection broke during the upload.", "json"),
    },
    "azure": {
        "AuthenticationFailed": _Known(
            403,
            "Server failed to authenticate the request.",
            elements=(("AuthenticationErrorDetail", _AZURE_EXPIRED),),
        ),
        "ConditionNotMet": _Known(412, "The condition of a conditional header is not met."),
        "InternalError": _Known(500, "The server encountered an internal error. Try again."),
        "Md5Mismatch": _Known(400, "The MD5 value did not match the one calculated by the server."),
        "MissingRequiredHeader": _Known(
            400, "A mandatory header is not specified.", elements=(("HeaderName", "x-ms-blob-type"),)
        ),
        "OperationTimedOut": _Known(500, "The operation could not be completed within the permitted time."),
        "RequestBodyTooLarge": _Known(413, "The request body is too large."),
        "ServerBusy": _Known(503, "The server is currently unable to receive requests. Try again."),
    },
}


def known_codes(store: StoreKind) -> list[str]:
    """Return the codes that a store can respond with."""
    return list(_CODES[store])


def status_of(store: StoreKind, code: str) -> int:
    """Return the status of a store's code."""
    return _CODES[store][code].status


def is_redirect(store: StoreKind, code: str) -> bool:
    """Return whether a response with this code says where else to send the request."""
    return status_of(store, code) in {301, 307}


def error_by_code(
    store: StoreKind,
    code: str,
    *,
    message: str | None = None,
    status: int | None = None,
    location: str = "",
    elements: dict[str, str] | None = None,
) -> StoreError:
    """Create a store's error response.

    Args:
        store: The store.
        code: One of its codes.
        message: Another message than the code's own.
        status: Another status than the code's own.
        location: The URL to which a redirect leads.
        elements: Further elements of an XML body.
    """
    known = _CODES[store][code]
    headers = {"x-ms-error-code": code} if store == "azure" else {}
    elements = {**dict(known.elements), **(elements or {})}
    if is_redirect(store, code):
        elements["Endpoint"] = location.partition("://")[2].partition("/")[0]
        headers["x-amz-bucket-region"] = "eu-central-1"
        if known.status == 307:  # noqa: PLR2004  # S3 sends no Location with its 301
            headers["Location"] = location
    return StoreError(
        known.status if status is None else status,
        code,
        known.message if message is None else message,
        form=known.form,
        headers=headers,
        elements=elements,
        store=store,
    )
