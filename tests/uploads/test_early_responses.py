"""Whatever a store does after it has refused an upload, the client gets the refusal and stops sending."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import httpcore
import pytest

from .stores import END_OF_HEAD, MIB, PATIENCE, Line, Store, http_response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove._io.connecting import SocketWait

    from .clients import Client, ClientFactory, Watch
    from .stores import Behaviour, Stores

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

REFUSAL = http_response("403 Forbidden", b"<Error><Code>AccessDenied</Code></Error>")
ANNOUNCED = 64 * MIB
MAX_AFTER_RESPONSE = 4 * MIB
STALL = PATIENCE / 4


def drain(store: Store, line: Line) -> None:
    line.read_head()
    assert store.reached.wait(PATIENCE)
    line.socket.sendall(REFUSAL)
    store.responded.set()
    line.read_until_closed()


def close(store: Store, line: Line) -> None:
    line.read_head()
    assert store.reached.wait(PATIENCE)
    line.socket.sendall(REFUSAL)
    line.socket.close()
    store.responded.set()


def close_on_unread_data(store: Store, line: Line) -> None:
    line.read_head()
    assert store.reached.wait(PATIENCE)
    line.socket.sendall(REFUSAL)
    # Resets the connection after the response.
    line.reset()
    store.responded.set()


def stop_reading(store: Store, line: Line) -> None:
    line.read_head()
    assert store.reached.wait(PATIENCE)
    line.socket.sendall(REFUSAL)
    store.responded.set()
    assert store.client_done.wait(PATIENCE)


class Body:
    """A body that counts what is taken of it once the store has responded."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.taken_after_response = 0

    def __iter__(self) -> Iterator[bytes]:
        yield bytes(65536)
        self._store.reached.set()
        assert self._store.responded.wait(PATIENCE)
        for size in [MIB] * (ANNOUNCED // MIB - 1) + [MIB - 65536]:
            self.taken_after_response += size
            yield bytes(size)


@pytest.mark.parametrize("behave", [drain, close, close_on_unread_data, stop_reading])
async def test_a_refusal_between_chunks_ends_the_upload(client: Client, stores: Stores, behave: Behaviour) -> None:
    """The client gets the refusal with its text, and takes next to nothing more of the body."""
    store = stores.open(behave)
    body = Body(store)
    response = await client.put(store.url, body, ANNOUNCED)
    assert (response.status, response.content) == (403, b"<Error><Code>AccessDenied</Code></Error>")
    assert body.taken_after_response <= MAX_AFTER_RESPONSE


@pytest.mark.parametrize("behave", [close, close_on_unread_data, stop_reading])
async def test_a_refusal_while_the_connection_is_full_ends_the_upload(
    client_within: ClientFactory, stores: Stores, behave: Behaviour, watch: Watch
) -> None:
    """The store reads nothing and responds once the client waits, which the response ends, and not the stall limit."""
    store = stores.open(behave)

    def response_once_blocked(wait: SocketWait) -> None:
        if wait.seconds == STALL:
            store.reached.set()

    woken = watch(response_once_blocked)
    response = await client_within(stall_seconds=STALL).put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)
    assert (response.status, response.content) == (403, b"<Error><Code>AccessDenied</Code></Error>")
    assert all(woken)


async def test_a_refusal_behind_an_interim_response_ends_the_upload(client: Client, stores: Stores) -> None:
    """100 Continue and the refusal come together."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" + REFUSAL)
        store.responded.set()
        line.read_until_closed()

    store = stores.open(behave)
    body = Body(store)
    response = await client.put(store.url, body, ANNOUNCED)
    assert response.status == 403
    assert body.taken_after_response <= MAX_AFTER_RESPONSE


async def test_an_interim_response_that_comes_in_parts_does_not_end_an_upload(client: Client, stores: Stores) -> None:
    """Half of it comes before the rest of the body, the other half after it."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: <a")
        store.responded.set()
        line.read_body()
        line.socket.sendall(b">\r\n\r\n" + http_response("200 OK"))

    store = stores.open(behave)
    response = await client.put(store.url, Body(store), ANNOUNCED)
    assert response.status == 200
    assert store.lines[0].taken == ANNOUNCED


