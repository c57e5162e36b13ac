from __future__ import annotations

import contextlib
import functools
import ssl
from typing import TYPE_CHECKING

import pytest
import trustme
from contentgroove._io import connecting, upload_transport

from .clients import AsyncClient, SyncClient
from .stores import PATIENCE, Stores

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove._io.connecting import SocketWait

    from .clients import Client, ClientFactory, Watch


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(params=["http", "https"])
def stores(request: pytest.FixtureRequest, authority: trustme.CA) -> Generator[Stores, None, None]:
    with contextlib.ExitStack() as opened:
        yield Stores(request.param, authority, opened)


@pytest.fixture
def plain_stores(authority: trustme.CA) -> Generator[Stores, None, None]:
    with contextlib.ExitStack() as opened:
        yield Stores("http", authority, opened)


@pytest.fixture
def tls_stores(authority: trustme.CA) -> Generator[Stores, None, None]:
    with contextlib.ExitStack() as opened:
        yield Stores("https", authority, opened)


@pytest.fixture(params=[SyncClient, AsyncClient], ids=["sync", "async"])
def client_within(request: pytest.FixtureRequest, trust: ssl.SSLContext) -> ClientFactory:
    unlimited = {"stall_seconds": PATIENCE, "response_seconds": PATIENCE, "connect_seconds": PATIENCE}
    factory: ClientFactory = functools.partial(request.param, trust, **unlimited)
    return factory


@pytest.fixture
def client(client_within: ClientFactory) -> Client:
    return client_within()


@pytest.fixture
def async_client(trust: ssl.SSLContext) -> AsyncClient:
    return AsyncClient(trust, PATIENCE, PATIENCE, PATIENCE)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    def start(before: Callable[[SocketWait], None]) -> list[bool]:
        ended: list[bool] = []

        async def ready(wait: SocketWait) -> bool:
            before(wait)
            ended.append(await wait_for(wait))
            return ended[-1]

        async def aready(wait: SocketWait) -> bool:
            before(wait)
            ended.append(await await_for(wait))
            return ended[-1]

        monkeypatch.setattr(upload_transport, "wait_sync", ready)
        monkeypatch.setattr(upload_transport, "wait_async", aready)
        return ended

    wait_for, await_for = connecting.wait_sync, upload_transport.wait_async
    return start
