"""However an upload ends, its connection is closed, and only httpcore's errors and the body's own leave it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import httpcore
import pytest
from anyio.lowlevel import checkpoint

from tests.platforms import DESCRIPTORS

from .clients import open_sockets
from .stores import MIB, PATIENCE, Line, Store, http_response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

    from .clients import AsyncClient, Client, ClientFactory
    from .stores import Behaviour, Stores

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ANNOUNCED = 64 * MIB


def stop_in_body(store: Store, line: Line) -> None:
    line.read_head()
    store.reached.set()
    assert store.client_done.wait(PATIENCE)
    line.read_until_closed()


def stop_before_response(store: Store, line: Line) -> None:
    line.read_head()
    line.read_body()
    store.reached.set()
    line.read_until_closed()


def stop_in_response(store: Store, line: Line) -> None:
    line.read_head()
    line.read_body()
    line.socket.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<Done>")
    store.reached.set()
    line.read_until_closed()


@pytest.mark.parametrize("behave", [stop_in_body, stop_before_response, stop_in_response])
async def test_a_cancelled_upload_closes_its_connection(
    async_client: AsyncClient, stores: Stores, behave: Behaviour
) -> None:
    """The store sees the connection end, wherever the upload was."""
    store = stores.open(behave)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(async_client.put, store.url, [bytes(ANNOUNCED)], ANNOUNCED)
        assert await anyio.to_thread.run_sync(store.reached.wait, PATIENCE)
        tasks.cancel_scope.cancel()
    store.client_done.set()
    assert await anyio.to_thread.run_sync(store.hung_up.wait, PATIENCE)


@pytest.mark.parametrize("behave", [stop_in_body, stop_before_response])
async def test_closing_the_transport_ends_current_uploads(client: Client, stores: Stores, behave: Behaviour) -> None:
    """An upload that waits for a store, in another thread or task, fails at once."""
    store = stores.open(behave)

    async def upload() -> None:
        with pytest.raises((httpcore.NetworkError, httpcore.ProtocolError)):
            await client.put(store.url, [bytes(ANNOUNCED)], ANNOUNCED)

    with anyio.fail_after(PATIENCE / 2):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(upload)
            assert await anyio.to_thread.run_sync(store.reached.wait, PATIENCE)
            await client.close()


async def test_other_tasks_have_their_turns_during_an_upload(async_client: AsyncClient, stores: Stores) -> None:
    """Neither the body nor the socket ever waits."""
    chunks = 50
    turns = 0

    async def body() -> AsyncGenerator[bytes, None]:
        for _ in range(chunks):
            yield bytes(1000)
        turns_in_body.append(turns)

    async def other() -> None:
        nonlocal turns
        while not turns_in_body:
            turns += 1
            await checkpoint()

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(http_response("200 OK"))

    turns_in_body: list[int] = []
    store = stores.open(behave)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        await async_client.send(store.url, body(), chunks * 1000)
    await async_client.close()
    assert turns_in_body[0] >= chunks


@DESCRIPTORS
async def test_an_upload_that_is_cancelled_while_it_connects_closes_its_socket(async_client: AsyncClient) -> None:
    """The host's queue of connections is full, so that it does not respond."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as first:
        first.connect(listener.getsockname())
        before = open_sockets()
        with anyio.move_on_after(0.05) as scope:
            await async_client.put(f"http://127.0.0.1:{listener.getsockname()[1]}/video", [b"video"], 5)
        assert scope.cancelled_caught
        assert open_sockets() == before


