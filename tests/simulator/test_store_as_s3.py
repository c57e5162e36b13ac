"""What S3 accepts and rejects at a presigned URL, over real HTTP; the ledger names the source of each behaviour."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import http.client
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from contentgroove import ContentGroove, UploadError
from contentgroove_mock import ManualClock, Policy, Simulator, sample_video, serve

from tests.simulator.driver import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from pathlib import Path

    from contentgroove_mock import Server

    from tests.simulator.driver import Driver

FILM = sample_video().read_bytes()
OTHER = b"some bytes that are not a film"
MISMATCH = (403, "SignatureDoesNotMatch")


def digest(content: bytes) -> str:
    """Return the Content-MD5 of a body."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def etag(content: bytes) -> str:
    """Return the ETag of a stored file."""
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def error(response: httpx.Response) -> dict[str, str]:
    """Read the XML of an error."""
    assert response.headers["content-type"] == "application/xml"
    root = ET.fromstring(response.content)  # noqa: S314  # of the simulator
    assert root.tag == "Error"
    return {element.tag: element.text or "" for element in root}


@contextlib.contextmanager
def serving(simulator: Simulator) -> Generator[httpx.Client]:
    """Serve a simulator to a client of its API."""
    with serve(simulator) as server, httpx.Client(base_url=server.base_url, headers={"X-API-KEY": KEY}) as client:
        yield client


@pytest.fixture
def client(simulator: Simulator) -> Generator[httpx.Client]:
    with serving(simulator) as client:
        yield client


def prepared(client: httpx.Client) -> tuple[str, str]:
    """Prepare an upload and return its id and its URL."""
    attributes = client.get("/direct_uploads").json()["data"]["attributes"]
    return attributes["upload_id"], attributes["upload_url"]


def put(url: str, content: bytes = FILM, headers: Mapping[str, str] | None = None) -> httpx.Response:
    """PUT a file without a key."""
    return httpx.put(url, content=content, headers=headers)


def duration(client: httpx.Client, simulator: Simulator, upload_id: str) -> float | None:
    """Create a media of an upload, and return the length of the film that its processing finds."""
    made = client.post("/medias", json={"data": {"attributes": {"upload_id": upload_id}}}).json()["data"]
    simulator.finish_media(made["id"])
    attributes = client.get(f"/medias/{made['id']}").json()["data"]["attributes"]
    assert attributes["has_fetch_error"] == (attributes["source_file_duration"] is None)
    length: float | None = attributes["source_file_duration"]
    return length


@pytest.mark.parametrize(("first", "second", "length"), [(FILM, OTHER, None), (OTHER, FILM, 6.0)])
def test_second_file_replaces_the_first(
    client: httpx.Client, simulator: Simulator, first: bytes, second: bytes, length: float | None
) -> None:
    """Both PUTs succeed, with the ETag of their own file, and a media is made of the second."""
    upload_id, url = prepared(client)
    assert [put(url, each).headers["etag"] for each in (first, second)] == [etag(first), etag(second)]
    assert duration(client, simulator, upload_id) == length


def test_replaced_file_is_deleted(tmp_path: Path) -> None:
    """One URL takes the room of one file, after a media has it as well."""
    simulator = Simulator(clock=ManualClock(), state_file=tmp_path / "state")
    with serving(simulator) as client:
        check_one_file_is_kept(client, simulator, tmp_path / "state.files")


def check_one_file_is_kept(client: httpx.Client, simulator: Simulator, folder: Path) -> None:
    """PUT several files to one URL, and count those that are kept."""
    upload_id, url = prepared(client)
    put(url, OTHER)
    put(url)
    assert len(list(folder.iterdir())) == 1
    assert duration(client, simulator, upload_id) == 6.0
    put(url, OTHER)
    assert len(list(folder.iterdir())) == 1


