"""All steps of an application over real sockets, sync and async: upload, wait, webhook, clips."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from contentgroove import AsyncContentGroove, ContentGroove, NotFoundError
from contentgroove.webhooks import MediaProcessingFinished, MemoryInbox, WebhookReceiver
from contentgroove_mock import Fault, ManualClock, Policy, Simulator, sample_video, serve

if TYPE_CHECKING:
    from collections.abc import Generator

    from contentgroove import Clip, Media

pytestmark = pytest.mark.slow

TOKEN = "journey-token"
POLICY = Policy(queue_seconds=1, processing_seconds=2, clip_seconds=1)


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Ignore the message."""


@contextmanager
def listening(receiver: WebhookReceiver) -> Generator[str, None, None]:
    """Serve a receiver, and yield the URL to subscribe."""
    with make_server("127.0.0.1", 0, receiver.wsgi, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook?token={TOKEN}"
        server.shutdown()
        thread.join()


def check_end(
    simulator: Simulator,
    receiver: WebhookReceiver,
    handled: list[MediaProcessingFinished],
    media: Media,
    clips: list[Clip],
) -> None:
    """Check that the webhook was received twice and handled once, with the same content as the API."""
    assert [delivery.state for delivery in simulator.deliveries] == ["delivered", "delivered"]
    assert receiver.process_pending() == 1
    assert receiver.process_pending() == 0
    (event,) = handled
    assert event.media == media
    assert media.source_file_duration == pytest.approx(6.0, abs=0.2)
    assert media.source_file_content_type == "video/mp4"
    assert [clip.id for clip in event.clips] == [clip.id for clip in clips]
    assert event.transcription is not None
    assert event.transcription.id == media.transcription_id
    for clip in event.clips:
        assert clip.text
        assert event.transcription.text[clip.start_char : clip.end_char] == clip.text


def receiver_with(handled: list[MediaProcessingFinished]) -> WebhookReceiver:
    """Return a receiver that adds the events that it handles to a list."""
    receiver = WebhookReceiver(MemoryInbox(), secret_token=TOKEN)
    receiver.on("media.processing_finished")(handled.append)
    return receiver


def test_sync() -> None:
    """The journey of a sync client."""
    handled: list[MediaProcessingFinished] = []
    receiver = receiver_with(handled)
    simulator = Simulator(clock=ManualClock(), policy=POLICY)
    simulator.add_fault(Fault(kind="duplicate", operation="webhook"))
    with (
        serve(simulator) as server,
        listening(receiver) as hook,
        ContentGroove("journey-key", server.base_url, sleep=simulator.advance) as client,
    ):
        subscription = client.webhook_subscriptions.create(url=hook, subscribed_events=["media.processing_finished"])
        states: list[bool | None] = []
        media = client.medias.upload(sample_video(), name="Film")
        media = client.medias.wait(media, poll_interval=0.5, on_update=lambda item: states.append(item.is_processing))
        assert states == [None, True, False]
        clips = list(client.clips.list(filter={"media_id_eq": media.id}, page_size=1))
        check_end(simulator, receiver, handled, media, clips)
        own = client.clips.create(media_id=media.id, name="Own", start_time=1, end_time=2.5)
        assert own.is_processing is None
        assert client.clips.wait(own, poll_interval=0.5).media_file_duration == 1.5
        assert client.clips.update(own.id, name="Better").name == "Better"
        assert client.medias.update(media.id, description="D").description == "D"
        client.clips.delete(own.id)
        client.webhook_subscriptions.delete(subscription.id)
        client.medias.delete(media.id)
        with pytest.raises(NotFoundError):
            client.medias.get(media.id)
        assert list(client.medias.list()) == []


@pytest.mark.anyio
async def test_async() -> None:
    """The journey of an async client."""
    handled: list[MediaProcessingFinished] = []
    receiver = receiver_with(handled)
    simulator = Simulator(clock=ManualClock(), policy=POLICY)
    simulator.add_fault(Fault(kind="duplicate", operation="webhook"))

    async def sleep(seconds: float) -> None:
        simulator.advance(seconds)

    with serve(simulator) as server, listening(receiver) as hook:
        async with AsyncContentGroove("journey-key", server.base_url, sleep=sleep) as client:
            subscription = await client.webhook_subscriptions.create(url=hook)
            states: list[bool | None] = []
            with sample_video().open("rb") as file:
                media = await client.medias.upload(file, name="Film")
            media = await client.medias.wait(
                media, poll_interval=0.5, on_update=lambda item: states.append(item.is_processing)
            )
            assert states == [None, True, False]
            clips = [clip async for clip in client.clips.list(filter={"media_id_eq": media.id}, page_size=1)]
            check_end(simulator, receiver, handled, media, clips)
            own = await client.clips.create(media_id=media.id, name="Own", start_time=1, end_time=2.5)
            assert (await client.clips.wait(own, poll_interval=0.5)).media_file_duration == 1.5
            await client.clips.delete(own.id)
            await client.webhook_subscriptions.delete(subscription.id)
            await client.medias.delete(media.id)
            with pytest.raises(NotFoundError):
                await client.medias.get(media.id)


def test_the_key_reaches_the_api_and_nothing_else() -> None:
    """Requests to the store carry no credentials but the signed URL's own."""
    simulator = Simulator()
    with serve(simulator) as server, ContentGroove("journey-key", server.base_url) as client:
        client.medias.upload(sample_video())
    puts = [record for record in simulator.requests if record.method == "PUT"]
    assert len(puts) == 1
    assert puts[0].status == 200
