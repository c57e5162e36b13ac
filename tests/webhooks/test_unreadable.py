"""Bodies that cannot be read as events: kept, bounded, and read again by a newer release."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from contentgroove.errors import WebhookPayloadError
from contentgroove.webhooks import MemoryInbox, SQLiteInbox, WebhookReceiver, parse_event, unreadable

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contentgroove.webhooks import Inbox, Receipt

    from tests.webhooks.conftest import Clock

TOKEN = "canary-token"

EVENT_KEY = "media.processing_finished:medias:m-1:2025-10-15T13:51:02.559000+00:00"


@pytest.fixture(params=["sync", "async"])
def receive(request: pytest.FixtureRequest) -> Callable[..., Receipt]:
    """Receive in both ways."""
    if request.param == "sync":
        return lambda receiver, *arguments: receiver.receive(*arguments)
    return lambda receiver, *arguments: anyio.run(receiver.areceive, *arguments)


def recording(inbox: Inbox, handled: list[str]) -> WebhookReceiver:
    """Make a receiver whose handler notes the keys of its events."""
    receiver = WebhookReceiver(inbox, secret_token=TOKEN)
    receiver.on("*", name="h")(lambda event: handled.append(event.dedupe_key))
    return receiver


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "truncated"),
        (b"event=1", "malformed"),
        (b"[]", "array"),
        (b'{"payload": {}}', "field `event`"),
        (b'{"event": "media.processing_finished", "payload": {"data": {}}}', "id is absent"),
        (b'{"event": "x", "payload": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "more than 100 levels"),
        (b'{"event": "x", "payload": "\xff"}', "utf-8"),
        (b'{"event": "x\x00"}', "malformed"),
    ],
)
def test_what_cannot_be_read_is_kept(inbox: Any, receive: Callable[..., Receipt], content: bytes, reason: str) -> None:
    """Raw, once and with the reason; the service learns that it was not delivered, and nothing is handled."""
    handled: list[str] = []
    receiver = recording(inbox, handled)
    receipts = [receive(receiver, content, TOKEN) for _ in range(2)]
    (kept,) = inbox.events()
    assert [receipt.status_code for receipt in receipts] == [400, 400]
    assert all(kept.key in receipt.reason for receipt in receipts)
    assert (kept.state, kept.body, kept.attempts) == ("dead", content, 0)
    assert reason in kept.error
    assert inbox.counts()["dead"] == 1
    assert (receiver.process_pending(), handled) == (0, [])


@pytest.mark.parametrize(("content", "token"), [(b"{", None), (b"{", "wrong"), (b"", TOKEN), (b" \n", TOKEN)])
def test_what_is_not_kept(content: bytes, token: str | None, receive: Callable[..., Receipt]) -> None:
    """What strangers send, who must not fill the disk, and bodies in which there is nothing."""
    inbox = MemoryInbox()
    assert receive(WebhookReceiver(inbox, secret_token=TOKEN), content, token).status_code in {400, 401}
    assert inbox.events() == []


def test_a_replayed_body_is_handled_as_its_event(inbox: Any, process: Callable[[WebhookReceiver], int]) -> None:
    """Once, under the event's own key, also if the service has sent the event again since the update."""
    handled: list[str] = []
    receiver = recording(inbox, handled)
    key = unreadable.keep(inbox, body(finished()), "an older release could not read it")
    assert (inbox.replay(key), process(receiver), handled) == (True, 1, [EVENT_KEY])
    assert {event.key: event.state for event in inbox.events()} == {key: "done", EVENT_KEY: "done"}
    assert receiver.receive(body(finished()), TOKEN).duplicate
    assert inbox.replay(key)
    assert (process(receiver), handled) == (0, [EVENT_KEY])


def test_a_replayed_body_that_still_cannot_be_read(inbox: Any, process: Callable[[WebhookReceiver], int]) -> None:
    """It is dead again after one try and the present reason; no handler has failed."""
    key = unreadable.keep(inbox, b"{", "another reason")
    assert inbox.replay(key)
    assert process(recording(inbox, [])) == 0
    (kept,) = inbox.events()
    assert (kept.key, kept.state, "truncated" in kept.error) == (key, "dead", True)
    with pytest.raises(WebhookPayloadError, match="truncated"):
        unreadable.replay(inbox, key)
    assert inbox.events()[0].state == "dead"


