"""Subscribing: only the service can deliver, because only its URL has the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove, InvalidInputError
from contentgroove.webhooks import MemoryInbox, WebhookReceiver, asubscribe, subscribe
from contentgroove_mock import ManualClock, Simulator, serve

if TYPE_CHECKING:
    from contentgroove import WebhookSubscription

KEY = "canary-key"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_only_deliveries_with_the_token_are_accepted(kind: str) -> None:
    """The token is in the subscribed URL only."""
    inbox = MemoryInbox()
    apps: dict[str, Any] = {}

    async def deliver(request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(apps["receiver"])) as client:
            return await client.post(request.url, content=request.content)

    async def call(base_url: str) -> tuple[WebhookSubscription, str]:
        async with AsyncContentGroove(KEY, base_url) as client:
            return await asubscribe(client, "http://127.0.0.1/hook?a=b", events=["media.processing_finished"])

    webhooks = httpx.AsyncClient(transport=httpx.MockTransport(deliver))
    simulator = Simulator(clock=ManualClock(), webhook_client=webhooks)
    with serve(simulator) as server, ContentGroove(KEY, server.base_url) as client:
        if kind == "sync":
            made, token = subscribe(client, "http://127.0.0.1/hook?a=b", events=["media.processing_finished"])
        else:
            made, token = anyio.run(call, server.base_url)
        assert made.url == f"http://127.0.0.1/hook?a=b&token={token}"
        assert made.subscribed_events == ("media.processing_finished",)
        apps["receiver"] = WebhookReceiver(inbox, secret_token=token).asgi
        client.webhook_subscriptions.create(url="http://127.0.0.1/hook")
        media = client.medias.create(source_url="https://films.example/a.mp4")
        simulator.advance(60)
        assert client.medias.get(media.id).is_finished
    assert {delivery.url: delivery.attempts[0].status for delivery in simulator.deliveries} == {
        made.url: 200,
        "http://127.0.0.1/hook": 401,
    }
    assert len(inbox.events()) == 1


def test_an_unsafe_base_is_refused_before_anything_is_sent() -> None:
    """A token over plain http could be intercepted."""
    with serve(Simulator()) as server, ContentGroove(KEY, server.base_url) as client:
        with pytest.raises(InvalidInputError, match="https"):
            subscribe(client, "http://example.com/hook")
        assert list(client.webhook_subscriptions.list()) == []