def test_file_of_a_media_is_not_replaced(client: httpx.Client, simulator: Simulator) -> None:
    """A PUT after the creation succeeds, as S3 knows nothing of medias; the media keeps its file."""
    upload_id, url = prepared(client)
    put(url)
    made = client.post("/medias", json={"data": {"attributes": {"upload_id": upload_id}}}).json()["data"]
    late = put(url, OTHER)
    assert (late.status_code, late.headers["etag"]) == (200, etag(OTHER))
    simulator.finish_media(made["id"])
    origin = urlsplit(url)
    assert httpx.get(f"{origin.scheme}://{origin.netloc}/_files/{made['id']}").content == FILM


@pytest.mark.anyio
async def test_uploads_at_the_same_time_leave_one_file(driver: Driver) -> None:
    """Of two PUTs at the same time both succeed, and the upload has one of the files."""
    upload_id, url = await driver.prepare()
    statuses: list[int] = []

    async def send() -> None:
        statuses.append((await driver.bare.put(url, content=FILM)).status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(send)
        tasks.start_soon(send)
    assert statuses == [200, 200]
    assert (await driver.media(upload_id=upload_id))["id"]


@pytest.mark.parametrize("name", ["Content-Type", "Content-Encoding", "Cache-Control", "User-Agent", "X-Forwarded-For"])
def test_other_unsigned_headers_are_accepted(client: httpx.Client, name: str) -> None:
    """S3 takes these whether or not the URL signs them."""
    stored = put(prepared(client)[1], headers={name: "text/plain"})
    assert (stored.status_code, stored.content) == (200, b"")
    assert stored.headers["x-amz-request-id"]


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ({"x-amz-acl": "public-read"}, "x-amz-acl"),
        ({"X-Amz-Meta-Name": "a", "x-amz-acl": "private"}, "x-amz-acl, x-amz-meta-name"),
        ({"x-amz-expires": "5"}, "x-amz-expires"),
        ({"x-amz-security-token": "t"}, "x-amz-security-token"),
        ({"x-amz-checksum-sha256": "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik="}, "x-amz-checksum-sha256"),
        ({"Content-MD5": digest(FILM)}, "content-md5"),
        ({"Content-MD5": digest(OTHER)}, "content-md5"),
        ({"Content-MD5": "nonsense"}, "content-md5"),
    ],
)
def test_headers_that_must_be_signed_are_named(client: httpx.Client, headers: dict[str, str], named: str) -> None:
    """S3 rejects `x-amz-…` and Content-MD5, right or wrong, if the URL does not sign them."""
    url = prepared(client)[1]
    response = put(url, headers=headers)
    found = error(response)
    assert (response.status_code, found["Code"], found["HeadersNotSigned"]) == (403, "AccessDenied", named)
    assert found["Message"] == "There were headers present in the request which were not signed"
    assert put(url).status_code == 200


