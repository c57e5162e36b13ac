"""Models become JSON, and JSON becomes models again, without losing anything."""

from __future__ import annotations

import datetime as dt
import json
import logging
import pickle
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    Clip,
    DirectUpload,
    InvalidInputError,
    Media,
    MissingFieldError,
    Transcription,
    WebhookSubscription,
)
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove_mock import factories

from .conftest import clip_json, media_json, one, subscription_json

if TYPE_CHECKING:
    from .conftest import Maker


def media_of(make: Maker, resource: dict[str, Any]) -> Media:
    """Read a media as a call does."""
    media: Media = make(lambda _request: one(resource)).medias.get("m-1")
    return media


def finished_event(media: dict[str, Any], *included: Any) -> MediaProcessingFinished:
    """Read a webhook."""
    payload = {"data": media, "included": included}
    event = parse_event(json.dumps({"event": "media.processing_finished", "payload": payload}))
    assert isinstance(event, MediaProcessingFinished)
    return event


def through_json(model: Any) -> Any:
    """Return what a store of JSON gives back of a model."""
    text = model.to_json()
    assert json.loads(text) == json.loads(json.dumps(model.to_dict(), allow_nan=False)) == dict(model)
    return type(model).from_dict(json.loads(text))


def assert_same(twin: Any, model: Any) -> None:
    """Compare all that a model says."""
    assert twin == model
    assert (twin.extra, twin.missing, twin.fields_set) == (model.extra, model.missing, model.fields_set)
    types = {name: type(getattr(twin, name)) for name in model.fields_set - model.missing}
    assert types == {name: type(getattr(model, name)) for name in model.fields_set - model.missing}


def test_a_dict_has_only_the_types_of_json(make: Maker) -> None:
    """Times are ISO 8601 with their zone, tuples are lists, and numbers that came as strings are numbers."""
    resource = media_json(
        created_at="2025-10-15T13:51:02+02:00", source_file_duration="98.5", source_created_at="2025-10-15T13:51:02"
    )
    resource["relationships"]["clips"]["data"] = [{"id": "c-1", "type": "clips"}]
    content = media_of(make, resource).to_dict()
    assert content["created_at"] == "2025-10-15T13:51:02+02:00"
    assert content["source_created_at"] == "2025-10-15T13:51:02+00:00"
    assert content["source_file_duration"] == 98.5
    assert content["clip_ids"] == ["c-1"]
    assert content["description"] is None
    assert set(content) == {"id", *Media._attributes, *Media._relationships}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"later": {"nested": [1, None, 2**70]}},
        {"id": 5, "type": "x", "media_id": "m-2", "extra": 1, "missing": ["name"], "absent": 2, "clip_ids": 3},
        {"name": "\u2028 <script> \U0001f600 \x00"},
        {"created_at": "0001-01-01T00:00:00+14:00", "original_created_at": "9999-12-31T23:59:59.999999-12:00"},
    ],
    ids=["plain", "unknown field", "unknown fields with our names", "odd text", "ends of the calendar"],
)
def test_a_media_survives_json(make: Maker, change: dict[str, Any]) -> None:
    """Also with fields that this version does not know, whatever they are called."""
    media = media_of(make, media_json(**change))
    twin = through_json(media)
    assert_same(twin, media)
    assert_same(pickle.loads(pickle.dumps(twin)), media)  # noqa: S301 - pickled here


def test_unknown_parts_of_a_resource_survive_json(make: Maker) -> None:
    """Unknown relationships and members are in `extra`, even if an attribute has the same name."""
    resource: dict[str, Any] = media_json(later=1) | {"links": {"self": "x"}, "name": "of the resource"}
    resource["relationships"] |= {"owner": {"data": None}, "description": {"data": 1}}
    media = media_of(make, resource)
    assert set(media.extra) == {"later", "links", "name", "owner", "description"}
    assert_same(through_json(media), media)


def test_absent_and_null_stay_apart(make: Maker) -> None:
    """`to_dict()` has null for both, and the names of the absent ones."""
    resource = media_json(description=None)
    del resource["attributes"]["external_id"], resource["relationships"]["transcription"]
    media = media_of(make, resource)
    content = media.to_dict()
    assert content["description"] is content["external_id"] is None
    assert set(content["absent"]) == {"external_id", "transcription_id"}
    assert_same(through_json(media), media)


