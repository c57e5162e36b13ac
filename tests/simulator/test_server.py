"""Serving: in a thread, in an event loop, as a command."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import gc
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import anyio
import contentgroove_mock
import httpx
import pytest
from anyio.lowlevel import checkpoint
from contentgroove_mock import Fault, ManualClock, Simulator, aserve, sample_video, serve
from contentgroove_mock.simulator.server import HttpProtocol, Server
from contentgroove_mock.simulator.web.responses import StoredFileResponse

from tests.platforms import WINDOWS
from tests.simulator.driver import KEY

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow

HEADERS = {"X-API-KEY": KEY}
LIMIT = 20.0


class Hooks(HTTPServer):
    """A receiver of webhooks on a real socket."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.received = threading.Event()
        super().__init__(("127.0.0.1", 0), _Hook)

    @property
    def url(self) -> str:
        """The URL that receives webhooks."""
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:  # the library's name
        assert isinstance(self.server, Hooks)
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()
        self.server.received.set()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        pass


@pytest.fixture
def hooks() -> Generator[Hooks]:
    server = Hooks()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_served_simulator_responds_and_stops(simulator: Simulator) -> None:
    """The server is ready inside the context, and its port is closed afterwards."""
    with serve(simulator) as server:
        assert server.base_url == f"{server.origin}/api/v1"
        assert httpx.get(f"{server.base_url}/medias", headers=HEADERS).json()["data"] == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.base_url}/medias")
    with serve(simulator) as again:
        assert httpx.get(f"{again.base_url}/medias", headers=HEADERS).status_code == 200


def test_responses_are_dated_by_the_simulators_clock(simulator: Simulator) -> None:
    """All responses of API and store, errors included, have the Date of the simulator's clock."""
    start = simulator.clock.now()
    simulator.add_fault(Fault(kind="status", operation="getClips", status=503))
    with serve(simulator) as server, httpx.Client(headers=HEADERS) as client:
        for late in (0, 90):
            simulator.advance(late)
            responses = [
                client.get(f"{server.base_url}/medias"),
                client.get(f"{server.base_url}/clips"),
                client.delete(f"{server.base_url}/medias"),
                client.get(f"{server.base_url}/none"),
                client.put(f"{server.origin}/uploads/none", content=b"x"),
            ]
            dates = [
                [parsedate_to_datetime(each) for each in response.headers.get_list("date")] for response in responses
            ]
            assert dates == [[start + dt.timedelta(seconds=late)]] * 5


