"""Defects 1 to 5 and 14, in medias, clips and webhooks: present in the published document, corrected in the contract.

The first half of each test fails if the provider fixes the defect. Defects of schemas are shown by checking the same
JSON against both documents' schemas.
"""

from __future__ import annotations

import copy
import re

import pytest

from tests.spec.both_documents import (
    CLIP,
    MEDIA,
    SUBSCRIPTION,
    Json,
    attributes,
    event,
    fits,
    objects,
    published_hook,
    published_payload,
    resources,
    response_json,
    schema,
)


def test_1_nothing_was_required(published: Json, contract: Json) -> None:
    """In the published document `{}` is a media; now what is required is what every example has."""
    assert not any("required" in item for item in objects(published["components"]))
    assert fits(published, MEDIA, {})
    assert not fits(contract, MEDIA, {})
    assert set(schema(contract, MEDIA, "required")) == {"id", "type", "attributes", "relationships"}
    assert set(schema(contract, CLIP, "required")) == {"id", "type", "attributes", "relationships"}
    for key, kind in ((MEDIA, "medias"), (CLIP, "clips")):
        shown = [set(item["attributes"]) for item in resources(contract) if item.get("type") == kind]
        assert len(shown) > 4
        required = set(schema(contract, key, "properties", "attributes", "required"))
        # What came later is not required: stored events lack it.
        assert {"name", "created_at"} <= required <= set.intersection(*shown)
    # A webhook's clips have neither.
    clip = set(schema(contract, CLIP, "properties", "attributes", "required"))
    assert attributes(contract, CLIP).keys() - clip >= {"is_processing", "processing_started_at"}
    documents = [f"{name}{many}_response_object" for name in ("media", "clip", "webhook_subscription") for many in "_s"]
    for name in (item.replace("__", "_") for item in documents):
        assert schema(contract, name, "required") == ["data", "links"]
    assert schema(contract, "links_object_data", "required") == ["self"]


@pytest.mark.parametrize("name", ["id", "type", "attributes", "relationships"])
@pytest.mark.parametrize(("path", "key"), [("/medias/{id}", MEDIA), ("/clips/{id}", CLIP)])
def test_1_a_resource_without_a_part_is_rejected(contract: Json, path: str, key: str, name: str) -> None:
    """Each required member is needed, checked with the example of one resource."""
    example = copy.deepcopy(response_json(contract, path, "get", "200")["example"]["data"])
    assert fits(contract, key, example, closed=True)
    del example[name]
    assert not fits(contract, key, example)


def test_2_media_file_duration(published: Json, contract: Json) -> None:
    """The schema's name was wrong, that of all four examples right."""
    examples = [
        response_json(published, "/clips", "get", "200")["example"]["data"][0],
        response_json(published, "/clips", "post", "200")["example"]["data"],
        response_json(published, "/clips/{id}", "get", "200")["example"]["data"],
        response_json(published, "/clips/{id}", "put", "200")["example"]["data"],
    ]
    for example in examples:
        assert "media_file_duration" in example["attributes"]
        assert "media_file_content_duration" not in example["attributes"]
    assert "media_file_content_duration" in attributes(published, CLIP)
    assert "media_file_duration" not in attributes(published, CLIP)
    assert "media_file_content_duration" not in attributes(contract, CLIP)
    assert "media_file_duration" in attributes(contract, CLIP)


def test_3_transcription(published: Json, contract: Json) -> None:
    """The examples had a relationship that the schema lacked, and the webhook has it one level up."""
    example = response_json(published, "/medias/{id}", "get", "200")["example"]["data"]
    assert example["relationships"]["transcription"] == {"data": None}
    assert not fits(published, MEDIA, example, closed=True)
    assert fits(contract, MEDIA, example, closed=True)
    assert "transcription" in published_payload(published)["data"]["properties"]
    assert "transcription" not in published_payload(published)["data"]["properties"]["relationships"]["properties"]
    related = {"data": {"id": "t", "type": "transcriptions"}}
    example["relationships"]["transcription"] = related
    assert fits(contract, MEDIA, example, closed=True)
    del example["relationships"]["transcription"]
    assert fits(contract, MEDIA, example, closed=True)
    assert fits(contract, MEDIA, example | {"transcription": related}, closed=True)


