"""A client of either kind behind one face, a clock that only moves when a caller sleeps, and canned responses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove
from contentgroove._io import connections

KEY = "canary-key-1234567890"
BASE = "https://api.contentgroove.test/api/v1"
STORE = "https://store.test"

Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class FakeClock:
    """Time that passes only by sleeping."""

    now: float = 1_000.0
    sleeps: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def time(self) -> float:
        """Return the seconds since 1970."""
        return 1_780_000_000.0 + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.sleeps.append(seconds)
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.sleep(seconds)


class Face:
    """Calls an async object as if it were sync: awaits its results and collects what it iterates."""

    def __init__(self, target: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if callable(value):
            return lambda *args, **kwargs: self._settle(value(*args, **kwargs))
        return self._wrap(value)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._collect(self._target))

    def _settle(self, value: Any) -> Any:
        if isawaitable(value):
            value = self._loop.run_until_complete(_await(value))
        return self._wrap(value)

    def _wrap(self, value: Any) -> Any:
        if isinstance(value, AsyncIterator):
            return iter(self._collect(value))
        module = type(value).__module__
        if "_async" in module or type(value).__name__ in {"AsyncPager", "AsyncContentGroove"}:
            return Face(value, self._loop)
        return value

    def _collect(self, source: Any) -> list[Any]:
        async def gather() -> list[Any]:
            return [item async for item in source]

        return self._loop.run_until_complete(gather())


async def _await(value: Any) -> Any:
    return await value


@dataclass
class Maker:
    """Creates clients of one kind whose requests go to a function."""

    kind: str
    clock: FakeClock
    loop: asyncio.AbstractEventLoop
    opened: list[Any] = field(default_factory=list)

    def __call__(
        self, handler: Handler | None = None, *, store: Handler | None = None, base_url: str = BASE, **options: Any
    ) -> Any:
        """Create a client; without a handler it opens real connections."""
        options.setdefault("clock", self.clock)
        options.setdefault("random", lambda: 1.0)
        options.setdefault("api_key", KEY)
        sync = self.kind == "sync"
        client_class: Any = httpx.Client if sync else httpx.AsyncClient
        if handler is not None:
            options["http_client"] = client_class(transport=httpx.MockTransport(handler))
            self.opened.append(options["http_client"])
        if store is not None:
            options["upload_http_client"] = client_class(transport=httpx.MockTransport(store))
            self.opened.append(options["upload_http_client"])
        options.setdefault("sleep", self.clock.sleep if sync else self.clock.asleep)
        client: Any = (ContentGroove if sync else AsyncContentGroove)(base_url=base_url, **options)
        self.opened.append(client)
        return client if sync else Face(client, self.loop)

    def close(self) -> None:
        """Close everything that was created."""
        for item in reversed(self.opened):
            if hasattr(item, "aclose"):
                self.loop.run_until_complete(item.aclose())
            else:
                item.close()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that only moves when a caller sleeps."""
    return FakeClock()


@pytest.fixture(params=["sync", "async"])
def make(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Maker]:
    """Create clients; each test runs with sync and with async ones."""
    loop = asyncio.new_event_loop()
    maker = Maker(request.param, clock, loop)
    yield maker
    maker.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(params=["httpcore", "httpx"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The two transports: without httpx imported, and with it."""
    chosen: str = request.param
    monkeypatch.setattr(connections, "httpx_is_imported", lambda: chosen == "httpx")
    return chosen


def media_json(media_id: str = "m-1", **attributes: Any) -> dict[str, Any]:
    """Write a media as the service does."""
    defaults: dict[str, Any] = {
        "created_at": "2025-10-15T13:51:02.559Z",
        "description": None,
        "external_id": None,
        "has_fetch_error": False,
        "is_processing": None,
        "name": "Chimp",
        "original_created_at": None,
        "processing_started_at": "2025-10-15T13:51:02.559Z",
        "source_created_at": None,
        "source_file_content_type": None,
        "source_file_duration": None,
        "source_file_height": None,
        "source_file_preview_image_url": None,
        "source_file_width": None,
        "source_url": None,
    }
    return {
        "id": media_id,
        "type": "medias",
        "attributes": {**defaults, **attributes},
        "relationships": {"clips": {"data": []}, "transcription": {"data": None}},
    }


def clip_json(clip_id: str = "c-1", **attributes: Any) -> dict[str, Any]:
    """Write a clip as the service does."""
    defaults: dict[str, Any] = {
        "created_at": "2025-10-15T13:51:02.558Z",
        "end_char": 10,
        "end_time": 2,
        "external_id": None,
        "is_processing": None,
        "media_file_content_type": None,
        "media_file_duration": None,
        "media_file_height": None,
        "media_file_preview_image_url": None,
        "media_file_url": None,
        "media_file_width": None,
        "name": "Clip",
        "processing_started_at": "2025-10-15T13:51:02.558Z",
        "rank": None,
        "start_char": 0,
        "start_time": 1,
        "text": None,
    }
    return {
        "id": clip_id,
        "type": "clips",
        "attributes": {**defaults, **attributes},
        "relationships": {"media": {"data": {"id": "m-1", "type": "medias"}}},
    }


def subscription_json(subscription_id: str = "w-1") -> dict[str, Any]:
    """Write a webhook subscription as the service does."""
    return {
        "id": subscription_id,
        "type": "webhook_subscriptions",
        "attributes": {
            "active": True,
            "created_at": "2025-10-15T13:51:02.559Z",
            "subscribed_events": ["*"],
            "updated_at": "2025-10-15T13:51:02.559Z",
            "url": "https://example.com/hook?token=secret",
        },
        "relationships": {
            "user": {"data": {"id": "u-1", "type": "users"}},
            "webhook_events": {"data": [{"id": "e-1", "type": "webhook_events"}]},
        },
    }


def one(resource: dict[str, Any], status: int = 200) -> httpx.Response:
    """Return with one resource."""
    return httpx.Response(status, json={"data": resource, "links": {"self": f"{BASE}/x"}})


def many(resources: list[dict[str, Any]], **links: str | None) -> httpx.Response:
    """Return with a page."""
    return httpx.Response(200, json={"data": resources, "links": {"self": f"{BASE}/x", **links}})


def sent_json(request: httpx.Request) -> Any:
    """Read what a request sent."""
    return json.loads(request.content)
