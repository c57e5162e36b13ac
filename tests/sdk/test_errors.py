"""Whatever the service returns, callers get a value or a documented error, and never the key."""

from __future__ import annotations

import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import contentgroove
import httpx
import pytest
from contentgroove import (
    APIError,
    AuthenticationError,
    BadRequestError,
    ContentGrooveError,
    ErrorDetail,
    NotFoundError,
    QuotaExceededError,
    RateLimitError,
    ResponseDecodeError,
    ServerError,
    UnprocessableEntityError,
)

from .conftest import BASE, KEY, media_json, one

if TYPE_CHECKING:
    from .conftest import Maker

JSON_API = {"errors": [{"status": "422", "title": "T", "detail": "D", "code": "c", "source": {"pointer": "/p"}}]}
SHAPES: list[tuple[int, Any, type[APIError], ErrorDetail]] = [
    (
        400,
        {"errors": [{"status": "400", "title": "Bad Request"}]},
        BadRequestError,
        ErrorDetail("Bad Request", status="400"),
    ),
    (401, {"errors": [{"message": "Sign in."}]}, AuthenticationError, ErrorDetail(detail="Sign in.")),
    (402, JSON_API, QuotaExceededError, ErrorDetail("T", "D", "c", "422", "/p")),
    (
        404,
        {"errors": [{"detail": None, "source": None, "status": "404", "title": "Not Found"}]},
        NotFoundError,
        ErrorDetail("Not Found", status="404"),
    ),
    (422, JSON_API, UnprocessableEntityError, ErrorDetail("T", "D", "c", "422", "/p")),
    (
        429,
        {"errors": [{"detail": "Slow down.", "status": "429", "title": "Too Many Requests"}]},
        RateLimitError,
        ErrorDetail("Too Many Requests", "Slow down.", status="429"),
    ),
    (500, {"errors": [{"status": 500, "title": "Oops"}]}, ServerError, ErrorDetail("Oops", status="500")),
]


@pytest.mark.parametrize(("status", "body", "kind", "detail"), SHAPES, ids=[str(shape[0]) for shape in SHAPES])
def test_each_documented_shape(make: Maker, status: int, body: Any, kind: type[APIError], detail: ErrorDetail) -> None:
    """Each status has its own class, and its entries are parsed in every shape."""
    client = make(lambda _request: httpx.Response(status, json=body), max_retries=0)
    with pytest.raises(APIError) as caught:
        client.medias.get("m-1")
    error = caught.value
    assert type(error) is kind
    assert error.status_code == status
    assert error.errors == (detail,)
    assert error.request is not None
    assert str(error.request) == f"GET {BASE}/medias/m-1"
    assert error.retryable is (status in {429, 500})
    assert (detail.detail or detail.title or "").rstrip(".") in str(error)


@pytest.mark.parametrize(
    ("status", "step"),
    [(401, "CONTENTGROOVE_API_KEY"), (402, "https://app.contentgroove.com/quota_usage"), (404, "Check the id")],
)
def test_messages_say_what_to_do_next(make: Maker, status: int, step: str) -> None:
    """A message names the next step: the variable of the key, the page of the quota."""
    client = make(lambda _request: httpx.Response(status))
    with pytest.raises(APIError, match=step):
        client.medias.get("m-1")


@pytest.mark.parametrize(("status", "redirects"), [(301, True), (302, True), (307, True), (308, True), (304, False)])
def test_messages_about_redirects(make: Maker, status: int, *, redirects: bool) -> None:
    """The error says that a redirect is not followed; a 304 is not a redirect."""
    client = make(lambda _request: httpx.Response(status))
    with pytest.raises(APIError) as caught:
        client.request("GET", "/medias", headers={"If-None-Match": '"a"'})
    assert ("Redirects are not followed" in str(caught.value)) is redirects


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (520, b"<html>origin error</html>", ServerError),
        (599, b"", ServerError),
        (502, b"<html><h1>Bad Gateway</h1></html>", ServerError),
        (418, b"teapot", APIError),
        (302, b"", APIError),
        (304, b"", APIError),
        (200, b"", ResponseDecodeError),
        (200, b"[]", ResponseDecodeError),
        (200, b"null", ResponseDecodeError),
        (200, b"{}", ResponseDecodeError),
        (200, b'{"data": null, "links": {"self": "x"}}', ResponseDecodeError),
        (200, b'{"data": {"id": "m-1", "type": "medi', ResponseDecodeError),
        (200, b"<html>welcome</html>", ResponseDecodeError),
        (200, b"\xff\xfe", ResponseDecodeError),
        (200, b"[" * 200_000, ResponseDecodeError),
        (401, b"[" * 200_000, AuthenticationError),
        (401, b'{"errors": "none"}', AuthenticationError),
        (401, b'{"errors": [1, null, {"message": {"a": 1}, "source": []}]}', AuthenticationError),
        (404, b"\xff", NotFoundError),
    ],
)
def test_odd_responses(make: Maker, status: int, content: bytes, kind: type[ContentGrooveError]) -> None:
    """A status that is not documented or a body that is not a document is a documented error."""
    client = make(lambda _request: httpx.Response(status, content=content), max_retries=0)
    with pytest.raises(ContentGrooveError) as caught:
        client.medias.get("m-1")
    assert type(caught.value) is kind
    assert getattr(caught.value, "status_code", None) == status


