"""Reconciliation: events of lost webhooks are built from the API, and late webhooks are their duplicates."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpx
import pytest
from contentgroove import AsyncContentGroove, ContentGroove, InvalidInputError
from contentgroove.webhooks import MediaProcessingFinished, MemoryInbox, WebhookReceiver, parse_event
from contentgroove_mock import ManualClock, Simulator, serve

from tests.webhooks.payloads import clip, media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove import Media
    from contentgroove.webhooks import Inbox

KEY = "canary-key"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


class Service:
    """The simulated service, whose webhooks are held back.

    Attributes:
        webhooks: The webhooks that it tried to deliver, in order.
    """

    def __init__(self) -> None:
        self.webhooks: list[bytes] = []
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._keep))
        self.simulator = Simulator(clock=ManualClock(), webhook_client=client)
        self._server = serve(self.simulator)

    def __enter__(self) -> Self:
        self.base_url = self._server.__enter__().base_url
        self.client = ContentGroove(KEY, self.base_url)
        self.client.webhook_subscriptions.create(url="http://127.0.0.1/hook")
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._server.__exit__(None, None, None)

    def _keep(self, request: httpx.Request) -> httpx.Response:
        self.webhooks.append(request.content)
        return httpx.Response(200)

    def finished(self, name: str) -> Media:
        """Create a media that has finished."""
        media = self.client.medias.create(source_url="https://films.example/a.mp4", name=name)
        self.simulator.advance(60)
        return media


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture(params=["sync", "async"])
def reconcile(request: pytest.FixtureRequest, service: Service) -> Callable[..., int]:
    """Reconcile in both ways."""

    async def areconcile(receiver: WebhookReceiver, since: dt.datetime) -> int:
        async with AsyncContentGroove(KEY, service.base_url) as client:
            return await receiver.areconcile(client, since=since)

    def run(receiver: WebhookReceiver, since: dt.datetime = LONG_AGO) -> int:
        if request.param == "sync":
            return receiver.reconcile(service.client, since=since)
        return anyio.run(areconcile, receiver, since)

    return run


def test_lost_events_are_found_and_late_ones_are_duplicates(
    service: Service, inbox: Inbox, reconcile: Callable[..., int]
) -> None:
    """Recorded events are left alone; the key from the API is that of the webhook."""
    receiver = WebhookReceiver(inbox)
    for name in ("came", "lost", "late"):
        service.finished(name)
    came, _, late = service.webhooks
    receiver.receive(came)
    assert reconcile(receiver) == 2
    assert reconcile(receiver) == 0
    assert receiver.receive(late).duplicate
    events: list[MediaProcessingFinished] = []
    receiver.on("media.processing_finished")(events.append)
    assert receiver.process_pending() == 3
    assert [event.media.name for event in events] == ["came", "lost", "late"]


def test_the_event_is_that_of_the_lost_webhook(service: Service, reconcile: Callable[..., int]) -> None:
    """Media and clips are the same models; the transcription is missing, because the API does not return it."""
    inbox = MemoryInbox()
    service.finished("lost")
    assert reconcile(WebhookReceiver(inbox)) == 1
    made, sent = parse_event(inbox.events()[0].body), parse_event(service.webhooks[0])
    assert isinstance(made, MediaProcessingFinished)
    assert isinstance(sent, MediaProcessingFinished)
    assert list(service.client.medias.list()) == [made.media]
    assert [(clip.id, clip.start_time, clip.text) for clip in made.clips] == [
        (clip.id, clip.start_time, clip.text) for clip in sent.clips
    ]
    assert len(made.clips) > 0
    assert made.transcription is None
    assert made.dedupe_key == sent.dedupe_key


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_odd_medias_and_clips_are_recorded_as_far_as_they_can_be_read(kind: str) -> None:
    """One odd item spoils neither the others nor its own event; a second run finds nothing."""
    odd = media("m-1", has_fetch_error="odd", name="HERE", processing_started_at="week 3")
    lists = {"medias": [odd, {"id": None}, media("m-2")], "clips": [clip("c-1", end_time=None), 5, clip("c-2")]}

    def respond(request: httpx.Request) -> httpx.Response:
        listed = lists[request.url.path.rpartition("/")[2]]
        content = httpx.Response(200, json={"data": listed, "links": {"next": None}}).content
        return httpx.Response(200, content=content.replace(b'"HERE"', b'"not UTF-8 \xff"'))

    async def areconcile(receiver: WebhookReceiver) -> int:
        transport = httpx.AsyncClient(transport=httpx.MockTransport(respond))
        async with transport, AsyncContentGroove(KEY, http_client=transport) as client:
            return await receiver.areconcile(client, since=LONG_AGO)

    def run(receiver: WebhookReceiver) -> int:
        if kind == "async":
            return anyio.run(areconcile, receiver)
        transport = httpx.Client(transport=httpx.MockTransport(respond))
        with transport, ContentGroove(KEY, http_client=transport) as client:
            return receiver.reconcile(client, since=LONG_AGO)

    inbox = MemoryInbox()
    receiver = WebhookReceiver(inbox)
    handled: list[Any] = []
    receiver.on("*", name="h")(handled.append)
    assert (run(receiver), run(receiver)) == (2, 0)
    assert receiver.process_pending() == 2
    missing = {event.media.id: event.media.missing for event in handled}
    assert missing == {"m-1": {"has_fetch_error", "processing_started_at"}, "m-2": set()}
    assert [[item.id for item in event.clips] for event in handled] == [["c-1", "c-2"]] * 2
    assert {event.dedupe_key for event in handled} == {event.key for event in inbox.events()}


def test_unfinished_and_failed_medias_have_no_events(service: Service, reconcile: Callable[..., int]) -> None:
    """The service would not have sent webhooks about them either."""
    failed = service.client.medias.create(source_url="https://films.example/a.mp4")
    service.simulator.fail_media(failed.id)
    service.client.medias.create(source_url="https://films.example/b.mp4")
    inbox = MemoryInbox()
    assert reconcile(WebhookReceiver(inbox)) == 0
    assert inbox.events() == []


def test_since_excludes_older_medias(service: Service, reconcile: Callable[..., int]) -> None:
    """Medias whose processing started before."""
    service.finished("old")
    new = service.finished("new")
    assert new.processing_started_at is not None
    inbox = MemoryInbox()
    assert reconcile(WebhookReceiver(inbox), new.processing_started_at) == 1
    assert new.id in inbox.events()[0].key


def test_a_worker_is_woken(service: Service, reconcile: Callable[..., int]) -> None:
    """The events that were found are handled like those that arrive."""
    import threading

    receiver, handled = WebhookReceiver(MemoryInbox()), threading.Event()
    receiver.on("*")(lambda _: handled.set())
    receiver.start_worker(poll_interval=3_600)
    service.finished("lost")
    assert reconcile(receiver) == 1
    assert handled.wait(10)
    assert receiver.stop_worker(10)


def test_pruned_events_are_not_recorded_again(inbox: Inbox, clock: Any, reconcile: Callable[..., int]) -> None:
    """Pruned events would look lost and would be handled twice."""
    receiver = WebhookReceiver(inbox)
    inbox.prune(older_than=0)
    horizon = dt.datetime.fromtimestamp(clock.now, dt.UTC)
    with pytest.raises(InvalidInputError, match="may have been pruned"):
        reconcile(receiver, horizon - dt.timedelta(seconds=1))
    assert reconcile(receiver, horizon) == 0


def test_a_time_without_a_time_zone_is_refused(reconcile: Callable[..., int]) -> None:
    """It would be ambiguous."""
    with pytest.raises(InvalidInputError, match="zone"):
        reconcile(WebhookReceiver(MemoryInbox()), dt.datetime(2026, 1, 1))  # noqa: DTZ001 - on purpose
