"""Private and volatile data is not in a recording; data that clients must handle is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove._core.secret import Secret
from contentgroove_mock.recording.recordings import RecordedResponse, RecordingError, Request
from contentgroove_mock.recording.scrubbing import Scrubber

SERVICE = "https://api.contentgroove.test/api/v1"
KEY = "canary-key-of-a-real-account"
MEDIA = "9b9a2e82-5b47-4f59-831d-4c239824b983"
CLIP = "32caa472-6a12-4a77-974a-52d1175502ab"
FIRST, SECOND = (f"00000000-0000-4000-8000-{number:012}" for number in (1, 2))


def scrub(body: object, *, path: str = f"/medias/{MEDIA}", keep_words: bool = False, **request: Any) -> Any:
    """Scrub a response about a media, as from the service itself, and return its body."""
    scrubber = Scrubber(SERVICE, secrets=[Secret(KEY)], sent=["Recorded media"], keep_words=keep_words)
    return scrubber.scrub(Request(method="GET", path=path, **request), RecordedResponse(body=body))[1].body


def test_ids_are_numbered_in_order() -> None:
    """The same id has the same placeholder in path, links, relationships and sentences; any form of id counts."""
    body = {
        "data": {"id": MEDIA, "relationships": {"clips": {"data": [{"id": CLIP}, {"id": "4711"}]}}},
        "links": {"self": f"{SERVICE}/medias/{MEDIA}?with={CLIP}"},
        "errors": [{"detail": f"{MEDIA} is fine, 4711 too"}],
    }
    scrubber = Scrubber(SERVICE, keep_words=False)
    request, response = scrubber.scrub(Request(method="GET", path=f"/medias/{MEDIA}"), RecordedResponse(body=body))
    assert request.path == f"/medias/{FIRST}"
    assert response.body["data"]["id"] == FIRST
    clips = [clip["id"] for clip in response.body["data"]["relationships"]["clips"]["data"]]
    assert clips == [SECOND, "00000000-0000-4000-8000-000000000003"]
    assert response.body["links"]["self"] == f"https://service.example/api/v1/medias/{FIRST}?with={SECOND}"
    assert response.body["errors"][0]["detail"] == f"{FIRST} is fine, 4711 too"


def test_times_keep_their_order_their_precision_and_their_zone() -> None:
    """Seconds from the start of 2026, the earliest first, equal ones equal."""
    body = {
        "a": "2025-10-15T13:51:02.559Z",
        "b": "2024-02-29T00:00:00+02:00",
        "c": "2025-10-15T15:51:02.559+02:00",
        "d": "2025-10-15T13:51:02.559123Z",
    }
    assert scrub(body) == {
        "a": "2026-01-01T00:00:01.000Z",
        "b": "2026-01-01T00:00:00+02:00",
        "c": "2026-01-01T00:00:01.000+02:00",
        "d": "2026-01-01T00:00:02.000000Z",
    }


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        (f"{SERVICE}/medias?page[number]=2", "https://service.example/api/v1/medias?page[number]=2"),
        ("http://api.contentgroove.test/api/v1/medias", "http://service.example/api/v1/medias"),
        (f"{SERVICE}/medias?api_key={KEY}", "https://service.example/api/v1/medias?api_key=scrubbed"),
        (
            "https://bucket.s3.amazonaws.com/u/ann/film.mp4?X-Amz-Date=20251015T135102Z&X-Amz-Signature=abc",
            "https://files.example/scrubbed.mp4?X-Amz-Date=scrubbed&X-Amz-Signature=scrubbed",
        ),
        ("https://ann:word@files.test/ann.meyer", "https://files.example/scrubbed.meyer"),
        ("https://files.test/ann-meyers-wedding", "https://files.example/scrubbed"),
        (f"https://files.test/{MEDIA}/clip.mp4#t=0.5,2.25", "https://files.example/scrubbed.mp4#t=0.5,2.25"),
        ("https://files.test/a.mp4#ann", "https://files.example/scrubbed.mp4"),
    ],
)
@pytest.mark.parametrize("keep_words", [True, False])
def test_urls(url: str, clean: str, *, keep_words: bool) -> None:
    """URLs of the service keep scheme, path and page, others keep their suffix; no host, no credential."""
    assert scrub({"some_url": url}, keep_words=keep_words) == {"some_url": clean}


def test_an_account_s_texts_are_removed() -> None:
    """Names, descriptions, spoken text, and every string that this version does not know; numbers and flags stay."""
    body = {
        "type": "medias",
        "attributes": {
            "name": "Wedding of Ann Meyer",
            "description": None,
            "text": "I do",
            "owner_email": "ann.meyer@example.test",
            "is_processing": False,
            "source_file_duration": "98.865532",
            "source_file_content_type": "video/mp4",
            "upload_id": "eyJfcmFpbHMi--0a1b",
            "external_id": "4711",
            "subscribed_events": ["media.processing_finished", "Ann"],
            "rank": 0,
            "tags": ["Ann", "Meyer"],
            "title": "A day with Ann",
            "type": "wedding",
        },
    }
    assert scrub(body) == {
        "type": "medias",
        "attributes": {
            "name": "scrubbed name",
            "description": None,
            "text": "scrubbed text",
            "owner_email": "scrubbed owner_email",
            "is_processing": False,
            "source_file_duration": "98.865532",
            "source_file_content_type": "video/mp4",
            "upload_id": "upload-1",
            "external_id": "external-1",
            "subscribed_events": ["media.processing_finished", "scrubbed subscribed_events"],
            "rank": 0,
            "tags": ["scrubbed tags", "scrubbed tags"],
            "title": "scrubbed title",
            "type": "scrubbed type",
        },
    }


def test_what_the_recorder_sent_stays() -> None:
    """Its own names are not secret, and show that the service returns what it received."""
    assert scrub({"name": "Recorded media"}) == {"name": "Recorded media"}


def test_what_the_simulator_invents_stays() -> None:
    """Its texts are invented; ids, times and hosts are still made stable."""
    body = {"name": "a small lamp", "id": MEDIA, "created_at": "2025-10-15T13:51:02.559Z"}
    assert scrub(body, keep_words=True) == {
        "name": "a small lamp",
        "id": FIRST,
        "created_at": "2026-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize("keep_words", [True, False])
def test_sentences_of_errors_stay(*, keep_words: bool) -> None:
    """The service's errors are what clients show; keys, addresses, ids, times and URLs in them are removed."""
    detail = (
        f"Key {KEY} of ann.meyer@example.test may not see {MEDIA} since 2025-10-15T13:51:02Z: "
        "https://files.test/ann?X-Amz-Signature=abc"
    )
    assert scrub({"errors": [{"status": "401", "title": "No", "detail": detail}]}, keep_words=keep_words) == {
        "errors": [
            {
                "status": "401",
                "title": "No",
                "detail": f"Key scrubbed of scrubbed@example.com may not see {FIRST} since 2026-01-01T00:00:00Z: "
                "https://files.example/scrubbed?X-Amz-Signature=scrubbed",
            }
        ]
    }


