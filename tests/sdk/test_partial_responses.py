"""Responses that differ from the contract: whatever one field is, the rest is read, and nothing paid for is lost."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import threading
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from contentgroove import (
    MediaProcessingError,
    MissingFieldError,
    OutcomeUnknownError,
    ResponseDecodeError,
    WaitTimeoutError,
    WebhookPayloadError,
)
from contentgroove._models import partial_structs
from contentgroove._models.base import plain_or_none
from contentgroove.webhooks import MediaProcessingFinished, parse_event
from contentgroove_api.models.media import Media as WireMedia

from tests.sdk_calls import CREATIONS, IDS

from . import contract_values
from .conftest import BASE, KEY, clip_json, many, media_json, one, subscription_json

if TYPE_CHECKING:
    from .conftest import Handler, Maker


@pytest.fixture(autouse=True)
def _nothing_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test see what is logged once for each field and process."""
    monkeypatch.setattr(partial_structs, "_logged", {})


class Response:
    """A handler that returns the response of the moment."""

    def __init__(self) -> None:
        self.content = b""

    def __call__(self, _request: httpx.Request) -> httpx.Response:
        """Return the response."""
        return httpx.Response(200, content=self.content)

    def set(self, document: Any) -> None:
        """Choose the body."""
        self.content = json.dumps(document).encode()


CREATE = {made.resource: made.attributes(IDS) for made in CREATIONS.values()}


def fetch(calls: Any, kind: str) -> Any:
    """Return one resource, by each call that returns one."""
    created = CREATE.get(contract_values.RESOURCES[kind].calls)
    found = [calls.get("r-1")] if hasattr(calls, "get") else []
    found += [] if created is None else [calls.create(**created)]
    assert found[0] == found[-1]
    return found[0]


def read(model: Any, name: str) -> Any:
    """Return an attribute, or the error of reading it, which names it and the resource."""
    outcome: Any
    try:
        outcome = getattr(model, name)
    except MissingFieldError as error:
        outcome = error
    if isinstance(outcome, MissingFieldError):
        assert (outcome.field, outcome.resource_id) == (name, model.id)
        assert f" {model.id}: {name} cannot be read" in str(outcome)
    return outcome


def check(kind: str, model: Any, whole: Any, sent: dict[str, Any]) -> None:
    """Compare a model with what can be read of the JSON, and with the model of the complete JSON."""
    names = contract_values.names(kind)
    missing = contract_values.missing(kind, sent)
    complete = contract_values.resource(kind)
    assert model.missing == missing
    content = json.loads(model.to_json())
    assert set(content) - {"absent", "extra", "missing"} == {"id", *names} - missing
    twin = type(model).from_dict(content)
    assert twin == model
    assert (twin.missing, twin.extra) == (model.missing, model.extra)
    for name, (holder, key) in names.items():
        value = read(model, name)
        assert isinstance(value, MissingFieldError) is (name in missing), name
        assert hasattr(model, name) is (name not in missing)
        part, before = sent.get(holder), complete[holder]
        if isinstance(part, dict) and part.get(key) == before[key]:
            assert value == read(whole, name), name
    twin = pickle.loads(pickle.dumps(model))  # noqa: S301 - pickled here
    for other in (twin, copy.copy(model), copy.deepcopy(model)):
        assert other == model
        assert {other, model} == {model}
        assert (other.missing, other.fields_set, other.extra) == (model.missing, model.fields_set, model.extra)
    assert model.id in repr(model)
    assert isinstance(getattr(model, "is_finished", False), bool)


