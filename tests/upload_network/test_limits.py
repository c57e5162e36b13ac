"""An upload may be slow, but not stand still."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpcore
import pytest
from contentgroove._io.upload_connection import UploadConnection

from .stores import MIB, PATIENCE, Line, Store, answer

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove._io.upload_connection import SocketWait

    from .clients import ClientFactory
    from .stores import Stores
    from .waits import Watch

pytestmark = pytest.mark.anyio

ANNOUNCED = 64 * MIB


async def test_a_store_that_takes_nothing_more_stalls_the_upload(client_within: ClientFactory, stores: Stores) -> None:
    """The line's limit applies, not the longer one of the request, and counts from the last byte taken."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.client_done.wait(PATIENCE)

    store = stores.open(behave)
    with pytest.raises(httpcore.WriteTimeout, match=r"took no data for 0\.05 s"):
        await client_within(stall_seconds=0.05).put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)


async def test_a_store_that_never_answers_ends_the_wait(client_within: ClientFactory, stores: Stores) -> None:
    """The store has the whole body and says nothing."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        assert store.client_done.wait(PATIENCE)

    store = stores.open(behave)
    with pytest.raises(httpcore.ReadTimeout, match=r"sent nothing for 0\.05 s"):
        await client_within(answer_seconds=0.05).put(store.url, [b"video"], 5)


async def test_sending_and_the_answer_have_limits_of_their_own(
    client_within: ClientFactory, stores: Stores, watch: Watch
) -> None:
    """The store reads once the client waits to send, and answers once it waits for the answer."""
    sending: set[float | None] = set()
    answering: set[float | None] = set()

    def before(wait: SocketWait) -> None:
        if wait.seconds == 7:
            return
        if wait.writable:
            sending.add(wait.seconds)
            store.reached.set()
        else:
            answering.add(wait.seconds)
            store.client_done.set()

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.read_body()
        assert store.client_done.wait(PATIENCE)
        line.socket.sendall(answer("200 OK"))

    store = stores.open(behave)
    watch(before)
    client = client_within(stall_seconds=11, answer_seconds=13, connect_seconds=7)
    response = await client.put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)
    assert response.status == 200
    assert (sending, answering) == ({11}, {13})


@pytest.fixture
def line() -> Generator[tuple[UploadConnection, socket.socket], None, None]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0)
        theirs.settimeout(PATIENCE)
        yield UploadConnection(ours), theirs


def test_a_line_that_takes_anything_does_not_stall(line: tuple[UploadConnection, socket.socket]) -> None:
    """The time is up again and again before the socket counts as writable, but each try moves some bytes."""
    connection, store = line
    size = 4 * MIB
    steps = connection.write(bytes(size), seconds=3.0)
    wait: SocketWait | None = next(steps)
    assert wait is not None
    assert (wait.writable, wait.seconds) == (True, 3.0)
    taken = waits = 0
    while wait is not None:
        waits += 1
        taken += len(store.recv(65536))
        try:
            wait = steps.send(False)
        except StopIteration:
            wait = None
    assert waits > 10
    while taken < size:
        taken += len(store.recv(65536))


def test_a_line_that_takes_nothing_stalls(line: tuple[UploadConnection, socket.socket]) -> None:
    """A last try after the time is up is refused too."""
    connection, _store = line
    steps = connection.write(bytes(4 * MIB), seconds=3.0)
    next(steps)
    with pytest.raises(httpcore.WriteTimeout, match="took no data for 3 s"):
        steps.send(False)


def test_an_answer_at_the_last_moment_is_no_stall(line: tuple[UploadConnection, socket.socket]) -> None:
    """The time is up, and the answer is there."""
    connection, store = line
    steps = connection.write(bytes(4 * MIB), seconds=3.0)
    next(steps)
    store.sendall(answer("403 Forbidden"))
    with pytest.raises(httpcore.WriteError, match="answered before"):
        steps.send(False)
    with pytest.raises(StopIteration) as stop:
        next(connection.read(65536, seconds=3.0))
    assert stop.value.value.startswith(b"HTTP/1.1 403 Forbidden")
