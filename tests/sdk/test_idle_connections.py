"""Connections that the server has closed while they were idle are closed here, too, not kept in CLOSE_WAIT."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove

from tests.platforms import PROC

from .conftest import KEY
from .servers import GOOD, http_response
from .test_uploads import MP4

if TYPE_CHECKING:
    from collections.abc import Generator

    from .conftest import Maker

PATIENCE = 20.0
AT_ONCE = 5


class Service:
    """Keeps connections until it is told to close them.

    Attributes:
        url: The base URL.
        gate: Passed by calls for "together" once there are `AT_ONCE` of them.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/api/v1"
        self.gate = threading.Barrier(AT_ONCE)
        self.store = f"http://127.0.0.1:{self.port}/put?X-Amz-Signature=s"
        self._open: list[socket.socket] = []

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        self._open.append(connection)
        with connection, contextlib.suppress(OSError):
            while received := connection.recv(65536):
                head, _, body = received.partition(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                missing = (int(length[1]) if length else 0) - len(body)
                while missing > 0:
                    missing -= len(connection.recv(missing))
                if b"together" in head:
                    self.gate.wait(PATIENCE)
                connection.sendall(http_response(self._body(head)))

    def _body(self, head: bytes) -> bytes:
        if b"direct_uploads" not in head:
            return b"" if head.startswith(b"PUT") else GOOD
        attributes = {"upload_id": "u", "upload_url": self.store}
        data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
        return httpx.Response(200, json={"data": data}).content

    def close_idle(self) -> None:
        """Close all connections; the end of each has arrived when this returns."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()


@contextlib.contextmanager
def service() -> Generator[Service, None, None]:
    """Serve each connection in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Service(listener)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=made.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.close_idle()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE)


CLOSE_WAIT = "08"


def waiting_for(port: int) -> int:
    """Count the sockets connected to a port whose peer has closed and which are still open here."""
    table = Path("/proc/self/net/tcp").read_text(encoding="ascii")
    rows = [row.split() for row in table.splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == CLOSE_WAIT for row in rows)


@PROC
@pytest.mark.usefixtures("way")
def test_the_next_call_drops_all(make: Maker) -> None:
    """Those of a burst that is over, with a call that needs one connection."""
    with service() as served:
        client = make(base_url=served.url)
        burst(client, make)
        served.close_idle()
        assert waiting_for(served.port) == AT_ONCE
        client.medias.get("m-1")
        assert waiting_for(served.port) == 0


@PROC
@pytest.mark.usefixtures("way")
def test_it_needs_no_poll(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and some patched programs only have `select`."""
    monkeypatch.delattr("select.poll")
    with service() as served:
        client = make(base_url=served.url)
        burst(client, make)
        client.medias.get("m-1")
        served.close_idle()
        client.medias.get("m-1")
        assert waiting_for(served.port) == 0


def burst(client: Any, make: Maker) -> None:
    """Make calls at the same time, each of which needs a connection of its own."""
    if make.kind == "sync":
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(client.medias.get, ["together"] * AT_ONCE))
        return
    target = make.opened[-1]

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(target.medias.get, "together")

    make.loop.run_until_complete(run())


@PROC
@pytest.mark.usefixtures("way")
def test_an_upload_leaves_none(make: Maker) -> None:
    """A connection to the store serves one upload; and uploads drop what calls have left."""
    with service() as served:
        client = make(base_url=served.url)
        client.medias.upload(MP4)
        served.close_idle()
        client.medias.get("m-1")
        assert waiting_for(served.port) == 0


@PROC
@pytest.mark.usefixtures("way")
def test_a_call_to_another_host_drops_them(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose uploads go through a proxy keeps connections to it; a call of the API drops these."""
    with service() as proxy, service() as served:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", f"127.0.0.1:{served.port}")
        served.store = "http://store.localhost:1/put?X-Amz-Signature=s"
        client = make(base_url=served.url)
        client.medias.upload(MP4)
        proxy.close_idle()
        assert waiting_for(proxy.port) == 1
        client.medias.get("m-1")
        assert waiting_for(proxy.port) == 0


@PROC
@pytest.mark.parametrize("kind", [ContentGroove, AsyncContentGroove])
def test_closing_drops_them(kind: Any) -> None:
    """Without any further call."""

    async def run(client: AsyncContentGroove) -> None:
        await client.medias.get("m-1")
        served.close_idle()
        await client.aclose()

    with service() as served:
        if kind is ContentGroove:
            with ContentGroove(KEY, served.url) as client:
                client.medias.get("m-1")
                served.close_idle()
        else:
            anyio.run(run, AsyncContentGroove(KEY, served.url))
        assert waiting_for(served.port) == 0
