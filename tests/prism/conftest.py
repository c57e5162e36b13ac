"""One Prism that serves the contract's examples, and one before a service, shared by tests that only call them."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

import httpx
import pytest
from contentgroove_mock.prism import Prism

from tests.prism.documented import CONTRACT, Json
from tests.prism.upstream import Canned, Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "canary-key-for-prism"
# Prism never responds to malformed bodies; nothing here may wait without limit.
SECONDS = 20.0
# Everything here is plain http, and loading the trusted certificates takes longer than a hundred calls.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture(scope="session")
def prism() -> Iterator[Prism]:
    with Prism.mock(CONTRACT) as running:
        yield running


def client_of(prism: Prism) -> httpx.Client:
    """Return a client with a key."""
    return httpx.Client(
        base_url=prism.base_url,
        headers={"Authorization": f"Bearer {KEY}"},
        timeout=SECONDS,
        verify=NO_CERTIFICATES,
        trust_env=False,
    )


@pytest.fixture
def http(prism: Prism) -> Iterator[httpx.Client]:
    with client_of(prism) as client:
        yield client


class Proxied(NamedTuple):
    """A service behind Prism's proxy.

    Attributes:
        http: A client of the proxy.
        prism: The proxy.
        upstream: The service.
    """

    http: httpx.Client
    prism: Prism
    upstream: Upstream

    def exchange(self, response: Canned, method: str, path: str, body: Json | None = None) -> httpx.Response:
        """Send a request for which the service returns this response."""
        self.upstream.response = response
        return self.http.request(method, path, json=body)


@pytest.fixture(scope="session")
def proxied() -> Iterator[Proxied]:
    with (
        Upstream(Canned(204, {}, b"")) as upstream,
        Prism.proxy(CONTRACT, upstream.base_url) as prism,
        client_of(prism) as http,
    ):
        yield Proxied(http, prism, upstream)
