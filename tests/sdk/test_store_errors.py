"""The store's responses by their codes: what is sent again, gets a new URL, is followed, or is final."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import RetryPolicy, UploadError
from contentgroove._core.redaction import redact_url
from contentgroove._core.responses import Response
from contentgroove._core.store_errors import parse_store_error, redirect_target, upload_error
from hypothesis import given
from hypothesis import strategies as st

from .conftest import KEY
from .test_uploads import MP4, Api, Store, pieces, s3_error, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import FakeClock, Maker


def google_error(status: int, reason: str) -> httpx.Response:
    """Return as Google's JSON API does."""
    entry = {"domain": "usageLimits", "reason": reason, "message": "m"}
    return httpx.Response(status, json={"error": {"code": status, "message": "m", "errors": [entry]}})


def azure_error(status: int, code: str, details: str = "", *, body: bool = True) -> httpx.Response:
    """Return as Azure does: the code is in a header as well."""
    text = f"<Error><Code>{code}</Code><Message>m\nRequestId:1</Message>{details}</Error>" if body else ""
    return httpx.Response(status, headers={"x-ms-error-code": code}, text=f"\ufeff{text}")


TIME_FRAME = (
    "<AuthenticationErrorDetail>Signature not valid in the specified time frame: Start [a] - Expiry [b] - Current [c]"
    "</AuthenticationErrorDetail>"
)


@pytest.mark.parametrize(
    "response",
    [
        s3_error(400, "RequestTimeout", "idle"),
        s3_error(400, "IncompleteBody", "few bytes"),
        httpx.Response(400, text="<Error>\n  <Code>\n    RequestTimeout\n  </Code>\n</Error>"),
        httpx.Response(400, text="<s:Error xmlns:s='x'><s:Code>RequestTimeout</s:Code></s:Error>"),
        httpx.Response(400, text="<Error><Code lang='en'>RequestTimeout</Code></Error>"),
        httpx.Response(400, text="<Error><Code><![CDATA[RequestTimeout]]></Code></Error>"),
        httpx.Response(403, json={"error": {"code": "ServerBusy", "message": "m"}}),
        s3_error(500, "InternalError", "oops"),
        s3_error(503, "SlowDown", "slow"),
        s3_error(503, "ServiceUnavailable", "slow"),
        s3_error(409, "OperationAborted", "conflict"),
        s3_error(409, "ConditionalRequestConflict", "conflict"),
        s3_error(429, "SlowDown", "slow"),
        s3_error(408, "RequestTimeout", "idle"),
        s3_error(503, "SomethingNew", "new"),
        google_error(429, "rateLimitExceeded"),
        google_error(403, "userRateLimitExceeded"),
        google_error(503, "backendError"),
        google_error(500, "internalError"),
        azure_error(503, "ServerBusy"),
        azure_error(500, "OperationTimedOut"),
        azure_error(500, "InternalError", body=False),
        *[httpx.Response(status) for status in (408, 429, 500, 502, 503, 504)],
        httpx.Response(503, text="<html>busy</html>"),
        httpx.Response(503, content=b"\xff\xfe{"),
    ],
    ids=lambda response: f"{response.status_code} {response.text[:60]}",
)
def test_what_passes_is_sent_again(make: Maker, clock: FakeClock, response: httpx.Response) -> None:
    """The whole file is sent again from where it was passed in, to a new URL, after a delay that grows."""
    api, store = Api(), Store(response, response, 200)
    file = io.BytesIO(b"header--" + MP4)
    file.seek(8)
    assert make(api, store=store).medias.upload(file).id == "m-1"
    assert store.bodies == [MP4] * 3
    assert [request.url.path for request in store.requests] == ["/1", "/2", "/3"]
    assert clock.sleeps == [0.5, 1.0]
    assert len(api.posts) == 1
    with pytest.raises(UploadError) as caught:
        make(Api(), store=Store(*[response] * 9), max_retries=1).medias.upload(MP4)
    assert (caught.value.reason, caught.value.retryable) == ("unavailable", True)


@pytest.mark.parametrize(
    "response",
    [
        s3_error(403, "AccessDenied", "Request has expired"),
        s3_error(400, "ExpiredToken", "The provided token has expired."),
        azure_error(403, "AuthenticationFailed", TIME_FRAME),
    ],
    ids=["S3", "Google", "Azure"],
)
def test_what_expired_gets_a_new_url_at_once(make: Maker, clock: FakeClock, response: httpx.Response) -> None:
    """Each store has its own way to say that the URL's time is over."""
    store = Store(response, 200)
    assert make(Api(), store=store).medias.upload(MP4).id == "m-1"
    assert [request.url.path for request in store.requests] == ["/1", "/2"]
    assert clock.sleeps == []


