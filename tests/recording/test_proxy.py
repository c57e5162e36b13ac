"""The proxy passes on what it gets, and only to its target."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove.errors import ConfigurationError
from contentgroove_mock.recording import proxy as proxy_module
from contentgroove_mock.recording.bodies import MAX_BODY
from contentgroove_mock.recording.proxy import serve_recording
from contentgroove_mock.recording.recordings import RecordingError
from contentgroove_mock.recording.replay import Replay
from contentgroove_mock.simulator.server import serve_app
from contentgroove_mock.simulator.web.responses import TRANSPORT

from tests.recording.upstream import KEY, Proxy, Upstream, as_json, recording_of

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

JSON, MEDIAS = as_json({"data": []})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "session.jsonl"


def replayed(file: Path, method: str, target: str, **request: Any) -> httpx.Response:
    """Return the response of a replay that is served."""
    with serve_app(Replay(file)) as origin, httpx.Client(base_url=origin, trust_env=False) as client:
        return client.request(method, f"/api/v1{target}", **request)


def test_requests_are_passed_on_as_they_are(file: Path) -> None:
    """Method, target, headers and body; but not the headers of one connection, nor the caller's Host."""
    upstream = Upstream(200, JSON, MEDIAS)
    with recording_of(upstream, file) as proxy:
        headers = {"x-unknown": "known to the caller", "connection": "close, x-hop", "x-hop": "1", "te": "trailers"}
        target = "/medias?page%5Bsize%5D=2&filter[name_eq]=a+b%20c&filter[name_eq]="
        proxy.client.request("PATCH", target, content=b'{"a": 1.50}', headers=headers)
    ((scope, content),) = upstream.received
    sent = upstream.sent_headers()
    raw = scope["raw_path"], scope["query_string"]
    assert scope["method"] == "PATCH"
    assert raw == (b"/api/v1/medias", b"page%5Bsize%5D=2&filter[name_eq]=a+b%20c&filter[name_eq]=")
    assert content == b'{"a": 1.50}'
    assert (sent["authorization"], sent["x-unknown"]) == (f"Bearer {KEY}", "known to the caller")
    assert (sent["content-length"], sent["host"]) == ("11", f"127.0.0.1:{scope['server'][1]}")
    assert not {"x-hop", "te", "transfer-encoding"} & sent.keys()


@pytest.mark.parametrize("status", [200, 204, 301, 304, 404, 418, 500, 503])
def test_responses_are_passed_on_and_replayed_as_they_are(status: int, file: Path) -> None:
    """Status, headers and body; a redirect is not followed."""
    has_body = status not in {204, 304}
    headers = {"etag": '"1"', "x-unknown": "from the service", "date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    headers |= {"location": "https://elsewhere.example/"} if status == 301 else {}
    upstream = Upstream(status, headers | JSON if has_body else headers, *([MEDIAS] if has_body else []))
    with recording_of(upstream, file) as proxy:
        response = proxy.client.get("/medias", headers={"if-none-match": '"1"'})
        assert len(upstream.received) == 1
    again = replayed(file, "GET", "/medias")
    for found in (response, again):
        assert found.status_code == status
        assert {name: found.headers.get(name) for name in headers} == headers
        assert found.content.replace(b" ", b"") == (MEDIAS.replace(b" ", b"") if has_body else b"")


def test_head_has_the_headers_and_no_body(file: Path) -> None:
    """HEAD keeps the Content-Length of the body that it does not have, also in the replay."""
    with recording_of(Upstream(200, {"content-length": "4711", "content-type": "application/json"}), file) as proxy:
        response = proxy.client.head("/medias")
        (recording,) = proxy.recordings
    assert recording.operation == ""
    again = replayed(file, "HEAD", "/medias")
    assert [(found.headers["content-length"], found.content) for found in (response, again)] == [("4711", b"")] * 2


@pytest.mark.parametrize(
    ("coding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP", gzip.compress)]
)
def test_compressed_responses(coding: str, encode: Any, file: Path) -> None:
    """They are passed on compressed, in chunks, and recorded as JSON; a replay of gzip is compressed again."""
    content = encode(MEDIAS)
    with recording_of(
        Upstream(200, {"content-type": "application/json", "content-encoding": coding}, content[:7], content[7:]), file
    ) as proxy:
        with proxy.client.stream("GET", "/medias", headers={"accept-encoding": "br, gzip;q=0.5, zstd"}) as response:
            assert b"".join(response.iter_raw()) == content
            assert response.headers["transfer-encoding"] == "chunked"
        (recording,) = proxy.recordings
    assert recording.response.body == {"data": []}
    again = replayed(file, "GET", "/medias", headers={"accept-encoding": "gzip"})
    assert again.json() == {"data": []}
    assert again.headers.get("content-encoding") == ("gzip" if coding == "gzip" else None)
    assert "content-encoding" not in replayed(file, "GET", "/medias", headers={"accept-encoding": "identity"}).headers


