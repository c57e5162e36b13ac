"""Events: every event is parsed completely, and everything else raises one error in bounded time."""

from __future__ import annotations

import datetime as dt
import json
import pickle
import time
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import pytest
from contentgroove import MissingFieldError, WebhookPayloadError
from contentgroove.webhooks import MediaProcessingFinished, UnknownEvent, events, parse_event
from contentgroove_api.models.clip import Clip as WireClip
from contentgroove_api.models.transcription import Transcription as WireTranscription
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhooks.payloads import STARTED, body, clip, finished, transcription

SCHEMAS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "mockserver/contentgroove_mock/contract.json").read_text(encoding="utf-8")
)["components"]["schemas"]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def known(content: Any) -> MediaProcessingFinished:
    event = parse_event(content)
    assert isinstance(event, MediaProcessingFinished)
    return event


def key(event: object) -> str:
    return parse_event(body(event)).dedupe_key


def test_finished_media_is_parsed_completely() -> None:
    """Media, clips and transcription are the models of REST responses, with numbers and times decoded."""
    event = known(body(finished()))
    assert event.event == "media.processing_finished"
    assert (event.media.id, event.media.name) == ("m-1", "Chimp Into Space")
    assert event.media.source_file_duration == 98.865532
    assert event.media.processing_started_at == dt.datetime(2025, 10, 15, 13, 51, 2, 559_000, tzinfo=dt.UTC)
    assert event.media.is_finished
    assert [(item.id, item.start_time, item.end_time) for item in event.clips] == [("c-1", 57.71, 96.63)]
    assert event.transcription is not None
    assert event.transcription.text == "He landed in the sea."
    assert event.raw == finished()
    assert event.attempt == 1


@pytest.mark.parametrize("form", ["bytes", "bytearray", "memoryview", "text", "mapping", "byte order mark"])
def test_every_form_of_a_body_is_the_same_event(form: str) -> None:
    """Frameworks pass bytes, text or parsed JSON."""
    content = body(finished())
    forms: dict[str, Any] = {
        "bytes": content,
        "bytearray": bytearray(content),
        "memoryview": memoryview(content),
        "text": content.decode(),
        "mapping": finished(),
        "byte order mark": b"\xef\xbb\xbf" + content,
    }
    assert known(forms[form]) == known(content)


def test_unknown_members_are_accepted() -> None:
    """Unknown members, attributes and included types are kept in `raw` and `extra`."""
    sent = finished(included=[clip(), {"id": "x", "type": "chapters", "attributes": {}}, transcription()], mood="calm")
    sent["sent_at"] = "today"
    event = known(body(sent))
    assert (len(event.clips), event.transcription is not None) == (1, True)
    assert event.media.extra["mood"] == "calm"
    assert event.raw == sent


def test_an_unknown_type_changes_nothing_else() -> None:
    """A body with an unknown type is decoded by another way, with the same clips and transcription."""
    items = [clip("c-1", end_char="1303", mood="calm"), transcription(), clip("c-2", start_time="1")]
    plain = known(body(finished(included=items)))
    mixed = known(body(finished(included=[{"type": "new"}, *items])))
    assert mixed.clips == plain.clips
    assert mixed.transcription == plain.transcription
    for event in (plain, mixed):
        assert [item.extra for item in event.clips] == [{"mood": "calm"}, {}]
        assert event.transcription is not None
        assert event.transcription.extra == {}


def test_events_can_be_pickled() -> None:
    """A queue may pass them to another process."""
    event = known(body(finished(included=[clip(mood="calm"), transcription()])))
    again = pickle.loads(pickle.dumps(event))  # noqa: S301 - pickled here
    assert again == event
    assert again.clips[0].extra == {"mood": "calm"}


@pytest.mark.parametrize(
    ("fast", "schema"),
    [
        (events.TaggedEvent, "webhook_event"),
        (events.TaggedPayload, "webhook_event.payload"),
        (events.TaggedClip, "clip_response_object_data"),
        (events.TaggedTranscription, "transcription"),
    ],
)
def test_the_tagged_structs_have_exactly_the_fields_of_the_contract(fast: Any, schema: str) -> None:
    """They follow the generated structs; the type is the tag."""
    name, *members = schema.split(".")
    contracted = SCHEMAS[name]
    for member in members:
        contracted = contracted["properties"][member]
    tag = {fast.__struct_config__.tag_field} if fast.__struct_config__.tag else set[str]()
    assert set(fast.__struct_encode_fields__) | tag == set(contracted["properties"])