@pytest.mark.parametrize("damage", contract_values.DAMAGES)
@pytest.mark.parametrize("kind", contract_values.RESOURCES)
def test_every_field_of_every_resource(make: Maker, kind: str, damage: str) -> None:
    """Removed, null or of another type: get, create and list read the rest, and say what is missing."""
    response = Response()
    calls = getattr(make(response), contract_values.RESOURCES[kind].calls)
    complete = contract_values.resource(kind)
    links = {"self": f"{BASE}/x", "next": None}
    response.set({"data": complete, "links": links})
    whole = fetch(calls, kind)
    assert not whole.missing
    for steps in contract_values.locations(complete):
        sent = contract_values.damaged(complete, steps, damage)
        other = contract_values.resource(kind, "r-2")
        response.set({"data": [sent, other], "links": links})
        (page,) = calls.list().pages()
        assert page.items[-1].to_dict() == {**whole.to_dict(), "id": "r-2"}
        response.set({"data": sent, "links": links})
        if steps == ("id",) and damage not in {"string", "number"}:
            assert [(item.index, len(page)) for item in page.unreadable] == [(0, 1)]
            with pytest.raises(ResponseDecodeError, match="id is"):
                fetch(calls, kind)
            continue
        assert page.unreadable == ()
        found = fetch(calls, kind)
        check(kind, found, whole, sent)
        assert page.items[0] == found


@pytest.mark.parametrize("damage", contract_values.DAMAGES)
@pytest.mark.parametrize("kind", contract_values.RESOURCES)
def test_links_are_not_needed(make: Maker, kind: str, damage: str) -> None:
    """Documents and pages without links, or with odd ones, are read completely."""
    response = Response()
    calls = getattr(make(response), contract_values.RESOURCES[kind].calls)
    document = {"data": contract_values.resource(kind), "links": {"self": "x", "next": None, "prev": None}}
    for steps in contract_values.locations(document["links"], ("links",)):
        response.set(contract_values.damaged(document, steps, damage))
        assert not fetch(calls, kind).missing
    for steps in (("links",), ("links", "self"), ("links", "prev")):
        response.set({**contract_values.damaged(document, steps, damage), "data": [document["data"]]})
        assert [item.id for item in calls.list()] == ["r-1"]


@pytest.mark.parametrize("damage", contract_values.DAMAGES)
def test_every_field_of_an_event(damage: str) -> None:
    """An event about a media with an id is parsed, with all that can be read of it."""
    media, clip = contract_values.resource("media"), contract_values.resource("clip")
    payload: dict[str, Any] = {"data": media, "included": [clip]}
    document: dict[str, Any] = {"event": "media.processing_finished", "payload": payload}
    whole = parse_event(document)
    assert isinstance(whole, MediaProcessingFinished)
    for steps in contract_values.locations(media):
        sent = contract_values.damaged(document, ("payload", "data", *steps), damage)
        if steps == ("id",) and damage not in {"string", "number"}:
            with pytest.raises(WebhookPayloadError, match=r"in payload.data, id is"):
                parse_event(sent)
            continue
        event = parse_event(sent)
        assert isinstance(event, MediaProcessingFinished)
        check("media", event.media, whole.media, sent["payload"]["data"])
        assert event.clips == whole.clips
        assert event.dedupe_key == parse_event(json.dumps(sent)).dedupe_key
        assert pickle.loads(pickle.dumps(event)) == event  # noqa: S301 - pickled here
    for steps in contract_values.locations(clip):
        sent = contract_values.damaged(document, ("payload", "included", 0, *steps), damage)
        event = parse_event(sent)
        assert isinstance(event, MediaProcessingFinished)
        assert event.media == whole.media
        if steps == ("id",) and damage not in {"string", "number"}:
            assert (event.clips, len(event.unreadable)) == ((), 1)
        elif steps == ("type",):
            # Of an unknown type, or of none that can be read.
            assert (event.clips, len(event.unreadable)) == ((), 0 if damage == "string" else 1)
        else:
            check("clip", event.clips[0], whole.clips[0], sent["payload"]["included"][0])
    for included in ({"removed": contract_values.REMOVED, "null": None, "list": []}, {"string": "x", "number": 5}):
        for value in included.values():
            sent = copy.deepcopy(document)
            sent["payload"]["included"] = value
            if value is contract_values.REMOVED:
                del sent["payload"]["included"]
            event = parse_event(sent)
            assert isinstance(event, MediaProcessingFinished)
            assert (event.media, event.clips, len(event.unreadable)) == (whole.media, (), "string" in included)


