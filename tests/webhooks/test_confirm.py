"""Confirmation: handlers get the media of the API, so that forged webhooks have no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove, Media
from contentgroove.webhooks import HandlerError, MediaProcessingFinished, MemoryInbox, WebhookReceiver, parse_event

from tests.webhooks.payloads import body, clip, finished, transcription

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove.webhooks import Inbox

    from tests.webhooks.conftest import Clock

EVENT: Final = "media.processing_finished"
TOKEN = "canary-token"


class Api:
    """The medias of the API.

    Attributes:
        medias: By id.
        requested: The requested ids, in order.
    """

    def __init__(self, *medias: Media) -> None:
        self.medias = {media.id: media for media in medias}
        self.requested: list[str] = []

    def get(self, media_id: str) -> Media:
        """Return a media."""
        self.requested.append(media_id)
        return self.medias[media_id]

    async def aget(self, media_id: str) -> Media:
        """Return a media."""
        await anyio.lowlevel.checkpoint()
        return self.get(media_id)


def media(media_id: str = "m-1", **attributes: Any) -> Media:
    """Return a media as the API has it."""
    event = parse_event(body(finished(media_id, **attributes)))
    assert isinstance(event, MediaProcessingFinished)
    return event.media


@pytest.fixture(params=["sync", "async"])
def confirming(request: pytest.FixtureRequest) -> Callable[[Api], Callable[[str], object]]:
    """Confirm by a plain and by a coroutine function."""
    return lambda api: api.get if request.param == "sync" else api.aget


def handled(receiver: WebhookReceiver) -> list[Any]:
    events: list[Any] = []
    receiver.on("*", name="h")(events.append)
    receiver.process_pending()
    return events


def test_handlers_get_the_media_of_the_api(inbox: Inbox, confirming: Callable[[Api], Any]) -> None:
    """Without a token, only the id of the delivered media reaches them."""
    api = Api(media(name="True"))
    receiver = WebhookReceiver(inbox, confirm=confirming(api))
    receiver.receive(body(finished(name="Forged", description="Forged")))
    (event,) = handled(receiver)
    assert (event.media, event.clips, event.transcription) == (media(name="True"), (), None)
    assert api.requested == ["m-1"]


def test_with_a_token_clips_and_transcription_stay_if_the_media_names_them() -> None:
    """The API has no transcription, so the token must vouch for it; parts of other medias are removed."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media()).get, secret_token=TOKEN)
    receiver.receive(body(finished(included=[clip("c-1"), clip("c-2"), transcription("t-1")])), TOKEN)
    (event,) = handled(receiver)
    assert [item.id for item in event.clips] == ["c-1"]
    assert event.transcription.id == "t-1"
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media()).get, secret_token=TOKEN)
    receiver.receive(body(finished(included=[transcription("t-2")])), TOKEN)
    (event,) = handled(receiver)
    assert event.transcription is None


def test_what_the_api_does_not_name_readably_contradicts_nothing() -> None:
    """Clips, transcription and run of a delivery with the token stay, as if the API omitted them."""
    odd = finished(processing_started_at=["odd"])
    odd["payload"]["data"] |= {"relationships": "odd", "transcription": "odd"}
    event = parse_event(odd)
    assert isinstance(event, MediaProcessingFinished)
    receiver = WebhookReceiver(MemoryInbox(), confirm=lambda _: event.media, secret_token=TOKEN)
    receiver.receive(body(finished()), TOKEN)
    (handled_event,) = handled(receiver)
    assert handled_event.media == event.media
    assert [item.id for item in handled_event.clips] == ["c-1"]
    assert handled_event.transcription.id == "t-1"


def test_an_unknown_event_needs_no_confirmation() -> None:
    """There is nothing to fetch."""
    api = Api()
    receiver = WebhookReceiver(MemoryInbox(), confirm=api.get)
    receiver.receive(b'{"event": "ping"}')
    assert [event.event for event in handled(receiver)] == ["ping"]
    assert api.requested == []


@pytest.mark.parametrize(
    ("medias", "message"),
    [
        ([], "KeyError"),
        ([media(is_processing=True)], "is not finished"),
        ([media(is_processing=None)], "is not finished"),
        ([media(is_processing="odd")], "does not say whether media m-1 is finished"),
    ],
    ids=["no such media", "processing", "just created", "unreadable"],
)
def test_an_unconfirmed_event_is_not_handled(inbox: Inbox, clock: Clock, medias: list[Media], message: str) -> None:
    """It is retried later, and handled when the API reports that the media is finished."""
    api = Api(*medias)
    receiver = WebhookReceiver(inbox, confirm=api.get)
    receiver.receive(body(finished()))
    events: list[Any] = []
    receiver.on(EVENT)(events.append)
    with pytest.raises(HandlerError, match=message):
        receiver.process_pending()
    assert (events, [event.state for event in inbox.events()]) == ([], ["pending"])
    api.medias["m-1"] = media()
    clock.now += 1
    assert receiver.process_pending() == 1
    assert [event.attempt for event in events] == [2]


@pytest.mark.parametrize("confirmed", [None, media("m-2"), {"id": "m-1"}])
def test_a_confirmation_of_something_else_is_a_failure(confirmed: Any) -> None:
    """Such as of another media, or without a media."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=lambda _: confirmed)
    receiver.receive(body(finished()))
    with pytest.raises(HandlerError, match=r"confirm= did not return media m-1: pass client\.medias\.get"):
        handled(receiver)


def test_forged_runs_of_processing_cause_no_further_events(inbox: Inbox) -> None:
    """However many are delivered, the run that the API names is handled once."""
    receiver = WebhookReceiver(inbox, confirm=Api(media()).get)
    for day in (1, 2, 3):
        receiver.receive(body(finished(processing_started_at=f"2026-01-0{day}T00:00:00Z")))
    events = handled(receiver)
    assert [(event.media, event.dedupe_key) for event in events] == [
        (media(), parse_event(body(finished())).dedupe_key),
    ]
    assert receiver.receive(body(finished())).duplicate
    assert receiver.process_pending() == 0


def test_an_api_that_names_no_run_does_not_contradict_the_webhook() -> None:
    """The missing attribute is optional."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media(processing_started_at=None)).get)
    receipt = receiver.receive(body(finished()))
    (event,) = handled(receiver)
    assert receipt.event is not None
    assert event.dedupe_key == receipt.event.dedupe_key


def respond(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/api/v1/medias/m-1"
    resource = finished(name="True")["payload"]["data"]
    return httpx.Response(200, json={"data": resource, "links": {"self": str(request.url)}})


def test_a_clients_get_confirms() -> None:
    """The documented use."""
    transport = httpx.MockTransport(respond)
    with httpx.Client(transport=transport) as http, ContentGroove("canary-key", http_client=http) as client:
        receiver = WebhookReceiver(MemoryInbox(), confirm=client.medias.get)
        receiver.receive(body(finished(name="Forged")))
        assert [event.media.name for event in handled(receiver)] == ["True"]


@pytest.mark.anyio
async def test_an_async_clients_get_confirms() -> None:
    """The documented use."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(respond)) as http,
        AsyncContentGroove("canary-key", http_client=http) as client,
    ):
        receiver = WebhookReceiver(MemoryInbox(), confirm=client.medias.get)
        receiver.receive(body(finished(name="Forged")))
        events: list[Any] = []
        receiver.on(EVENT)(events.append)
        assert await receiver.aprocess_pending() == 1
        assert [event.media.name for event in events] == ["True"]
