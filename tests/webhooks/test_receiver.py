"""Receiving: which deliveries are recorded, which are refused, and with which receipts."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import InvalidInputError, MissingFieldError, WebhookAuthError
from contentgroove.webhooks import MediaProcessingFinished, MemoryInbox, UnknownEvent, WebhookReceiver, webhook_url
from contentgroove.webhooks.subscribing import check_token

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox, Receipt

TOKEN = "canary-token"


class BrokenInbox(MemoryInbox):
    """An inbox whose disk is full."""

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Fail."""
        raise OSError(f"no space for {key} of {len(body)} bytes, {trace}")


@pytest.fixture(params=["sync", "async"])
def receive(request: pytest.FixtureRequest) -> Callable[..., Receipt]:
    """Receive in both ways."""
    import anyio

    if request.param == "sync":
        return lambda receiver, *arguments: receiver.receive(*arguments)
    return lambda receiver, *arguments: anyio.run(receiver.areceive, *arguments)


def test_an_event_is_recorded_once_with_200(inbox: Inbox, receive: Callable[..., Receipt]) -> None:
    """Every delivery of one event has the same status, and its body is stored once, unchanged."""
    receiver = WebhookReceiver(inbox)
    first = receive(receiver, body(finished()))
    again = receive(receiver, body(finished(name="Renamed")))
    assert (first.status_code, first.duplicate, first.reason) == (200, False, "")
    assert (again.status_code, again.duplicate) == (200, True)
    assert isinstance(first.event, MediaProcessingFinished)
    assert [event.body for event in inbox.events()] == [body(finished())]


def test_an_unknown_event_is_recorded(inbox: Inbox, receive: Callable[..., Receipt]) -> None:
    """An event of a later API is stored, so that a later version can handle it."""
    receipt = receive(WebhookReceiver(inbox), b'{"event": "clip.exported", "payload": {}}')
    assert receipt.status_code == 200
    assert isinstance(receipt.event, UnknownEvent)
    assert len(inbox.events("pending")) == 1


def test_an_odd_event_is_recorded_and_handled(inbox: Inbox, receive: Callable[..., Receipt]) -> None:
    """Its name and its media's id are enough; a handler learns of the rest when it reads it."""
    content = body({"event": "media.processing_finished", "payload": {"data": {"id": "m-1"}, "included": "odd"}})
    receiver = WebhookReceiver(inbox)
    handled: list[Any] = []
    receiver.on("*", name="h")(handled.append)
    receipts = [receive(receiver, content) for _ in range(2)]
    assert [(receipt.status_code, receipt.duplicate) for receipt in receipts] == [(200, False), (200, True)]
    assert receiver.process_pending() == 1
    assert handled[0].media.id == "m-1"
    with pytest.raises(MissingFieldError, match="Media m-1: name cannot be read"):
        _ = handled[0].media.name


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"event": 1}', "\ud800"])
def test_an_invalid_event_gets_400(content: Any, receive: Callable[..., Receipt]) -> None:
    """The service learns that it was not delivered; no handler is called."""
    receiver = WebhookReceiver(MemoryInbox())
    receiver.on("*")(pytest.fail)
    receipt = receive(receiver, content)
    assert (receipt.status_code, receipt.event, bool(receipt.reason)) == (400, None, True)
    assert receiver.process_pending() == 0


@pytest.mark.parametrize(
    ("token", "status"),
    [(TOKEN, 200), (None, 401), ("", 401), (TOKEN[:-1], 401), (TOKEN + "x", 401), ("\udcff", 401), ("ü", 401)],
)
def test_the_token_is_required(token: str | None, status: int, receive: Callable[..., Receipt]) -> None:
    """A wrong or missing one gets 401, and nothing is recorded."""
    inbox = MemoryInbox()
    receiver = WebhookReceiver(inbox, secret_token=TOKEN)
    receipt = receive(receiver, body(finished()), token)
    assert receipt.status_code == status
    assert len(inbox.events()) == (status == 200)
    assert receive(receiver, "\ud800", token).status_code == (400 if status == 200 else 401)