def library_variables(error: BaseException | None) -> list[str]:
    """Return what reporters show of the frames of the library, of an error and of all that led to it."""
    shown: list[str] = []
    chain = [error]
    while chain:
        current = chain.pop()
        if current is None:
            continue
        chain += [current.__cause__, current.__context__]
        for frame, _ in traceback.walk_tb(current.__traceback__):
            if "/contentgroove/" in frame.f_code.co_filename:
                shown.append(repr(frame.f_locals))
    return shown


@pytest.mark.parametrize("damage", contract_values.DAMAGES)
@pytest.mark.parametrize("field", ["upload_id", "upload_url", "attributes", "type", "other"])
def test_a_prepared_upload_needs_its_id_and_url(make: Maker, field: str, damage: str) -> None:
    """Without them nothing can be uploaded; nothing else is needed, and neither value is shown."""
    attributes = {"upload_id": "SIGNED", "upload_url": "https://s.test/x?X-Amz-Signature=SIGNED", "other": 1}
    data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
    steps = (field,) if field in data else ("attributes", field)
    response = Response()
    response.set({"data": contract_values.damaged(data, steps, damage)})
    uploads = make(response).direct_uploads
    if field in {"type", "other"} or (field.startswith("upload") and damage == "string"):
        prepared = uploads.prepare()
        assert (prepared.id, prepared.missing) == ("u", frozenset())
        return
    with pytest.raises(ResponseDecodeError, match=r"attributes(\.upload_\w+)? is") as caught:
        uploads.prepare()
    assert "SIGNED" not in f"{caught.value} {caught.value!r} {library_variables(caught.value)}"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "no id"),
        (b"created", "no id"),
        (b"[]", "no id"),
        (b'{"data": {"id": "m-9", "type": "medi', "m-9"),
        (b'[{"id": "m-9"}]', "m-9"),
        (b'{"data": [{"id": "m-9"}]}', "m-9"),
        (b'{"id": 907, "attributes": {}}', "907"),
        (b'{"data": {"attributes": {"name": "x"}}}', "no id"),
        (b'{"data": {"id": null}}', "no id"),
        (b'{"data": {"id": ["m-9"]}}', "no id"),
        (b"\xff\xfe", "no id"),
    ],
)
def test_a_post_that_cannot_be_read_names_what_it_shows(make: Maker, content: bytes, shown: str) -> None:
    """The error says that the operation was probably performed, with any id in the body; it is sent once."""
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, content=content)

    client = make(handler)
    calls: list[Any] = [
        lambda: client.medias.create(upload_id="u"),
        lambda: client.clips.create(media_id="m", name="n", start_time=0, end_time=1),
        lambda: client.webhook_subscriptions.create(url="https://example.com/hook"),
        lambda: client.medias.with_raw_response.create(upload_id="u").parse(),
    ]
    for call in calls:
        with pytest.raises(ResponseDecodeError, match="probably performed") as caught:
            call()
        assert shown in str(caught.value)
        assert caught.value.status_code == 201
        assert caught.value.body == content.decode("utf-8", "replace")
    assert len(seen) == len(calls)
    with pytest.raises(ResponseDecodeError) as caught:
        client.medias.get("m-1")
    assert "performed" not in str(caught.value)


def test_a_post_without_a_body_names_its_location(make: Maker) -> None:
    """The header of a 201 names the resource; no credential of it is shown."""
    location = f"/api/v1/medias/m-9?api_key={KEY}"
    client = make(lambda _request: httpx.Response(201, headers={"Location": location}))
    with pytest.raises(ResponseDecodeError, match="medias/m-9") as caught:
        client.medias.create(upload_id="u")
    assert KEY not in str(caught.value)


def test_an_id_may_be_a_number(make: Maker) -> None:
    """Its text is the id, in a resource and in its relationships."""
    resource: dict[str, Any] = {**media_json(), "id": 17}
    resource["relationships"]["clips"]["data"] = [{"id": 4, "type": "clips"}]
    media = make(lambda _request: one(resource)).medias.get("17")
    assert (media.id, media.clip_ids, media.missing) == ("17", ("4",), frozenset())


