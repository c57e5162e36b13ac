"""No credential is in a recording, wherever it was; what is not one stays."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove_mock import ManualClock, Simulator, sample_video, serve
from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.recording.recordings import Recording, RecordingError, Request
from contentgroove_mock.recording.replay import Replay
from contentgroove_mock.recording.session_scrubbing import SessionScrubber
from contentgroove_mock.recording.sessions import encode_recording, read_session
from contentgroove_mock.simulator.server import serve_app

from tests.recording.upstream import Upstream, as_json, recording_of

if TYPE_CHECKING:
    from pathlib import Path

BASE_URL = "https://api.contentgroove.test/v9"
SECRET = "canary-0123456789-abc"
ENCODED = base64.b64encode(f"user:{SECRET}".encode()).decode()
STORE = "https://bucket.s3.example/uploads/film.mp4"
PRESIGNED = f"{STORE}?X-Amz-Signature={SECRET}&X-Amz-Credential=AKIA%2F{SECRET}&x-amz-date=1"


def scrubbed(body: object, response_headers: dict[str, str] | None = None, **request: Any) -> Recording:
    """Scrub an exchange with a key."""
    scrubber = SessionScrubber(BASE_URL, "http://127.0.0.1:8080")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent: dict[str, Any] = {
        "target": "/api/v1/medias",
        "headers": {"authorization": f"Bearer {SECRET}"},
        "content": b"",
    }
    sent |= request
    before = scrubber.request(CheckedRequest("POST", **sent))
    response = CheckedResponse(200, {"content-type": "application/json"} | (response_headers or {}), content)
    return Recording(operation="", status=200, origin="proxy", request=before, response=scrubber.response(response))


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": SECRET},
        {"authorization": f"Basic {ENCODED}"},
        {"x-api-key": SECRET},
        {"cookie": f"theme=dark; session={SECRET}"},
        {"x-amz-security-token": SECRET},
        {"x-my-auth": SECRET},
    ],
)
def test_keys_of_requests(headers: dict[str, str]) -> None:
    """A key in a header is neither in the recorded header, nor anywhere that the service repeats it."""
    echo = {"echo": f"Your key is {SECRET}.", "json": json.dumps({"key": SECRET}), "url": f"/medias?x={SECRET}%20"}
    if "Basic" in headers.get("authorization", ""):
        echo = {"echo": f"You sent {ENCODED}."}
    recording = scrubbed(echo, {"x-echo": echo["echo"]}, headers=headers)
    assert SECRET not in repr(recording)
    assert ENCODED not in repr(recording)
    assert recording.response.body["echo"].startswith("You")
    assert recording.request.headers.keys() == headers.keys()


def test_the_form_of_a_key_stays() -> None:
    """With Bearer or bare: that is not secret, and a fact about what the service accepts."""
    forms = [f"Bearer {SECRET}", SECRET, f"  {SECRET}"]
    found = [scrubbed({}, headers={"authorization": form}).request.headers["authorization"] for form in forms]
    assert found == ["Bearer scrubbed", "scrubbed", "scrubbed"]


@pytest.mark.parametrize("name", ["api_key", "API_KEY", "token", "access_token", "X-Amz-Signature", "password"])
def test_keys_in_queries(name: str) -> None:
    """A key in the query is a placeholder; other parameters stay."""
    recording = scrubbed({"sent": f"{name}={SECRET}"}, target=f"/api/v1/medias?page[size]=2&{name}={SECRET}&sort=-id")
    assert recording.request.query == (("page[size]", "2"), (name, "scrubbed"), ("sort", "-id"))
    assert SECRET not in repr(recording)


@pytest.mark.parametrize("name", ["token", "api_key", "apiKey", "client_secret", "password", "Authorization"])
def test_members_of_bodies(name: str) -> None:
    """A member that is named like a credential is one, also if no request had it before, in requests as well."""
    body = {"data": [{name: "hunter2!"}], "count": 1, "is_token": True}
    recording = scrubbed(body, content=json.dumps(body).encode(), headers={"content-type": "application/json"})
    expected = {"data": [{name: "scrubbed"}], "count": 1, "is_token": True}
    assert (recording.request.body, recording.response.body) == (expected, expected)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (
            PRESIGNED,
            f"{STORE}?X-Amz-Signature=scrubbed&X-Amz-Credential=scrubbed&x-amz-date=scrubbed",
        ),
        ("https://ann:word@films.example/a.mp4", "https://films.example/a.mp4"),
        ("https://films.example/a.mp4#t=1,2", "https://films.example/a.mp4#t=1,2"),
        (f"{BASE_URL}/medias?page[number]=2&api_key=k", "https://service.example/api/v1/medias?page[number]=2&api_key=scrubbed"),
        ("http://127.0.0.1:8080/_uploads/1", "https://service.example/_uploads/1"),
        ("https://api.contentgroove.test/files/still.jpg", "https://api.contentgroove.test/files/still.jpg"),
        ("https://[half/", "https://service.example/scrubbed"),
    ],
)  # fmt: skip
def test_urls(url: str, kept: str) -> None:
    """Credentials of URLs are removed, in a member, in a sentence, and in a header; the rest stays."""
    recording = scrubbed({"url": url, "text": f"See {url} now."}, {"location": url})
    assert recording.response.body == {"url": kept, "text": f"See {kept} now."}
    assert recording.response.headers["location"] == kept


def test_tokens_in_paths() -> None:
    """A chat's webhook has its key in the path: it becomes a placeholder, the same each time; ids stay."""
    url = "https://hooks.example/T0/x7Kq02mPz91LwVbN/9b9a2e82-5b47-4f59-831d-4c239824b983/summer-in-italy"
    body: Any = scrubbed({"one": url, "two": f"{url}?a=1", "other": url.replace("x7K", "x7L")}).response.body
    found = re.fullmatch(re.escape(url).replace("x7Kq02mPz91LwVbN", "scrubbed-[0-9a-f]{12}"), body["one"])
    assert found is not None
    assert body["two"] == f"{body['one']}?a=scrubbed"
    assert body["other"] not in {body["one"], url}
    assert scrubbed(body).response.body == body


