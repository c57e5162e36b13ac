"""Models for the tests of an application, as the service would send them, without a simulator or a client.

Each factory returns a valid model, and takes its attributes by name::

    from contentgroove_mock import factories

    media = factories.media(name="Chimp", source_file_duration=98.9)
    event = factories.media_processing_finished(media, clips=[factories.clip(media_id=media.id)])
    assert handle(event) == ...

    response = app.post("/hooks", content=event.body)  # what the service would POST

All values are the same in each run. `id` is too: pass another one where a test has several of a kind.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, TypeVar, cast

from contentgroove.errors import InvalidInputError
from contentgroove.models import Clip, DirectUpload, Media, Page, Transcription, WebhookSubscription
from contentgroove.webhooks.events import finished_event_body, parse_event
from contentgroove_api.models.links import Links

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from contentgroove._models.base import Model
    from contentgroove.webhooks.events import MediaProcessingFinished


M = TypeVar("M", bound="Model[Any]")

_CREATED = "2025-10-15T13:51:02.558000+00:00"
_STARTED = "2025-10-15T13:51:02.559000+00:00"

_MEDIA: dict[str, Any] = {
    "id": "9b9a2e82-5b47-4f59-831d-4c239824b983",
    "name": "Chimp into space",
    "description": None,
    "is_processing": False,
    "has_fetch_error": False,
    "created_at": _CREATED,
    "original_created_at": _CREATED,
    "processing_started_at": _STARTED,
    "external_id": None,
    "source_url": None,
    "source_created_at": _CREATED,
    "source_file_content_type": "video/mp4",
    "source_file_duration": 98.86,
    "source_file_height": 280,
    "source_file_width": 320,
    "source_file_preview_image_url": "https://files.example.com/chimp.jpg",
    "clip_ids": [],
    "transcription_id": None,
}
_UNFINISHED_MEDIA: dict[str, Any] = dict.fromkeys(
    (
        "source_created_at",
        "source_file_content_type",
        "source_file_duration",
        "source_file_height",
        "source_file_width",
        "source_file_preview_image_url",
    )
)
_CLIP: dict[str, Any] = {
    "id": "5d0d5e0f-0a0c-4bb0-9d4b-3c3a0e5c9e11",
    "name": "Lift-off",
    "start_time": 57.71,
    "end_time": 96.63,
    "text": "And the chimp is on its way.",
    "start_char": 640,
    "end_char": 668,
    "rank": 0,
    "is_processing": False,
    "created_at": _CREATED,
    "processing_started_at": _STARTED,
    "external_id": None,
    "media_file_content_type": "video/mp4",
    "media_file_duration": 38.92,
    "media_file_height": 280,
    "media_file_width": 320,
    "media_file_preview_image_url": "https://files.example.com/lift-off.jpg",
    "media_file_url": "https://files.example.com/lift-off.mp4",
    "media_id": _MEDIA["id"],
}
_UNFINISHED_CLIP: dict[str, Any] = dict.fromkeys(
    (
        "media_file_content_type",
        "media_file_duration",
        "media_file_height",
        "media_file_width",
        "media_file_preview_image_url",
        "media_file_url",
    )
)
_TRANSCRIPTION: dict[str, Any] = {
    "id": "c7a1f9a6-1f5d-4d0f-8f0e-4c1a5f6f7a21",
    "text": "Three, two, one. And the chimp is on its way.",
}
_SUBSCRIPTION: dict[str, Any] = {
    "id": "d812aaec-55e8-47b8-a9b6-3905082a53fb",
    "url": "https://example.com/contentgroove",
    "subscribed_events": ["*"],
    "active": True,
    "created_at": _CREATED,
    "updated_at": _CREATED,
    "user_id": "aea66137-8ee1-4bab-bf5a-5d8a5bb4a7f9",
    "webhook_event_ids": [],
}
_UPLOAD: dict[str, Any] = {
    "id": "1f0b9d5c-6c0e-4b5c-9a55-2a1f6f0c7d31",
    "upload_id": "test-upload-id",
    "upload_url": "https://store.example.com/uploads/test?X-Amz-Signature=0",
}


def media(**attributes: Any) -> Media:
    """Return a media, by default a finished one.

    Args:
        attributes: Values by the names of `Media`'s attributes; with `is_processing` True or None, what is only known
            of a finished one is None. `extra` holds fields that this version does not know.

    Raises:
        InvalidInputError: `Media` has no such attribute, or the value has a wrong type.
    """
    return _build(Media, _MEDIA, _unfinished(attributes, _UNFINISHED_MEDIA), attributes)


def clip(**attributes: Any) -> Clip:
    """Return a clip, by default a finished one that the service suggested of the default media.

    Args:
        attributes: Values by the names of `Clip`'s attributes, as for `media`.

    Raises:
        InvalidInputError: `Clip` has no such attribute, or the value has a wrong type.
    """
    return _build(Clip, _CLIP, _unfinished(attributes, _UNFINISHED_CLIP), attributes)


def transcription(**attributes: Any) -> Transcription:
    """Return a transcription.

    Args:
        attributes: Values by the names of `Transcription`'s attributes.

    Raises:
        InvalidInputError: `Transcription` has no such attribute, or the value has a wrong type.
    """
    return _build(Transcription, _TRANSCRIPTION, {}, attributes)


def webhook_subscription(**attributes: Any) -> WebhookSubscription:
    """Return a webhook subscription, by default one to all events.

    Args:
        attributes: Values by the names of `WebhookSubscription`'s attributes.

    Raises:
        InvalidInputError: `WebhookSubscription` has no such attribute, or the value has a wrong type.
    """
    return _build(WebhookSubscription, _SUBSCRIPTION, {}, attributes)


def direct_upload(**attributes: Any) -> DirectUpload:
    """Return a prepared upload, whose URL leads to no store.

    Args:
        attributes: Values by the names of `DirectUpload`'s attributes.

    Raises:
        InvalidInputError: `DirectUpload` has no such attribute, or the value has a wrong type.
    """
    return _build(DirectUpload, _UPLOAD, {}, attributes)


def page(items: Iterable[M] = (), *, number: int = 1) -> Page[M]:
    """Return a page of a list, the last one.

    Args:
        items: Its models.
        number: Its number, from 1.
    """
    return Page(tuple(items), number, Links(self_="https://api.contentgroove.com/api/v1", next_=None))


def media_processing_finished(
    media: Media | None = None, *, clips: Sequence[Clip] | None = None, transcription: Transcription | None = None
) -> MediaProcessingFinished:
    """Return the event that a media has finished; its `body` is what the service would POST.

    Args:
        media: The media; a finished one by default. It gets the ids of the clips and the transcription.
        clips: The clips that the service suggests; none by default.
        transcription: The spoken text; none by default.

    Raises:
        InvalidInputError: The media is not finished, so the service would not send the event.
    """
    finished = _build(Media, _MEDIA, {}, {}) if media is None else media
    if not finished.is_finished:
        raise InvalidInputError("The media of the event is not finished: pass one with is_processing=False.")
    linked: dict[str, Any] = {}
    included: list[Clip | Transcription] = [*(clips or ())]
    if clips is not None:
        linked["clip_ids"] = [item.id for item in clips]
    if transcription is not None:
        linked["transcription_id"] = transcription.id
        included.append(transcription)
    event = parse_event(finished_event_body(Media.from_dict(finished.to_dict() | linked), included))
    return cast("MediaProcessingFinished", event)


def _unfinished(attributes: dict[str, Any], nulls: dict[str, Any]) -> dict[str, Any]:
    return {} if attributes.get("is_processing", False) is False else nulls


def _build(model: type[M], defaults: dict[str, Any], nulls: dict[str, Any], attributes: dict[str, Any]) -> M:
    known = {*defaults, "extra"}
    for name in attributes:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {near[0]}?" if near else f". It has {', '.join(defaults)}."
            raise InvalidInputError(f"{model.__name__} has no attribute {name}{hint}")
    return model.from_dict({**defaults, **nulls, **attributes})