@pytest.mark.parametrize(
    "value",
    [
        b"9" * 5000,
        b"1e999",
        b'"\xff"',
        b'"\\n\xc3("',
        rb'"\ud83d"',
        rb'"\\\uDE00 "',
        rb'"\ud83d\ud83d\ude00"',
        rb'["\ud83d\n"]',
    ],
)
@pytest.mark.parametrize("field", ["name", "source_file_height", "created_at", "unknown"])
def test_a_value_that_no_parser_takes_concerns_only_its_field(make: Maker, field: str, value: bytes) -> None:
    """Numbers of any size, strings that are not UTF-8 and half characters leave the rest readable, in a list, too."""
    content = many([media_json(**{field: "HERE"}), media_json("m-2")]).content.replace(b'"HERE"', value)
    client = make(lambda _request: httpx.Response(200, content=content))
    odd, good = next(iter(client.medias.list().pages()))
    assert good.to_dict() == make(lambda _request: one(media_json("m-2"))).medias.get("m-2").to_dict()
    assert good.extra == {}
    assert odd.description is None
    if field == "unknown":
        assert odd.missing == frozenset()
        with pytest.raises(ResponseDecodeError, match="does not know"):
            _ = odd.extra
    else:
        assert odd.missing == {field}
        assert odd.extra == {}


def test_escapes_that_are_whole_characters_stay(make: Maker) -> None:
    """A half of a character elsewhere changes neither pairs nor what only looks like an escape."""
    content = one(media_json(name="HERE", description="ODD")).content
    content = content.replace(b"HERE", rb"\ud83d\ude00 \\ud83d \\\ud83d\ude00").replace(b"ODD", rb"\ud83d")
    media = make(lambda _request: httpx.Response(200, content=b"\xef\xbb\xbf" + content)).medias.get("m-1")
    assert (media.name, media.missing) == ("😀 \\ud83d \\😀", {"description"})
    assert pickle.loads(pickle.dumps(media)).name == media.name  # noqa: S301 - pickled here


def test_the_last_of_duplicate_members_counts(make: Maker) -> None:
    """It does so whether a response matches the contract or not."""
    content = one(media_json(name="first", has_fetch_error="odd")).content
    content = content.replace(b'"name":', b'"name":"zeroth","name":')
    media = make(lambda _request: httpx.Response(200, content=content)).medias.get("m-1")
    assert (media.name, media.missing) == ("first", {"has_fetch_error"})


def test_unknown_fields_of_odd_resources_are_kept(make: Maker) -> None:
    """`extra` is what no attribute reads; an odd attribute is not in it."""
    resource = media_json(name=5, mood="calm")
    resource["relationships"]["folder"] = 1
    resource["meta"] = None
    media = make(lambda _request: one(resource)).medias.get("m-1")
    assert media.extra == {"mood": "calm", "folder": 1, "meta": None}
    assert {"name", "created_at"} <= media.fields_set
    del resource["attributes"]["name"]
    assert "name" not in make(lambda _request: one(resource)).medias.get("m-1").fields_set


def test_the_transcription_is_read_where_it_can_be(make: Maker) -> None:
    """It may be in two locations; an odd one does not hide the other."""
    link = {"data": {"id": "t-1", "type": "transcriptions"}}
    resource: dict[str, Any] = {**media_json(), "transcription": link}
    resource["relationships"]["transcription"] = "odd"
    assert make(lambda _request: one(resource)).medias.get("m-1").transcription_id == "t-1"
    resource["relationships"]["transcription"], resource["transcription"] = link, "odd"
    assert make(lambda _request: one(resource)).medias.get("m-1").transcription_id == "t-1"