def test_without_a_secret_token_none_is_required() -> None:
    """An additional token is ignored."""
    assert WebhookReceiver(MemoryInbox()).receive(body(finished()), "any").status_code == 200


def test_the_token_is_in_no_log_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    """Nor is a wrong one, which may be a mistyped one."""
    receiver = WebhookReceiver(MemoryInbox(), secret_token=TOKEN)
    with caplog.at_level(logging.DEBUG):
        receipts = [receiver.receive(body(finished()), token) for token in (TOKEN, TOKEN[1:], None)]
    assert "refused" in caplog.text
    for shown in (caplog.text, repr(receiver), repr(receipts)):
        assert TOKEN[1:] not in shown


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 413)])
def test_a_body_over_the_limit_gets_413(spare: int, status: int, receive: Callable[..., Receipt]) -> None:
    """The limit itself is allowed."""
    content = body(finished())
    receiver = WebhookReceiver(MemoryInbox(), max_body_bytes=len(content) + spare)
    assert receive(receiver, content).status_code == status


def test_an_inbox_that_fails_gets_503(receive: Callable[..., Receipt], caplog: pytest.LogCaptureFixture) -> None:
    """So the service sends the event again; the cause is logged."""
    receipt = receive(WebhookReceiver(BrokenInbox()), body(finished()))
    assert (receipt.status_code, receipt.event) == (503, None)
    assert "no space for media.processing_finished:medias:m-1" in caplog.text


def test_text_and_buffers_are_bodies_too() -> None:
    """Frameworks pass either."""
    receiver = WebhookReceiver(MemoryInbox())
    contents: list[Any] = [json.dumps(finished()), bytearray(body(finished())), memoryview(body(finished()))]
    assert [receiver.receive(content).duplicate for content in contents] == [False, True, True]


@pytest.mark.parametrize(
    "options", [{"secret_token": ""}, {"secret_token": b"bytes"}, {"max_body_bytes": 0}, {"lease": 0}]
)
def test_invalid_settings_are_refused(options: dict[str, Any]) -> None:
    """Above all an empty token, which every sender has."""
    with pytest.raises(InvalidInputError):
        WebhookReceiver(MemoryInbox(), **options)


def test_a_wrong_token_raises() -> None:
    """The documented error."""
    check_token("a", "a")
    with pytest.raises(WebhookAuthError, match="missing or wrong"):
        check_token("a", "b")


def test_a_url_to_subscribe_is_built() -> None:
    """With a new token of 256 bits, next to the parameters of the base."""
    url, token = webhook_url("https://example.com/hook?tenant=a%20b#part")
    assert url == f"https://example.com/hook?tenant=a+b&token={token}"
    assert len(token) == 43
    assert webhook_url("https://example.com/hook")[1] != token
    for local in ("http://127.0.0.1:8000/hook", "http://localhost/", "http://[::1]/"):
        assert webhook_url(local)[0].startswith(local)


@pytest.mark.parametrize(
    "base",
    ["http://example.com/", "example.com", "", "ftp://127.0.0.1/", "https://", "https://[::1", "https://a/?token=b"],
)
def test_a_url_that_would_leak_the_token_is_refused(base: str) -> None:
    """It is sent over https or stays on this machine."""
    with pytest.raises(InvalidInputError):
        webhook_url(base)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the standard library's function, whatever the two tokens have in common."""
    import hmac

    compared: list[tuple[bytes, bytes]] = []

    def compare(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for given in ("", "c", "canary-tokem", "canary-token", "canary-token-and-more"):
        with pytest.raises(WebhookAuthError):
            check_token(TOKEN, given)
    assert compared == [
        (TOKEN.encode(), given) for given in (b"", b"c", b"canary-tokem", b"canary-token", b"canary-token-and-more")
    ]