def test_responses_are_sent_without_delay(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Head and body of a response do not wait for each other's acknowledgement, 40 ms on every call."""
    seen: list[int] = []
    begin = HttpProtocol.connection_made

    def connection_made(protocol: HttpProtocol, transport: asyncio.Transport) -> None:
        begin(protocol, transport)
        seen.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(HttpProtocol, "connection_made", connection_made)
    with serve(simulator) as server:
        httpx.get(server.base_url)
    assert seen == [1]


def test_port_in_use_is_a_clear_error(simulator: Simulator) -> None:
    """The error for a used port names it, with what to do."""
    with serve(simulator) as server:
        second = serve(Simulator(), int(server.origin.rpartition(":")[2]))
        with pytest.raises(OSError, match=r"in use: choose another"):
            second.__enter__()


def test_address_of_another_machine_is_a_clear_error(simulator: Simulator) -> None:
    """An address that is not this machine's is named."""
    served = serve(simulator, host="192.0.2.1")
    with pytest.raises(OSError, match=r"192\.0\.2\.1"):
        served.__enter__()


def test_advance_from_a_test_waits_for_webhooks(simulator: Simulator, hooks: Hooks) -> None:
    """When advance returns, the webhook has arrived over a real socket."""
    with serve(simulator) as server, httpx.Client(base_url=server.base_url, headers=HEADERS) as client:
        client.post("/webhook_subscriptions", json={"data": {"attributes": {"url": hooks.url}}})
        attributes = {"source_url": "https://films.example/a.mp4"}
        media = client.post("/medias", json={"data": {"attributes": attributes}}).json()["data"]
        simulator.advance(60)
        (body,) = hooks.bodies
        assert json.loads(body)["payload"]["data"]["id"] == media["id"]
        link = json.loads(body)["payload"]["included"][0]["attributes"]["media_file_url"]
        assert link.startswith(server.origin)
        assert httpx.get(link).headers["content-type"] == "video/mp4"


def test_time_passes_by_itself(hooks: Hooks) -> None:
    """On the system's clock a media finishes and its webhook is sent without a request."""
    policy = contentgroove_mock.Policy(queue_seconds=0.01, processing_seconds=0.01)
    with serve(Simulator(policy=policy)) as server, httpx.Client(base_url=server.base_url, headers=HEADERS) as client:
        client.post("/webhook_subscriptions", json={"data": {"attributes": {"url": hooks.url}}})
        attributes = {"source_url": "https://films.example/a.mp4"}
        client.post("/medias", json={"data": {"attributes": attributes}})
        assert hooks.received.wait(LIMIT)


def test_time_continues_after_it_was_moved(hooks: Hooks) -> None:
    """After the system's clock was moved to just before a media is finished, the remaining time passes by itself."""
    policy = contentgroove_mock.Policy(queue_seconds=0, processing_seconds=3600)
    simulator = Simulator(policy=policy)
    with serve(simulator) as server, httpx.Client(base_url=server.base_url, headers=HEADERS) as client:
        client.post("/webhook_subscriptions", json={"data": {"attributes": {"url": hooks.url}}})
        attributes = {"source_url": "https://films.example/a.mp4"}
        client.post("/medias", json={"data": {"attributes": attributes}})
        for _ in range(5):  # by then the simulator waits for the hour to pass
            client.get("/medias")
        simulator.advance(3599.9)
        assert hooks.received.wait(LIMIT)


def test_advance_works_without_a_loop(hooks: Hooks) -> None:
    """After the server has stopped, advance delivers what is due by itself."""
    simulator = Simulator(clock=ManualClock())
    with serve(simulator) as server, httpx.Client(base_url=server.base_url, headers=HEADERS) as client:
        client.post("/webhook_subscriptions", json={"data": {"attributes": {"url": hooks.url}}})
        attributes = {"source_url": "https://films.example/a.mp4"}
        client.post("/medias", json={"data": {"attributes": attributes}})
    simulator.advance(60)
    assert len(hooks.bodies) == 1


@pytest.mark.anyio
async def test_simulator_is_served_from_the_running_loop(simulator: Simulator) -> None:
    """`aserve` serves in the same loop as the test's own tasks."""
    async with aserve(simulator) as server, httpx.AsyncClient(headers=HEADERS) as client:
        assert (await client.get(f"{server.base_url}/medias")).status_code == 200


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/_mock/"),
        ("http://[::1]:8080", "http://[::1]:8080/_mock/"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080/_mock/"),
        ("http://[::]:8080", "http://[::1]:8080/_mock/"),
    ],
)
def test_the_inspector_is_opened_on_this_machine(simulator: Simulator, origin: str, url: str) -> None:
    """It refuses every other name, also where the API itself can be reached from elsewhere."""
    assert Server(simulator, origin).inspector_url == url


