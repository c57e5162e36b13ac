"""A hostile server on a real socket: whatever it sends, callers get a documented error, soon, and never the key."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import APIConnectionError, APIError, ContentGrooveError, ResponseDecodeError
from contentgroove._io import http

from .conftest import KEY
from .servers import GOOD, http_response, says, server

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Maker

pytestmark = [pytest.mark.usefixtures("way"), pytest.mark.slow]


def endless(part: bytes, head: bytes) -> Callable[[socket.socket], None]:
    """Send a head and then the same chunk while the client accepts it, up to 200 MB."""

    def script(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(200_000_000 // len(part)):
            connection.sendall(part)

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MILLION = b"f4240\r\n" + b" " * 1_000_000 + b"\r\n"

HOSTILE: list[tuple[str, Callable[[socket.socket], None], type[ContentGrooveError]]] = [
    ("nothing at all", says(), APIConnectionError),
    ("no HTTP", says(b"SSH-2.0-OpenSSH_9.2\r\n"), APIConnectionError),
    ("half a status line", says(b"HTTP/1."), APIConnectionError),
    ("HTTP/9", says(b"HTTP/9.9 200 OK\r\n\r\n"), ContentGrooveError),
    ("status 000", says(b"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n"), ContentGrooveError),
    ("status 999", says(http_response(b"", "999 Odd")), APIError),
    ("truncated body", says(http_response()[:-40]), APIConnectionError),
    ("truncated chunk", says(CHUNKED, b"ff\r\nshort"), APIConnectionError),
    ("bad chunk size", says(CHUNKED, b"zz\r\n\r\n"), APIConnectionError),
    ("endless chunks", endless(MILLION, CHUNKED), ResponseDecodeError),
    ("gigantic length", says(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n"), ResponseDecodeError),
    ("endless headers", endless(b"X-A: " + b"a" * 1000 + b"\r\n", b"HTTP/1.1 200 OK\r\n"), APIConnectionError),
    ("two lengths", says(http_response(GOOD, "200 OK", "Content-Length: 5")), APIConnectionError),
    ("negative length", says(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), APIConnectionError),
    ("control characters in a header", says(b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\n\r\n"), APIConnectionError),
    ("bad gzip", says(http_response(b"no gzip", "200 OK", "Content-Encoding: gzip")), APIConnectionError),
    (
        "gzip bomb",
        says(http_response(gzip.compress(b" " * 100_000_000), "200 OK", "Content-Encoding: gzip")),
        ResponseDecodeError,
    ),
    ("unknown encoding", says(http_response(b"\x00\x01", "200 OK", "Content-Encoding: brotli2")), ResponseDecodeError),
    ("HTML", says(http_response(b"<html>Bad Gateway</html>", "502 Bad Gateway")), APIError),
    ("redirect to another host", says(http_response(b"", "302 Found", "Location: http://127.0.0.1:9/steal")), APIError),
    ("redirect to itself", says(http_response(b"", "307 Again", "Location: /api/v1/medias/m-1")), APIError),
    (
        "upgrade",
        says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        ContentGrooveError,
    ),
]


@pytest.mark.parametrize(("script", "kind"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_hostile_response(
    make: Maker,
    caplog: pytest.LogCaptureFixture,
    script: Callable[[socket.socket], None],
    kind: type[ContentGrooveError],
) -> None:
    """Each kind of hostile response is a documented error that does not contain the key."""
    caplog.set_level(logging.DEBUG)
    with server(script) as (base_url, received):
        client = make(base_url=base_url, max_retries=0, timeout=10)
        with pytest.raises(kind) as caught:
            client.medias.get("m-1")
    assert KEY not in str(caught.value)
    assert KEY not in caplog.text
    assert len(received) == 1
    assert KEY.encode() in received[0]


@pytest.mark.parametrize(
    "script",
    [
        says(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 3, http_response()),
        says(b"HTTP/1.1 100 Continue\r\n\r\n", http_response()),
        says(http_response(GOOD, "200 OK", "X-A: 1", "X-A: 2", "Set-Cookie: a=b", "Set-Cookie: c=d")),
        says(http_response(gzip.compress(GOOD), "200 OK", "Content-Encoding: gzip")),
        says(*(bytes([byte]) for byte in http_response(gzip.compress(GOOD), "200 OK", "Content-Encoding: X-GZIP"))),
        says(http_response(zlib.compress(GOOD), "200 OK", "Content-Encoding: deflate")),
        says(http_response(GOOD, "200 OK", "Content-Encoding: identity")),
        says(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD),
        says(*(bytes([byte]) for byte in http_response())),
    ],
    ids=[
        "early hints",
        "continue",
        "headers twice",
        "gzip",
        "gzip byte by byte",
        "deflate",
        "identity",
        "HTTP/1.0 until close",
        "byte by byte",
    ],
)
def test_odd_but_fine(make: Maker, script: Callable[[socket.socket], None]) -> None:
    """What HTTP allows is read."""
    with server(script) as (base_url, _):
        assert make(base_url=base_url, max_retries=0).medias.get("m-1").id == "m-1"


def test_silence_ends_with_the_timeout(make: Maker) -> None:
    """A server that accepts the request and sends nothing causes a timeout."""
    leave = threading.Event()

    def wait(_connection: socket.socket) -> None:
        leave.wait(20)

    with server(wait) as (base_url, _):
        client = make(base_url=base_url, max_retries=0, timeout=0.2)
        with pytest.raises(APIConnectionError, match="no response in time"):
            client.medias.get("m-1")
        leave.set()


def test_a_trickle_ends(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that trickles, each byte in time, does not block a call forever."""
    monkeypatch.setattr(http, "MAX_RESPONSE_SECONDS", -1.0)
    with server(says(http_response())) as (base_url, _), pytest.raises(APIConnectionError, match="not complete after"):
        make(base_url=base_url, max_retries=0).medias.get("m-1")