def test_what_is_not_a_credential_stays() -> None:
    """Ids, times, names, numbers, and headers that are not known."""
    body = {
        "id": "9b9a2e82-5b47-4f59-831d-4c239824b983",
        "created_at": "2025-10-15T13:51:02.559Z",
        "name": "Wedding of Ann = Bob?",
        "numbers": [1, 1.5, None, True, 12345678901234567890],
        "": "",
    }
    headers = {"etag": '"abc"', "x-request-id": "7", "retry-after": "3", "date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    recording = scrubbed(body, headers)
    assert recording.response.body == body
    assert recording.response.headers == {"content-type": "application/json", **headers}


def test_email_addresses_and_upload_ids() -> None:
    """Addresses are removed; an upload id is a credential, and becomes the same placeholder each time."""
    body = {"owner": "Ann <ann.meyer@example.test>", "a": {"upload_id": "eyJf--1"}, "b": {"upload_id": "eyJf--1"}}
    found = scrubbed(body).response.body
    assert found["owner"] == "Ann <scrubbed@example.com>"
    assert found["a"] == found["b"] != {"upload_id": "eyJf--1"}
    assert scrubbed(found).response.body == found


def test_response_headers_and_text() -> None:
    """Cookies, S3's headers, and the error of a store, which repeats what was signed."""
    text = f"<Error><Code>AccessDenied</Code><StringToSign>AWS4 {SECRET}x</StringToSign></Error>"
    headers = {"content-type": "application/xml", "set-cookie": "id=hunter2", "x-amz-request-id": "R", "x-auth": "h2"}
    response = scrubbed(text.encode(), headers).response
    assert response.text == "<Error><Code>AccessDenied</Code><StringToSign>scrubbed</StringToSign></Error>"
    assert response.headers == dict.fromkeys(headers, "scrubbed") | {"content-type": "application/xml"}


def test_a_secret_that_is_left_is_not_recorded() -> None:
    """Whatever removes credentials: a known one that is still there is an error, whose message does not have it."""
    scrubber = SessionScrubber(BASE_URL)
    scrubber.request(CheckedRequest("GET", "/api/v1/medias", {"x-api-key": SECRET}, b""))
    request = Request(method="GET", path=f"/medias/{SECRET}")
    recording = Recording(operation="", status=200, origin="proxy", request=request, response=scrubbed({}).response)
    with pytest.raises(RecordingError) as caught:
        scrubber.require_clean(recording)
    assert SECRET not in str(caught.value)


@pytest.mark.slow
def test_an_upload_through_the_proxy(tmp_path: Path) -> None:
    """Its URL is in memory only; size and type of the file are recorded, and the store gets no key."""
    file = tmp_path / "session.jsonl"
    simulator = Simulator(clock=ManualClock())
    content = sample_video().read_bytes()
    with serve(simulator) as server, recording_of(server.base_url, file) as proxy:
        signed = httpx.get(f"{server.base_url}/direct_uploads", headers=proxy.client.headers, trust_env=False).json()
        found = proxy.client.get("/direct_uploads").json()["data"]["attributes"]
        assert found["upload_url"] == str(proxy.client.base_url.copy_with(path="/_uploads/1"))
        assert proxy.client.put(found["upload_url"], content=content).status_code == 200
        refused = proxy.client.put(
            found["upload_url"], content=content, headers={"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
        )
        (_, upload, second) = proxy.recordings
    assert httpx.URL(signed["data"]["attributes"]["upload_url"]).params["X-Amz-Signature"]
    puts = [record for record in simulator.requests if record.method == "PUT"]
    assert [record.status for record in puts] == [200, 403]
    assert (refused.status_code, second.status) == (403, 403)
    assert second.request.headers["content-md5"] == "1B2M2Y8AsgTpgAmY7PhCfg=="
    assert (upload.request.method, upload.request.path, upload.request.size) == ("PUT", "/_uploads/1", len(content))
    text = file.read_text("utf-8")
    assert found["upload_id"] not in text
    assert "canary" not in text
    assert "X-Amz" not in text
    with serve_app(Replay(file)) as origin:
        assert httpx.put(f"{origin}/_uploads/1", content=content, trust_env=False).status_code == 200
        other = httpx.put(f"{origin}/_uploads/1", content=b"other", trust_env=False)
    hint = f"Nearest: PUT /_uploads/1, with another body: a file of {len(content)} bytes instead of a file of 5 bytes."
    assert hint in other.json()["errors"][0]["detail"]


@pytest.mark.slow
@pytest.mark.parametrize("url", ["http://store.example/a", "ftp://127.0.0.1/a", "https://[half/", ""])
def test_upload_urls_that_are_not_forwarded(url: str, tmp_path: Path) -> None:
    """A file is not sent in clear text to another machine: the response stays as it is."""
    headers, content = as_json({"data": {"attributes": {"upload_url": url}}})
    with recording_of(Upstream(200, headers, content), tmp_path / "s.jsonl") as proxy:
        assert proxy.client.get("/direct_uploads").content == content


@pytest.mark.slow
def test_violations_are_recorded_without_credentials(tmp_path: Path) -> None:
    """What violates the contract is reported and recorded; the replay has the same."""
    headers, content = as_json({"data": [{"type": "medias", "token": SECRET}], "links": {"self": f"/x?token={SECRET}"}})
    with recording_of(Upstream(200, headers, content), tmp_path / "s.jsonl") as proxy:
        proxy.client.get("/medias?nothing=1", headers={"authorization": ""})
        (outcome,) = proxy.outcomes
        (recording,) = read_session(tmp_path / "s.jsonl").recordings
    assert recording.violations == tuple(outcome.violations)
    rules = [violation.split(": ")[2] for violation in outcome.violations]
    assert {"auth", "unknown-parameter", "undeclared-field"} <= set(rules)
    assert SECRET not in encode_recording(recording).decode()


@pytest.mark.slow
def test_what_a_store_repeats(tmp_path: Path) -> None:
    """A store that repeats a part of the signed URL in a plain sentence."""
    upstream = Upstream()
    with serve_app(upstream) as origin, recording_of(f"{origin}/api/v1", tmp_path / "s.jsonl") as proxy:
        url = f"{origin}/store/film.mp4?X-Amz-Signature={SECRET}"
        headers, content = as_json({"data": {"attributes": {"upload_url": url}}})
        upstream.headers, upstream.chunks = list(headers.items()), [content]
        target = proxy.client.get("/direct_uploads").json()["data"]["attributes"]["upload_url"]
        upstream.headers, upstream.chunks = [("content-type", "text/plain")], [f"{SECRET} is wrong".encode()]
        assert proxy.client.put(target, content=b"film").text == f"{SECRET} is wrong"
        assert upstream.received[-1][0]["query_string"] == f"X-Amz-Signature={SECRET}".encode()
        assert proxy.recordings[-1].response.text == "scrubbed is wrong"
    assert SECRET not in (tmp_path / "s.jsonl").read_text("utf-8")


@pytest.mark.slow
def test_an_exchange_with_a_secret_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a known key is still in an exchange, the caller gets its response, and the file does not get the key."""
    monkeypatch.setattr(SessionScrubber, "_without_known", lambda _, text: text)
    with recording_of(Upstream(204), tmp_path / "s.jsonl") as proxy:
        assert proxy.client.get(f"/medias/{SECRET}", headers={"x-api-key": SECRET}).status_code == 204
        (outcome,) = proxy.outcomes
        assert proxy.recordings == ()
    assert outcome.problem is not None
    assert "contains a credential at an unknown location" in outcome.problem
