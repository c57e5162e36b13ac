"""Secrets of webhooks: neither the token nor a signed URL of a body is in what error reporters show."""

from __future__ import annotations

import json
import logging
import pickle
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from contentgroove import (
    AsyncContentGroove,
    ContentGroove,
    InvalidInputError,
    OutcomeUnknownError,
    UnprocessableEntityError,
    WebhookPayloadError,
)
from contentgroove.types import Secret
from contentgroove.webhooks import MemoryInbox, WebhookReceiver, asubscribe, parse_event, subscribe, webhook_url

from tests.shown import shown_by

BASE = "https://api.contentgroove.test/api/v1"


class BrokenInbox(MemoryInbox):
    """Fails like a database, in functions that have the event in variables."""

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Fail."""
        del trace
        raise OSError(f"disk full: {key} of {len(body)} bytes")


def body(**attributes: Any) -> bytes:
    """Write an event that this version does not know."""
    data = {"id": "m-1", "type": "medias", "attributes": {"url": "https://films.test/a?sig=canary", **attributes}}
    return json.dumps({"event": "media.renamed", "payload": {"data": data}}).encode()


@pytest.mark.parametrize("token", ["canary-token", Secret("canary-token")])
def test_the_log_of_a_failed_inbox_shows_no_token(caplog: pytest.LogCaptureFixture, token: str | Secret) -> None:
    """The exception is logged as text with its traceback, without the frames, which have the body and the token."""
    receiver = WebhookReceiver(BrokenInbox(), secret_token=token)
    assert receiver.receive(body(), "canary-token").status_code == 503
    (record,) = caplog.records
    assert record.exc_info is None
    assert "canary" not in caplog.text
    assert "OSError: disk full" in caplog.text
    assert Path(__file__).name in caplog.text


def test_a_receiver_shows_no_token() -> None:
    """Not in its repr or in its variables, and a wrong token is refused."""
    receiver = WebhookReceiver(MemoryInbox(), secret_token="canary-token")
    assert "canary" not in repr(vars(receiver)) + repr(receiver)
    assert receiver.receive(body(), "another").status_code == 401
    assert receiver.receive(body(), "canary-token").status_code == 200


@pytest.mark.parametrize("token", ["", b"canary", 5])
def test_a_token_of_a_wrong_type_is_not_shown(token: Any) -> None:
    """The error names the argument."""
    with pytest.raises(InvalidInputError, match="secret_token") as caught:
        WebhookReceiver(MemoryInbox(), secret_token=token)
    assert "canary" not in shown_by(caught.value)


@pytest.mark.parametrize("content", [body()[:-1], body() + b"x", body().replace(b'"media.renamed"', b"5")])
def test_a_body_that_is_no_event_is_not_shown(content: bytes) -> None:
    """The decoders have it in variables."""
    with pytest.raises(WebhookPayloadError) as caught:
        parse_event(content)
    assert "canary" not in shown_by(caught.value)


def broken(_request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("broken")


def test_a_subscription_that_fails_shows_no_token() -> None:
    """The new token is not a variable while the subscription is created."""
    with (
        httpx.Client(transport=httpx.MockTransport(broken)) as own,
        ContentGroove("key-of-a-test", BASE, http_client=own) as client,
        pytest.raises(OutcomeUnknownError) as caught,
    ):
        subscribe(client, "https://example.test/hook?tenant=canary")
    shown = shown_by(caught.value)
    assert "canary" not in shown
    assert "token=" not in shown


@pytest.mark.anyio
async def test_an_async_subscription_that_fails_shows_no_token() -> None:
    """As with the sync client."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(broken)) as own,
        AsyncContentGroove("key-of-a-test", BASE, http_client=own) as client,
    ):
        with pytest.raises(OutcomeUnknownError) as caught:
            await asubscribe(client, "https://example.test/hook?tenant=canary")
    shown = shown_by(caught.value)
    assert "canary" not in shown
    assert "token=" not in shown


def test_a_subscription_sends_the_token_that_it_returns() -> None:
    """The URL that was sent contains the token."""
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content)["data"]["attributes"]["url"])
        return httpx.Response(422)

    with (
        httpx.Client(transport=httpx.MockTransport(handler)) as own,
        ContentGroove("key-of-a-test", BASE, http_client=own) as client,
        pytest.raises(UnprocessableEntityError),
    ):
        subscribe(client, "https://example.test/hook?tenant=a")
    query = parse_qs(urlsplit(sent[0]).query)
    assert query["tenant"] == ["a"]
    assert len(query["token"][0]) == 43


@pytest.mark.parametrize(
    "base", ["http://user:canary@example.test", "https://a.test/?token=canary", "https://[canary", "canary"]
)
def test_a_wrong_base_is_not_shown(base: str) -> None:
    """It may contain a password or a token."""
    with pytest.raises(InvalidInputError) as caught:
        webhook_url(base)
    assert "canary" not in shown_by(caught.value)


def test_events_are_pickled_without_their_reprs_showing_urls(caplog: pytest.LogCaptureFixture) -> None:
    """An event crosses processes with its body; only its repr is for people."""
    caplog.set_level(logging.DEBUG)
    event = parse_event(body())
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - pickled here
    assert "canary" not in repr(event) + str(event)