@pytest.mark.parametrize(
    ("fast", "generated"), [(events.TaggedClip, WireClip), (events.TaggedTranscription, WireTranscription)]
)
def test_the_tagged_structs_accept_what_the_generated_ones_accept(fast: Any, generated: Any) -> None:
    """Attributes and relationships are the generated structs, and the same members are optional."""
    ours = {item.name: (item.encode_name, item.type, item.default) for item in msgspec.structs.fields(fast)}
    theirs = {item.name: (item.encode_name, item.type, item.default) for item in msgspec.structs.fields(generated)}
    del theirs["type_"]
    assert ours == theirs


@pytest.mark.parametrize("included", [[], None, "missing"])
def test_nothing_included(included: Any) -> None:
    """A media without clips and transcription is still an event."""
    sent = finished()
    sent["payload"]["included"] = included
    if included == "missing":
        del sent["payload"]["included"]
    event = known(body(sent))
    assert (event.clips, event.transcription) == ((), None)


def test_transcription_is_the_one_that_the_media_names() -> None:
    """Of several transcriptions, the event has the media's own."""
    sent = finished(included=[transcription("t-0", "not this"), transcription("t-1", "this")])
    event = known(body(sent))
    assert event.transcription is not None
    assert event.transcription.text == "this"


def test_unknown_event_keeps_everything() -> None:
    """An event of a later version of the API has its name and content."""
    sent = {"event": "clip.exported", "payload": {"data": {"id": "c-9", "type": "clips"}}, "more": 1}
    event = parse_event(body(sent))
    assert isinstance(event, UnknownEvent)
    assert (event.event, event.raw, event.attempt) == ("clip.exported", sent, 1)
    assert isinstance(parse_event('{"event": "ping"}'), UnknownEvent)


def test_raw_decodes_numbers_of_any_size() -> None:
    """Unknown members may have more than 64 bits."""
    assert parse_event(b'{"event": "x", "n": ' + b"9" * 300 + b"}").raw["n"] == int("9" * 300)
    with pytest.raises(WebhookPayloadError, match="plain JSON"):
        _ = parse_event(b'{"event": "x", "n": ' + b"9" * 10_000 + b"}").raw


def test_redelivery_has_the_same_key() -> None:
    """New signatures, another spelling of the same time and other attributes do not change it."""
    first = finished()
    again = finished(included=[clip(media_file_url="https://store.test/clip.mp4?X-Amz-Signature=two")])
    again["payload"]["data"]["attributes"] |= {
        "name": "Renamed",
        "processing_started_at": "2025-10-15T15:51:02.559+02:00",
    }
    assert key(first) == key(again) == "media.processing_finished:medias:m-1:2025-10-15T13:51:02.559000+00:00"


@pytest.mark.parametrize(
    "other",
    [
        finished("m-2"),
        finished(processing_started_at="2025-10-16T00:00:00Z"),
        finished(processing_started_at=None),
        {**finished(), "event": "media.processing_failed"},
    ],
)
def test_another_event_has_another_key(other: dict[str, Any]) -> None:
    """Another media, another run of processing and another event are not duplicates."""
    assert key(other) != key(finished())


def test_unknown_events_are_distinguished_by_content_without_signatures() -> None:
    """The key of an event without a run of processing is a digest that excludes the queries of URLs."""

    def exported(url: str, *, name: str = "a") -> dict[str, Any]:
        data = {"id": "c-1", "type": "clips", "attributes": {"name": name, "url": url}}
        return {"event": "clip.exported", "payload": {"data": data}}

    first = exported('https://store.test/a.mp4?sig="one"')
    assert key(first) == key(exported("https://store.test/a.mp4?sig=two"))
    assert key(first) != key(exported("https://store.test/b.mp4?sig=one"))
    assert key(first) != key(exported("https://store.test/a.mp4?sig=one", name="b"))
    assert key(first) != key({**first, "event": "clip.made"})


def test_the_key_of_an_unknown_event_with_a_run_names_it() -> None:
    """The members in the key of a known event are in that of an unknown one as well."""
    first, again = finished(), finished(name="Renamed")
    first["event"] = again["event"] = "media.processing_failed"
    assert key(first) == key(again) == "media.processing_failed:medias:m-1:2025-10-15T13:51:02.559000+00:00"


