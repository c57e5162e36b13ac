"""Nothing is sent to a store that cannot prove its identity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpcore
import pytest
import trustme

from .stores import PATIENCE, Line, Store, http_response

if TYPE_CHECKING:
    from .clients import Client
    from .stores import Stores

pytestmark = pytest.mark.anyio


def take(store: Store, line: Line) -> None:
    line.read_head()
    line.read_body()
    line.socket.sendall(http_response("200 OK"))
    store.reached.set()


async def test_a_store_of_a_trusted_authority_is_accepted(client: Client, tls_stores: Stores) -> None:
    """The certificate has the store's name and comes from an authority that the client trusts."""
    store = tls_stores.open(take)
    assert (await client.put(store.url, [b"video"], 5)).status == 200


async def test_a_certificate_of_a_stranger_is_refused(client: Client, tls_stores: Stores) -> None:
    """The certificate's authority is not among those that the client trusts."""
    store = tls_stores.open(take, authority=trustme.CA())
    with pytest.raises(httpcore.ConnectError, match="certificate verify failed"):
        await client.put(store.url, [b"video"], 5)
    assert not store.reached.is_set()


async def test_a_certificate_for_another_name_is_refused(client: Client, tls_stores: Stores) -> None:
    """The certificate is genuine, but of another host."""
    store = tls_stores.open(take, name="elsewhere.example")
    with pytest.raises(httpcore.ConnectError, match=r"certificate verify failed.*not valid for '127\.0\.0\.1'"):
        await client.put(store.url, [b"video"], 5)
    assert not store.reached.is_set()


async def test_the_store_learns_why_it_was_refused(client: Client, tls_stores: Stores) -> None:
    """A TLS alert reaches the store; without it, its operators would only see a closed connection."""
    store = tls_stores.open(take, authority=trustme.CA())
    with pytest.raises(httpcore.ConnectError):
        await client.put(store.url, [b"video"], 5)
    assert store.hung_up.wait(PATIENCE)
    assert "UNKNOWN_CA" in str(store.failures[0])


async def test_a_server_without_tls_is_refused(client: Client, plain_stores: Stores) -> None:
    """A plain http server listens at the https URL."""

    def behave(_store: Store, line: Line) -> None:
        line.socket.recv(65536)
        line.socket.sendall(http_response("200 OK"))

    store = plain_stores.open(behave)
    with pytest.raises(httpcore.ConnectError, match="SSL"):
        await client.put(store.url.replace("http://", "https://"), [b"video"], 5)
