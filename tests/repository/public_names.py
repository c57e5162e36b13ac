"""Type checkers read this file: the public names have the types that users rely on.

It is never run; `make check` fails if a statement here is no longer true.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, assert_type

from contentgroove import (
    AsyncContentGroove,
    Clip,
    ContentGroove,
    DirectUpload,
    ErrorDetail,
    Media,
    NotFoundError,
    OutcomeUnknownError,
    Page,
    RawResponse,
    Transcription,
    UploadResult,
    WebhookSubscription,
)
from contentgroove.types import AsyncPager, MediaCandidate, Pager
from contentgroove.webhooks import (
    MediaProcessingFinished,
    MemoryInbox,
    Receipt,
    UnknownEvent,
    WebhookReceiver,
    parse_event,
)

if TYPE_CHECKING:
    from pathlib import Path


def upload_in_doubt(error: OutcomeUnknownError) -> None:
    """What an upload in doubt says."""
    assert_type(error.upload_id, str | None)
    assert_type(error.candidates, tuple[MediaCandidate, ...])
    assert_type(error.checkpoint, str | None)


def candidates(media: Media) -> OutcomeUnknownError:
    """Each candidate is a media."""
    return OutcomeUnknownError("x", candidates=(media,))


def sync_names(client: ContentGroove, path: Path) -> None:
    """The sync client."""
    assert_type(client.medias.list(filter={"name_eq": "a"}, sort="-name", page_number=1, page_size=2), Pager[Media])
    assert_type(next(iter(client.medias.list())), Media)
    assert_type(client.medias.list().pages(), Iterator[Page[Media]])
    assert_type(client.medias.get("m"), Media)
    assert_type(client.medias.create(source_url="https://e.com/a.mp4", name="n", description="d"), Media)
    assert_type(client.medias.update("m", name="n"), Media)
    assert_type(client.medias.upload(path, name="n", description="d", progress=print), Media)
    assert_type(client.medias.wait("m", timeout=1, poll_interval=1, on_update=print), Media)
    assert_type(client.medias.wait_many([client.medias.get("m"), "n"]), tuple[Media, ...])
    assert_type(client.medias.upload(path, checkpoint=path, identify="description", wait=True), Media)
    assert_type(client.medias.upload_many([path, b"x"], concurrency=2), Iterator[UploadResult])
    assert_type(client.medias.resolve(path, media_id="m"), Media)
    client.medias.resolve(path, media_id=None)
    assert_type(client.clips.create(media_id="m", name="n", start_time=0, end_time=1.5), Clip)
    assert_type(client.clips.wait("c"), Clip)
    assert_type(client.clips.wait_many([client.clips.get("c"), "d"]), tuple[Clip, ...])
    assert_type(client.webhook_subscriptions.create(url="u", subscribed_events=["*"]), WebhookSubscription)
    assert_type(client.direct_uploads.prepare(), DirectUpload)
    assert_type(client.medias.with_raw_response.get("m"), RawResponse[Media])
    assert_type(client.medias.with_raw_response.get("m").parse(), Media)
    assert_type(client.with_options(timeout=1.0, max_retries=0), ContentGroove)


async def async_names(client: AsyncContentGroove, path: Path) -> None:
    """The async client."""
    assert_type(client.medias.list(), AsyncPager[Media])
    assert_type(client.medias.list().pages(), AsyncIterator[Page[Media]])
    assert_type([media async for media in client.medias.list()], list[Media])
    assert_type(await client.medias.get("m"), Media)
    assert_type(await client.medias.upload(path), Media)
    assert_type(await client.medias.wait("m"), Media)
    assert_type(client.medias.upload_many([path]), AsyncIterator[UploadResult])
    assert_type(await client.clips.update("c", start_time=1), Clip)
    assert_type(await client.medias.with_raw_response.get("m"), RawResponse[Media])


def models(media: Media, clip: Clip, subscription: WebhookSubscription, words: Transcription) -> None:
    """The models' attributes."""
    assert_type(media.id, str)
    assert_type(media.name, str)
    assert_type(media.is_processing, bool | None)
    assert_type(media.created_at, dt.datetime)
    assert_type(media.source_file_duration, float | None)
    assert_type(media.source_file_width, int | None)
    assert_type(media.clip_ids, tuple[str, ...])
    assert_type(media.transcription_id, str | None)
    assert_type(clip.start_time, float)
    assert_type(clip.media_id, str | None)
    assert_type(subscription.subscribed_events, tuple[str, ...])
    assert_type(words.text, str)


def errors(error: NotFoundError) -> None:
    """The attributes of errors."""
    assert_type(error.status_code, int)
    assert_type(error.errors, tuple[ErrorDetail, ...])
    assert_type(error.retryable, bool)


def webhooks(body: bytes) -> None:
    """Events and receivers."""
    event = parse_event(body)
    assert_type(event, MediaProcessingFinished | UnknownEvent)
    if isinstance(event, MediaProcessingFinished):
        assert_type(event.media, Media)
        assert_type(event.clips, tuple[Clip, ...])
        assert_type(event.transcription, Transcription | None)
    receiver = WebhookReceiver(MemoryInbox(), secret_token="t")
    assert_type(receiver.receive(body, token="t"), Receipt)