STOPS = [getattr(signal, "CTRL_BREAK_EVENT")] if WINDOWS else [signal.SIGINT, signal.SIGTERM]  # noqa: B009 - see below
"""The signals that a program can send; the first only exists on Windows, also for type checkers."""


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603  # this interpreter, fixed code
        [sys.executable, "-m", "contentgroove", "mock", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        # Ctrl-Break reaches a whole group, and is not to reach the tests.
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def _address(process: subprocess.Popen[str]) -> str:
    """Return the URL that a command prints first."""
    assert process.stdout is not None
    output = ""
    while "Ctrl-C" not in output:
        line = process.stdout.readline()
        assert line, output
        output += line
    found = re.search(r"http://\S+", output)
    assert found is not None, output
    assert ("/_mock/" in output) == ("--control" in process.args)  # type: ignore[operator]  # a list
    return found[0]


@pytest.mark.process
@pytest.mark.parametrize("number", STOPS)
def test_command_serves_until_a_signal(number: int, tmp_path: Path) -> None:
    """The command prints its URL, stores its state, and ends cleanly on each signal."""
    state = tmp_path / "state.json"
    with _start("--state", str(state), "--control", "--processing-seconds", "9") as process:
        try:
            base_url = _address(process)
            assert httpx.get(f"{base_url}/medias", headers=HEADERS).json()["data"] == []
            assert httpx.get(base_url.replace("/api/v1", "/_mock/requests")).status_code == 200
            assert "<h1>Inspector</h1>" in httpx.get(base_url.replace("/api/v1", "/_mock/")).text
            process.send_signal(number)
            _, err = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert KEY.encode() not in state.read_bytes()


@pytest.mark.process
def test_state_survives_a_kill(tmp_path: Path) -> None:
    """A media, its upload, its processing and its webhook survive a kill -9."""
    options = ("--state", str(tmp_path / "state.json"), "--control", "--processing-seconds", "3600")
    with _start(*options) as process:
        try:
            with httpx.Client(base_url=_address(process), headers=HEADERS) as client:
                upload = client.get("/direct_uploads").json()["data"]["attributes"]
                assert httpx.put(upload["upload_url"], content=sample_video().read_bytes()).status_code == 200
                attributes = {"upload_id": upload["upload_id"], "name": "Film"}
                made = client.post("/medias", json={"data": {"attributes": attributes}}).json()["data"]
                subscription = {"url": "http://receiver.example/hook"}
                client.post("/webhook_subscriptions", json={"data": {"attributes": subscription}})
        finally:
            process.kill()
    with _start(*options) as process:
        try:
            base_url = _address(process)
            with httpx.Client(base_url=base_url, headers=HEADERS) as client:
                assert [item["id"] for item in client.get("/medias").json()["data"]] == [made["id"]]
                httpx.post(base_url.replace("/api/v1", "/_mock/advance"), json={"seconds": 7200})
                finished = client.get(f"/medias/{made['id']}").json()["data"]["attributes"]
            deliveries = httpx.get(base_url.replace("/api/v1", "/_mock/deliveries")).json()
        finally:
            process.kill()
    assert (finished["name"], finished["is_processing"], finished["source_file_duration"]) == ("Film", False, 6.0)
    # The receiver is on another machine, so nothing was sent there.
    assert [(item["payload"]["data"]["id"], item["state"]) for item in deliveries] == [(made["id"], "refused")]


@pytest.mark.process
def test_command_reports_a_port_in_use() -> None:
    """The command fails with one clear line if it cannot serve."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        _start("--port", str(taken.getsockname()[1])) as process,
    ):
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert err.startswith("error: The mock cannot start: Port ")
    assert err.count("\n") == 1
    assert out == ""


@pytest.mark.parametrize("passes", range(6))
@pytest.mark.anyio
async def test_a_connection_that_is_made_at_the_end_is_closed(passes: int) -> None:
    """At each step of accepting it; asyncio warns of a connection that is left open."""
    with socket.socket() as client:
        async with aserve(Simulator()) as server:
            client.connect(("127.0.0.1", int(server.origin.rpartition(":")[2])))
            for _ in range(passes):
                await checkpoint()
        client.settimeout(LIMIT)
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
    gc.collect()


@pytest.mark.anyio
async def test_a_file_is_closed_if_its_response_is_cancelled_while_it_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread that opens it continues, and only the response could close the opened file."""
    entered, cancelled, opened = threading.Event(), threading.Event(), list[Any]()
    real = anyio.open_file

    def take_long() -> None:
        entered.set()
        assert cancelled.wait(LIMIT)

    async def open_slowly(path: Path, mode: Any) -> Any:
        # In the thread that opens the file, as on a slow disk.
        await asyncio.shield(asyncio.to_thread(take_long))
        opened.append(await real(path, mode))
        return opened[-1]

    async def receive() -> Any:
        await asyncio.Event().wait()  # the client stays

    async def send(_message: Any) -> None:
        pass

    monkeypatch.setattr(anyio, "open_file", open_slowly)
    response = StoredFileResponse(sample_video())
    sending = asyncio.ensure_future(response({"type": "http", "method": "GET", "headers": []}, receive, send))
    assert await asyncio.to_thread(entered.wait, LIMIT)
    sending.cancel()
    await checkpoint()
    cancelled.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert [file.wrapped.closed for file in opened] == [True]
