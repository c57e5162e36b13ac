"""Models are flat and immutable; numbers are numbers, times have a zone, and nothing is lost."""

from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import Clip, Media, Transcription, WebhookSubscription
from contentgroove.webhooks import MediaProcessingFinished, parse_event

from .conftest import clip_json, media_json, one, subscription_json

if TYPE_CHECKING:
    from .conftest import Maker

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8")
)
SCHEMAS = CONTRACT["components"]["schemas"]


MODELS = [
    (Media, "media_response_object_data"),
    (Clip, "clip_response_object_data"),
    (WebhookSubscription, "webhook_subscription_response_object_data"),
    (Transcription, "transcription"),
]


@pytest.mark.parametrize(("model", "schema"), MODELS)
def test_models_know_exactly_the_contract(model: Any, schema: str) -> None:
    """This fails if the contract gains or loses an attribute or relationship."""
    properties = SCHEMAS[schema]["properties"]
    attributes = set(properties["attributes"]["properties"])
    relationships = set(properties.get("relationships", {}).get("properties", {}))
    assert set(model._attributes) == attributes
    assert set(model._relationships.values()) == relationships
    for name in (*model._attributes, *model._relationships):
        assert isinstance(getattr(model, name), property)
        assert getattr(model, name).__doc__


def test_numbers_and_times(make: Maker) -> None:
    """Numeric strings become numbers, times become aware datetimes."""
    resource = media_json(
        source_file_duration="98.865532",
        source_file_height="280",
        source_file_width=320,
        created_at="2025-10-15T13:51:02",
    )
    media = make(lambda _request: one(resource)).medias.get("m-1")
    assert media.source_file_duration == 98.865532
    assert (media.source_file_height, media.source_file_width) == (280, 320)
    assert media.created_at == dt.datetime(2025, 10, 15, 13, 51, 2, tzinfo=dt.UTC)
    assert media.processing_started_at == dt.datetime(2025, 10, 15, 13, 51, 2, 559000, tzinfo=dt.UTC)
    clip = make(
        lambda _request: one(clip_json(start_time="57.71", end_time="96.63", end_char="1303", rank=0))
    ).clips.get("c")
    assert (clip.start_time, clip.end_time, clip.end_char, clip.rank) == (57.71, 96.63, 1303, 0)
    assert clip.media_id == "m-1"


def test_absent_and_null_are_distinguished(make: Maker) -> None:
    """Both are None; `fields_set` contains those that were sent."""
    resource = media_json()
    del resource["attributes"]["description"], resource["relationships"]["transcription"]
    media = make(lambda _request: one(resource)).medias.get("m-1")
    assert media.description is None
    assert media.external_id is None
    assert media.transcription_id is None
    assert "description" not in media.fields_set
    assert "transcription_id" not in media.fields_set
    assert {"external_id", "id", "clip_ids"} <= media.fields_set


def event(media: dict[str, Any], included: Any = None) -> bytes:
    """Build the body of a webhook."""
    payload: dict[str, Any] = {"data": media}
    if included is not None:
        payload["included"] = included
    return json.dumps({"event": "media.processing_finished", "payload": payload}).encode()


def test_rest_and_webhook_models_are_equal(make: Maker) -> None:
    """A media is equal in both forms: numbers as strings, the transcription in the relationships or not."""
    link = {"data": {"id": "t-1", "type": "transcriptions"}}
    rest = media_json(source_file_duration=98.5, source_file_height=280, is_processing=False)
    rest["relationships"] |= {"transcription": link, "clips": {"data": [{"id": "c-1", "type": "clips"}]}}
    hook = media_json(source_file_duration="98.5", source_file_height="280", is_processing=False)
    hook["relationships"] = {"clips": rest["relationships"]["clips"]}
    hook["transcription"] = link
    from_rest = make(lambda _request: one(rest)).medias.get("m-1")
    words = {
        "id": "t-1",
        "type": "transcriptions",
        "attributes": {"text": "Hello.", "language": "en"},
        "relationships": {},
    }
    parsed = parse_event(event(hook, [clip_json(start_time="1", end_time="2.0"), words, {"type": "new", "id": "x"}]))
    assert isinstance(parsed, MediaProcessingFinished)
    assert parsed.media == from_rest
    assert hash(parsed.media) == hash(from_rest)
    assert parsed.media.transcription_id == "t-1"
    assert parsed.media.clip_ids == ("c-1",)
    assert parsed.transcription is not None
    assert parsed.transcription.text == "Hello."
    assert parsed.transcription.extra == {"language": "en"}
    assert parsed.clips == (make(lambda _request: one(clip_json(start_time=1, end_time=2))).clips.get("c-1"),)


def test_models_cannot_be_changed(make: Maker) -> None:
    """A model is a value: equal, hashable, copyable, picklable, and never changed."""
    client = make(lambda _request: one(media_json(later="x")))
    media = client.medias.get("m-1")
    with pytest.raises(AttributeError):
        media.name = "other"
    with pytest.raises(AttributeError):
        del media.name
    unpickled = pickle.loads(pickle.dumps(media))  # noqa: S301 - pickled here
    for twin in (unpickled, copy.copy(media), copy.deepcopy(media), client.medias.get("m-1")):
        assert twin == media
        assert {twin, media} == {media}
        assert twin.extra == {"later": "x"}
    assert media != "m-1"
    assert media != make(lambda _request: one(media_json(name="Else"))).medias.get("m-1")


def test_reprs_hide_credentials(make: Maker) -> None:
    """The token of a subscription and a prepared upload do not get into logs."""
    subscription = make(lambda _request: one(subscription_json())).webhook_subscriptions.get("w-1")
    assert subscription.url == "https://example.com/hook?token=secret"
    assert "secret" not in repr(subscription)
    attributes = {"upload_id": "SIGNED", "upload_url": "https://s.test/x?X-Amz-Signature=SIGNED"}
    data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
    prepared = make(lambda _request: httpx.Response(200, json={"data": data})).direct_uploads.prepare()
    assert prepared.upload_url.endswith("SIGNED")
    assert "SIGNED" not in repr(prepared)