def test_new_fields_and_values_break_nothing(make: Maker) -> None:
    """Fields, types and states that are not known yet are kept, not refused."""
    resource = media_json(brand_new={"a": [1]})
    resource["relationships"]["folder"] = {"data": None}
    resource["meta"] = {"b": 2}
    resource["type"] = "medias_v2"
    media = make(lambda _request: one(resource, 203)).medias.get("m-1")
    assert media.extra == {"brand_new": {"a": [1]}, "folder": {"data": None}, "meta": {"b": 2}}


@pytest.mark.parametrize("value", [b"9" * 5000, b"1e999", b'"\xff"'], ids=["large", "float", "no UTF-8"])
def test_new_fields_that_cannot_be_read_concern_nothing_else(make: Maker, value: bytes) -> None:
    """A model is read without what it does not know; only an application that reads it sees of it."""
    content = one(media_json(brand_new="here")).content.replace(b'"here"', value)
    media = make(lambda _request: httpx.Response(200, content=content)).medias.get("m-1")
    assert media.name == "Chimp"
    with pytest.raises(ResponseDecodeError, match="does not know"):
        _ = media.extra


@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
def test_the_key_shows_nowhere(make: Maker, caplog: pytest.LogCaptureFixture, auth: str) -> None:
    """No message, traceback, log line, repr or pickle contains the key, even if the server echoes it."""
    caplog.set_level(logging.DEBUG)

    def handler(request: httpx.Request) -> httpx.Response:
        echo = f"{list(request.headers.items())} {request.url}"
        assert KEY in echo
        body = {"errors": [{"detail": f"bad key {KEY}", "title": KEY}]}
        return httpx.Response(401, json=body, headers={"X-Echo": f"Bearer {KEY}", "Retry-After": "3"})

    client = make(handler, auth=auth)
    with pytest.raises(AuthenticationError) as caught:
        client.medias.get("m-1")
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(error) + error.body + repr(error.errors)
    shown += repr(dict(error.headers)) + repr(error.request) + repr(client) + caplog.text
    assert KEY not in shown
    assert KEY.encode() not in pickle.dumps(error)
    assert "[redacted]" in error.body


@pytest.mark.parametrize(
    "echo",
    ["canary/key+=&x", r"canary\/key+=\u0026x", "canary%2Fkey%2B%3D%26x", r"canary\u002Fkey\u002b=&x"],
    ids=["as it is", "JSON", "URL", "all escaped"],
)
@pytest.mark.parametrize("status", [401, 200])
def test_an_escaped_key_is_known(make: Maker, echo: str, status: int) -> None:
    """Servers escape what they write into JSON and URLs: a key with such characters is still removed."""
    content = f'{{"errors": [{{"message": "bad key {echo}"}}]}}'.encode()
    client = make(lambda _request: httpx.Response(status, content=content), api_key="canary/key+=&x")
    with pytest.raises(ContentGrooveError) as caught:
        client.medias.get("m-1")
    error: Any = caught.value
    shown = f"{error}{error.body}{getattr(error, 'errors', '')}"
    assert "bad key [redacted]" in shown
    assert "canary" not in shown


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("https://s3.test/k?x=1&X-Amz-Signature=canary&y=2", "/k?x=[redacted]&X-Amz-Signature=[redacted]&y=[redacted]"),
        (r"https://s3.test/k?x=1\u0026X-Amz-Signature=canary\u0026y=2", "X-Amz-Signature=[redacted]"),
        ("/u?url=https%3A%2F%2Fs3.test%3Fx%3D1%26X-Amz-Signature%3Dcanary%26y%3D2", "/u?url=[redacted]"),
        ("https://s3.test/k?api_key=canary%26canary", "api_key=[redacted]"),
    ],
    ids=["URL", "JSON", "URL in a URL", "ampersand in a value"],
)
def test_signatures_that_the_service_repeats_are_redacted(make: Maker, url: str, left: str) -> None:
    """A `source_url` may be presigned: no part of an error shows its signature when the service quotes it."""
    content = f'{{"errors": [{{"detail": "no file at {url}", "title": "{url}", "source": {{"pointer": "{url}"}}}}]}}'
    client = make(lambda _request: httpx.Response(422, content=content.encode(), headers={"Location": url}))
    with pytest.raises(UnprocessableEntityError) as caught:
        client.medias.get("m-1")
    error = caught.value
    assert left in str(error)
    assert left in error.body
    assert "canary" not in f"{error}{error.errors}{error.body}{error.headers!r}"


