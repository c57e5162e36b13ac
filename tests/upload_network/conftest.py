from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from .clients import Client
from .stores import Stores

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


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


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, authority: trustme.CA) -> Client:
    context = httpx.create_ssl_context()
    authority.configure_trust(context)
    return Client(request.param, context)


@pytest.fixture
def async_client(authority: trustme.CA) -> Client:
    context = httpx.create_ssl_context()
    authority.configure_trust(context)
    return Client("async", context)