def test_the_error_says_what_was_sent_and_shows_no_value(make: Maker) -> None:
    """Model, id, attribute and reason; a value may be a secret."""
    subscription = subscription_json()
    subscription["attributes"] |= {"url": ["https://example.com/hook?token=secret"], "created_at": "secret"}
    del subscription["attributes"]["active"]
    found = make(lambda _request: one(subscription)).webhook_subscriptions.get("w-1")
    reasons = {}
    for name in found.missing:
        error = read(found, name)
        reasons[name] = (error.model, error.resource_id, error.reason)
        assert "secret" not in f"{error} {error!r} {found!r}"
        assert pickle.loads(pickle.dumps(error)).field == name  # noqa: S301 - pickled here
    assert reasons == {
        "url": ("WebhookSubscription", "w-1", "attributes.url is an array, not a string"),
        "created_at": ("WebhookSubscription", "w-1", "attributes.created_at is a string, not a time"),
        "active": ("WebhookSubscription", "w-1", "attributes.active is absent"),
    }
    assert getattr(found, "url", None) is None


def test_each_field_is_logged_once(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    """Once for each field of a model and process, however many threads read it; no value is logged."""
    odd = [media_json(f"m-{number}", name=["secret"]) for number in range(20)]
    client = make(lambda _request: many([*odd, media_json(has_fetch_error=None)], next=None))
    for _ in range(3):
        assert len(list(client.medias.list())) == 21
    logged = [record for record in caplog.records if record.name == "contentgroove"]
    assert [(record.levelno, record.getMessage().split(".")[0]) for record in logged] == [
        (logging.WARNING, "Media m-0 differs from the API's contract: attributes"),
        (logging.WARNING, "Media m-1 differs from the API's contract: attributes"),
    ]
    assert "attributes.name is an array, not a string" in caplog.text
    assert "attributes.has_fetch_error is null" in caplog.text
    assert "secret" not in caplog.text


def test_an_id_does_not_reach_a_terminal(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    """The service chooses ids, and may put control characters into them."""
    media = make(lambda _request: one(media_json("m\x1b[2J\n1", name=None))).medias.get("m-1")
    error = read_odd(media)
    assert (media.id, error.resource_id) == ("m\x1b[2J\n1",) * 2
    assert "\x1b" not in f"{error} {caplog.text}"


def read_odd(media: Any) -> MissingFieldError:
    with pytest.raises(MissingFieldError) as caught:
        _ = media.name
    return caught.value


def test_threads_log_a_field_once(caplog: pytest.LogCaptureFixture) -> None:
    """All of them meet the same field at the same time."""
    start = threading.Barrier(8)

    def log() -> None:
        start.wait(10)
        partial_structs.log_once("Media", "attributes.name", "Media m-1", "it is null")

    threads = [threading.Thread(target=log) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("damage", "field"),
    [({"type": None}, "type is null"), ({"links": None}, "links"), ({"relationships": 5}, "relationships is a number")],
)
def test_what_has_no_attribute_is_logged_once(
    make: Maker, caplog: pytest.LogCaptureFixture, damage: dict[str, Any], field: str
) -> None:
    """Deviations of a document that nothing reads are in the log, too, and an object counts as one field."""
    resource = {**media_json(), **{name: value for name, value in damage.items() if name != "links"}}
    client = make(lambda _request: httpx.Response(200, json={"data": resource, "links": {"self": "x"}, **damage}))
    for _ in range(2):
        assert client.medias.get("m-1").id == "m-1"
    (record,) = [record for record in caplog.records if record.name == "contentgroove"]
    assert field in record.getMessage()


def test_what_matches_the_contract_logs_nothing(make: Maker, caplog: pytest.LogCaptureFixture) -> None:
    """New fields, types and null where it is allowed do not deviate."""
    client = make(lambda _request: many([{**media_json(new=1), "type": "medias_v2"}], next=None))
    assert [media.missing for media in client.medias.list()] == [frozenset()]
    assert not [record for record in caplog.records if record.name == "contentgroove"]


# Lists and waits.

ODD_ITEMS: list[Any] = [None, 5, "m-2", [], {}, {"type": "medias"}, {"id": None}, {"id": {}}]


def test_odd_items_spoil_no_list(make: Maker) -> None:
    """They are left out, and named on the page with their JSON."""
    listed = [media_json("m-1"), *ODD_ITEMS, media_json("m-2")]
    client = make(lambda _request: many(listed, next=None))
    (page,) = client.medias.list().pages()
    assert [media.id for media in page] == [media.id for media in client.medias.list()] == ["m-1", "m-2"]
    assert [item.index for item in page.unreadable] == list(range(1, 9))
    assert [json.loads(item.content) for item in page.unreadable] == ODD_ITEMS
    assert all(item.reason for item in page.unreadable)
    assert "m-2" not in repr(page.unreadable)
    assert [media.extra for media in page] == [{}, {}]
    assert page.first(1).unreadable == page.unreadable
    assert len(list(client.medias.list(limit=1))) == 1


@pytest.mark.parametrize("data", [None, {}, "x", 5, {"id": "m-1"}])
def test_a_list_without_items_is_an_error(make: Maker, data: Any) -> None:
    """What is not an array has nothing that could be returned."""
    client = make(lambda _request: httpx.Response(200, json={"data": data, "links": {"self": "x"}}))
    with pytest.raises(ResponseDecodeError, match="data is"):
        list(client.medias.list())


def paged(pages: dict[int, httpx.Response]) -> tuple[Handler, list[int]]:
    """Return with pages by number; also record the numbers."""
    seen: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(int(request.url.params.get("page[number]", "1")))
        return pages.get(seen[-1], httpx.Response(200, json={"data": []}))

    return handler, seen


def document(*items: Any, **members: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": items, **members})


@pytest.mark.parametrize("links", ["absent", None, [], 5, {}, {"next": 5}, {"next": ["x"]}, {"self": None}])
def test_a_list_without_usable_links_is_counted_to_its_end(make: Maker, links: Any) -> None:
    """Pages are counted until an empty one, as if there were no link."""
    members = {} if links == "absent" else {"links": links}
    handler, seen = paged({1: document(media_json("m-1"), **members), 2: document(media_json("m-2"), **members)})
    client = make(handler)
    assert [media.id for media in client.medias.list()] == ["m-1", "m-2"]
    assert seen == [1, 2, 3]
    page = next(iter(client.medias.list().pages()))
    assert (page.is_last, page.next_link) == (False, None)


@pytest.mark.parametrize("link", [None, ""])
def test_a_part_of_the_links_is_used(make: Maker, link: str | None) -> None:
    """`next` counts without the required `self`: null ends the list, a link is followed."""
    second = f"{BASE}/medias?page[number]=2"
    handler, seen = paged(
        {
            1: document(media_json("m-1"), links={"next": second}),
            2: document(media_json("m-2"), links={"next": link, "self": 5}),
        }
    )
    assert [media.id for media in make(handler).medias.list()] == ["m-1", "m-2"]
    assert seen == [1, 2]


def test_a_page_of_odd_items_does_not_end_a_list(make: Maker) -> None:
    """The pages after it are still fetched."""
    handler, seen = paged({1: document({}, 5), 2: document(media_json("m-1"))})
    assert [media.id for media in make(handler).medias.list()] == ["m-1"]
    assert seen == [1, 2, 3]


def test_a_page_of_odd_items_that_repeats_ends(make: Maker) -> None:
    """A service that ignores the number of the page is not asked without end."""
    seen = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        assert len(seen) < 10
        return document({}, 5)

    assert list(make(handler).medias.list()) == []
    # Two equal pages, and the first once more, because the list may have grown by a page.
    assert len(seen) == 3


def test_one_odd_item_spoils_no_wait_for_many(make: Maker) -> None:
    """The others are found in the list, and the one that is odd there by itself."""
    done = {"is_processing": False}

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/medias"):
            return many([media_json("m-1", **done), {"type": "medias"}, media_json("m-3", name=None, **done)])
        return one(media_json("m-2", **done))

    found = make(handler).medias.wait_many(["m-1", "m-2", "m-3"])
    assert [media.id for media in found] == ["m-1", "m-2", "m-3"]


@pytest.mark.parametrize("listed", [b"[]", b'{"data": {}}', b"oops"])
def test_a_wait_for_many_goes_on_without_a_list(make: Maker, listed: bytes) -> None:
    """If the list cannot be read, each media is fetched by itself."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/medias"):
            return httpx.Response(200, content=listed)
        return one(media_json(request.url.path.rpartition("/")[2], is_processing=False))

    assert [media.id for media in make(handler).medias.wait_many(["m-1", "m-2"])] == ["m-1", "m-2"]


def test_a_wait_for_many_ends_with_the_error_of_the_one_that_cannot_be_read(make: Maker) -> None:
    """The others finish first, and are reported."""
    polls = []
    updates: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/medias"):
            polls.append(request)
            return many([media_json("m-1", is_processing=len(polls) < 3)], next=None)
        return httpx.Response(200, content=b"oops")

    with pytest.raises(ResponseDecodeError, match="medias/m-2"):
        make(handler).medias.wait_many(
            ["m-1", "m-2"], on_update=lambda media: updates.append(f"{media.id} {media.is_finished}")
        )
    assert updates == ["m-1 False", "m-1 True"]


@pytest.mark.parametrize("state", ["absent", "yes", 5, [], {}])
def test_a_wait_says_that_the_state_cannot_be_read(make: Maker, state: Any) -> None:
    """Unknown is not finished: polling goes on, and the timeout says why."""
    media, clip = media_json(is_processing=state), clip_json(is_processing=state)
    if state == "absent":
        del media["attributes"]["is_processing"], clip["attributes"]["is_processing"]
    client = make(lambda request: one(clip if "clips" in request.url.path else media))
    waits: list[Any] = [
        lambda: client.medias.wait("m-1", timeout=60),
        lambda: client.clips.wait("c-1", timeout=60),
        lambda: client.medias.wait_many(["m-1"], timeout=60),
    ]
    for wait in waits:
        with pytest.raises(WaitTimeoutError, match=r"did not say whether .*is_processing of [mc]-1"):
            wait()


def test_a_wait_for_a_queued_media_says_nothing_of_that(make: Maker) -> None:
    """Null is a state: processing has not begun."""
    client = make(lambda _request: one(media_json()))
    with pytest.raises(WaitTimeoutError) as caught:
        client.medias.wait("m-1", timeout=10)
    assert "did not say" not in str(caught.value)


def test_a_wait_needs_no_other_field(make: Maker) -> None:
    """Whether the file could be fetched counts if it can be read; the source may be unreadable."""
    odd = media_json(is_processing=False, has_fetch_error="odd")
    assert make(lambda _request: one(odd)).medias.wait("m-1").is_finished
    failed = media_json(has_fetch_error=True, source_url=["x"])
    with pytest.raises(MediaProcessingError, match="its URL"):
        make(lambda _request: one(failed)).medias.wait("m-1")


@pytest.mark.parametrize("field", ["created_at", "name", "source_url"])
def test_a_media_that_may_be_another_upload_is_only_a_candidate(make: Maker, field: str) -> None:
    """A lost creation is not settled by a media of which a distinctive field cannot be read."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/direct_uploads"):
            attributes = {"upload_id": "u", "upload_url": "https://store.test/u"}
            return httpx.Response(200, json={"data": {"id": "d", "attributes": attributes}})
        if request.method == "POST":
            raise httpx.ReadError("gone")
        return many([media_json("m-7", **{"name": "film", "created_at": "2100-01-01T00:00:00Z", field: []})])

    client = make(handler, store=lambda _request: httpx.Response(200))
    with pytest.raises(OutcomeUnknownError, match="m-7"):
        client.medias.upload(b"ID3" + bytes(100), name="film")


@pytest.mark.parametrize("post", [b"", b'{"data": {"type": "medias"}}'])
def test_the_media_of_an_unreadable_creation_is_found_by_its_marker(make: Maker, post: bytes) -> None:
    """Odd items and fields in the list do not hide it; nothing is created twice."""
    sent: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/direct_uploads"):
            attributes = {"upload_id": "u", "upload_url": "https://store.test/u"}
            return httpx.Response(200, json={"data": {"id": "d", "attributes": attributes}})
        if request.method == "POST":
            sent.append(json.loads(request.content)["data"]["attributes"]["description"])
            return httpx.Response(201, content=post)
        odd: dict[str, Any] = {"name": [], "created_at": [], "source_url": []}
        if request.method == "PUT":
            return one(media_json("m-7", **odd, description=""))
        if request.url.params.get("page[number]", "1") == "1":
            return document({}, 5)
        if request.url.params["page[number]"] == "2":
            return document(media_json("m-6", description=5), media_json("m-7", **odd, description=sent[0]))
        return document()

    client = make(handler, store=lambda _request: httpx.Response(200))
    media = client.medias.upload(b"ID3" + bytes(100), name="film", identify="description")
    assert (media.id, len(sent)) == ("m-7", 1)


def test_models_pickle_alone(make: Maker) -> None:
    """A pickled item of a page is as large as its own JSON, whatever else is on the page."""
    resources = [media_json(f"m-{number}", description="x" * 2000) for number in range(100)]
    client = make(lambda _request: many(resources, next=None))
    items = list(client.medias.list())
    for item, resource in zip(items, resources, strict=True):
        pickled = pickle.dumps(item)
        assert len(pickled) < len(json.dumps(resource)) + 200
        assert pickle.loads(pickled) == item  # noqa: S301 - pickled here
    event = parse_event(
        {"event": "media.processing_finished", "payload": {"data": resources[0], "included": [clip_json(mood="calm")]}}
    )
    assert isinstance(event, MediaProcessingFinished)
    assert len(pickle.dumps(event.clips[0])) < len(json.dumps(clip_json(mood="calm"))) + 200
    assert pickle.loads(pickle.dumps(event.clips[0])).extra == {"mood": "calm"}  # noqa: S301 - pickled here


def test_deep_unknown_parts_are_a_documented_error(make: Maker) -> None:
    """Decoders skip what they do not know, even if it is too deep to be read."""
    nested = b"[" * 300 + b"]" * 300
    content = one(media_json(unknown="HERE", description="x" * 20_000)).content.replace(b'"HERE"', nested)
    try:
        media = make(respond_with(content)).medias.get("m-1")
    except ResponseDecodeError:
        # Where threads have small stacks, the levels are counted before anything is decoded.
        return
    for use in (lambda: media.extra, lambda: pickle.dumps(media)):
        with pytest.raises(ResponseDecodeError, match="levels"):
            use()


def respond_with(content: bytes) -> Handler:
    return lambda _request: httpx.Response(200, content=content)


def test_levels_are_counted_in_partial_responses(make: Maker) -> None:
    """A field that is nested too deeply is refused before it is decoded, in odd responses, too."""
    for levels, accepted in ((90, True), (200, False)):
        nested = b"[" * levels + b"]" * levels
        content = one(media_json(name="HERE")).content.replace(b'"HERE"', nested)
        medias = make(respond_with(content)).medias
        if accepted:
            assert medias.get("m-1").missing == {"name"}
        else:
            with pytest.raises(ResponseDecodeError, match="levels"):
                medias.get("m-1")


def test_nested_objects_are_plain_json() -> None:
    """As a new attribute may be one: complete or in parts, in a list, null or omitted."""
    sent = media_json()
    whole = msgspec.convert(sent, WireMedia)
    assert plain_or_none(whole.relationships) == sent["relationships"]
    sent["relationships"]["clips"]["data"] = "odd"
    partial = partial_structs.read_partly(WireMedia, json.dumps(sent).encode(), "Media", {}, log=False)
    assert isinstance(partial.relationships, partial_structs.PartialStruct)
    assert plain_or_none(partial.relationships) == sent["relationships"]
    assert plain_or_none([partial.relationships]) == [sent["relationships"]]
    assert plain_or_none(None) is plain_or_none(msgspec.UNSET) is None
    sent["relationships"] = "odd"
    nothing = partial_structs.read_partly(WireMedia, json.dumps(sent).encode(), "Media", {}, log=False)
    with pytest.raises(MissingFieldError, match="relationships is a string, not an object"):
        plain_or_none(nothing.relationships)