def test_only_codings_that_can_be_recorded_are_offered(file: Path) -> None:
    """A body whose coding cannot be decoded is passed on and not recorded, because it may contain anything."""
    upstream = Upstream(200, {"content-encoding": "br"}, b"\x0b\x02\x80")
    with recording_of(upstream, file) as proxy:
        with proxy.client.stream("GET", "/medias", headers={"accept-encoding": "br, gzip;q=0.5, zstd"}) as response:
            assert b"".join(response.iter_raw()) == b"\x0b\x02\x80"
        assert upstream.sent_headers()["accept-encoding"] == "gzip;q=0.5"
        assert [outcome.problem for outcome in proxy.outcomes] == [
            "A body with the content coding 'br' cannot be decoded."
        ]
        assert proxy.recordings == ()


def test_a_bomb_is_not_decoded(file: Path) -> None:
    """A small body that decodes to a huge one is passed on, and not kept in memory."""
    bomb = gzip.compress(bytes(MAX_BODY + 1))
    with recording_of(Upstream(200, {"content-encoding": "gzip"}, bomb), file) as proxy:
        with proxy.client.stream("GET", "/medias") as response:
            assert b"".join(response.iter_raw()) == bomb
        (outcome,) = proxy.outcomes
    assert outcome.problem is not None
    assert "too long to record" in outcome.problem


def test_bodies_that_are_not_json(file: Path) -> None:
    """Text and bytes are recorded as they are; so is JSON that its decoder would change."""
    bodies = [
        ("text/plain; charset=utf-8", "grün 1.0".encode()),
        ("image/png", b"\x89PNG\xff"),
        ("application/json", b'{"a": 1, "a": 2}'),
        ("application/json", b"{"),
    ]
    upstream = Upstream()
    with recording_of(upstream, file) as proxy:
        for number, (media_type, content) in enumerate(bodies):
            upstream.headers, upstream.chunks = [("content-type", media_type)], [content]
            assert proxy.client.get(f"/medias/{number}").content == content
    for number, (media_type, content) in enumerate(bodies):
        again = replayed(file, "GET", f"/medias/{number}")
        assert (again.content, again.headers["content-type"]) == (content, media_type)


