"""Each numbered defect: the published document has it, and the contract has not, or the overlay says why not.

The first half of each test would notice that the provider mended it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from spec.pipeline.correct import read
from spec.pipeline.verify import NO_BODY, operations

ROOT = Path(__file__).parents[2]
OVERLAY = read(ROOT / "spec" / "corrections.overlay.yaml")
DEFECTS = range(1, 20)


def own_operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The operations without callbacks."""
    return [(name, operation) for name, operation in operations(document) if " → " not in name]


def schema(document: dict[str, Any], name: str, *steps: str) -> Any:
    """Walk into a component schema."""
    value = document["components"]["schemas"][name]
    for step in steps:
        value = value[step]
    return value


def attributes(document: dict[str, Any], name: str) -> Any:
    """The attributes of a resource's schema."""
    return schema(document, name, "properties", "attributes", "properties")


def parameters(document: dict[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """A list's parameters by name."""
    return {item["name"]: item for item in document["paths"][path]["get"]["parameters"]}


def body(document: dict[str, Any], path: str, method: str, status: str) -> Any:
    """An answer's JSON."""
    return document["paths"][path][method]["responses"][status]["content"]["application/json"]


MEDIA, CLIP = "media_response_object_data", "clip_response_object_data"


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_accounted_for(defect: int) -> None:
    """Each number has a described action or a written reason why there is none."""
    described = any(re.match(rf"{defect}\. \S", action["description"]) for action in OVERLAY["actions"])
    mentioned = any(f" {defect}. " in action["description"] for action in OVERLAY["actions"])
    excused = any(item["defect"] == defect and item["reason"] for item in OVERLAY["info"]["x-not-corrected"])
    assert described or mentioned or excused


def test_every_action_is_described() -> None:
    """No action without what is wrong and why."""
    assert all(len(action["description"]) > 20 for action in OVERLAY["actions"])


def test_1_required(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Nothing was required; now what every example has is."""
    assert "'required':" not in str(published["components"]["schemas"])
    assert {"id", "type", "attributes", "relationships"} == set(schema(contract, MEDIA, "required"))
    media = set(attributes(contract, MEDIA))
    assert set(schema(contract, MEDIA, "properties", "attributes", "required")) == media
    clip = set(attributes(contract, CLIP)) - {"is_processing", "processing_started_at"}
    assert set(schema(contract, CLIP, "properties", "attributes", "required")) == clip
    for name in ("media_response_object", "medias_response_object", "clips_response_object"):
        assert schema(contract, name, "required") == ["data", "links"]


def test_2_media_file_duration(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """The schema's name was wrong, the examples' right."""
    assert "media_file_content_duration" in attributes(published, CLIP)
    assert "media_file_duration" not in attributes(published, CLIP)
    assert "media_file_content_duration" not in attributes(contract, CLIP)
    assert "media_file_duration" in attributes(contract, CLIP)


def test_3_transcription(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """The examples had a relationship that the schema lacked."""
    example = body(published, "/medias/{id}", "get", "200")["example"]["data"]
    assert example["relationships"]["transcription"] == {"data": None}
    assert "transcription" not in schema(published, MEDIA, "properties", "relationships", "properties")
    assert "transcription" in schema(contract, MEDIA, "properties", "relationships", "properties")
    assert "transcription" in schema(contract, MEDIA, "properties")


def test_4_numbers(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Heights were strings here and numbers there; now each number may come as either, in one schema for both."""
    assert attributes(published, CLIP)["media_file_height"]["type"] == "string"
    assert attributes(published, MEDIA)["source_file_height"]["type"] == "number"
    for name in ("source_file_duration", "source_file_height", "source_file_width"):
        assert "allOf" in attributes(contract, MEDIA)[name]
    hook = contract["components"]["schemas"]["webhook_event"]["properties"]["payload"]["properties"]
    assert hook["data"] == {"$ref": f"#/components/schemas/{MEDIA}"}


def test_5_included(contract: dict[str, Any]) -> None:
    """Clips and transcriptions exclude each other by required one-value types."""
    included = schema(contract, "webhook_event", "properties", "payload", "properties", "included", "items")
    assert included["discriminator"]["propertyName"] == "type"
    for name, value in ((CLIP, "clips"), ("transcription", "transcriptions")):
        assert "type" in schema(contract, name, "required")
        assert schema(contract, name, "properties", "type", "enum") == [value]


def test_6_callback(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """The webhook moved to the operation that names its URL, under a runtime expression."""
    assert "Provided URL in /webhook_subscriptions" in str(published["paths"]["/medias"]["post"]["callbacks"])
    assert "callbacks" not in contract["paths"]["/medias"]["post"]
    callback = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    (expression,) = callback
    assert expression == "{$request.body#/data/attributes/url}"
    assert list(callback[expression]["post"]["responses"]) == ["200"]


def test_7_filter_and_page(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Objects with string examples became objects that can be validated."""
    for path in ("/medias", "/clips", "/webhook_subscriptions"):
        assert isinstance(parameters(published, path)["filter"]["example"], str)
        given = parameters(contract, path)
        pattern = given["filter"]["schema"]["x-propertyNames"]["pattern"]
        for name in given["filter"]["example"]:
            assert re.search(pattern, name)
        for name in ("created_at_gteq", "id_in", "created_at_or_id_not_eq", "id_eq_any"):
            assert re.search(pattern, name), name
        for name in ("created_at", "nothing_eq", "created_at_is", "_eq", "created_at_gteq_"):
            assert not re.search(pattern, name), name
        assert given["page"]["schema"] == {"$ref": "#/components/schemas/page_query"}
    assert schema(contract, "page_query", "additionalProperties") is False


def test_8_statuses(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Every answer of every operation is typed, and the documented statuses are where they occur."""
    untyped = [
        name
        for name, operation in own_operations(published)
        for status, answer in operation["responses"].items()
        if status not in NO_BODY and "schema" not in answer["content"]["application/json"]
    ]
    assert len(untyped) == 23
    for name, operation in own_operations(contract):
        statuses = set(operation["responses"])
        assert {"401", "429", "500"} <= statuses, name
        if name.startswith(("POST", "PUT")):
            assert {"400", "422"} <= statuses, name
        if "{id}" in name:
            assert "404" in statuses, name
        for status, answer in operation["responses"].items():
            assert status in NO_BODY or answer["content"]["application/json"]["schema"]
    assert "402" in contract["paths"]["/medias"]["post"]["responses"]
    assert "402" in contract["paths"]["/clips"]["post"]["responses"]


def test_9_error_shapes(contract: dict[str, Any]) -> None:
    """Each of the four shapes has a schema that says what it has."""
    for status, wanted in (
        ("401", ["message"]),
        ("404", ["detail", "source", "status", "title"]),
        ("429", ["detail", "status", "title"]),
    ):
        reference = body(contract, "/medias/{id}", "get", status)["schema"]["$ref"].rpartition("/")[2]
        assert schema(contract, reference, "properties", "errors", "items", "required") == wanted
    reference = body(contract, "/medias", "post", "402")["schema"]["$ref"].rpartition("/")[2]
    wanted = ["code", "detail", "source", "status", "title"]
    assert schema(contract, reference, "properties", "errors", "items", "required") == wanted


def test_10_examples(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """No example carries prose or a credential."""
    assert "(example URL for documentation only)" in str(published)
    assert "(required if" in str(published)
    assert "(example URL" not in str(contract)
    assert "(required if" not in str(contract)
    assert "X-Amz-Credential" not in str(contract)


def test_11_exactly_one_source(contract: dict[str, Any]) -> None:
    """POST /medias says that exactly one of two is needed; test_verify tries it out."""
    content = contract["paths"]["/medias"]["post"]["requestBody"]["content"]["application/json"]
    assert "not" in content["schema"]["properties"]["data"]["properties"]["attributes"]


@pytest.mark.parametrize(
    ("path", "orders"),
    [
        ("/medias", {"created_at", "original_created_at", "name"}),
        ("/clips", {"created_at", "name"}),
        ("/webhook_subscriptions", {"created_at"}),
    ],
)
def test_12_sort(published: dict[str, Any], contract: dict[str, Any], path: str, orders: set[str]) -> None:
    """Only fields that a resource has can be sorted by, up or down."""
    pasted = {"created_at", "original_created_at", "name"}
    both = {f"{sign}{name}" for name in pasted for sign in ("", "-")}
    assert set(parameters(published, path)["sort"]["schema"]["enum"]) == both
    assert set(parameters(contract, path)["sort"]["schema"]["enum"]) == {
        f"{sign}{name}" for name in orders for sign in ("", "-")
    }


def test_12_page_of_subscriptions(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """The list whose link carries a page takes one."""
    assert "page" not in parameters(published, "/webhook_subscriptions")
    assert "page" in parameters(contract, "/webhook_subscriptions")


def test_13_links(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """No example leads to plain http."""
    assert str(published).count("http://api.contentgroove.com") > 10
    assert "http://api.contentgroove.com" not in str(contract)
    assert "next" in body(contract, "/medias", "get", "200")["example"]["links"]


def test_14_null_is_not_finished(contract: dict[str, Any]) -> None:
    """The answer to a creation has null, and the schema says what it means."""
    for path, name in (("/medias", MEDIA), ("/clips", CLIP)):
        assert body(contract, path, "post", "200")["example"]["data"]["attributes"]["is_processing"] is None
        assert attributes(contract, name)["is_processing"]["nullable"] is True
        assert "null" in attributes(contract, name)["is_processing"]["description"]


def test_15_tags(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Every operation has its group, and its id is the published one."""
    before = {operation["operationId"]: operation for _, operation in own_operations(published)}
    after = {operation["operationId"]: operation for _, operation in own_operations(contract)}
    assert before.keys() == after.keys()
    assert len(after) == 15
    assert not any("tags" in operation for operation in before.values())
    for name, operation in own_operations(contract):
        assert operation["tags"] == [name.split("/")[1]]


def test_three_ways_to_authenticate(contract: dict[str, Any]) -> None:
    """Each operation takes any of the three that prose names."""
    schemes = contract["components"]["securitySchemes"]
    assert schemes["BearerHeader"] | {"description": ""} == {"type": "http", "scheme": "bearer", "description": ""}
    assert (schemes["ApiKeyHeader"]["in"], schemes["ApiKeyHeader"]["name"]) == ("header", "X-API-KEY")
    assert (schemes["ApiKeyQuery"]["in"], schemes["ApiKeyQuery"]["name"]) == ("query", "api_key")
    for _, operation in own_operations(contract):
        assert operation["security"] == [{"BearerHeader": []}, {"ApiKeyHeader": []}, {"ApiKeyQuery": []}]


def test_the_server_stays(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """Corrections do not move the API."""
    assert published["servers"] == contract["servers"]
    assert contract["servers"][0]["url"] == "https://api.contentgroove.com/api/v1"