@pytest.mark.parametrize(("value", "status"), [("UNSIGNED-PAYLOAD", 200), (hashlib.sha256(FILM).hexdigest(), 403)])
def test_unsigned_payload_hash(client: httpx.Client, value: str, status: int) -> None:
    """`x-amz-content-sha256` alone need not be signed, but its value counts as that of the signed request."""
    response = put(prepared(client)[1], headers={"x-amz-content-sha256": value})
    assert response.status_code == status
    assert status == 200 or error(response)["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "POST"])
def test_other_methods_do_not_match_the_signature(client: httpx.Client, simulator: Simulator, method: str) -> None:
    """The URL is signed for PUT: with it a file cannot be read or deleted."""
    upload_id, url = prepared(client)
    put(url)
    response = httpx.request(method, url)
    assert response.status_code == 403
    assert (response.content == b"") == (method == "HEAD")
    assert method == "HEAD" or error(response)["Code"] == "SignatureDoesNotMatch"
    assert duration(client, simulator, upload_id) == 6.0


@pytest.mark.parametrize(
    ("method", "status", "code"), [("OPTIONS", 403, "AccessForbidden"), ("PATCH", 405, "MethodNotAllowed")]
)
def test_methods_that_no_url_is_signed_for(client: httpx.Client, method: str, status: int, code: str) -> None:
    """A browser's question for permission, and a method that S3 does not have."""
    response = httpx.request(method, prepared(client)[1], headers={"Access-Control-Request-Method": "PUT"})
    assert (response.status_code, error(response)["Code"]) == (status, code)
    assert error(response)["Method"] == ("PUT" if method == "OPTIONS" else "PATCH")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda url: url.replace("/_uploads/", "/_uploads/0"), MISMATCH),
        (lambda url: url.replace("/_uploads/", "/_uploads/folder/"), MISMATCH),
        (lambda url: url + "&x-id=PutObject", MISMATCH),
        (lambda url: url.replace("X-Amz-Expires=604800", "X-Amz-Expires=999999"), MISMATCH),
        (lambda url: url.replace("SignedHeaders=host", "SignedHeaders=host%3Bx-amz-acl"), MISMATCH),
        (lambda url: url.partition("&X-Amz-Signature")[0], (400, "AuthorizationQueryParametersError")),
        (lambda url: url.replace("X-Amz-Date", "Date"), (400, "AuthorizationQueryParametersError")),
        (lambda url: url.partition("?")[0], (403, "AccessDenied")),
    ],
)
def test_changed_urls(client: httpx.Client, change: Callable[[str], str], expected: tuple[int, str]) -> None:
    """A PUT to another key, with another query or without parts of the signature."""
    response = put(change(prepared(client)[1]))
    assert (response.status_code, error(response)["Code"]) == expected


def test_order_of_the_query_does_not_matter(client: httpx.Client) -> None:
    """S3 sorts the parameters before it signs them."""
    url, _, query = prepared(client)[1].partition("?")
    assert put(f"{url}?{'&'.join(reversed(query.split('&')))}").status_code == 200


def test_errors_name_the_request(client: httpx.Client) -> None:
    """Each error has ids of its own, in the body and in headers."""
    url = prepared(client)[1]
    responses = [put(url, headers={"x-amz-acl": "private"}) for _ in range(2)]
    names = [(error(response)["RequestId"], error(response)["HostId"]) for response in responses]
    assert names == [(each.headers["x-amz-request-id"], each.headers["x-amz-id-2"]) for each in responses]
    assert len(set(names)) == 2


def test_expired_url_says_when(client: httpx.Client, simulator: Simulator) -> None:
    """The error has the time at which the URL expired, and the store's."""
    url = prepared(client)[1]
    expires = simulator.clock.now() + dt.timedelta(seconds=604_800)
    simulator.advance(604_805)
    found = error(put(url))
    assert (found["Code"], found["Message"], found["X-Amz-Expires"]) == (
        "AccessDenied",
        "Request has expired",
        "604800",
    )
    times = [dt.datetime.fromisoformat(found[name]) for name in ("Expires", "ServerTime")]
    assert times == [expires, expires + dt.timedelta(seconds=5)]