def test_a_service_that_cannot_be_reached(file: Path) -> None:
    """502, with the origin and the reason; nothing is recorded, so no file remains."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with recording_of(f"{origin}/api/v1", file) as proxy:
            response = proxy.client.post("/medias", params={"api_key": "canary-key-in-the-query"})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["status"], error["title"]) == (502, "502", "Bad Gateway")
    assert error["detail"].startswith(f"Cannot reach {origin}: ")
    assert error["detail"].endswith("Nothing was recorded.")
    assert [(outcome.status, outcome.problem) for outcome in proxy.outcomes] == [(502, error["detail"])]
    assert proxy.outcomes[0].request == "POST /medias?api_key=scrubbed"
    assert not file.exists()


def test_a_service_that_does_not_respond(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """504; after a POST, with the doubt that remains."""
    monkeypatch.setattr(proxy_module, "TIMEOUT", httpx.Timeout(5, read=0.05))

    async def hang(_scope: Scope, _receive: Receive, _send: Send) -> None:
        await asyncio.Event().wait()

    with recording_of(hang, file) as proxy:
        found = [proxy.client.request(method, "/medias").json()["errors"][0] for method in ("GET", "POST")]
    assert [error["status"] for error in found] == ["504", "504"]
    doubt = "The service may have performed the request."
    assert [error["detail"].endswith(doubt) for error in found] == [False, True]
    assert "did not respond in time (ReadTimeout)" in found[0]["detail"]


def test_a_response_that_is_cut_off(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The caller sees that, too, and the exchange is not recorded."""

    async def cut_off(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        scope["state"][TRANSPORT].close()
        while (await receive())["type"] != "http.disconnect":
            pass

    with recording_of(cut_off, file) as proxy:
        with pytest.raises(httpx.TransportError):
            proxy.client.get("/medias")
        ((_, status, _, problem),) = proxy.outcomes
        assert (status, problem) == (None, "The response was cut off (RemoteProtocolError).")
        assert proxy.recordings == ()
    # Otherwise the server says that the application did not complete its response.
    assert [record.getMessage() for record in caplog.records if record.name == "contentgroove_mock.server"] == []


def test_a_response_without_a_beginning(file: Path) -> None:
    """A response that is cut off before its body is a 502; so is an upload's preparation, at any time."""

    async def cut_off(scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        if scope["path"].endswith("/direct_uploads"):
            await send({"type": "http.response.body", "body": b"part", "more_body": True})
        else:
            # Otherwise the server would send its headers together with what follows.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
        scope["state"][TRANSPORT].close()

    with recording_of(cut_off, file) as proxy:
        found = [proxy.client.get(path).json()["errors"][0] for path in ("/medias", "/direct_uploads")]
        assert [outcome.problem for outcome in proxy.outcomes] == [error["detail"] for error in found]
    assert [error["status"] for error in found] == ["502", "502"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://page.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"host": "page.example"},
        {"host": "127.0.0.1.page.example:80"},
        {"host": "[::1"},
        {"host": ""},
    ],
)
def test_web_pages_and_other_hosts_are_refused(headers: Any, file: Path) -> None:
    """Nothing is sent to the service."""
    upstream = Upstream()
    with recording_of(upstream, file) as proxy:
        response = proxy.client.get("/medias", headers=headers)
    assert response.status_code == 400
    assert response.json()["errors"][0]["detail"].startswith("The recording proxy ")
    assert upstream.received == []


@pytest.mark.parametrize(
    "head",
    [
        "GET http://other.example/api/v1/medias HTTP/1.1\r\nHost: other.example",
        "GET http://other.example/api/v1/medias HTTP/1.1\r\nHost: 127.0.0.1",
        "CONNECT other.example:443 HTTP/1.1\r\nHost: 127.0.0.1",
        "GET /api/v1/medias HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: other.example",
        "GET /api/v1/medias HTTP/1.0",
    ],
)
def test_it_is_not_an_open_proxy(head: str, file: Path) -> None:
    """A client that takes it for a forward proxy gets an error, and so does one that does not say where it goes."""
    upstream = Upstream()
    with recording_of(upstream, file) as proxy:
        response = send_raw(proxy, head)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert upstream.received == []


def send_raw(proxy: Proxy, head: str) -> bytes:
    """Send a request as it stands, and return the whole response."""
    address = (proxy.client.base_url.host, proxy.client.base_url.port or 0)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        return connection.makefile("rb").read()


@pytest.mark.parametrize("path", ["/", "/api/v1", "/other", "/api/v1x/medias", "/_uploads/1", "/_mock/state"])
def test_only_the_api_is_passed_on(path: str, file: Path) -> None:
    """Other paths are errors that name the base URL, in the replay as well."""
    with recording_of(Upstream(), file) as proxy:
        response = proxy.client.get(str(proxy.client.base_url.copy_with(path=path)))
        base_url = str(proxy.client.base_url).rstrip("/")
        proxy.client.get("/medias")
    assert response.status_code == 404
    assert f"The base URL is {base_url}." in response.json()["errors"][0]["detail"]
    with serve_app(Replay(file)) as origin:
        assert httpx.get(origin + path, trust_env=False).status_code == (501 if path == "/_uploads/1" else 404)


@pytest.mark.parametrize("target", ["http://service.example/api/v1", "ftp://service.example", "https://u:p@s.example"])
def test_a_key_is_not_sent_in_clear_text(target: str, file: Path) -> None:
    """The target must be https, or this machine; the file is not created."""
    with pytest.raises(ConfigurationError), serve_recording(file, target):
        pass
    assert not file.exists()


def test_an_existing_file_is_left_alone(file: Path) -> None:
    """A recording may be one that cannot be repeated."""
    file.write_text("precious", encoding="utf-8")
    with (
        pytest.raises(RecordingError, match=r"exists. Delete it, or choose another file\."),
        recording_of("https://s.example", file),
    ):
        pass
    assert file.read_text("utf-8") == "precious"


def test_no_log_contains_the_key(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library logs the URL of each request."""
    caplog.set_level(logging.DEBUG)
    head = "GET /api/v1/medias?api_key=canary-key-in-the-query HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: canary-key-2"
    with recording_of(Upstream(200, JSON, MEDIAS), file) as proxy:
        # Not by a client of the test, whose log would contain the key.
        assert send_raw(proxy, head).startswith(b"HTTP/1.1 200 ")
    assert "HTTP Request: GET" in caplog.text
    assert "canary" not in caplog.text