def test_4_the_published_webhook_contradicts_itself_and_rest(published: Json) -> None:
    """Examples of another type than their schema, and two schemas of the same media and clip."""
    media = published_payload(published)["data"]["properties"]["attributes"]["properties"]
    clip = published_payload(published)["included"]["items"]["oneOf"][0]["properties"]["attributes"]["properties"]
    for found in (media["source_file_duration"], clip["start_time"], clip["end_time"]):
        assert found["type"] == "number"
        assert isinstance(found["example"], str)
    assert clip["end_char"] == {"type": "string", "example": 1303}
    assert attributes(published, CLIP)["end_char"]["type"] == "integer"
    for name in ("media_file_height", "media_file_width"):
        assert (attributes(published, CLIP)[name]["type"], clip[name]["type"]) == ("string", "number")
    for key, hook in ((MEDIA, media), (CLIP, clip)):
        shared = [attributes(published, key)[name] for name in hook if name in attributes(published, key)]
        assert any(item.get("nullable") for item in shared)
        assert not any("nullable" in item for item in hook.values())


NUMBERS = [
    (MEDIA, "source_file_duration", 98.865532, "98.865532"),
    (MEDIA, "source_file_height", 280, "280"),
    (MEDIA, "source_file_width", 320, "320"),
    (CLIP, "start_time", 57.71, "57.71"),
    (CLIP, "end_time", 96, "96.63"),
    (CLIP, "start_char", 737, "737"),
    (CLIP, "end_char", 1303, "1303"),
    (CLIP, "rank", 0, "0"),
    (CLIP, "media_file_duration", 38.938939, "38.938939"),
    (CLIP, "media_file_height", 240, "240"),
    (CLIP, "media_file_width", 320, "320"),
]


@pytest.mark.parametrize(("key", "name", "number", "text"), NUMBERS)
def test_4_a_number_may_come_as_a_string(
    published: Json, contract: Json, key: str, name: str, number: float, text: str
) -> None:
    """In the published document only one of the two matches; in the contract both do, and nothing else."""
    before = attributes(published, key).get(name, {"type": "string"})
    assert not (fits(published, before, number) and fits(published, before, text))
    after = attributes(contract, key)[name]
    assert fits(contract, after, number)
    assert fits(contract, after, text)
    for bad in ("", "1,5", "soon", True, [number]):
        assert not fits(contract, after, bad), bad
    assert after["description"]


def test_4_null_and_fractions_where_they_belong(contract: Json) -> None:
    """Lengths and sizes are null until processing ends; times never are; pixels and characters are whole."""
    for key, name, _, _ in NUMBERS:
        nullable = fits(contract, attributes(contract, key)[name], None)
        assert nullable == (name not in {"start_time", "end_time"}), name
        fractions = fits(contract, attributes(contract, key)[name], 1.5)
        assert fractions == name.endswith(("_time", "_duration")), name


def test_4_one_schema_for_rest_and_webhook(contract: Json) -> None:
    """A webhook contains the same media and clip as REST responses."""
    payload = schema(contract, "webhook_event", "properties", "payload", "properties")
    assert payload["data"] == {"$ref": f"#/components/schemas/{MEDIA}"}
    assert {"$ref": f"#/components/schemas/{CLIP}"} in payload["included"]["items"]["oneOf"]
    for path, key in (("/medias", "medias_response_object"), ("/clips", "clips_response_object")):
        assert response_json(contract, path, "get", "200")["schema"] == {"$ref": f"#/components/schemas/{key}"}
    assert schema(contract, "medias_response_object", "properties", "data", "items") == payload["data"]