def test_parts_of_a_key_are_escaped() -> None:
    """A colon in a part does not move the boundary between the parts."""
    left, right = finished(), finished()
    left["event"], left["payload"]["data"]["type"] = "a:b", "c"
    right["event"], right["payload"]["data"]["type"] = "a", "b:c"
    assert key(left) != key(right)


@pytest.mark.parametrize("media_id", ["x" * 1_000_000, "nul\x00", "line\nbreak"])
def test_a_key_can_be_stored_anywhere(media_id: str) -> None:
    """The sender chooses the id; the key stays short and printable, and still distinguishes events."""
    found = key(finished(media_id))
    assert len(found) <= 400
    assert found.isprintable()
    assert found != key(finished(media_id + "2"))


DEEP = 100_000


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"event"',
        b"{}",
        b'{"event": null}',
        b'{"event": 5}',
        b'{"event": "x"} trailing',
        b'{"event": "x"',
        b'{"event": "\xff"}',
        b'{"event": "x", "skipped": "\xff"}',
        b'{"event": "x", "skipped": NaN}',
        b'{"event": "x", "payload": Infinity}',
        b'{"event": "x", "payload": "\\ud800"}',
        '{"event": "x"}'.encode("utf-16"),
        b'{"event": "x", "payload": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"event": "x", "skipped": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        b'{"event": "x", "payload": ' + b"9" * DEEP + b"}",
        body({"event": "media.processing_finished"}),
        body({"event": "media.processing_finished", "payload": []}),
        body({"event": "media.processing_finished", "payload": {"data": {}}}),
        body({"event": "media.processing_finished", "payload": {"data": [{"id": "m-1"}]}}),
        body({"event": "media.processing_finished", "payload": {"data": {"id": None}}}),
        "\ud800",
        5,
        None,
        [],
        {"event": "x", "payload": float("nan")},
        {"event": "x", "payload": object()},
        {"event": "x", "payload": "\ud800"},
        {1: 2},
    ],
)
def test_an_invalid_event_is_refused(content: Any) -> None:
    """One documented error for every content, and its message names the status to respond with."""
    with pytest.raises(WebhookPayloadError) as caught:
        parse_event(content)
    assert len(caught.value.message) < 600


ODD_EVENTS: dict[str, dict[str, Any]] = {
    "time": finished(created_at="yesterday"),
    "start": finished(processing_started_at="yesterday"),
    "ends of the calendar": finished(
        created_at="0001-01-01T00:00:00+23:59", processing_started_at="0001-01-01T00:00:00+23:59"
    ),
    "clip without attributes": finished(included=[{"id": "c", "type": "clips"}]),
    "clip without id": finished(included=[{"type": "clips"}, clip(), transcription()]),
    "included text": finished(included=["clip", None, clip()]),
    "only an id": {"event": "media.processing_finished", "payload": {"data": {"id": "m-1"}}},
}


@pytest.mark.parametrize("sent", ODD_EVENTS.values(), ids=list(ODD_EVENTS))
def test_an_event_with_an_id_is_parsed(sent: dict[str, Any]) -> None:
    """What is odd in the rest is said on reading; each delivery has the same key."""
    event = known(body(sent))
    assert event.media.id == "m-1"
    assert event.raw == sent
    assert event.dedupe_key == known(sent).dedupe_key
    assert event.dedupe_key.startswith("media.processing_finished:medias:m-1:")
    assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - pickled here


def test_odd_parts_of_an_event_are_named() -> None:
    """Clips that cannot be read are in `unreadable`, attributes in `missing` of their model."""
    event = known(body(ODD_EVENTS["clip without id"]))
    assert [item.id for item in event.clips] == ["c-1"]
    assert event.transcription is not None
    assert [(item.index, item.reason) for item in event.unreadable] == [(0, "id is absent")]
    odd = known(body(ODD_EVENTS["clip without attributes"])).clips[0]
    assert {"name", "start_time", "end_time", "created_at", "media_id"} == odd.missing
    with pytest.raises(MissingFieldError, match="Clip c: start_time cannot be read"):
        _ = odd.start_time


def test_null_clips_are_none() -> None:
    """JSON:API writes an empty array for no clips; null says the same."""
    sent = finished()
    sent["payload"]["data"]["relationships"]["clips"]["data"] = None
    event = known(body(sent))
    assert (event.media.clip_ids, event.media.missing) == ((), frozenset())


