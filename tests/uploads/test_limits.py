"""An upload may be slow, but not stall."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import httpcore
import pytest
from contentgroove._core.io import run_sync
from contentgroove._io.upload_connection import UploadConnection

from .stores import MIB, PATIENCE, Line, Store, http_response

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove._io.connecting import SocketWait

    from .clients import ClientFactory, Watch
    from .stores import Stores

pytestmark = pytest.mark.anyio

ANNOUNCED = 64 * MIB


async def test_a_store_that_takes_nothing_more_stalls_the_upload(client_within: ClientFactory, stores: Stores) -> None:
    """The transport's limit applies, not the longer one of the request, and counts from the last accepted byte."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.client_done.wait(PATIENCE)

    store = stores.open(behave)
    with pytest.raises(httpcore.WriteTimeout, match=r"accepted no data for 0\.05 s"):
        await client_within(stall_seconds=0.05).put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)


async def test_a_store_that_never_responses_ends_the_wait(client_within: ClientFactory, stores: Stores) -> None:
    """The store has the whole body and sends nothing."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        assert store.client_done.wait(PATIENCE)

    store = stores.open(behave)
    with pytest.raises(httpcore.ReadTimeout, match=r"sent nothing for 0\.05 s"):
        await client_within(response_seconds=0.05).put(store.url, [b"video"], 5)


async def test_sending_and_the_response_have_limits_of_their_own(
    client_within: ClientFactory, stores: Stores, watch: Watch
) -> None:
    """The store reads once the client waits to send, and responds once it waits for the response."""
    sending: set[float | None] = set()
    receiving: set[float | None] = set()

    def before(wait: SocketWait) -> None:
        if wait.seconds == 7:
            return
        if wait.writable:
            sending.add(wait.seconds)
            store.reached.set()
        else:
            receiving.add(wait.seconds)
            store.client_done.set()

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.read_body()
        assert store.client_done.wait(PATIENCE)
        line.socket.sendall(http_response("200 OK"))

    store = stores.open(behave)
    watch(before)
    client = client_within(stall_seconds=11, response_seconds=13, connect_seconds=7)
    response = await client.put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)
    assert response.status == 200
    assert (sending, receiving) == ({11}, {13})


@pytest.fixture
def sockets() -> Generator[tuple[socket.socket, socket.socket], None, None]:
    ours, store = socket.socketpair()
    with ours, store:
        ours.settimeout(0)
        store.settimeout(PATIENCE)
        yield ours, store


async def never(_wait: SocketWait) -> bool:
    # The time is up before the socket is ready.
    return False


async def test_a_slow_connection_does_not_stall(sockets: tuple[socket.socket, socket.socket]) -> None:
    """The time is up again and again before the socket counts as writable, but each attempt moves some bytes."""
    ours, store = sockets
    waits: list[SocketWait] = []
    received: list[bytes] = []

    async def read_some(wait: SocketWait) -> bool:
        waits.append(wait)
        received.append(store.recv(65536))
        return False

    data = os.urandom(4 * MIB)
    run_sync(UploadConnection(ours, read_some).write(data, seconds=3.0))
    assert {(wait.writable, wait.seconds) for wait in waits} == {(True, 3.0)}
    assert len(waits) > 10
    while len(b"".join(received)) < len(data):
        received.append(store.recv(65536))
    assert b"".join(received) == data


async def test_a_connection_that_takes_nothing_stalls(sockets: tuple[socket.socket, socket.socket]) -> None:
    """A last attempt after the time is up is refused too."""
    ours, _store = sockets
    with pytest.raises(httpcore.WriteTimeout, match="accepted no data for 3 s"):
        run_sync(UploadConnection(ours, never).write(bytes(4 * MIB), seconds=3.0))


async def test_a_response_at_the_last_moment_is_read(sockets: tuple[socket.socket, socket.socket]) -> None:
    """The time is up, and the response has come."""
    ours, store = sockets

    async def respond(_wait: SocketWait) -> bool:
        store.sendall(http_response("403 Forbidden"))
        return False

    connection = UploadConnection(ours, respond)
    with pytest.raises(httpcore.WriteError, match="responded before"):
        run_sync(connection.write(bytes(4 * MIB), seconds=3.0))
    assert run_sync(connection.read(65536, seconds=3.0)).startswith(b"HTTP/1.1 403 Forbidden")