def test_5_included_resources_exclude_each_other(published: Json, contract: Json) -> None:
    """In the published document a transcription matches both branches of the oneOf; now each matches exactly one."""
    clip, transcription = event(contract)["payload"]["included"]
    before = published_payload(published)["included"]["items"]
    assert not fits(published, before, transcription)
    assert all(fits(published, branch, transcription) for branch in before["oneOf"])
    assert fits(published, before["oneOf"][1], clip)
    after = schema(contract, "webhook_event", "properties", "payload", "properties", "included", "items")
    for resource, other in ((clip, "transcription"), (transcription, CLIP)):
        assert fits(contract, after, resource, closed=True)
        assert not fits(contract, other, resource)
    assert not fits(contract, after, transcription | {"type": "clips"})
    assert not fits(contract, after, clip | {"type": "topics"})
    mapping = after["discriminator"]["mapping"]
    assert [schema(contract, name.rpartition("/")[2], "properties", "type", "enum") for name in mapping.values()] == [
        [value] for value in mapping
    ]


def test_5_an_empty_event_is_rejected(published: Json, contract: Json) -> None:
    """In the published document `{}` is an event; the contract's example matches, and nothing without its parts."""
    before = published_hook(published)["requestBody"]["content"]["application/json"]["schema"]
    assert fits(published, before, {})
    assert fits(contract, "webhook_event", event(contract), closed=True)
    named = {"event": "media.processing_finished"}
    rejected: list[Json] = [{}, named, named | {"payload": {}}]
    for bad in rejected:
        assert not fits(contract, "webhook_event", bad)


@pytest.mark.parametrize(("path", "key"), [("/medias", MEDIA), ("/clips", CLIP)])
def test_14_null_is_not_finished(published: Json, contract: Json, path: str, key: str) -> None:
    """The response to a creation has null and a start of processing, and now the schema explains null."""
    created = response_json(published, path, "post", "200")["example"]["data"]["attributes"]
    assert created["is_processing"] is None
    assert created["processing_started_at"] is not None
    assert response_json(published, path, "get", "200")["example"]["data"][0]["attributes"]["is_processing"] is True
    assert "description" not in attributes(published, key)["is_processing"]
    assert response_json(contract, path, "post", "200")["example"]["data"]["attributes"]["is_processing"] is None
    after = attributes(contract, key)["is_processing"]
    assert after["nullable"] is True
    assert re.search(r"[Ff]alse .*finished.* true .*null right after creation", after["description"])


@pytest.mark.parametrize("key", [MEDIA, CLIP, SUBSCRIPTION])
def test_times_and_addresses_have_formats(published: Json, contract: Json, key: str) -> None:
    """Times are published as any string, like links: those remain so, as URIs cannot have the brackets of pages."""
    assert "format" not in attributes(published, key)["created_at"]
    for name, item in attributes(contract, key).items():
        expected = "date-time" if name.endswith("_at") else "uri" if name.endswith("url") else None
        assert item.get("format") == expected, name
    links = schema(contract, "links_object_data", "properties").values()
    assert not any("format" in item for item in links)


def test_each_resource_has_the_type_of_its_example(contract: Json) -> None:
    """A one-value type tells resources apart; undeclared members are left to clients to tolerate."""
    for name in ("medias", "clips", "webhook_subscriptions"):
        found = response_json(contract, f"/{name}/{{id}}", "get", "200")
        key, example = found["schema"], found["example"]
        assert example["data"]["type"] == name
        assert fits(contract, key, example)
        assert fits(contract, key, example | {"data": example["data"] | {"new": 1}, "meta": {}})
        assert not fits(contract, key, example | {"data": example["data"] | {"type": "topics"}})
    upload = response_json(contract, "/direct_uploads", "get", "200")
    assert not fits(contract, upload["schema"], {"data": upload["example"]["data"] | {"type": "topics"}})
