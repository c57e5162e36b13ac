"""Hosts with several addresses, some of which are dead (RFC 8305)."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import APIConnectionError, APITimeoutError, ConfigurationError, ContentGroove
from contentgroove._core.io import run_inner
from contentgroove._io import connecting
from contentgroove._io.connecting import connect, wait_any_sync

from tests.platforms import LOOPBACKS
from tests.uploads.clients import open_sockets

from .servers import http_response, says, server
from .test_uploads import MP4, Api

if TYPE_CHECKING:
    from collections.abc import Generator

    from .conftest import Maker

PATIENCE = 20.0
SOON = 5.0
"""Far less than the limit, far more than the pauses between attempts."""

HOST = "service.localhost"


@contextlib.contextmanager
def dead(address: str, port: int = 0) -> Generator[int, None, None]:
    """Yield a port that accepts no connection and refuses none, like a host whose packets are dropped."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *hosts: str) -> None:
    """Let the name of the service have these addresses."""
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host not in {HOST, HOST.encode()}:
            return real(host, port, *arguments, **options)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, int(port)))
            for each in hosts
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def port_of(base_url: str) -> int:
    return httpx.URL(base_url).port or 0


@LOOPBACKS
@pytest.mark.usefixtures("way")
def test_a_dead_first_address_costs_little(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call does not wait for the whole limit, and nothing of the other attempt is left."""
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with server(says(http_response())) as (base_url, received), dead("127.0.0.2", port_of(base_url)):
        client = make(base_url=f"http://{HOST}:{port_of(base_url)}/api/v1", timeout=PATIENCE)
        started, before = time.monotonic(), open_sockets()
        assert client.medias.get("m-1").id == "m-1"
        assert time.monotonic() - started < SOON
        # One of the client, one of the server's thread, which may have closed its own by now.
        assert open_sockets() <= before + 2
    assert f"Host: {HOST}:".encode() in received[0]


@LOOPBACKS
@pytest.mark.usefixtures("way")
def test_uploads_try_the_next_address(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store has a dead address first."""
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    api = Api()
    with server(says(http_response(b""))) as (base_url, received), dead("127.0.0.2", port_of(base_url)):

        def handler(request: httpx.Request) -> httpx.Response:
            if not request.url.path.endswith("/direct_uploads"):
                return api(request)
            attributes = {"upload_id": "u", "upload_url": f"http://{HOST}:{port_of(base_url)}/x?X-Amz-Signature=s"}
            data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
            return httpx.Response(200, json={"data": data})

        started = time.monotonic()
        make(handler, timeout=PATIENCE).medias.upload(MP4)
        assert time.monotonic() - started < SOON
    assert received[0].startswith(b"PUT /x?X-Amz-Signature=s HTTP/1.1\r\n")


@LOOPBACKS
@pytest.mark.usefixtures("way")
def test_an_address_that_refuses_is_passed_at_once(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to wait for."""
    monkeypatch.setattr(connecting, "ATTEMPT_DELAY", PATIENCE)
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3", "127.0.0.1")
    with server(says(http_response())) as (base_url, _):
        started = time.monotonic()
        client = make(base_url=f"http://{HOST}:{port_of(base_url)}/api/v1", timeout=PATIENCE)
        assert client.medias.get("m-1").id == "m-1"
        assert time.monotonic() - started < SOON


@LOOPBACKS
@pytest.mark.usefixtures("way")
def test_the_limit_is_that_of_all_addresses(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three dead addresses cost no more than one."""
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    resolve_to(monkeypatch, *hosts)
    with contextlib.ExitStack() as opened:
        port = opened.enter_context(dead(hosts[0]))
        for host in hosts[1:]:
            opened.enter_context(dead(host, port))
        client = make(base_url=f"http://{HOST}:{port}/api/v1", timeout=0.6, max_retries=0)
        started, before = time.monotonic(), open_sockets()
        with pytest.raises(APITimeoutError):
            client.medias.get("m-1")
        assert 0.5 < time.monotonic() - started < 1.2
        assert open_sockets() == before


@LOOPBACKS
@pytest.mark.usefixtures("way")
def test_the_error_names_the_addresses(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to four of those that refused."""
    resolve_to(monkeypatch, *(f"127.0.0.{number}" for number in range(1, 7)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(APIConnectionError) as caught:
        make(base_url=f"http://{HOST}:{port}/api/v1", max_retries=0).medias.get("m-1")
    text = str(caught.value)
    assert [f"127.0.0.{number}" in text for number in range(1, 7)] == [True] * 4 + [False] * 2
    assert "and 2 more" in text


@LOOPBACKS
def test_the_error_names_what_is_silent_and_what_refused() -> None:
    """Both kinds, each with its address, and the limit."""
    with dead("127.0.0.2") as port:
        addresses: Any = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")
        ]
        with pytest.raises(
            Exception, match=r"for 0\.4 s \(127\.0\.0\.1:\d+: .*refused; 127\.0\.0\.2:\d+: no response\)"
        ):
            run_inner(connect(addresses, 0.4, wait_any_sync))


@LOOPBACKS
def test_closing_ends_all_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever socket was announced last, the call ends, and no socket is left."""
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1", "127.0.0.3")
    before = open_sockets()
    with dead("127.0.0.2") as port, dead("127.0.0.1", port):
        client = ContentGroove("key", f"http://{HOST}:{port}/api/v1", timeout=PATIENCE)
        third = threading.Event()
        real = connecting._Attempts.start_next

        def start(attempts: Any) -> Any:
            if len(attempts.remaining) == 1:
                third.set()
            return real(attempts)

        monkeypatch.setattr(connecting._Attempts, "start_next", start)

        def close() -> None:
            third.wait(PATIENCE)
            client.close()

        closing = threading.Thread(target=close)
        closing.start()
        started = time.monotonic()
        with pytest.raises(ConfigurationError, match="closed"):
            client.medias.get("m-1")
        closing.join(PATIENCE)
        assert time.monotonic() - started < SOON
    assert open_sockets() == before


def test_families_take_turns() -> None:
    """Often a whole family is unreachable; the resolver's first address stays the first."""
    resolved: Any = list(zip([10, 10, 10, 2, 2], "abcde", strict=True))
    ordered: list[Any] = connecting._interleaved(resolved)
    assert "".join(host for _, host in ordered) == "adbec"


def test_a_family_that_the_system_lacks_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket of IPv6 cannot even be created on some systems."""
    real = socket.socket

    def create(family: int, *arguments: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(97, "Address family not supported by protocol")
        return real(family, *arguments)

    monkeypatch.setattr(socket, "socket", create)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        addresses: Any = [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]
        with run_inner(connect(addresses, PATIENCE, wait_any_sync)) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
