"""Waiting for a media by its webhook, which the receiver of another process records in any inbox."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove
from contentgroove.webhooks import WebhookReceiver
from contentgroove_mock import ManualClock, Simulator, serve

from tests.webhooks.payloads import body, finished, media

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove import Media
    from contentgroove.webhooks import Inbox

    from tests.webhooks.conftest import Store

KEY = "canary-key"


@pytest.fixture
def receiving(store: Store, inbox: Inbox) -> Iterator[WebhookReceiver]:
    """A receiver with its own inbox of the store; a store in memory has only one."""
    if store.kind == "memory":
        yield WebhookReceiver(inbox)
    else:
        with closing(store.open()) as other:
            yield WebhookReceiver(other)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_recorded_event_ends_a_wait(inbox: Inbox, receiving: WebhookReceiver, kind: str) -> None:
    """The event stays for its handlers, and the media is the API's."""
    requested: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requested.append(request.url.path)
        state = media("m-1", is_processing=False if len(requested) > 1 else None, name="From the API")
        return httpx.Response(200, json={"data": state, "links": {"self": "x"}})

    def arrive(_: float) -> None:
        receiving.receive(body(finished("m-1", name="From the webhook")))

    async def aarrive(_: float) -> None:
        await receiving.areceive(body(finished("m-1", name="From the webhook")))

    async def wait() -> Media:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http_client,
            AsyncContentGroove(KEY, "https://api.test/v1", http_client=http_client, sleep=aarrive) as client,
        ):
            return await client.medias.wait("m-1", inbox=inbox)

    if kind == "async":
        found = asyncio.run(wait())
    else:
        with (
            httpx.Client(transport=httpx.MockTransport(respond)) as http_client,
            ContentGroove(KEY, "https://api.test/v1", http_client=http_client, sleep=arrive) as client,
        ):
            found = client.medias.wait("m-1", inbox=inbox)
    assert (found.name, found.is_finished) == ("From the API", True)
    assert len(requested) == 2
    assert [event.state for event in inbox.events()] == ["pending"]


def test_the_simulators_webhook_ends_a_wait(inbox: Inbox, receiving: WebhookReceiver) -> None:
    """From the service's POST to the end of the wait, long before the next poll."""
    posts: Any = httpx.ASGITransport(receiving.asgi)
    simulator = Simulator(clock=ManualClock(), webhook_client=httpx.AsyncClient(transport=posts))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        simulator.advance(1)

    with serve(simulator) as server, ContentGroove(KEY, server.base_url, sleep=sleep) as client:
        client.webhook_subscriptions.create(url="http://127.0.0.1/hook")
        made = client.medias.create(source_url="https://films.example/a.mp4")
        found = client.medias.wait(made, inbox=inbox)
        requested = [request for request in simulator.requests if request.path.endswith(made.id)]
    assert found.is_finished
    assert len(requested) == 2
    assert 1 < sum(slept) < 10
    assert len(inbox.events()) == 1
