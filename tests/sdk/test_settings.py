"""Settings: a client that cannot work or would leak its key is not created."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, AuthenticationError, ConfigurationError, ContentGroove

from .conftest import BASE, KEY, media_json, one

if TYPE_CHECKING:
    from .conftest import Maker

KINDS = [ContentGroove, AsyncContentGroove]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONTENTGROOVE_API_KEY", raising=False)
    monkeypatch.delenv("CONTENTGROOVE_BASE_URL", raising=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_needed(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key, the error says where to set one; the environment is one source."""
    with pytest.raises(ConfigurationError, match="CONTENTGROOVE_API_KEY"):
        kind()
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "")
    with pytest.raises(ConfigurationError, match="CONTENTGROOVE_API_KEY"):
        kind()
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
    monkeypatch.setenv("CONTENTGROOVE_BASE_URL", "http://127.0.0.1:9/api/v1/")
    client = kind()
    assert "http://127.0.0.1:9/api/v1'" in repr(client)
    assert KEY not in repr(client)
    assert KEY not in repr(vars(client))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "é", 7, b"bytes"])
def test_unusable_keys(kind: Any, key: Any) -> None:
    """A key that no header can carry is refused without being shown."""
    with pytest.raises(ConfigurationError) as caught:
        kind(api_key=key)
    if key and isinstance(key, str):
        assert key not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "url",
    [
        "http://api.contentgroove.com/api/v1",
        "http://127.0.0.1.evil.test",
        "http://localhost.evil.test",
        "ftp://127.0.0.1",
        "api.contentgroove.com",
        "https://user:secret@api.test",
        "https://api.test?x=1",
        "https://",
        "https://[::1",
        "https://bücher.test",
        5,
    ],
)
def test_unusable_base_urls(kind: Any, url: Any) -> None:
    """Plain http to another machine, or something that is not a URL, is refused before the key could be sent."""
    with pytest.raises(ConfigurationError) as caught:
        kind(KEY, url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://localhost", "http://[::1]:5", "https://api.test/"])
def test_usable_base_urls(url: str) -> None:
    """Plain http is fine on this machine, https anywhere."""
    assert ContentGroove(KEY, url)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"timeout": None},
        {"timeout": httpx.Timeout(None)},
        {"timeout": "5"},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"auth": "basic"},
        {"http_client": object()},
    ],
)
def test_unusable_options(kind: Any, options: dict[str, Any]) -> None:
    """Endless timeouts and other settings that cannot work are refused."""
    with pytest.raises(ConfigurationError):
        kind(KEY, BASE, **options)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "authorization", f"Bearer {KEY}"), ("header", "x-api-key", KEY), ("query", "", "")],
)
def test_three_ways_to_authenticate(make: Maker, auth: str, header: str, value: str) -> None:
    """The key is sent as requested, and in no other way."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return one(media_json())

    make(handler, auth=auth).medias.get("m-1")
    (request,) = seen
    holders = [name for name, content in request.headers.items() if KEY in content]
    assert holders == ([header] if header else [])
    if header:
        assert request.headers[header] == value
    assert (request.url.query == f"api_key={KEY}".encode()) is (auth == "query")


def test_a_key_that_rotates(make: Maker) -> None:
    """A function is called for the key at each request."""
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Authorization"])
        return one(media_json())

    keys = iter(["first", "second", "not a key"])
    client = make(handler, api_key=lambda: next(keys))
    client.medias.get("m-1")
    client.medias.get("m-1")
    with pytest.raises(ConfigurationError):
        client.medias.get("m-1")
    assert seen == ["Bearer first", "Bearer second"]


def test_an_error_does_not_request_the_key(make: Maker) -> None:
    """The key that was sent is taken out of what the server echoes, not the one that would be sent next."""
    keys = iter(["canary-first"])
    client = make(
        lambda _request: httpx.Response(401, json={"errors": [{"message": "no canary-first"}]}),
        api_key=lambda: next(keys),
    )
    with pytest.raises(AuthenticationError, match=r"no \[redacted\]") as caught:
        client.medias.get("m-1")
    assert "canary" not in caught.value.body


def test_use_after_close(make: Maker) -> None:
    """Closing twice is allowed; a call after that is an error."""
    client = make(lambda _request: one(media_json()))
    for _ in range(2):
        client.close() if make.kind == "sync" else client.aclose()
    with pytest.raises(ConfigurationError, match="closed"):
        client.medias.get("m-1")


def test_a_client_that_was_passed_in_stays_open() -> None:
    """What is not ours is not closed."""
    http_client = httpx.Client(transport=httpx.MockTransport(lambda _request: one(media_json())))
    with ContentGroove(KEY, BASE, http_client=http_client) as client:
        client.medias.get("m-1")
    assert not http_client.is_closed
    http_client.close()


def test_hooks(make: Maker) -> None:
    """Hooks see each exchange, redacted."""
    heard: list[str] = []
    client = make(
        lambda _request: one(media_json()),
        auth="query",
        on_request=lambda request: heard.append(str(request)),
        on_response=lambda response: heard.append(f"{response.status_code} {response.request.method}"),
    )
    client.medias.get("m-1")
    assert heard == [f"GET {BASE}/medias/m-1?api_key=[redacted]", "200 GET"]


def test_one_client_for_fifty_threads() -> None:
    """Threads share a client without mixing responses up."""

    def handler(request: httpx.Request) -> httpx.Response:
        return one(media_json(request.url.path.rpartition("/")[2]))

    http_client = httpx.Client(transport=httpx.MockTransport(handler))
    wrong: list[str] = []
    with http_client, ContentGroove(KEY, BASE, http_client=http_client) as client:

        def work(name: str) -> None:
            wrong.extend(name for _ in range(20) if client.medias.get(name).id != name)

        threads = [threading.Thread(target=work, args=(f"m-{index}",)) for index in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_an_async_client_in_two_loops() -> None:
    """A client whose loop has ended works in the next one."""

    async def fetch(client: AsyncContentGroove) -> str:
        return (await client.medias.get("m-1")).id

    http_client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _request: one(media_json())))
    client = AsyncContentGroove(KEY, BASE, http_client=http_client)
    assert asyncio.run(fetch(client)) == "m-1"
    assert asyncio.run(fetch(client)) == "m-1"


@pytest.mark.process
@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import contentgroove", ("httpx", "msgspec", "anyio", "asyncio", "ssl")),
        ("from contentgroove.webhooks import parse_event", ("httpx", "anyio", "ssl", "asyncio")),
        ("from contentgroove import ContentGroove", ("httpx", "typer", "filetype", "starlette", "contentgroove_mock")),
    ],
)
def test_imports_cost_no_more_than_they_must(statement: str, unwanted: tuple[str, ...]) -> None:
    """Importing a part does not import what only others need."""
    code = f"import sys; {statement}; print(*[name for name in {unwanted!r} if name in sys.modules])"
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True, env={**os.environ}, timeout=60
    )
    assert done.stdout.split() == []