@pytest.mark.parametrize(
    ("head", "part"),
    [(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"), (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n")],
    ids=["a header", "interim responses"],
)
def test_a_beginning_that_trickles_ends(make: Maker, monkeypatch: pytest.MonkeyPatch, head: bytes, part: bytes) -> None:
    """A response whose head never ends, although each byte comes in time, does not block a call forever."""
    monkeypatch.setattr(http, "MAX_RESPONSE_SECONDS", 0.3)
    left = threading.Event()
    kept = 0

    def trickle(connection: socket.socket) -> None:
        nonlocal kept
        connection.sendall(head)
        while not left.wait(0.02) and kept < 500:
            connection.sendall(part)
            kept += 1

    with server(trickle) as (base_url, _):
        with pytest.raises(APIConnectionError, match="no response in time"):
            make(base_url=base_url, max_retries=0, timeout=10).medias.get("m-1")
        left.set()
    # As far from the end of the trickle as from its beginning, on however slow a machine.
    assert kept < 250


def test_cookies_are_not_kept(make: Maker) -> None:
    """A cookie that a server sets is not sent back: nothing but the key identifies a caller."""

    def script(connection: socket.socket) -> None:
        connection.sendall(http_response(GOOD, "200 OK", "Set-Cookie: session=secret", "Connection: close"))

    with server(script) as (base_url, received):
        client = make(base_url=base_url)
        client.medias.get("m-1")
        client.medias.get("m-1")
    assert len(received) == 2
    assert b"ookie" not in received[1]


def test_no_server_listens(make: Maker) -> None:
    """A port without a listener is a connection error that says what to check."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client: Any = make(base_url=f"http://127.0.0.1:{port}/api/v1", max_retries=1)
    with pytest.raises(APIConnectionError, match="cannot connect, after 2 attempts"):
        client.medias.create(upload_id="u")


def test_an_unknown_host(make: Maker) -> None:
    """A host that no name server knows is a connection error."""
    with pytest.raises(APIConnectionError, match="cannot connect"):
        make(base_url="https://contentgroove.invalid/api/v1", max_retries=0).medias.get("m-1")
