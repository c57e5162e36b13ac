"""Clients: own HTTP clients of an application, hooks, and event loops."""

from __future__ import annotations

import asyncio
import functools
import logging
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from anyio import to_thread
from contentgroove import AsyncContentGroove, ConfigurationError, ContentGroove
from contentgroove_mock import Simulator, serve

from .conftest import BASE, KEY, media_json, one
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    from .conftest import FakeClock, Maker


def kind_of(make: Maker) -> Any:
    return httpx.Client if make.kind == "sync" else httpx.AsyncClient


def close(make: Maker, client: Any) -> None:
    if make.kind == "sync":
        client.close()
    else:
        make.loop.run_until_complete(client.aclose())


@pytest.mark.parametrize("which", ["http_client", "upload_http_client"])
def test_a_closed_client_is_an_error(make: Maker, clock: FakeClock, tmp_path: Path, which: str) -> None:
    """Not a broken connection that is tried again, nor, for a POST, an unknown outcome."""
    own = kind_of(make)()
    close(make, own)
    client = make(None if which == "http_client" else Api(), **{which: own})
    with pytest.raises(ConfigurationError, match=r"is closed.*Nothing was sent"):
        client.medias.upload(video(tmp_path))
    with pytest.raises(ConfigurationError, match="is closed") if which == "http_client" else nullcontext():
        client.medias.create(source_url="https://films.example/a.mp4")
    assert clock.sleeps == []


def test_its_own_credentials_stay_away_from_the_store(make: Maker, tmp_path: Path) -> None:
    """A store refuses a second authentication; for the API, the application's `auth` is used."""
    seen: list[httpx.Request] = []
    api, store = Api(), Store()

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return store(request) if request.method == "PUT" else api(request)

    own = kind_of(make)(transport=httpx.MockTransport(handler), auth=("user", "word"))
    make.opened.append(own)
    make(http_client=own, upload_http_client=own).medias.upload(video(tmp_path))
    assert [request.headers.get("Authorization", "none").split()[0] for request in seen] == ["Basic", "none", "Basic"]


def test_http2_header_logs_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library logs each header in plain text, and the whole block encoded."""
    ContentGroove(KEY, BASE).close()
    caplog.set_level(logging.DEBUG)
    for name in ("hpack.hpack", "hpack.table"):
        logging.getLogger(name).debug("Adding %s=%s to the header table", b"x-api-key", KEY.encode())
    assert KEY not in caplog.text


def test_objects_with_the_key_are_not_pickled() -> None:
    """A raw response in a cache would store the key there; models do not contain it."""
    with (
        httpx.Client(transport=httpx.MockTransport(lambda _request: one(media_json()))) as own,
        ContentGroove(KEY, BASE, http_client=own) as client,
    ):
        raw = client.medias.with_raw_response.get("m-1")
    for item in (raw, client, AsyncContentGroove(KEY, BASE)):
        with pytest.raises(TypeError, match="API key"):
            pickle.dumps(item)
    media = raw.parse()
    assert pickle.loads(pickle.dumps(media)) == media  # noqa: S301 - made here


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
    """It is refused when the client is created."""
    wrong: dict[str, Any] = {name: "print"}
    with pytest.raises(ConfigurationError, match=f"{name} must be callable, not str"):
        make(lambda _request: one(media_json()), **wrong)


@pytest.mark.parametrize("name", ["on_request", "on_response"])
def test_a_sync_client_refuses_async_hooks(name: str) -> None:
    """An async hook would be called and never run."""
    wrong: dict[str, Any] = {name: hook}
    with pytest.raises(ConfigurationError, match=f"{name} is async"):
        ContentGroove(KEY, BASE, **wrong)


def test_two_loops_at_once() -> None:
    """Connections belong to the loop that opened them; using or closing them in another one is an error."""
    at = Simulator()
    used, leave = threading.Event(), threading.Event()

    async def first(client: AsyncContentGroove) -> None:
        async with client:
            assert [media async for media in client.medias.list()] == []
            used.set()
            await to_thread.run_sync(leave.wait, 30)
            assert [media async for media in client.medias.list()] == []

    with serve(at) as server, ThreadPoolExecutor() as threads:
        client = AsyncContentGroove("key", server.base_url)
        running = threads.submit(asyncio.run, first(client))
        assert used.wait(30)
        try:
            for call in (client.direct_uploads.prepare, client.aclose):
                with pytest.raises(ConfigurationError, match="another event loop"):
                    asyncio.run(call())
        finally:
            leave.set()
        running.result(30)
        with pytest.raises(ConfigurationError, match="closed"):
            asyncio.run(client.direct_uploads.prepare())
        asyncio.run(client.aclose())


def test_a_batch_says_that_it_needs_asyncio(tmp_path: Path) -> None:
    """Another async library has no tasks that outlive the one that iterates."""
    results = AsyncContentGroove("key").medias.upload_many([tmp_path / "film.mp4"])
    step = cast("Coroutine[Any, Any, object]", anext(results))
    with pytest.raises(ConfigurationError, match="needs asyncio"):
        # As a loop that is not asyncio's would.
        step.send(None)