def test_a_start_that_is_not_a_time_distinguishes_runs() -> None:
    """Its text is in the key: deliveries of one run are alike, and other runs are not."""
    assert key(finished(processing_started_at="week 3")) == "media.processing_finished:medias:m-1:week 3"
    keys = {key(finished(processing_started_at=start)) for start in ("week 3", "week 4", ["week 3"], None)}
    assert len(keys) == 4
    without = finished()
    del without["payload"]["data"]["attributes"]
    assert key(without) == key(finished(processing_started_at=None))


def test_a_mapping_that_contains_itself_is_refused() -> None:
    """It raises no RecursionError."""
    loop: dict[str, Any] = {"event": "x"}
    loop["payload"] = [loop, loop]
    with pytest.raises(WebhookPayloadError, match="it contains itself, or has more than 100 levels"):
        parse_event(loop)


@pytest.mark.parametrize("member", ["payload", "skipped"])
def test_levels_are_counted_before_decoding(member: str) -> None:
    """A hundred levels are accepted on every Python and one more is refused, in decoded and in skipped values."""
    for levels, spelled in ((99, True), (99, False), (100, True), (100, False)):
        nested = b"[" * levels + b'"]]["' * spelled + b"]" * levels
        content = b'{"event": "x", "' + member.encode() + b'": ' + nested + b"}"
        if levels < 100:
            assert parse_event(content).event == parse_event(json.loads(content)).event == "x"
            continue
        for given_body in (content, json.loads(content)):
            with pytest.raises(WebhookPayloadError, match="more than 100 levels"):
                parse_event(given_body)


def test_the_last_of_duplicate_members_counts() -> None:
    """The event and `raw` agree with Python's JSON decoder."""
    event = parse_event(b'{"event": "a", "event": "b"}')
    assert event.event == event.raw["event"] == "b"


@pytest.mark.parametrize("filler", [b'"' + b"a" * 50_000_000 + b'"', b"[" + b"1," * 25_000_000 + b"1]"])
def test_fifty_megabytes_take_bounded_time(filler: bytes) -> None:
    """A large body takes seconds at most, not minutes."""
    began = time.process_time()
    assert parse_event(b'{"event": "x", "payload": ' + filler + b"}").event == "x"
    assert time.process_time() - began < 20


@pytest.mark.parametrize("item", [b"[]", b"{}", b"1", b'"a"', b"1.5", b'{"a":1}'])
def test_bodies_of_many_parts_take_bounded_memory(item: bytes) -> None:
    """Python's objects are larger than their JSON, but not without limits."""
    content = b'{"event": "x", "payload": [' + b",".join([item] * 100_000) + b"]}"
    tracemalloc.start()
    try:
        assert parse_event(content).event == "x"
        assert tracemalloc.get_traced_memory()[1] < 40 * len(content)
    finally:
        tracemalloc.stop()


def outcome(content: Any) -> None:
    try:
        event = parse_event(content)
    except WebhookPayloadError:
        return
    assert len(event.dedupe_key) <= 400
    assert parse_event(event.body).dedupe_key == event.dedupe_key
    try:
        assert event.raw["event"] == event.event
    except WebhookPayloadError:
        return


@given(st.binary())
def test_any_bytes_are_an_event_or_the_error(content: bytes) -> None:
    """Random bytes."""
    outcome(content)


@given(JSON)
def test_any_json_is_an_event_or_the_error(content: Any) -> None:
    """Random JSON, as text and as objects."""
    outcome(json.dumps(content))
    outcome(content)


@given(st.sampled_from(["x", "media.processing_finished"]), JSON)
def test_any_payload_is_an_event_or_the_error(name: str, payload: Any) -> None:
    """Random payloads of both kinds of event."""
    outcome({"event": name, "payload": payload})


@given(st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=3)), max_size=4))
@settings(max_examples=300)
def test_a_damaged_event_is_an_event_or_the_error(cuts: list[tuple[int, bytes]]) -> None:
    """A real webhook with bytes changed, inserted or removed."""
    content = bytearray(body(finished()))
    for offset, piece in cuts:
        content[offset : offset + 1] = piece
    outcome(bytes(content))


@given(JSON, st.sampled_from(["id", "type", "attributes", "relationships", "transcription"]))
def test_a_media_with_any_member_is_an_event_or_the_error(value: Any, member: str) -> None:
    """A member of the media of any type."""
    sent = finished()
    sent["payload"]["data"][member] = value
    outcome(sent)


def test_the_key_ends_with_the_start_of_processing() -> None:
    """In UTC, from the payload."""
    assert dt.datetime.fromisoformat(key(finished()).split(":", 3)[3]) == dt.datetime.fromisoformat(STARTED)