def test_the_number_of_kept_bodies_is_limited(caplog: pytest.LogCaptureFixture) -> None:
    """What is beyond it is refused and logged; a body that is kept already is not."""
    inbox = MemoryInbox()
    receiver = WebhookReceiver(inbox)
    receipts = [receiver.receive(b"{%d" % number) for number in range(unreadable.MAX_KEPT + 1)]
    receipt = receipts[-1]
    assert (receipt.status_code, "kept" in receipt.reason) == (400, False)
    assert len(inbox.events(limit=1_000)) == unreadable.MAX_KEPT
    assert "was not kept" in caplog.text
    assert "is kept as" in receiver.receive(b"{0").reason


def test_old_bodies_are_pruned(inbox: Any, clock: Clock) -> None:
    """With the events that are done; dead events stay, even one whose name begins in the same way."""
    receiver = WebhookReceiver(inbox)
    receiver.receive(b"{")
    receiver.receive(body({"event": "unreadable", "payload": {"n": 1}}))
    claim = inbox.claim(60)
    assert claim is not None
    inbox.release(claim, delay=None, error="no", handled=frozenset())
    assert inbox.prune(10) == 0
    clock.now += 11
    receiver.receive(b"{2")
    assert inbox.prune(10) == 1
    assert {event.body for event in inbox.events()} == {b"{2", body({"event": "unreadable", "payload": {"n": 1}})}
    assert inbox.counts()["dead"] == 2


def test_an_event_with_such_a_name_is_an_event(inbox: Any) -> None:
    """It is handled like any other."""
    handled: list[str] = []
    receiver = recording(inbox, handled)
    receiver.receive(body({**finished(), "event": "unreadable"}), TOKEN)
    receiver.receive(body({"event": "unreadable", "payload": {}}), TOKEN)
    assert receiver.process_pending() == len(handled) == 2


@pytest.mark.parametrize("text", [b"caf\xe9", rb"half \ud83d"])
@pytest.mark.parametrize("also", [{}, {"has_fetch_error": None}])
def test_text_that_is_no_text_is_missing(inbox: Any, text: bytes, also: dict[str, Any]) -> None:
    """As in responses of the API: the event is handled, and only reading a damaged field raises."""
    handled: list[Any] = []
    receiver = WebhookReceiver(inbox)
    receiver.on("*")(handled.append)
    content = body(finished(name="FILM", **also)).replace(b"FILM", text)
    assert receiver.receive(content).status_code == 200
    assert receiver.process_pending() == 1
    assert (handled[0].media.id, handled[0].media.missing) == ("m-1", {"name", *also})
    assert handled[0].body == content


def test_an_inbox_of_an_application_keeps_bodies_too() -> None:
    """One that was written before releases kept them: its worker finds out that they cannot be read."""

    class Old(MemoryInbox):
        record_dead: Any = property()

    inbox = Old()
    receiver = recording(inbox, [])
    assert receiver.receive(b"{", TOKEN).status_code == 400
    assert receiver.process_pending() == 0
    (kept,) = inbox.events()
    assert (kept.state, kept.body, "truncated" in kept.error) == ("dead", b"{", True)


def test_a_body_that_could_not_be_kept_must_be_sent_again() -> None:
    """The inbox failed: 503, as for an event."""

    class Broken(MemoryInbox):
        def record_dead(self, key: str, body: bytes, error: str) -> bool:
            raise OSError(f"no space for {key}, {len(body)} bytes, {error}")

    assert WebhookReceiver(Broken()).receive(b"{").status_code == 503


def test_a_locked_file_delays_no_delivery(tmp_path: Path) -> None:
    """The body is kept beside the file; its reason is found again by the worker."""
    path = tmp_path / "events.db"
    with SQLiteInbox(path) as inbox:
        receiver = recording(inbox, [])
        locked = sqlite3.connect(path, isolation_level=None)
        locked.execute("BEGIN IMMEDIATE")
        assert receiver.receive(b"{", TOKEN).status_code == 400
        locked.rollback()
        locked.close()
        assert receiver.process_pending() == 0
        (kept,) = inbox.events()
        assert (kept.state, "truncated" in kept.error) == ("dead", True)


@pytest.mark.parametrize("name", [b"nam\xe9", rb"half \ud83d"])
@pytest.mark.parametrize("before", [b'"name"', b'"attributes"', b'"type": "clips"'])
def test_a_name_of_a_member_that_is_no_text_costs_nothing_else(name: bytes, before: bytes) -> None:
    """Only what no model knows cannot be read: neither the media nor a clip is lost."""
    sent = body(finished())
    assert before in sent
    event: Any = parse_event(sent.replace(before, b'"' + name + b'": 1, ' + before))
    assert (event.media.id, [clip.id for clip in event.clips], event.unreadable) == ("m-1", ["c-1"], ())
    assert not {*event.media.missing, *event.clips[0].missing}
    assert "extra" in {*event.media.to_dict().get("missing", ()), *event.clips[0].to_dict().get("missing", ())}
