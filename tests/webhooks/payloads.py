"""Webhooks as the service sends them, and receivers that have recorded some."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from contentgroove.webhooks import WebhookReceiver

if TYPE_CHECKING:
    from contentgroove.webhooks import Inbox

STARTED = "2025-10-15T13:51:02.559Z"


def media(media_id: str = "m-1", **attributes: Any) -> dict[str, Any]:
    """Write a finished media as a webhook does."""
    return {
        "id": media_id,
        "type": "medias",
        "attributes": {
            "created_at": "2025-10-15T13:51:02.559Z",
            "description": "The flight of Enos.",
            "has_fetch_error": False,
            "is_processing": False,
            "name": "Chimp Into Space",
            "processing_started_at": STARTED,
            "source_file_duration": "98.865532",
            "source_file_height": 280,
            **attributes,
        },
        "relationships": {"clips": {"data": [{"id": "c-1", "type": "clips"}]}},
        "transcription": {"data": {"id": "t-1", "type": "transcriptions"}},
    }


def clip(clip_id: str = "c-1", **attributes: Any) -> dict[str, Any]:
    """Write a clip as a webhook does."""
    return {
        "id": clip_id,
        "type": "clips",
        "attributes": {
            "created_at": "2025-10-15T13:51:02.559Z",
            "end_char": 1303,
            "end_time": "96.63",
            "media_file_url": "https://store.test/clip.mp4?X-Amz-Signature=one",
            "name": "kindly air force base hospital",
            "rank": 0,
            "start_char": 737,
            "start_time": "57.71",
            "text": "He landed in the sea.",
            **attributes,
        },
        "relationships": {"media": {"data": {"id": "m-1", "type": "medias"}}},
    }


def transcription(transcription_id: str = "t-1", text: str = "He landed in the sea.") -> dict[str, Any]:
    """Write a transcription as a webhook does."""
    return {"id": transcription_id, "type": "transcriptions", "attributes": {"text": text}, "relationships": {}}


def finished(media_id: str = "m-1", included: list[Any] | None = None, **attributes: Any) -> dict[str, Any]:
    """Write `media.processing_finished`."""
    return {
        "event": "media.processing_finished",
        "payload": {
            "data": media(media_id, **attributes),
            "included": [clip(), transcription()] if included is None else included,
        },
    }


def body(event: object) -> bytes:
    """Encode a body as it is sent."""
    return json.dumps(event).encode()


def received(inbox: Inbox, *medias: str, **options: Any) -> WebhookReceiver:
    """Make a receiver, and deliver the events of medias to it."""
    receiver = WebhookReceiver(inbox, **options)
    for media_id in medias:
        assert receiver.receive(body(finished(media_id))).status_code == 200
    return receiver