def test_the_other_models_survive_json(make: Maker) -> None:
    """Clips, transcriptions, subscriptions and prepared uploads, from REST and from webhooks."""
    spoken = {"id": "t-1", "type": "transcriptions", "attributes": {"text": "Hello."}, "relationships": {}}
    hooked = clip_json(start_time="1", end_time="2.5")
    del hooked["attributes"]["is_processing"]
    event = finished_event(media_json(is_processing=False), hooked, spoken)
    subscription = make(lambda _request: one(subscription_json())).webhook_subscriptions.get("w-1")
    attributes = {"upload_id": "u-1", "upload_url": "https://s.test/x?X-Amz-Signature=1"}
    prepared = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
    upload = make(lambda _request: httpx.Response(200, json={"data": prepared})).direct_uploads.prepare()
    for model in (event.media, *event.clips, event.transcription, subscription, upload):
        assert_same(through_json(model), model)
    assert upload.to_dict() == {"id": "u", **attributes}
    assert [type(model) for model in (*event.clips, event.transcription)] == [Clip, Transcription]
    assert isinstance(subscription, WebhookSubscription)


@pytest.mark.parametrize(
    "change",
    [{"name": None}, {"description": 5, "created_at": "soon"}, {"source_file_height": "tall", "has_fetch_error": {}}],
)
def test_what_cannot_be_read_stays_missing(
    make: Maker, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """It is named in `missing`, has no value, and reading it from the copy says why; nothing is logged again."""
    media = media_of(make, media_json(**change))
    content = media.to_dict()
    assert content["missing"] == sorted(change)
    assert not set(change) & set(content)
    caplog.clear()
    with caplog.at_level(logging.DEBUG):
        twin = through_json(media)
    assert caplog.records == []
    assert_same(twin, media)
    with pytest.raises(MissingFieldError, match=r"is a value that to_dict\(\) could not read"):
        getattr(twin, next(iter(change)))


@pytest.mark.parametrize("part", ["attributes", "relationships"])
def test_parts_that_cannot_be_read_stay_missing(make: Maker, part: str) -> None:
    """Even if no attribute or relationship can be read at all."""
    media = media_of(make, media_json() | {part: "none"})
    twin = through_json(media)
    assert twin == media
    assert twin.missing == media.missing != frozenset()


def test_numbers_that_json_does_not_have(make: Maker) -> None:
    """The service can only send them as strings, and so does `to_dict()`."""
    media = media_of(make, media_json(source_file_duration="Infinity"))
    assert media.source_file_duration == float("inf")
    assert_same(through_json(media), media)


def test_unknown_parts_that_cannot_be_decoded_stop_nothing(make: Maker) -> None:
    """Such as a number that is too large for Python's decoders; `missing` says that they are not there."""
    body = json.dumps({"data": media_json(later=7, clips_count=1), "links": {"self": "x"}})
    body = body.replace('"later": 7', '"later": 1e999')
    media = make(lambda _request: httpx.Response(200, content=body.encode())).medias.get("m-1")
    content = json.loads(media.to_json())
    assert content["missing"] == ["extra"]
    assert "extra" not in content
    assert Media.from_dict(content) == media


def test_from_dict_takes_what_applications_write() -> None:
    """Datetimes, only the required attributes, and keys of later versions."""
    content = factories.media().to_dict()
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    media = Media.from_dict({**content, "created_at": moment, "of a later version": [1]})
    assert media.created_at == moment
    assert media.extra == {"of a later version": [1]}
    required = {name: content[name] for name in ("id", "name", "has_fetch_error", "created_at", "clip_ids")}
    small = Media.from_dict(required)
    assert small.description is None
    assert small.fields_set == set(required)
    assert small.missing == frozenset()


def test_what_an_earlier_version_did_not_know_becomes_an_attribute() -> None:
    """It stored it in `extra`."""
    content = factories.media(external_id="e-1").to_dict()
    stored = {**content, "extra": {"external_id": content.pop("external_id")}}
    del stored["external_id"]
    media = Media.from_dict(stored)
    assert (media.external_id, media.extra) == ("e-1", {})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"id": 5}, "id must be a string"),
        ({"name": 5}, "name cannot be read"),
        ({"name": None}, "name cannot be read"),
        ({"name": b"x"}, "name is not JSON"),
        ({"name": "\ud800"}, "name is not JSON"),
        ({"created_at": "soon"}, "created_at cannot be read"),
        ({"created_at": dt.date(2026, 1, 1)}, "created_at is not JSON"),
        ({"is_processing": "perhaps"}, "is_processing cannot be read"),
        ({"source_file_duration": float("nan")}, "source_file_duration is not JSON"),
        ({"clip_ids": "abc"}, "clip_ids must be a list of strings"),
        ({"clip_ids": [1]}, "clip_ids must be a list of strings"),
        ({"transcription_id": 1}, "transcription_id must be a string or None"),
        ({"extra": [1]}, "extra must be a mapping"),
        ({"extra": {"later": {1, 2}}}, "later is not JSON"),
        ({"later": float("inf")}, "later is not JSON"),
        ({"missing": "name"}, "missing must be a list"),
        ({"absent": [1]}, "absent must be a list"),
        ({1: 2}, "keys must be strings, not int"),
    ],
)
def test_a_wrong_dict_is_refused_by_name(change: dict[Any, Any], named: str) -> None:
    """The error names the model and the key."""
    with pytest.raises(InvalidInputError, match=rf"^Media\.from_dict: {named}"):
        Media.from_dict({**factories.media().to_dict(), **change})


