"""Confirming: what is POSTed is looked up in the API before handlers see it, so a forged webhook brings nothing in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

EVENT = "media.processing_finished"
TOKEN = "canary-token"


class Api:
    """What the API says of medias.

    Attributes:
        medias: By id.
        asked: The ids that were asked for, in order.
    """

    def __init__(self, *medias: Media) -> None:
        self.medias = {media.id: media for media in medias}
        self.asked: list[str] = []

    def get(self, media_id: str) -> Media:
        """Give a media."""
        self.asked.append(media_id)
        return self.medias[media_id]

    async def aget(self, media_id: str) -> Media:
        """Give a media."""
        await anyio.lowlevel.checkpoint()
        return self.get(media_id)


def media(media_id: str = "m-1", **attributes: Any) -> Media:
    """Make a media as the API has it."""
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


def test_handlers_get_what_the_api_says(inbox: Inbox, confirming: Callable[[Api], Any]) -> None:
    """Without a token, nothing of what was POSTed but the id reaches them."""
    api = Api(media(name="True"))
    receiver = WebhookReceiver(inbox, confirm=confirming(api))
    receiver.receive(body(finished(name="Forged", description="Forged")))
    (event,) = handled(receiver)
    assert (event.media, event.clips, event.transcription) == (media(name="True"), (), None)
    assert api.asked == ["m-1"]


def test_with_a_token_clips_and_transcription_stay_if_the_media_names_them() -> None:
    """The API has no transcription, so it stands on the token; what belongs to another media goes."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media()).get, secret_token=TOKEN)
    receiver.receive(body(finished(included=[clip("c-1"), clip("c-2"), transcription("t-1")])), TOKEN)
    (event,) = handled(receiver)
    assert [item.id for item in event.clips] == ["c-1"]
    assert event.transcription.id == "t-1"
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media()).get, secret_token=TOKEN)
    receiver.receive(body(finished(included=[transcription("t-2")])), TOKEN)
    (event,) = handled(receiver)
    assert event.transcription is None


def test_an_unknown_event_needs_no_confirmation() -> None:
    """There is nothing to ask for."""
    api = Api()
    receiver = WebhookReceiver(MemoryInbox(), confirm=api.get)
    receiver.receive(b'{"event": "ping"}')
    assert [event.event for event in handled(receiver)] == ["ping"]
    assert api.asked == []


@pytest.mark.parametrize(
    ("medias", "message"),
    [
        ([], "KeyError"),
        ([media(is_processing=True)], "is not finished"),
        ([media(is_processing=None)], "is not finished"),
    ],
    ids=["no such media", "processing", "just created"],
)
def test_what_is_not_confirmed_is_not_handled(inbox: Inbox, clock: Clock, medias: list[Media], message: str) -> None:
    """It is looked at again later, and handled once the API says so."""
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


@pytest.mark.parametrize("answer", [None, media("m-2"), {"id": "m-1"}])
def test_a_confirmation_of_something_else_is_none(answer: Any) -> None:
    """Another media, or no media at all."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=lambda _: answer)
    receiver.receive(body(finished()))
    with pytest.raises(HandlerError, match=r"confirm gave no media m-1; give it client\.medias\.get"):
        handled(receiver)


def test_forged_runs_of_processing_make_no_further_events(inbox: Inbox) -> None:
    """However many are POSTed, the one run that the API names is handled once."""
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
    """An absent optional attribute breaks nothing."""
    receiver = WebhookReceiver(MemoryInbox(), confirm=Api(media(processing_started_at=None)).get)
    receipt = receiver.receive(body(finished()))
    (event,) = handled(receiver)
    assert receipt.event is not None
    assert event.dedupe_key == receipt.event.dedupe_key


def answer(request: httpx.Request) -> httpx.Response:
    assert request.url.path == "/api/v1/medias/m-1"
    resource = finished(name="True")["payload"]["data"]
    return httpx.Response(200, json={"data": resource, "links": {"self": str(request.url)}})


def test_a_clients_get_confirms() -> None:
    """As documented."""
    transport = httpx.MockTransport(answer)
    with httpx.Client(transport=transport) as http, ContentGroove("canary-key", http_client=http) as client:
        receiver = WebhookReceiver(MemoryInbox(), confirm=client.medias.get)
        receiver.receive(body(finished(name="Forged")))
        assert [event.media.name for event in handled(receiver)] == ["True"]


@pytest.mark.anyio
async def test_an_async_clients_get_confirms() -> None:
    """As documented."""
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http,
        AsyncContentGroove("canary-key", http_client=http) as client,
    ):
        receiver = WebhookReceiver(MemoryInbox(), confirm=client.medias.get)
        receiver.receive(body(finished(name="Forged")))
        events: list[Any] = []
        receiver.on(EVENT)(events.append)
        assert await receiver.aprocess_pending() == 1
        assert [event.media.name for event in events] == ["True"]