def test_a_signature_in_a_filter_is_not_shown(make: Maker) -> None:
    """A request is named without the credentials in its parameters' values."""
    client = make(lambda _request: httpx.Response(404))
    with pytest.raises(NotFoundError) as caught:
        list(client.medias.list(filter={"source_url_eq": "https://s3.test/k?x=1&X-Amz-Signature=canary&y=2"}))
    assert str(caught.value.request).endswith("/medias?filter[source_url_eq]=[redacted]")
    assert "canary" not in str(caught.value)


def test_headers_of_an_error_that_echoes_the_key_are_headers(make: Maker) -> None:
    """They are found by names in any case, and their repr hides what it hides without an echo."""
    sent = {"X-Echo": KEY, "Set-Cookie": "session=canary-cookie"}
    client = make(lambda _request: httpx.Response(404, headers=sent))
    with pytest.raises(NotFoundError) as caught:
        client.medias.get("m-1")
    assert caught.value.headers["X-ECHO"] == "[redacted]"
    assert caught.value.headers["set-cookie"] == "session=canary-cookie"
    assert "canary" not in repr(caught.value.headers)


def test_a_message_stays_readable_whatever_the_service_says(make: Maker) -> None:
    """Long explanations are cut, many are counted; the entries are kept."""
    entries: list[Any] = [{"detail": "x" * 1_000_000}, *({"detail": f"reason {number}"} for number in range(50))]
    client = make(lambda _request: httpx.Response(400, json={"errors": entries}))
    with pytest.raises(BadRequestError, match=r"reason 8\. … and 41 more\. The service could not read") as caught:
        client.medias.get("m-1")
    assert len(str(caught.value)) < 2_000
    assert len(caught.value.errors) == 51


@pytest.mark.parametrize("auth", ["bearer", "header", "query"])
def test_connection_errors_do_not_contain_the_key(make: Maker, auth: str) -> None:
    """An error of the HTTP library that names the URL is redacted, too."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}", request=request)

    with pytest.raises(ContentGrooveError) as caught:
        make(handler, auth=auth, max_retries=0).medias.get("m-1")
    assert KEY not in str(caught.value)
    assert KEY not in repr(caught.value)


DOCUMENTED = [
    "ConfigurationError",
    "APIError",
    "BadRequestError",
    "AuthenticationError",
    "QuotaExceededError",
    "NotFoundError",
    "UnprocessableEntityError",
    "RateLimitError",
    "ServerError",
    "APIConnectionError",
    "APITimeoutError",
    "ResponseDecodeError",
    "UploadError",
    "OutcomeUnknownError",
    "MediaProcessingError",
    "WaitTimeoutError",
    "WebhookPayloadError",
    "WebhookAuthError",
]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_error_is_below_one_base(name: str) -> None:
    """`except ContentGrooveError` catches whatever the library raises."""
    assert name in contentgroove.__all__
    assert issubclass(getattr(contentgroove, name), ContentGrooveError)


def test_errors_survive_pickling(make: Maker) -> None:
    """Errors cross process pools with all they carry."""
    client = make(lambda _request: httpx.Response(402, json=JSON_API))
    with pytest.raises(QuotaExceededError) as caught:
        client.medias.get("m-1")
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - pickled here
    assert (copy.status_code, copy.errors, str(copy)) == (402, caught.value.errors, str(caught.value))