def test_the_key_is_removed_everywhere() -> None:
    """In names of members, in sent values, in the middle of words."""
    scrubber = Scrubber(SERVICE, secrets=[Secret(KEY)], sent=[f"x{KEY}x"], keep_words=True)
    request = Request(
        method="POST", path="/medias", query=(("filter[name_eq]", KEY),), body={"data": {"name": f"x{KEY}x"}}
    )
    with pytest.raises(RecordingError, match="POST /medias contains a credential") as caught:
        scrubber.scrub(request, RecordedResponse())
    assert KEY not in str(caught.value)
    request = Request(method="GET", path="/medias", query=(("filter[name_eq]", KEY),))
    scrubbed = scrubber.scrub(request, RecordedResponse(body={KEY: {"deep": [f"({KEY})"]}}))
    assert KEY not in json.dumps([scrubbed[0].query, scrubbed[1].body])
    assert scrubbed[1].body == {"scrubbed": {"deep": ["(scrubbed)"]}}


@pytest.mark.parametrize("leak", ["X-Amz-Signature=abc", "x-amz-credential=abc/def", "api_key=abc"])
def test_a_signature_that_scrubbing_missed_stops_the_recording(leak: str) -> None:
    """A credential outside of a URL is at an unknown location: nothing is recorded, nothing is shown."""
    with pytest.raises(RecordingError, match=r"Add the location to scrubbing\.py") as caught:
        scrub({"name": f"a query: {leak}"}, keep_words=True)
    assert "abc" not in str(caught.value)


def test_a_key_in_a_header_stops_the_recording() -> None:
    """Headers are kept by name, so a header with the key is an error of this program."""
    scrubber = Scrubber(SERVICE, secrets=[Secret(KEY)], keep_words=True)
    with pytest.raises(RecordingError):
        scrubber.scrub(Request(method="GET", path="/"), RecordedResponse(headers={"retry-after": KEY}))
