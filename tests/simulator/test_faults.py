"""Faults over real sockets: what a client receives, and what has happened in the simulator."""

from __future__ import annotations

import http.client
import json
import math
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from contentgroove_mock import Fault, Server, sample_video, serve
from contentgroove_mock.contract import CheckedTransport, Checker

from tests.simulator.driver import BASE_URL, KEY, Driver

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove_mock import Simulator

FILM = sample_video().read_bytes()
LIMIT = 20.0


@pytest.fixture
def client(server: Server) -> Generator[httpx.Client]:
    with httpx.Client(base_url=server.base_url, headers={"X-API-KEY": KEY}, timeout=LIMIT) as client:
        yield client


def prepared(client: httpx.Client) -> str:
    """Prepare an upload and return its URL."""
    url: str = client.get("/direct_uploads").json()["data"]["attributes"]["upload_url"]
    return url


def made(client: httpx.Client) -> list[dict[str, Any]]:
    """Return all medias."""
    medias: list[dict[str, Any]] = client.get("/medias").json()["data"]
    return medias


def create(client: httpx.Client) -> httpx.Response:
    """Create a media."""
    attributes = {"source_url": "https://films.example/a.mp4"}
    return client.post("/medias", json={"data": {"attributes": attributes}})


@pytest.mark.parametrize("status", [400, 401, 402, 422, 429, 500])
def test_a_status_has_its_documented_form(server: Server, status: int) -> None:
    """A test of an application that makes such a response happen sees what the document says of it."""
    server.simulator.add_fault(Fault(kind="status", status=status, operation="createMedia"))
    checked = CheckedTransport(httpx.HTTPTransport(), Checker())
    with httpx.Client(
        transport=checked, base_url=server.base_url, headers={"Authorization": f"Bearer {KEY}"}
    ) as client:
        response = create(client)
    assert response.status_code == status
    assert "retry-after" not in response.headers


def begin_put(url: str, length: int, *headers: str) -> socket.socket:
    """Send the head of a PUT and nothing of its body."""
    parts = urlsplit(url)
    lines = [f"PUT {parts.path}?{parts.query} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {length}", *headers]
    connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=LIMIT)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    return connection


def read_response(connection: socket.socket) -> tuple[int, bytes]:
    """Read a response, and check that the connection is closed after it."""
    response = http.client.HTTPResponse(connection)
    response.begin()
    content = response.read()
    assert connection.recv(1) == b""
    response.close()
    connection.close()
    return response.status, content


def test_status_burst_ends(client: httpx.Client, simulator: Simulator) -> None:
    """Three 503 with Retry-After, for one operation only, then success; the first three created nothing."""
    simulator.add_fault(Fault(kind="status", operation="createMedia", status=503, count=3, retry_after="7"))
    assert client.get("/medias").status_code == 200
    responses = [create(client) for _ in range(4)]
    assert [response.status_code for response in responses] == [503, 503, 503, 200]
    assert responses[0].headers["Retry-After"] == "7"
    assert responses[0].json()["errors"][0]["status"] == "503"
    assert len(made(client)) == 1


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 502, 504, 520, 599])
def test_any_error_status_can_be_requested(client: httpx.Client, simulator: Simulator, status: int) -> None:
    """A fault has the requested status, for every operation unless it names one."""
    simulator.add_fault(Fault(kind="status", status=status, count=2))
    assert client.get("/medias").status_code == status
    assert client.get("/clips").status_code == status
    assert client.get("/clips").status_code == 200


def test_status_after_commit_hides_what_happened(client: httpx.Client, simulator: Simulator) -> None:
    """With after_commit the client receives 503, and the media was created."""
    simulator.add_fault(Fault(kind="status", operation="createMedia", after_commit=True))
    assert create(client).status_code == 503
    assert len(made(client)) == 1