@DESCRIPTORS
async def test_a_host_that_does_not_accept_is_a_connect_timeout(client_within: ClientFactory) -> None:
    """The request's own limit applies to connecting."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as first:
        first.connect(listener.getsockname())
        before = open_sockets()
        with pytest.raises(httpcore.ConnectTimeout, match=r"did not accept a connection for 0\.05 s"):
            await client_within(connect_seconds=0.05).put(
                f"http://127.0.0.1:{listener.getsockname()[1]}/video", [b"video"], 5
            )
        assert open_sockets() == before


async def test_an_upload_that_is_cancelled_in_the_handshake_closes_its_socket(
    async_client: AsyncClient, plain_stores: Stores
) -> None:
    """The host accepts and reads the first message, and sends nothing."""

    def behave(store: Store, line: Line) -> None:
        line.socket.recv(65536)
        store.reached.set()
        line.read_until_closed()

    store = plain_stores.open(behave)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(async_client.put, store.url.replace("http://", "https://"), [b"video"], 5)
        assert await anyio.to_thread.run_sync(store.reached.wait, PATIENCE)
        tasks.cancel_scope.cancel()
    assert await anyio.to_thread.run_sync(store.hung_up.wait, PATIENCE)
    assert not store.failures


@DESCRIPTORS
async def test_a_silent_handshake_is_a_connect_timeout(client_within: ClientFactory) -> None:
    """The host accepts and sends nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        before = open_sockets()
        with pytest.raises(httpcore.ConnectTimeout, match=r"handshake stalled for 0\.05 s"):
            await client_within(connect_seconds=0.05).put(
                f"https://127.0.0.1:{listener.getsockname()[1]}/video", [b"video"], 5
            )
        assert open_sockets() == before


async def test_a_body_that_fails_closes_the_connection(client: Client, stores: Stores) -> None:
    """The body's own exception is raised unchanged, and the store sees the connection end."""

    def body() -> Iterator[bytes]:
        yield bytes(MIB)
        raise LookupError("the disk is gone")

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_until_closed()

    store = stores.open(behave)
    with pytest.raises(LookupError, match="the disk is gone"):
        await client.put(store.url, body(), ANNOUNCED)
    assert store.hung_up.wait(PATIENCE)


@pytest.mark.parametrize("given", [4, 6])
async def test_a_body_of_another_length_than_announced_is_an_error(client: Client, stores: Stores, given: int) -> None:
    """h11's own exception of that, which httpcore lets through, is turned into httpcore's."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_until_closed()

    store = stores.open(behave)
    with pytest.raises(httpcore.LocalProtocolError, match="Content-Length"):
        await client.put(store.url, [bytes(given)], 5)


async def test_a_connection_that_breaks_before_the_response_is_an_error(client: Client, stores: Stores) -> None:
    """The store has the whole body, and its response is unknown."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.reset()

    store = stores.open(behave)
    with pytest.raises(httpcore.ReadError, match="reset"):
        await client.put(store.url, [b"video"], 5)


async def test_bytes_that_are_not_http_are_an_error(client: Client, stores: Stores) -> None:
    """Another protocol responds."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(b"220 mail.example ESMTP ready\r\n")

    store = stores.open(behave)
    with pytest.raises(httpcore.RemoteProtocolError):
        await client.put(store.url, [b"video"], 5)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://127.0.0.1/video", httpcore.UnsupportedProtocol),
        ("http://127.0.0.1:1/video", httpcore.ConnectError),
        (f"http://{'a' * 64}.invalid/video", httpcore.ConnectError),
    ],
)
async def test_a_url_that_leads_nowhere_is_an_error(client: Client, url: str, error: type[Exception]) -> None:
    """No such scheme, no server there, a name with too long a label."""
    with pytest.raises(error):
        await client.put(url, [b"video"], 5)


async def test_an_unknown_name_is_an_error(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name cannot be resolved."""

    def unknown(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpcore.ConnectError, match="Name or service not known"):
        await client.put("http://store.example/video", [b"video"], 5)


async def test_a_transport_may_be_closed_twice(client: Client, stores: Stores) -> None:
    """Also after an upload, whose end closed it already."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(http_response("200 OK"))

    store = stores.open(behave)
    await client.put(store.url, [b"video"], 5)
    await client.close()
    await client.close()


async def test_each_upload_has_a_connection_of_its_own(client: Client, stores: Stores) -> None:
    """A connection that the store may have dropped in the meantime is not used again."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(http_response("200 OK"))
        line.read_until_closed()

    store = stores.open(behave)
    response = await client.put(store.url, [b"video"], 5, times=2)
    assert response.status == 200
    assert len(store.lines) == 2


async def test_a_redirect_is_an_response_like_any_other(client: Client, stores: Stores) -> None:
    """A presigned URL is valid for one URL only: the body is sent nowhere else, and no cookie is kept."""

    def behave(_store: Store, line: Line) -> None:
        line.read_head()
        line.read_body()
        line.socket.sendall(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: /other\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        )

    store = stores.open(behave)
    response = await client.put(store.url, [b"video"], 5, times=2)
    assert response.status == 307
    assert [b"cookie" in line.head.lower() for line in store.lines] == [False, False]