def raw_put(url: str, *headers: tuple[str, str], body: bytes = b"") -> tuple[int, bytes]:
    """Send a PUT with exactly these headers, and return status and body of the response."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=20)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}", skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, content


def test_length_must_be_stated_and_not_too_large(client: httpx.Client) -> None:
    """Without a length, in chunks, and larger than 5 GiB."""
    url = prepared(client)[1]
    status, content = raw_put(url)
    assert (status, b"<Code>MissingContentLength</Code>" in content) == (411, True)
    status, content = raw_put(url, ("Transfer-Encoding", "chunked"), body=b"3\r\nabc\r\n0\r\n\r\n")
    assert (status, b"<Code>NotImplemented</Code>" in content) == (501, True)
    assert b"<Header>Transfer-Encoding</Header>" in content
    status, content = raw_put(url, ("Content-Length", "5368709121"))
    assert (status, b"<Code>EntityTooLarge</Code>" in content) == (400, True)
    assert b"<ProposedSize>5368709121</ProposedSize><MaxSizeAllowed>5368709120</MaxSizeAllowed>" in content


def test_client_that_waits_for_100_continue_is_told_to_go_on(client: httpx.Client) -> None:
    """`Expect: 100-continue` gets the 100 before the body if the head is accepted; http.client reads past it."""
    status, content = raw_put(prepared(client)[1], ("Content-Length", "3"), ("Expect", "100-continue"), body=b"abc")
    assert (status, content) == (200, b"")


SIGNED = Policy(upload_headers={"Content-Type": "video/mp4", "Content-MD5": digest(FILM), "x-amz-acl": "private"})


@pytest.mark.parametrize(
    ("changes", "content", "expected"),
    [
        ({}, FILM, None),
        ({"Content-Type": "video/webm"}, FILM, MISMATCH),
        ({"Content-Type": None}, FILM, MISMATCH),
        ({"Content-MD5": None}, FILM, MISMATCH),
        ({"Content-MD5": digest(OTHER)}, OTHER, MISMATCH),
        ({"x-amz-acl": "public-read"}, FILM, MISMATCH),
        ({}, OTHER, (400, "BadDigest")),
    ],
)
def test_signed_headers_must_be_sent_as_signed(
    changes: dict[str, str | None], content: bytes, expected: tuple[int, str] | None
) -> None:
    """If the service signs more than the host, a PUT needs these headers with these values, and this content."""
    headers = {name: value for name, value in {**SIGNED.upload_headers, **changes}.items() if value is not None}
    with serving(Simulator(clock=ManualClock(), policy=SIGNED)) as client:
        response = put(prepared(client)[1], content, headers)
    if expected is None:
        assert response.status_code == 200
        return
    found = error(response)
    assert (response.status_code, found["Code"]) == expected
    if expected[1] == "BadDigest":
        assert (
            base64.b64decode(found["CalculatedDigest"]).hex() == hashlib.md5(OTHER, usedforsecurity=False).hexdigest()
        )
        assert found["ExpectedDigest"] == hashlib.md5(FILM, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize("value", ["nonsense", "000", "c2hvcnQ=", "d41d8cd98f00b204e9800998ecf8427e"])
def test_other_forms_of_a_digest_are_rejected(value: str) -> None:
    """Content-MD5 is 16 bytes in base64; the hexadecimal form that many send is not."""
    policy = Policy(upload_headers={"Content-MD5": value})
    with serving(Simulator(clock=ManualClock(), policy=policy)) as client:
        found = error(put(prepared(client)[1], headers=policy.upload_headers))
    assert (found["Code"], found["Content-MD5"]) == ("InvalidDigest", value)


@pytest.mark.parametrize(
    ("headers", "reason", "words"),
    [
        ({"x-amz-acl": "private"}, "signature", ["remove it", "upload_http_client=", "Not signed: x-amz-acl."]),
        ({"Authorization": "Basic credential-of-a-proxy"}, "signature", ["credential", "upload_http_client="]),
    ],
)
def test_upload_that_is_rejected_says_what_to_do(
    server: Server, headers: dict[str, str], reason: str, words: list[str]
) -> None:
    """A header that an application's own HTTP client adds is named, with where to remove it."""

    def add(request: httpx.Request) -> None:
        request.headers.update(headers)

    with (
        httpx.Client(event_hooks={"request": [add]}) as own,
        ContentGroove(KEY, server.base_url, upload_http_client=own) as client,
        pytest.raises(UploadError) as caught,
    ):
        client.medias.upload(FILM)
    assert caught.value.reason == reason
    assert [word for word in words if word not in str(caught.value)] == []
    assert "credential-of-a-proxy" not in str(caught.value)


def test_upload_of_the_library_is_accepted(server: Server) -> None:
    """What the library sends has nothing that the store rejects."""
    with ContentGroove(KEY, server.base_url) as client:
        assert client.medias.upload(FILM).id