@pytest.mark.parametrize("after_commit", [False, True])
def test_reset_is_a_reset(client: httpx.Client, simulator: Simulator, after_commit: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """The client's connection is reset, before or after the media was created."""
    simulator.add_fault(Fault(kind="reset", operation="createMedia", after_commit=after_commit))
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        create(client)
    assert len(made(client)) == after_commit
    assert simulator.requests[0].status is None


def test_truncated_response_is_short(client: httpx.Client, simulator: Simulator) -> None:
    """The response ends before its Content-Length."""
    simulator.add_fault(Fault(kind="truncate", operation="getMedias", after_bytes=20))
    with pytest.raises(httpx.RemoteProtocolError, match="20 bytes"):
        client.get("/medias")
    assert client.get("/medias").status_code == 200


def test_latency_waits_for_the_clock(client: httpx.Client, simulator: Simulator) -> None:
    """A late response is sent after the clock has moved, and a client that does not wait gets a timeout."""
    simulator.add_fault(Fault(kind="latency", operation="getMedias", seconds=30, count=2))
    with pytest.raises(httpx.ReadTimeout):
        client.get("/medias", timeout=0.05)
    statuses: list[int] = []
    requesting = threading.Thread(target=lambda: statuses.append(client.get("/medias").status_code))
    requesting.start()
    requesting.join(0.05)
    assert requesting.is_alive()
    while requesting.is_alive():
        simulator.advance(30)
        requesting.join(0.01)
    assert statuses == [200]


def test_rejection_is_sent_before_the_body(client: httpx.Client, simulator: Simulator) -> None:
    """An upload is rejected when its head is read, and the connection is closed, as S3 does."""
    del simulator
    url = prepared(client)
    for connection, status, code in (
        (begin_put(url, 100, "x-amz-acl: private"), 403, b"AccessDenied"),
        (begin_put(url, 100, f"X-API-KEY: {KEY}"), 400, b"InvalidArgument"),
        (begin_put(url, 5 * 1024**3 + 1), 400, b"EntityTooLarge"),
        (begin_put(url, 100, "Expect: 100-continue", "x-amz-acl: private"), 403, b"AccessDenied"),
    ):
        assert (response := read_response(connection))[0] == status
        assert code in response[1]
    assert httpx.put(url, content=FILM).status_code == 200


def test_body_that_ends_early_is_incomplete(client: httpx.Client) -> None:
    """A client that ends its body early receives an error, and the URL can be used again."""
    url = prepared(client)
    connection = begin_put(url, 100)
    connection.sendall(b"x" * 60)
    connection.shutdown(socket.SHUT_WR)
    status, content = read_response(connection)
    assert (status, b"IncompleteBody" in content) == (400, True)
    assert httpx.put(url, content=FILM).status_code == 200


def test_body_without_length_is_rejected(client: httpx.Client) -> None:
    """Over a socket, too, a chunked body is not implemented and a missing length is rejected."""
    url = urlsplit(prepared(client))
    for headers, status in (({"Transfer-Encoding": "chunked"}, 501), ({}, 411)):
        connection = http.client.HTTPConnection(url.netloc, timeout=LIMIT)
        connection.putrequest("PUT", f"{url.path}?{url.query}")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_drained_rejection_reads_the_whole_body(client: httpx.Client, simulator: Simulator) -> None:
    """A store that drains responds only after the last byte."""
    url = prepared(client)
    simulator.add_fault(Fault(kind="status", operation="upload", status=403, drain=True))
    connection = begin_put(url, 1000)
    connection.sendall(b"x" * 999)
    connection.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(LIMIT)
    connection.sendall(b"x")
    status, content = read_response(connection)
    assert (status, b"AccessDenied" in content) == (403, True)
    assert httpx.put(url, content=FILM).status_code == 200


def test_early_rejection_of_an_upload(client: httpx.Client, simulator: Simulator) -> None:
    """Expired and rejected URLs get a response at once, and the next attempt succeeds."""
    url = prepared(client)
    simulator.add_fault(Fault(kind="expired", operation="upload"))
    simulator.add_fault(Fault(kind="status", operation="upload", status=503))
    status, content = read_response(begin_put(url, 1000))
    assert (status, b"Request has expired" in content) == (403, True)
    status, content = read_response(begin_put(url, 1000))
    assert (status, b"SlowDown" in content) == (503, True)
    assert httpx.put(url, content=FILM).status_code == 200


def test_upload_is_reset_in_the_middle(client: httpx.Client, simulator: Simulator) -> None:
    """After some bytes the connection is reset, and nothing is stored."""
    url = prepared(client)
    simulator.add_fault(Fault(kind="reset", operation="upload", after_bytes=500))
    connection = begin_put(url, 1000)
    connection.sendall(b"x" * 500)
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    connection.close()
    assert httpx.put(url, content=FILM).status_code == 200


@pytest.mark.parametrize("kind", ["status", "reset"])
def test_stored_upload_can_look_failed(client: httpx.Client, simulator: Simulator, kind: Any) -> None:
    """With after_commit the file is stored although the client receives an error."""
    attributes = client.get("/direct_uploads").json()["data"]["attributes"]
    simulator.add_fault(Fault(kind=kind, operation="upload", after_commit=True))
    if kind == "reset":
        with pytest.raises(httpx.ReadError):
            httpx.put(attributes["upload_url"], content=FILM)
    else:
        assert httpx.put(attributes["upload_url"], content=FILM).status_code == 503
    body = {"data": {"attributes": {"upload_id": attributes["upload_id"]}}}
    assert client.post("/medias", json=body).status_code == 200


def test_stalled_upload_continues_with_the_clock(client: httpx.Client, simulator: Simulator) -> None:
    """A store that stalls reads some bytes, sends nothing, and continues when its time is over."""
    url = prepared(client)
    simulator.add_fault(Fault(kind="stall", operation="upload", after_bytes=1, seconds=60))
    connection = begin_put(url, len(FILM))
    connection.sendall(FILM)
    connection.settimeout(0.05)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    connection.settimeout(LIMIT)
    simulator.advance(60)
    response = http.client.HTTPResponse(connection)
    response.begin()
    assert response.status == 200
    response.close()
    connection.close()


def test_server_ends_requests_that_hang(simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    """Leaving `serve` ends requests that hang in a fault, and logs no error."""
    simulator.add_fault(Fault(kind="latency", operation="getMedias", seconds=3600))
    with serve(simulator) as server:
        parts = urlsplit(server.base_url)
        connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=LIMIT)
        connection.sendall(b"GET /api/v1/medias HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    connection.settimeout(LIMIT)
    assert connection.recv(1) == b""
    connection.close()
    assert caplog.records == []


@pytest.mark.anyio
@pytest.mark.parametrize(("kind", "error"), [("reset", httpx.ReadError), ("truncate", httpx.RemoteProtocolError)])
async def test_broken_connection_in_process(driver: Driver, kind: Any, error: type[httpx.HTTPError]) -> None:
    """Without a socket a broken connection raises the same httpx error."""
    driver.simulator.add_fault(Fault(kind=kind, operation="getMedias"))
    with pytest.raises(error):
        await driver.api.get(f"{BASE_URL}/medias")
    assert await driver.data("/medias") == []


def test_faults_can_be_removed(client: httpx.Client, simulator: Simulator) -> None:
    """Faults that have not happened yet are removed."""
    simulator.add_fault(Fault(kind="status", count=5))
    simulator.clear_faults()
    assert client.get("/medias").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "explode"},
        {"kind": "status", "operation": "getFilms"},
        {"kind": "stall", "operation": "getMedias"},
        {"kind": "truncate", "operation": "upload"},
        {"kind": "lost"},
        {"kind": "status", "operation": "webhook"},
        {"kind": "status", "status": 200},
        {"kind": "status", "status": 600},
        {"kind": "status", "count": 0},
        {"kind": "latency", "seconds": -1},
    ],
)
def test_impossible_fault_is_rejected(wrong: dict[str, Any]) -> None:
    """A fault that cannot happen is an error when it is created."""
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "latency", "seconds": math.nan},
        {"kind": "latency", "seconds": math.inf},
        {"kind": "latency", "seconds": "3"},
        {"kind": "status", "status": "503"},
        {"kind": "status", "retry_after": 5},
        {"kind": "status", "retry_after": "5\r\nSet-Cookie: a"},
        {"kind": "status", "count": 1.5},
        {"kind": "status", "after_commit": "yes"},
        {"kind": "status", "operation": "getMedias", "id": "m-1"},
        {"kind": "status", "operation": "getMediaById", "id": 7},
        {"kind": "reset", "body": "text"},
        {"kind": "status", "operation": "upload", "body": "text"},
        {"kind": "status", "body": b"bytes"},
        {"kind": "status", "body": "text", "content_type": "text/\nhtml"},
    ],
)
def test_a_wrong_argument_is_named(wrong: dict[str, Any]) -> None:
    """It is an error when the fault is made, not in a request later."""
    with pytest.raises(ValueError, match=next(name for name in reversed(wrong) if name != "operation")):
        Fault(**wrong)


