"""Writes records as the JSON:API documents of responses and webhooks, in the form of the published examples.

REST writes times and durations as numbers. Webhooks write a media's duration and a clip's times as numeric strings,
have the transcription next to the relationships, and omit the state of a clip's processing.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from contentgroove_mock.simulator.core.accounts import user_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove_mock.simulator.core.records import Clip, Delivery, Media, Subscription, Upload

Json: TypeAlias = dict[str, Any]

FILES_PATH = "/_files"
# (assumed: processing-null-first, processing-false-last, clip-processing-null-first)
_IS_PROCESSING = {"queued": None, "processing": True, "finished": False, "failed": False}


# (assumed: times-utc)
@lru_cache(maxsize=4096)
def format_time(value: dt.datetime | None) -> str | None:
    """Write a time as the service does: UTC, milliseconds, `Z`."""
    if value is None:
        return None
    return value.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# (assumed: attributes-present, facts-null-first, duration-seconds, size-pixels, media-content-type, preview-image,
# original-created-at-set, upload-has-no-source-url)
def media_attributes(media: Media, origin: str) -> Json:
    """Write a media's attributes; those of its file are null until it is processed."""
    file = media.file if media.stage == "finished" else None
    return {
        "created_at": format_time(media.created_at),
        "description": media.description,
        "external_id": media.external_id,
        "has_fetch_error": media.stage == "failed",
        "is_processing": _IS_PROCESSING[media.stage],
        "name": media.name,
        "original_created_at": None if media.stage == "queued" else format_time(media.created_at),
        "processing_started_at": format_time(media.created_at),
        "source_created_at": format_time(file.made_at or media.created_at) if file else None,
        "source_file_content_type": file.content_type if file else None,
        "source_file_duration": file.duration if file else None,
        "source_file_height": file.height if file else None,
        "source_file_preview_image_url": f"{origin}{FILES_PATH}/{media.id}/still.jpg" if file else None,
        "source_file_width": file.width if file else None,
        "source_url": media.source_url,
    }


# (assumed: clip-duration-name, clip-duration, clip-file-later, clip-rank-null, clip-chars-nullable, rest-numbers)
def clip_attributes(clip: Clip, media: Media, origin: str) -> Json:
    """Write a clip's attributes; those of its file are null until it is processed."""
    file = media.file if clip.stage == "finished" else None
    files = f"{origin}{FILES_PATH}/{media.id}"
    return {
        "created_at": format_time(clip.created_at),
        "end_char": clip.end_char,
        "end_time": clip.end_time,
        "external_id": clip.external_id,
        "is_processing": _IS_PROCESSING[clip.stage],
        "media_file_content_type": file.content_type if file else None,
        "media_file_duration": round(clip.end_time - clip.start_time, 6) if file else None,
        "media_file_height": file.height if file else None,
        "media_file_preview_image_url": f"{files}/still.jpg" if file else None,
        "media_file_url": f"{files}#t={clip.start_time:g},{clip.end_time:g}" if file else None,
        "media_file_width": file.width if file else None,
        "name": clip.name,
        "processing_started_at": format_time(clip.processing_started_at),
        "rank": clip.rank,
        "start_char": clip.start_char,
        "start_time": clip.start_time,
        "text": clip.text,
    }


# (assumed: relationships-present, list-omits-transcription, media-names-transcription, transcription-named-later)
def media_resource(media: Media, origin: str, *, with_transcription: bool) -> Json:
    """Write a media; lists omit the relationship to its transcription."""
    relationships: Json = {"clips": {"data": [identifier("clips", clip_id) for clip_id in media.clip_ids]}}
    if with_transcription:
        spoken = media.transcription
        relationships["transcription"] = {"data": identifier("transcriptions", spoken.id) if spoken else None}
    return _resource("medias", media.id, media_attributes(media, origin), relationships)


def clip_resource(clip: Clip, media: Media, origin: str) -> Json:
    """Write a clip."""
    relationships = {"media": {"data": identifier("medias", media.id)}}
    return _resource("clips", clip.id, clip_attributes(clip, media, origin), relationships)


# (assumed: subscription-active, subscription-lists-deliveries)
def subscription_resource(subscription: Subscription, deliveries: Iterable[Delivery]) -> Json:
    """Write a webhook subscription with its events."""
    attributes = {
        "active": True,
        "created_at": format_time(subscription.created_at),
        "subscribed_events": subscription.events,
        "updated_at": format_time(subscription.created_at),
        "url": subscription.url,
    }
    relationships = {
        "user": {"data": identifier("users", user_id(subscription.account))},
        "webhook_events": {"data": [identifier("webhook_events", item.id) for item in deliveries]},
    }
    return _resource("webhook_subscriptions", subscription.id, attributes, relationships)


# (assumed: upload-has-no-links)
def upload_document(upload: Upload, url: str) -> Json:
    """Write a prepared upload, without links as in the published example."""
    attributes = {"upload_id": upload.upload_id, "upload_url": url}
    return {"data": {"id": upload.id, "type": "direct_upload_blobs", "attributes": attributes}}


# (assumed: webhook-envelope, webhook-numeric-strings, webhook-transcription-beside, webhook-included,
# webhook-clips-without-state)
def webhook_payload(media: Media, clips: list[Clip]) -> Json:
    """Write a webhook's payload: a finished media, its clips and its transcription."""
    data = media_resource(media, media.origin, with_transcription=False)
    data["attributes"]["source_file_duration"] = _numeric_string(data["attributes"]["source_file_duration"])
    included = [_webhook_clip(clip, media) for clip in clips]
    if media.transcription:
        link = identifier("transcriptions", media.transcription.id)
        data["transcription"] = {"data": link}
        text = {"text": media.transcription.text}
        included.append({**link, "attributes": text, "relationships": {}})
    return {"data": data, "included": included}


def _webhook_clip(clip: Clip, media: Media) -> Json:
    resource = clip_resource(clip, media, media.origin)
    attributes = resource["attributes"]
    del attributes["is_processing"], attributes["processing_started_at"]
    for name in ("start_time", "end_time"):
        attributes[name] = _numeric_string(attributes[name])
    return resource


# (assumed: resource-types)
def _resource(kind: str, resource_id: str, attributes: Json, relationships: Json) -> Json:
    return {"id": resource_id, "type": kind, "attributes": attributes, "relationships": relationships}


def _numeric_string(value: float | None) -> str | None:
    return None if value is None else f"{value:f}".rstrip("0").rstrip(".")


def identifier(kind: str, resource_id: str) -> Json:
    """Write what names another resource."""
    return {"id": resource_id, "type": kind}