async def test_a_refusal_whose_text_comes_later_is_read_to_its_end(
    client: Client, stores: Stores, watch: Watch
) -> None:
    """The text comes once the client, which has the status, waits for it."""
    head, text = REFUSAL[: REFUSAL.index(END_OF_HEAD) + 4], b"<Error><Code>AccessDenied</Code></Error>"

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.sendall(head)
        store.responded.set()
        assert store.client_done.wait(PATIENCE)
        line.socket.sendall(text)

    def before(wait: SocketWait) -> None:
        if not wait.writable and store.responded.is_set():
            store.client_done.set()

    store = stores.open(behave)
    watch(before)
    response = await client.put(store.url, Body(store), ANNOUNCED)
    assert (response.status, response.content) == (403, text)


async def test_a_store_that_will_not_response_any_more_ends_the_upload(client: Client, stores: Stores) -> None:
    """It continues reading, but has closed its own direction of the connection."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.shutdown(socket.SHUT_WR)
        store.responded.set()
        line.read_until_closed()

    store = stores.open(behave)
    body = Body(store)
    with pytest.raises(httpcore.WriteError, match="closed the connection before"):
        await client.put(store.url, body, ANNOUNCED)
    assert body.taken_after_response <= MAX_AFTER_RESPONSE


async def test_bytes_that_are_not_tls_end_the_upload(client: Client, tls_stores: Stores) -> None:
    """Something on the network path writes plain text into the encrypted connection."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        socket.socket.sendall(line.socket, REFUSAL)
        store.responded.set()
        line.read_until_closed()

    store = tls_stores.open(behave)
    body = Body(store)
    with pytest.raises(httpcore.WriteError, match="SSL"):
        await client.put(store.url, body, ANNOUNCED)
    assert body.taken_after_response <= MAX_AFTER_RESPONSE


async def test_a_refusal_whose_text_is_cut_short_still_counts(client: Client, stores: Stores) -> None:
    """A store announces a longer explanation than it sends, and resets the connection."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n<Error>")
        line.reset()
        store.responded.set()

    store = stores.open(behave)
    response = await client.put(store.url, Body(store), ANNOUNCED)
    assert (response.status, response.content) == (400, b"<Error>")


async def test_a_success_whose_text_is_cut_short_is_an_error(client: Client, stores: Stores) -> None:
    """Only a refusal may be incomplete: a success over a broken connection is not one."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<Done>")

    store = stores.open(behave)
    with pytest.raises((httpcore.RemoteProtocolError, httpcore.ReadError)):
        await client.put(store.url, [b"video"], 5)


async def test_interim_responses_do_not_end_an_upload(client: Client, stores: Stores) -> None:
    """100 Continue, which was not requested, and 103 Early Hints come while the body is sent."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n")
        store.responded.set()
        line.read_body()
        line.socket.sendall(http_response("200 OK", b"stored"))

    store = stores.open(behave)
    response = await client.put(store.url, Body(store), ANNOUNCED)
    assert (response.status, response.content) == (200, b"stored")
    assert store.lines[0].taken == ANNOUNCED


async def test_a_store_that_closes_without_an_response_is_an_error(client: Client, stores: Stores) -> None:
    """It is unknown whether the upload was refused, so it can be retried."""

    def behave(store: Store, line: Line) -> None:
        line.read_head()
        assert store.reached.wait(PATIENCE)
        line.reset()
        store.responded.set()

    store = stores.open(behave)
    body = Body(store)
    with pytest.raises(httpcore.WriteError):
        await client.put(store.url, body, ANNOUNCED)
    assert body.taken_after_response <= MAX_AFTER_RESPONSE


async def test_the_whole_body_arrives_unchanged(client: Client, stores: Stores) -> None:
    """Chunks of odd sizes, smaller and larger than the pieces they are sent in, arrive in order."""
    chunks = [bytes([n % 251]) * (n * 104_729 + 1) for n in range(25)]
    arrived = bytearray()

    def behave(_store: Store, line: Line) -> None:
        head = b""
        while END_OF_HEAD not in head:
            head += line.socket.recv(65536)
        line.head, _, rest = head.partition(END_OF_HEAD)
        arrived.extend(rest)
        while len(arrived) < line.length:
            arrived.extend(line.socket.recv(65536))
        line.socket.sendall(http_response("200 OK"))

    store = stores.open(behave)
    response = await client.put(store.url, chunks, sum(map(len, chunks)))
    assert response.status == 200
    assert arrived == b"".join(chunks)