def test_errors_show_no_credentials() -> None:
    """Neither of keys nor of values, and are short."""
    url = "https://s.test/f?X-Amz-Signature=SECRET"
    for change in ({url: float("nan")}, {"name": {"at": url}}, {"source_url": [url]}, {"x" * 10_000: b""}):
        with pytest.raises(InvalidInputError) as caught:
            Media.from_dict({**factories.media().to_dict(), **change})
        assert "SECRET" not in str(caught.value)
        assert len(str(caught.value)) < 700


def test_deep_values_are_refused() -> None:
    """As in responses, and without exhausting the stack."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidInputError, match="later is not JSON"):
        Media.from_dict({**factories.media().to_dict(), "later": value})
    value = []
    for _ in range(150):
        value = [value]
    with pytest.raises(InvalidInputError, match="levels"):
        Media.from_dict({**factories.media().to_dict(), "later": value})


@pytest.mark.parametrize("value", [None, [], "{}", b"{}", 5])
def test_anything_but_a_mapping_is_refused(value: Any) -> None:
    """JSON text is not parsed."""
    with pytest.raises(InvalidInputError, match="a mapping is needed"):
        Media.from_dict(value)


def test_absent_required_attributes_are_refused_by_name() -> None:
    """A resource of JSON:API, too, which has other members."""
    with pytest.raises(InvalidInputError, match=r"created_at cannot be read, because attributes\.created_at is absent"):
        Media.from_dict({"id": "m", "name": "n", "has_fetch_error": False, "clip_ids": []})
    with pytest.raises(InvalidInputError, match="upload_id is absent"):
        DirectUpload.from_dict({"id": "u", "upload_url": "x"})
    with pytest.raises(InvalidInputError, match="This is a JSON:API resource"):
        Media.from_dict(media_json())
    with pytest.raises(InvalidInputError, match="id is absent"):
        Media.from_dict({})


def test_models_are_values_of_match(make: Maker) -> None:
    """Positional patterns are the id and what matters most; an attribute that is missing matches nothing."""
    clip: Any = factories.clip()
    match clip:
        case Clip(str(clip_id), name, start_time=float(), is_finished=True):
            assert (clip_id, name) == (factories.clip().id, "Lift-off")
        case _:
            pytest.fail("the clip does not match")
    odd: Any = media_of(make, media_json(name=None))
    match odd:
        case Media(_, _):
            pytest.fail("a name that cannot be read matches")
        case Media(media_id):
            assert media_id == "m-1"
        case _:
            pytest.fail("the id does not match")
    for model in (Clip, DirectUpload, Media, Transcription, WebhookSubscription):
        assert model.__match_args__[0] == "id"
        assert set(model.__match_args__) <= {"id", *model._attributes}


def test_models_are_no_iterables() -> None:
    """`dict()` takes them; calls that take several do not take one for several."""
    media = factories.media()
    assert dict(media)["name"] == "Chimp into space"
    assert {**media} == media.to_dict()
    with pytest.raises(TypeError):
        iter(media)  # type: ignore[call-overload]
    with pytest.raises(KeyError):
        media["later"]


def test_pages_are_json(make: Maker) -> None:
    """With their items, and the reasons of those that cannot be read."""
    body = {"data": [media_json("m-1"), {"type": "medias"}], "links": {"self": "x"}}
    client = make(lambda _request: httpx.Response(200, json=body))
    page = next(iter(client.medias.list(limit=1).pages()))
    content = page.to_dict()
    assert json.loads(page.to_json()) == content == dict(page)
    assert content["items"] == [page.items[0].to_dict()]
    assert content["unreadable"] == [{"index": 1, "reason": "id is absent"}]
    with pytest.raises(KeyError):
        page["next"]