@pytest.mark.parametrize(
    ("response", "reason", "text"),
    [
        (s3_error(400, "BadDigest", "m"), "refused", "other bytes"),
        (s3_error(403, "RequestTimeTooSkewed", "m"), "clock", "clocks of the store and of the service"),
        (s3_error(412, "PreconditionFailed", "m"), "refused", "no second upload"),
        (s3_error(403, "SignatureDoesNotMatch", "m"), "signature", "was changed"),
        (s3_error(404, "NoSuchBucket", "m"), "refused", "contact ContentGroove"),
        (s3_error(501, "NotImplemented", "m"), "refused", "The store failed"),
        (azure_error(403, "AuthenticationFailed"), "signature", "was changed"),
        (azure_error(400, "MissingRequiredHeader"), "refused", "x-ms-blob-type"),
        (azure_error(413, "RequestBodyTooLarge"), "too_large", "shorten or compress"),
        (azure_error(400, "Md5Mismatch"), "refused", "other bytes"),
        (httpx.Response(307), "redirect", "not followed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_stays_wrong_is_final(make: Maker, response: httpx.Response, reason: str, text: str) -> None:
    """The file is sent once, and the error says what is wrong."""
    store = Store(response)
    with pytest.raises(UploadError, match=text) as caught:
        make(Api(), store=store).medias.upload(MP4)
    assert (caught.value.reason, caught.value.retryable, len(store.requests)) == (reason, False, 1)


def test_a_bucket_that_moved_is_named(make: Maker) -> None:
    """S3's 301 has no address that could be used with this URL; the error names the endpoint."""
    body = (
        "<Error><Code>PermanentRedirect</Code><Message>m</Message><Endpoint>b.s3.eu-west-3.example</Endpoint></Error>"
    )
    store = Store(httpx.Response(301, text=body))
    with pytest.raises(UploadError, match=r"Its address is b\.s3\.eu-west-3\.example\.") as caught:
        make(Api(), store=store).medias.upload(MP4)
    assert (caught.value.reason, len(store.requests)) == ("redirect", 1)


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize(
    "response", [s3_error(503, "SlowDown", "m"), httpx.Response(307, headers={"Location": "https://b.test/1?s=1"})]
)
def test_a_source_that_cannot_be_rewound_is_sent_once(make: Maker, response: httpx.Response) -> None:
    """Whatever the store says, an iterator is not sent a second time."""
    store = Store(response, 200)
    with pytest.raises(UploadError):
        make(Api(), store=store).medias.upload(pieces(MP4), size=len(MP4))
    assert len(store.requests) == 1


ELSEWHERE = "https://bucket.s3-eu-central-1.test/1?X-Amz-Signature=s"


def test_a_redirect_to_another_region_is_followed(make: Maker, clock: FakeClock) -> None:
    """The same body goes to `Location` at once, without the key, and without a new call of the API."""
    api, store = Api(), Store(httpx.Response(307, headers={"Location": ELSEWHERE}), 200)
    heard: list[int] = []
    make(api, store=store).medias.upload(MP4, progress=lambda sent, _total: heard.append(sent))
    assert [str(request.url) for request in store.requests][1:] == [ELSEWHERE]
    assert store.requests[1].headers["Host"] == "bucket.s3-eu-central-1.test"
    assert store.bodies == [MP4, MP4]
    assert (api.prepared, clock.sleeps) == (1, [])
    assert heard == [0, len(MP4)] * 2
    assert KEY not in repr([(request.url, request.headers.raw) for request in store.requests])


def test_redirects_are_limited(make: Maker) -> None:
    """A store that sends an upload in circles gets it a few times."""
    store = Store(*[httpx.Response(307, headers={"Location": ELSEWHERE})] * 20)
    with pytest.raises(UploadError, match="at most 3 times") as caught:
        make(Api(), store=store).medias.upload(MP4)
    assert (len(store.requests), caught.value.reason) == (4, "redirect")
    assert "Signature" not in str(caught.value)


URL = "https://bucket.s3.test/1?X-Amz-Signature=s"


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        (URL, ELSEWHERE, ELSEWHERE),
        (URL, "https://other.test/1", "https://other.test/1?X-Amz-Signature=s"),
        (URL, "/2?X-Amz-Signature=t#f", "https://bucket.s3.test/2?X-Amz-Signature=t"),
        (URL, "http://bucket.s3-eu.test/1?s", None),
        (URL, "http://127.0.0.1/1?s", None),
        (URL, "ftp://bucket.s3-eu.test/1", None),
        (URL, "file:///etc/passwd", None),
        (URL, "https://user:secret@other.test/1", None),
        (URL, "https://[::1/1", None),
        (URL, "https://other.test:port/1", None),
        (URL, "", None),
        ("http://127.0.0.1:80/1?s", "http://localhost:81/1?s", "http://localhost:81/1?s"),
        ("http://127.0.0.1:80/1?s", "http://store.test/1?s", None),
        ("http://127.0.0.1:80/1?s", "https://store.test/1?s", "https://store.test/1?s"),
    ],
)
def test_where_a_redirect_may_lead(url: str, location: str, target: str | None) -> None:
    """Over https to any host; over plain http only from this machine to itself."""
    assert redirect_target(url, Response(307, {"location": location}, b"")) == target
    assert redirect_target(url, Response(302, {"location": location}, b"")) is None


@pytest.mark.parametrize("status", [429, 503])
def test_the_stores_delay_counts_for_the_store(make: Maker, clock: FakeClock, status: int) -> None:
    """A `Retry-After` of the store delays uploads of the whole client to it, and no call of the API."""
    api, store = Api(), Store(httpx.Response(status, headers={"Retry-After": "7.5"}))
    client = make(api, store=store, random=lambda: 0.0)
    with pytest.raises(UploadError, match=r"Try again in 7\.5 s, at ") as caught:
        client.with_options(max_retries=0).medias.upload(MP4)
    assert caught.value.retry_after == 7.5
    client.medias.get("m-1")
    assert clock.sleeps == []
    client.medias.upload(MP4)
    assert clock.sleeps == [7.5]
    client.medias.upload(MP4)
    assert clock.sleeps == [7.5]


def test_the_stores_delay_is_waited_for_exactly(make: Maker, clock: FakeClock) -> None:
    """The upload that was refused comes back when the store requested."""
    store = Store(httpx.Response(503, headers={"Retry-After": "3"}), 200)
    make(Api(), store=store).medias.upload(MP4)
    assert clock.sleeps == [3.0]


def test_the_apis_delay_does_not_count_for_the_store(make: Maker, clock: FakeClock) -> None:
    """A 429 of the API pauses the call that prepares the next upload, but not a file that may be sent."""
    api, store = Api(429), Store()
    make(api, store=store).medias.upload(MP4)
    assert [request.url.path for request in store.requests] == ["/1"]
    assert clock.sleeps == [0.5]


def test_a_delay_of_the_store_that_is_too_long(make: Maker, clock: FakeClock) -> None:
    """An hour is an error at once, for other uploads as well, which are not sent."""
    store = Store(httpx.Response(503, headers={"Retry-After": "3600"}))
    client = make(Api(), store=store)
    for text in ("refused the data: 503", "was not sent: the store requested a pause"):
        with pytest.raises(UploadError, match=text) as caught:
            client.medias.upload(MP4)
        assert (caught.value.reason, caught.value.retry_after) == ("unavailable", 3600.0)
        assert "Try again in 3,600 s, at " in str(caught.value)
    assert (len(store.requests), clock.sleeps) == (1, [])
    patient = client.with_options(max_retries=1)
    assert patient is not client
    other = make(Api(), store=Store(), retry_policy=RetryPolicy(max_retry_after=1.0))
    assert other.medias.upload(MP4).id == "m-1"


def test_no_signature_is_in_an_error(make: Maker, tmp_path: Path) -> None:
    """A store may repeat the request in its message: the values that were signed are removed, of all three stores."""
    parameters = "X-Amz-Signature=S1&amp;X-Goog-Signature=S2&sig=S3&GoogleAccessId=S4&X-Amz-Credential=S5"
    response = s3_error(400, "InvalidArgument", f"bad https://b.test/1?{parameters}")
    with pytest.raises(UploadError) as caught:
        make(Api(), store=Store(response)).medias.upload(video(tmp_path))
    assert not [secret for secret in ("S1", "S2", "S3", "S4", "S5") if secret in str(caught.value)]


@pytest.mark.parametrize("name", ["sig", "X-Goog-Signature", "X-Goog-Credential", "GoogleAccessId", "X-Amz-Signature"])
def test_credentials_of_upload_urls_are_redacted(name: str) -> None:
    """In URLs, and in URLs inside of URLs."""
    assert "SECRET" not in redact_url(f"https://b.test/1?a=b&{name}=SECRET")
    assert "SECRET" not in redact_url(f"https://b.test/1?u=https%3A%2F%2Fc.test%3F{name}%3DSECRET")
    assert redact_url("https://b.test/1?sort=1&sign=2") == "https://b.test/1?sort=1&sign=[redacted]"


CONTENTS = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(lambda text: f"<Error><Code>{text}</Code><Message>{text}".encode()),
    st.recursive(
        st.none() | st.text(max_size=20) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["error", "errors", "reason", "message", "code"]), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps({"error": value}).encode()),
)


@given(st.integers(min_value=300, max_value=599), CONTENTS, st.text(max_size=20))
def test_any_response_of_a_store_is_an_error(status: int, content: bytes, header: str) -> None:
    """Whatever a store sends, the caller gets the documented error, with a code that is one word or None."""
    headers: dict[str, Any] = {"x-ms-error-code": header, "retry-after": header}
    response = Response(status, headers, content)
    error = upload_error(response, "film.mp4", 1e9, rewindable=True)
    assert error.status_code == status
    assert error.code is None or error.code.replace(".", "").isalnum()
    assert parse_store_error(response).code == error.code
