"""One Prism that serves the contract's examples, for all tests that only ask it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest
from contentgroove_mock.prism import Prism

if TYPE_CHECKING:
    from collections.abc import Iterator

Json: TypeAlias = dict[str, Any]

CONTRACT = Path(__file__).parents[2] / "spec" / "contract.yaml"
DOCUMENT: Json = json.loads(
    Path(__file__).parents[2].joinpath("mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8")
)
KEY = "canary-key-for-prism"
# Malformed bodies are the one thing that Prism never answers; nothing here may wait for ever.
SECONDS = 20.0


@pytest.fixture(scope="session")
def prism() -> Iterator[Prism]:
    with Prism.mock(CONTRACT) as running:
        yield running


@pytest.fixture
def http(prism: Prism) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=prism.base_url, headers=headers, timeout=SECONDS, trust_env=False) as client:
        yield client
