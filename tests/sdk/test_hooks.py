"""Hooks of an application: called around each exchange, by async clients awaited."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove

from .conftest import BASE, KEY, media_json, one

if TYPE_CHECKING:
    from .conftest import Maker


async def hook(heard: list[str], what: object) -> None:
    heard.append(type(what).__name__)


@pytest.mark.anyio
async def test_an_async_client_awaits_its_hooks() -> None:
    """The one before the request before it is sent."""
    heard: list[str] = []

    def handler(_request: httpx.Request) -> httpx.Response:
        heard.append("sent")
        return one(media_json())

    told = functools.partial(hook, heard)
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(handler)) as own,
        AsyncContentGroove(KEY, BASE, http_client=own, on_request=told, on_response=told) as client,
    ):
        await client.medias.get("m-1")
    assert heard == ["RequestInfo", "sent", "ResponseInfo"]


@pytest.mark.parametrize("name", ["on_request", "on_response"])
def test_a_hook_that_could_never_be_called(make: Maker, name: str) -> None:
    """It is refused when the client is made."""
    wrong: dict[str, Any] = {name: "print"}
    with pytest.raises(ConfigurationError, match=f"{name} must be callable, not str"):
        make(lambda _request: one(media_json()), **wrong)


@pytest.mark.parametrize("name", ["on_request", "on_response"])
def test_nobody_would_await_a_sync_clients_hook(name: str) -> None:
    """An async hook would be called and never run."""
    wrong: dict[str, Any] = {name: hook}
    with pytest.raises(ConfigurationError, match=f"{name} is async"):
        ContentGroove(KEY, BASE, **wrong)