def test_a_fault_for_one_media(client: httpx.Client, simulator: Simulator) -> None:
    """Other medias are not affected."""
    one, other = (create(client).json()["data"]["id"] for _ in range(2))
    simulator.add_fault(Fault(kind="status", operation="getMediaById", id=other))
    assert [client.get(f"/medias/{media_id}").status_code for media_id in (one, other, other)] == [200, 503, 200]


def test_a_fault_for_one_upload_and_one_webhook(client: httpx.Client, simulator: Simulator) -> None:
    """An upload's id is in its URL; a webhook is that of its media."""
    urls = [prepared(client) for _ in range(2)]
    upload_id = urlsplit(urls[1]).path.rpartition("/")[2]
    simulator.add_fault(Fault(kind="status", operation="upload", id=upload_id))
    assert [client.put(url, content=FILM, headers={"X-API-KEY": ""}).status_code for url in urls] != [503, 503]
    assert simulator.faults_happened() == {("status", "upload"): 1}


def test_the_page_of_a_proxy(client: httpx.Client, simulator: Simulator) -> None:
    """The body of a fault's response is chosen."""
    page = "<html>Bad gateway</html>"
    simulator.add_fault(Fault(kind="status", status=502, body=page, content_type="text/html"))
    response = client.get("/medias")
    assert (response.status_code, response.text) == (502, page)
    assert response.headers["content-type"].startswith("text/html")


def test_server_does_not_print_the_key(
    client: httpx.Client, simulator: Simulator, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the output nor the log of the server contains the key, not even from a query."""
    client.get(f"/medias?api_key={KEY}")
    client.get("/medias", headers={"Authorization": f"Bearer {KEY}"})
    out, err = capfd.readouterr()
    assert KEY not in out + err + repr(simulator.requests) + json.dumps([str(simulator.deliveries)])


def test_faults_that_happened_are_counted_and_marked(client: httpx.Client, simulator: Simulator) -> None:
    """The responses of faults are marked, and faults are counted by kind and operation."""
    simulator.add_fault(Fault(kind="status", operation="getMedias", status=503, count=2))
    marked = [client.get("/medias").headers.get("X-ContentGroove-Fault") for _ in range(3)]
    assert marked == ["status", "status", None]
    assert simulator.faults_happened() == {("status", "getMedias"): 2}
