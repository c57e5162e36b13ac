"""One Prism that serves the contract's examples, for all tests that only ask it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove_mock.prism import Prism

from tests.prism.documented import CONTRACT

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "canary-key-for-prism"
# Malformed bodies are the one thing that Prism never answers; nothing here may wait for ever.
SECONDS = 20.0
# All here is plain http, and to load the trusted certificates takes longer than a hundred calls.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture(scope="session")
def prism() -> Iterator[Prism]:
    with Prism.mock(CONTRACT) as running:
        yield running


@pytest.fixture
def http(prism: Prism) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(
        base_url=prism.base_url, headers=headers, timeout=SECONDS, verify=NO_CERTIFICATES, trust_env=False
    ) as client:
        yield client
