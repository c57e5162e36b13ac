"""For every recorded webhook, the SDK returns its meaning."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove.webhooks.events import PROCESSING_FINISHED

from tests.recorded.expected import ID, at
from tests.recorded.recordings import DELIVERIES
from tests.recorded.test_replay import check_model

if TYPE_CHECKING:
    from tests.recorded.expected import Attributes

# The sample says three sentences in its six seconds; a clip is suggested for each, two seconds long.
SENTENCES = (
    "A small lamp lights up before the coloured bars begin to move.",
    "With every second the tone climbs one step and the counter follows.",
    "Whoever cuts this film well will find the steps still in order.",
)


def _media(**attributes: Any) -> Attributes:
    """A finished media of the sample video; its duration is a string in a webhook, a number in the model."""
    return {
        "id": ID(1),
        "name": "",
        "description": None,
        "is_processing": False,
        "is_finished": True,
        "has_fetch_error": False,
        "created_at": at(0),
        "original_created_at": at(0),
        "processing_started_at": at(0),
        "external_id": "external-1",
        "source_url": None,
        "source_created_at": at(0),
        "source_file_content_type": "video/mp4",
        "source_file_duration": 6.0,
        "source_file_height": 180,
        "source_file_width": 320,
        "source_file_preview_image_url": f"http://service.example/_files/{ID(1)}/still.jpg",
        "clip_ids": (ID(2), ID(3), ID(4)),
        "transcription_id": ID(5),
    } | attributes


def _suggested(rank: int) -> Attributes:
    """A suggested clip; a webhook omits its processing state, so it does not count as finished."""
    start_char = sum(len(sentence) + 1 for sentence in SENTENCES[:rank])
    return {
        "id": ID(2 + rank),
        "media_id": ID(1),
        "name": SENTENCES[rank].rstrip(".").lower(),
        "start_time": 2.0 * rank,
        "end_time": 2.0 * rank + 2,
        "text": SENTENCES[rank],
        "start_char": start_char,
        "end_char": start_char + len(SENTENCES[rank]),
        "rank": rank,
        "is_processing": None,
        "is_finished": False,
        "created_at": at(1),
        "processing_started_at": None,
        "external_id": f"external-{2 + rank}",
        "media_file_content_type": "video/mp4",
        "media_file_duration": 2.0,
        "media_file_height": 180,
        "media_file_width": 320,
        "media_file_preview_image_url": f"http://service.example/_files/{ID(1)}/still.jpg",
        "media_file_url": f"http://service.example/_files/{ID(1)}#t={2 * rank},{2 * rank + 2}",
    }


_SPOKEN = {"id": ID(5), "text": " ".join(SENTENCES)}
_CHIMP_AT = dt.datetime(2025, 10, 15, 13, 51, 2, 559000, tzinfo=dt.UTC)
_CHIMP = "9b9a2e82-5b47-4f59-831d-4c239824b983"
_CHIMP_CLIP = "32caa472-6a12-4a77-974a-52d1175502ab"
_CHIMP_WORDS = "0d9c5a52-30e5-4c4b-8f5f-2f9d1a8c7e11"

EXPECTED: dict[str, tuple[Attributes, list[Attributes], Attributes, str]] = {
    "media.processing_finished-200": (
        _media(name="Recorded media", description="Six seconds"),
        [_suggested(0), _suggested(1), _suggested(2)],
        _SPOKEN,
        ID(1),
    ),
    "media.processing_finished-200-url": (
        _media(name="Recorded from a URL", source_url="https://films.example/flight.mp4"),
        [_suggested(0), _suggested(1), _suggested(2)],
        _SPOKEN,
        ID(1),
    ),
    # The document's own: 98.865532 seconds, 57.71 and 96.63 are strings there, end_char is a number.
    "media.processing_finished-200-example": (
        _media(
            id=_CHIMP,
            name="Chimp Into Space",
            description="The flight of Enos.",
            created_at=_CHIMP_AT,
            original_created_at=_CHIMP_AT,
            processing_started_at=_CHIMP_AT,
            source_created_at=_CHIMP_AT,
            external_id="1",
            source_url="https://archive.org/download/SF143/SF143_512kb.mp4",
            source_file_duration=98.865532,
            source_file_height=280,
            source_file_preview_image_url="https://www.example.com/path-to-image",
            clip_ids=(_CHIMP_CLIP,),
            transcription_id=_CHIMP_WORDS,
        ),
        [
            _suggested(0)
            | {
                "id": _CHIMP_CLIP,
                "media_id": _CHIMP,
                "name": "john h. glenn, kindly air force base hospital",
                "start_time": 57.71,
                "end_time": 96.63,
                "text": "He landed in the sea.",
                "start_char": 737,
                "end_char": 1303,
                "created_at": _CHIMP_AT,
                "external_id": "1",
                "media_file_duration": 38.938939,
                "media_file_height": 240,
                "media_file_preview_image_url": "https://www.example.com/path-to-image",
                "media_file_url": "https://www.example.com/path-to-video",
            }
        ],
        {"id": _CHIMP_WORDS, "text": "He landed in the sea."},
        _CHIMP,
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_parse_event(name: str) -> None:
    """The event has the media, its clips in the order of their ranks, and the spoken text."""
    media, clips, spoken, identifier = EXPECTED[name]
    event = parse_event(DELIVERIES[name].request.content)
    assert isinstance(event, MediaProcessingFinished)
    assert event.event == "media.processing_finished"
    check_model(media, event.media)
    for clip, attributes in zip(event.clips, clips, strict=True):
        check_model(attributes, clip)
    check_model(spoken, event.transcription)
    assert identifier in event.dedupe_key
    assert event.raw == DELIVERIES[name].request.body


def test_every_webhook_has_a_meaning() -> None:
    """The meaning of each that has a class is written down, and of nothing that is gone; all others are read, too."""
    assert set(EXPECTED) == {name for name in DELIVERIES if name.startswith(PROCESSING_FINISHED)}
    for name, delivery in DELIVERIES.items():
        event = parse_event(delivery.request.content)
        assert event.event == name.partition("-")[0]
        assert isinstance(event, MediaProcessingFinished) is (name in EXPECTED)
