"""Each numbered defect: the published document has it, and the contract has not, or the overlay says why not.

The first half of each test would notice that the provider mended it. Where a schema is at fault, both documents'
schemas are tried on the same JSON.
"""

from __future__ import annotations

import copy
import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import yaml
from contentgroove_mock.schema_conversion import bundle, validator_schema

from spec.pipeline.correct import read
from spec.pipeline.documents import parse
from spec.pipeline.verify import NO_BODY, operations

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
OVERLAY = read(ROOT / "spec" / "corrections.overlay.yaml")
DEFECTS = range(1, 20)
MEDIA, CLIP = "media_response_object_data", "clip_response_object_data"
EXPRESSION = "{$request.body#/data/attributes/url}"
AUTHENTICATION: list[Json] = [{"BearerHeader": []}, {"ApiKeyHeader": []}, {"ApiKeyQuery": []}]


def own_operations(document: Json) -> list[tuple[str, Json]]:
    """The operations without callbacks."""
    return [(name, operation) for name, operation in operations(document) if " → " not in name]


def schema(document: Json, name: str, *steps: str) -> Any:
    """Walk into a component schema."""
    value = document["components"]["schemas"][name]
    for step in steps:
        value = value[step]
    return value


def attributes(document: Json, name: str) -> Json:
    """The attributes of a resource's schema."""
    found: Json = schema(document, name, "properties", "attributes", "properties")
    return found


def parameters(document: Json, path: str) -> dict[str, Json]:
    """A list's parameters by name."""
    return {item["name"]: item for item in document["paths"][path]["get"]["parameters"]}


def answer(document: Json, path: str, method: str, status: str) -> Json:
    """An answer's JSON: its schema and its example."""
    found: Json = document["paths"][path][method]["responses"][status]["content"]["application/json"]
    return found


def request(document: Json, path: str) -> Json:
    """The schema of a POST's body."""
    found: Json = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return found


def published_hook(published: Json) -> Json:
    """The webhook's operation as published."""
    callback = published["paths"]["/medias"]["post"]["callbacks"]["media.processing_finished"]
    found: Json = callback["Provided URL in /webhook_subscriptions"]["post"]
    return found


def published_payload(published: Json) -> Json:
    """The members of the webhook's payload as published."""
    content = published_hook(published)["requestBody"]["content"]["application/json"]
    found: Json = content["schema"]["properties"]["payload"]["properties"]
    return found


def corrected_hook(contract: Json) -> Json:
    """The webhook's operation in the contract."""
    callback = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    found: Json = callback[EXPRESSION]["post"]
    return found


def event(contract: Json) -> Json:
    """The contract's example of a webhook's body."""
    return copy.deepcopy(corrected_hook(contract)["requestBody"]["content"]["application/json"]["example"])


def fits(document: Json, wanted: Json | str, value: object, *, closed: bool = False) -> bool:
    """Whether JSON fits a schema, or a component schema named by its key."""
    if isinstance(wanted, str):
        wanted = {"$ref": f"#/components/schemas/{wanted}"}
    definitions = bundle(document["components"]["schemas"], closed=closed)
    validator = jsonschema_rs.Draft202012Validator(
        validator_schema(wanted, definitions, closed=closed), validate_formats=True
    )
    return validator.is_valid(value)


def objects(value: object) -> Iterator[Json]:
    """Every schema that names its members, wherever it stands."""
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield value
        for name, item in value.items():
            if name not in {"example", "examples"}:
                yield from objects(item)
    elif isinstance(value, list):
        for item in value:
            yield from objects(item)


def texts(value: object) -> Iterator[str]:
    """Every string of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def excuse(defect: int) -> str:
    """Why the overlay leaves a defect as it is."""
    reason: str
    (reason,) = [item["reason"] for item in OVERLAY["info"]["x-not-corrected"] if item["defect"] == defect]
    return reason


@pytest.mark.parametrize("defect", DEFECTS)
def test_every_defect_is_accounted_for(defect: int) -> None:
    """Each number has an action whose description begins with it, or a written reason why there is none."""
    numbers = {int(found) for action in OVERLAY["actions"] for found in re.findall(r"^\d+", action["description"])}
    excused = {item["defect"] for item in OVERLAY["info"]["x-not-corrected"] if len(item["reason"]) > 40}
    assert defect in numbers | excused
    assert numbers | excused <= set(DEFECTS)


def test_every_action_says_what_is_wrong() -> None:
    """Each description has a defect's number; the few without one are about authentication, known from prose."""
    unnumbered = [a["target"] for a in OVERLAY["actions"] if not re.match(r"\d+\. \S", a["description"])]
    assert all("securitySchemes" in target or target.endswith(".security") for target in unnumbered)
    assert all(len(action["description"]) > 20 for action in OVERLAY["actions"])


def test_1_nothing_was_required(published: Json, contract: Json) -> None:
    """As published `{}` is a media; now everything is required that every example has."""
    assert not any("required" in item for item in objects(published["components"]))
    assert fits(published, MEDIA, {})
    assert not fits(contract, MEDIA, {})
    assert set(schema(contract, MEDIA, "required")) == {"id", "type", "attributes", "relationships"}
    assert set(schema(contract, CLIP, "required")) == {"id", "type", "attributes", "relationships"}
    media, clip = attributes(contract, MEDIA).keys(), attributes(contract, CLIP).keys()
    assert set(schema(contract, MEDIA, "properties", "attributes", "required")) == media
    # A webhook's clips have neither.
    optional = {"is_processing", "processing_started_at"}
    assert set(schema(contract, CLIP, "properties", "attributes", "required")) == clip - optional
    documents = [f"{name}{many}_response_object" for name in ("media", "clip", "webhook_subscription") for many in "_s"]
    for name in (item.replace("__", "_") for item in documents):
        assert schema(contract, name, "required") == ["data", "links"]
    assert schema(contract, "links_object_data", "required") == ["self"]


@pytest.mark.parametrize("name", ["id", "type", "attributes", "relationships"])
@pytest.mark.parametrize(("path", "key"), [("/medias/{id}", MEDIA), ("/clips/{id}", CLIP)])
def test_1_a_resource_without_a_part_is_refused(contract: Json, path: str, key: str, name: str) -> None:
    """Each required member counts, tried on the example of one resource."""
    example = copy.deepcopy(answer(contract, path, "get", "200")["example"]["data"])
    assert fits(contract, key, example, closed=True)
    del example[name]
    assert not fits(contract, key, example)


def test_2_media_file_duration(published: Json, contract: Json) -> None:
    """The schema's name was wrong, that of all four examples right."""
    examples = [
        answer(published, "/clips", "get", "200")["example"]["data"][0],
        answer(published, "/clips", "post", "200")["example"]["data"],
        answer(published, "/clips/{id}", "get", "200")["example"]["data"],
        answer(published, "/clips/{id}", "put", "200")["example"]["data"],
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
    example = answer(published, "/medias/{id}", "get", "200")["example"]["data"]
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
    for key, hook, count in ((MEDIA, media, 12), (CLIP, clip, 8)):
        shared = [attributes(published, key)[name] for name in hook if name in attributes(published, key)]
        assert sum(item.get("nullable", False) for item in shared) == count
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
    """As published only one of the two fits; in the contract both do, and nothing that is no number."""
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
    """A webhook brings the very media and clip that REST answers with."""
    payload = schema(contract, "webhook_event", "properties", "payload", "properties")
    assert payload["data"] == {"$ref": f"#/components/schemas/{MEDIA}"}
    assert {"$ref": f"#/components/schemas/{CLIP}"} in payload["included"]["items"]["oneOf"]
    for path, key in (("/medias", "medias_response_object"), ("/clips", "clips_response_object")):
        assert answer(contract, path, "get", "200")["schema"] == {"$ref": f"#/components/schemas/{key}"}
    assert schema(contract, "medias_response_object", "properties", "data", "items") == payload["data"]


def test_5_included_resources_exclude_each_other(published: Json, contract: Json) -> None:
    """As published a transcription fits both branches, so oneOf refuses it; now each fits exactly one."""
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


def test_5_an_empty_event_is_refused(published: Json, contract: Json) -> None:
    """As published `{}` is an event; the contract's whole example fits closed, and nothing without its parts."""
    before = published_hook(published)["requestBody"]["content"]["application/json"]["schema"]
    assert fits(published, before, {})
    assert fits(contract, "webhook_event", event(contract), closed=True)
    named = {"event": "media.processing_finished"}
    refused: list[Json] = [{}, named, named | {"payload": {}}]
    for bad in refused:
        assert not fits(contract, "webhook_event", bad)


def test_6_callback(published: Json, contract: Json) -> None:
    """The webhook moved to the operation that names its URL, under a runtime expression."""
    assert published_hook(published)["responses"]
    assert "callbacks" not in published["paths"]["/webhook_subscriptions"]["post"]
    assert "callbacks" not in contract["paths"]["/medias"]["post"]
    callback = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    assert list(callback) == [EXPRESSION]
    assert list(corrected_hook(contract)["responses"]) == ["200"]
    assert corrected_hook(contract)["security"] == []
    # What the expression leads to must be there.
    found = request(contract, "/webhook_subscriptions")
    for step in ("data", "attributes", "url"):
        assert step in found["required"]
        found = found["properties"][step]


@pytest.mark.parametrize("path", ["/medias", "/clips", "/webhook_subscriptions"])
def test_7_filter(published: Json, contract: Json, path: str) -> None:
    """As published any object is a filter and the example is none; now names and values count."""
    before, after = parameters(published, path)["filter"], parameters(contract, path)["filter"]
    assert isinstance(before["example"], str)
    assert not fits(published, before["schema"], before["example"])
    assert fits(published, before["schema"], {"no such filter": {}})
    assert (after["style"], after["explode"]) == ("deepObject", True)
    wanted = after["schema"]
    assert fits(contract, wanted, after["example"])
    for name in ("created_at_gteq", "id_in", "created_at_or_id_not_eq", "id_eq_any", "id_does_not_match", "id_null"):
        assert fits(contract, wanted, {name: "1"}), name
    for name in ("created_at", "nothing_eq", "created_at_is", "_eq", "created_at_gteq_", "id_or_eq", "filter[id_eq]"):
        assert not fits(contract, wanted, {name: "1"}), name
    for good in ("a", 1, 1.5, True, ["a", "b"]):
        assert fits(contract, wanted, {"id_in": good}), good
    refused: list[object] = [None, {}, {"a": 1}, [], [{}]]
    for bad in refused:
        assert not fits(contract, wanted, {"id_in": bad}), bad


@pytest.mark.parametrize(
    ("path", "key"),
    [("/medias", MEDIA), ("/clips", CLIP), ("/webhook_subscriptions", "webhook_subscription_response_object_data")],
)
def test_7_every_attribute_can_be_filtered_by(contract: Json, path: str, key: str) -> None:
    """The names in a filter's pattern are the resource's own, all of them."""
    wanted = parameters(contract, path)["filter"]["schema"]
    named = set(wanted["x-propertyNames"]["pattern"].removeprefix("^(").partition(")")[0].split("|"))
    # `sourceUrl` stands in the published example, `media_id` is the foreign key behind a relationship.
    assert named - {"sourceUrl", "media_id"} == {"id", *attributes(contract, key)}
    described = re.findall(r"filter\[(\w+)\]=", parameters(contract, path)["filter"]["description"])
    assert described
    assert all(fits(contract, wanted, {name: "x"}) for name in described)


def test_7_page(published: Json, contract: Json) -> None:
    """As published any object is a page; now it has a number and a size, both from 1."""
    for path in ("/medias", "/clips"):
        before = parameters(published, path)["page"]
        assert not fits(published, before["schema"], before["example"])
        assert fits(published, before["schema"], {"number": "first"})
    for path in ("/medias", "/clips", "/webhook_subscriptions"):
        after = parameters(contract, path)["page"]
        assert (after["style"], after["explode"]) == ("deepObject", True)
        assert fits(contract, after["schema"], after["example"])
        for bad in ({"number": 0}, {"size": 0}, {"number": "first"}, {"page": 1}, "1"):
            assert not fits(contract, after["schema"], bad), bad


def test_8_answers_without_schema(published: Json, contract: Json) -> None:
    """Of the published answers 23 have no schema, all of them to errors; now each has one and an example."""

    def without(document: Json, part: str) -> list[str]:
        return [
            status
            for _, operation in own_operations(document)
            for status, found in operation["responses"].items()
            if status not in NO_BODY and part not in found["content"]["application/json"]
        ]

    assert sorted(without(published, "schema")) == ["401"] * 13 + ["402"] + ["404"] * 6 + ["429"] * 3
    assert not without(contract, "schema")
    assert not without(contract, "example")


def test_8_statuses(published: Json, contract: Json) -> None:
    """The statuses that prose documents, and 422, stand where they occur, and nowhere else."""
    for name, operation in own_operations(published):
        assert not {"400", "422", "500"} & operation["responses"].keys(), name
        assert "404" not in operation["responses"] or not name.startswith("PUT"), name
    for name, operation in own_operations(contract):
        wanted = {"401", "429", "500"}
        if name.startswith(("POST", "PUT")):
            wanted |= {"400", "422"}
        if "{id}" in name or name == "POST /clips":
            wanted.add("404")
        if name in {"POST /medias", "POST /clips"}:
            wanted.add("402")
        wanted.add("204" if name.startswith("DELETE") else "200")
        assert operation["responses"].keys() == wanted, name


SHAPES = [
    ("401", "/medias", "post", {"message"}),
    ("402", "/medias", "post", {"code", "detail", "source", "status", "title"}),
    ("404", "/medias/{id}", "get", {"detail", "source", "status", "title"}),
    ("429", "/medias", "post", {"detail", "status", "title"}),
]


@pytest.mark.parametrize(("status", "path", "method", "members"), SHAPES)
def test_9_error_shapes(
    published: Json, contract: Json, status: str, path: str, method: str, members: set[str]
) -> None:
    """Each of the four shapes has a schema that requires what the published example has."""
    example = answer(published, path, method, status)["example"]
    assert set(example["errors"][0]) == members
    wanted = answer(contract, path, method, status)["schema"]
    assert fits(contract, wanted, example, closed=True)
    for name in members:
        lacking = {"errors": [{key: value for key, value in example["errors"][0].items() if key != name}]}
        assert not fits(contract, wanted, lacking), name
    assert not fits(contract, wanted, {"errors": []})


def test_9_published_schemas_forbid_the_nulls_of_404(published: Json, contract: Json) -> None:
    """No published error schema fits the published 404, and 402 says 422 of itself."""
    example = answer(published, "/medias/{id}", "get", "404")["example"]
    keys = [name for name in published["components"]["schemas"] if "error" in name]
    assert len(keys) == 3
    assert not any(fits(published, name, example, closed=True) for name in keys)
    assert answer(published, "/medias", "post", "402")["example"]["errors"][0]["status"] == "422"
    assert answer(contract, "/medias", "post", "402")["example"]["errors"][0]["status"] == "422"


@pytest.mark.parametrize("status", ["400", "422", "500"])
def test_9_undocumented_bodies_are_called_assumed(contract: Json, status: str) -> None:
    """What the provider never showed has JSON:API's shape and says that it is assumed."""
    found = contract["paths"]["/medias"]["post"]["responses"][status]
    assert "assumed" in found["description"]
    assert found["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/error_response_object"}
    assert "assumed" in schema(contract, "error_response_object", "description")


def test_10_examples(published: Json, contract: Json) -> None:
    """Published examples carry prose and a credential; the contract's do not, and its URLs are URLs."""
    prose = re.compile(r"^\((?:example URL|required if)")
    assert sum(bool(prose.match(text)) for text in texts(published)) == 4
    assert not any(prose.match(text) for text in texts(contract))
    assert any("X-Amz-Credential" in text for text in texts(published))
    assert not any(re.search(r"X-Amz-Credential|AKIA[A-Z0-9]{16}", text) for text in texts(contract))
    upload = answer(contract, "/direct_uploads", "get", "200")
    assert upload["example"]["data"]["attributes"]["upload_url"].startswith("https://")
    assert upload["example"]["data"]["attributes"]["upload_id"] == "example-upload-id"


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ({"source_url": "https://example.com/film.mp4"}, True),
        ({"upload_id": "example-upload-id"}, True),
        ({"upload_id": "example-upload-id", "name": "n", "description": "d"}, True),
        ({}, False),
        ({"name": "n"}, False),
        ({"source_url": "https://example.com/film.mp4", "upload_id": "example-upload-id"}, False),
    ],
)
def test_11_exactly_one_source(published: Json, contract: Json, given: Json, accepted: bool) -> None:  # noqa: FBT001 - a case's outcome
    """As published a media can be created of nothing or of two things; now of exactly one."""
    body = {"data": {"attributes": given}}
    assert fits(published, request(published, "/medias"), body)
    assert fits(contract, request(contract, "/medias"), body) == accepted


SORTS = [
    ("/medias", MEDIA, {"created_at", "original_created_at", "name"}),
    ("/clips", CLIP, {"created_at", "name"}),
    ("/webhook_subscriptions", "webhook_subscription_response_object_data", {"created_at"}),
]


@pytest.mark.parametrize(("path", "key", "orders"), SORTS)
def test_12_sort(published: Json, contract: Json, path: str, key: str, orders: set[str]) -> None:
    """As published each list has the same orders; now those whose field the resource has, up and down."""
    pasted = {"created_at", "original_created_at", "name"}
    assert pasted & attributes(published, key).keys() == orders
    before = {f"{sign}{name}" for name in pasted for sign in ("", "-")}
    assert set(parameters(published, path)["sort"]["schema"]["enum"]) == before
    after = {f"{sign}{name}" for name in orders for sign in ("", "-")}
    assert set(parameters(contract, path)["sort"]["schema"]["enum"]) == after


def test_12_page_of_subscriptions(published: Json, contract: Json) -> None:
    """The list whose link carries a page takes one."""
    links = answer(published, "/webhook_subscriptions", "get", "200")["example"]["links"]
    assert "page[number]=1" in links["current"]
    assert "page" not in parameters(published, "/webhook_subscriptions")
    assert "page" in parameters(contract, "/webhook_subscriptions")


def test_13_links(published: Json, contract: Json) -> None:
    """Published links are plain http; the contract's are https, and one example has the links of further pages."""

    def links(document: Json) -> list[Json]:
        found = [
            content["example"]["links"]
            for _, operation in own_operations(document)
            for response in operation["responses"].values()
            for content in response.get("content", {}).values()
            if "links" in content["example"]
        ]
        assert len(found) == 11
        return found

    def starts(document: Json, beginning: str) -> bool:
        return all(link.startswith(beginning) for found in links(document) for link in found.values())

    assert starts(published, "http://api.contentgroove.com/api/v1/")
    assert starts(contract, "https://api.contentgroove.com/api/v1/")
    assert not any("http://api.contentgroove.com" in text for text in texts(contract))
    assert "next" in schema(published, "links_object_data", "properties")
    assert not any("next" in found for found in links(published))
    assert sum("next" in found for found in links(contract)) == 1
    for name in ("first", "prev", "next", "last", "current"):
        assert schema(contract, "links_object_data", "properties", name, "nullable") is True


@pytest.mark.parametrize(("path", "key"), [("/medias", MEDIA), ("/clips", CLIP)])
def test_14_null_is_not_finished(published: Json, contract: Json, path: str, key: str) -> None:
    """The answer to a creation has null beside a start of processing, and now the schema says what null means."""
    created = answer(published, path, "post", "200")["example"]["data"]["attributes"]
    assert created["is_processing"] is None
    assert created["processing_started_at"] is not None
    assert answer(published, path, "get", "200")["example"]["data"][0]["attributes"]["is_processing"] is True
    assert "description" not in attributes(published, key)["is_processing"]
    assert answer(contract, path, "post", "200")["example"]["data"]["attributes"]["is_processing"] is None
    after = attributes(contract, key)["is_processing"]
    assert after["nullable"] is True
    assert re.search(r"[Ff]alse .*finished.* true .*null right after creation", after["description"])


def test_15_tags(published: Json, contract: Json) -> None:
    """No published operation has a group; now each has its own, and keeps its id."""
    before = {operation["operationId"]: operation for _, operation in own_operations(published)}
    after = {operation["operationId"]: operation for _, operation in own_operations(contract)}
    assert before.keys() == after.keys()
    assert len(after) == 15
    assert not any("tags" in operation for operation in before.values())
    for name, operation in own_operations(contract):
        assert operation["tags"] == [name.split("/")[1]]
    declared = {tag["name"] for tag in contract["tags"] if tag["description"]}
    assert declared == {"medias", "clips", "webhook_subscriptions", "direct_uploads"}


def test_15_types_and_titles(published: Json, contract: Json) -> None:
    """Three published schemas have members and no type; in the contract each has a type and a title of its own."""
    assert sum("type" not in item for item in objects(published)) == 3
    found = list(objects(contract))
    assert all(item["type"] == "object" for item in found)
    titles = [item["title"] for item in found]
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r"(?:[A-Z][a-z]+)+", title) for title in titles)
    assert all("title" in item for item in contract["components"]["schemas"].values())


def test_16_a_get_that_creates(published: Json, contract: Json) -> None:
    """OpenAPI cannot say it, so the description does, and the overlay says why there is no more."""
    assert "description" not in published["paths"]["/direct_uploads"]["get"]
    assert "Creates an upload" in contract["paths"]["/direct_uploads"]["get"]["description"]
    assert list(contract["paths"]["/direct_uploads"]) == ["get"]
    assert "GET" in excuse(16)


def test_17_what_the_service_lacks_stays_missing(published: Json, contract: Json) -> None:
    """No signature, no event id, creates answer 200; a Retry-After may come, and the one event is named."""
    for document, hook in ((published, published_hook(published)), (contract, corrected_hook(contract))):
        assert "parameters" not in hook
        creates = [operation for name, operation in own_operations(document) if name.startswith("POST")]
        assert all("200" in operation["responses"] and "201" not in operation["responses"] for operation in creates)
    names = published_hook(published)["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert names.keys() == schema(contract, "webhook_event", "properties").keys() == {"event", "payload"}
    assert "enum" not in names["event"]
    assert schema(contract, "webhook_event", "properties", "event", "enum") == ["media.processing_finished"]
    for _, operation in own_operations(published):
        assert "headers" not in operation["responses"]["429"]
    for _, operation in own_operations(contract):
        header = operation["responses"]["429"]["headers"]["Retry-After"]
        assert header["required"] is False
        assert "assumed" in header["description"]
    assert all(word in excuse(17) for word in ("signature", "event id", "201", "Retry-After"))


def test_18_timestamps_stay_strings(contract: Json) -> None:
    """A YAML 1.1 reader makes dates of unquoted timestamps; the pipeline does not, and writes them quoted."""
    unquoted = "created_at: 2025-10-15T13:51:02.558Z\n"
    assert isinstance(yaml.safe_load(unquoted)["created_at"], dt.datetime)
    assert parse(unquoted.encode(), "test") == {"created_at": "2025-10-15T13:51:02.558Z"}
    for name in ("openapi.yaml", "contract.yaml"):
        text = (ROOT / "spec" / name).read_text(encoding="utf-8")
        assert yaml.safe_load(text) == read(ROOT / "spec" / name)
    created = answer(contract, "/medias/{id}", "get", "200")["example"]["data"]["attributes"]["created_at"]
    assert isinstance(created, str)
    assert "strings" in excuse(18)


def test_19_no_operation_returns_a_transcription(published: Json, contract: Json) -> None:
    """Neither document has one: its text comes with the webhook alone."""
    assert published["paths"].keys() == contract["paths"].keys()
    assert not any("transcription" in path for path in contract["paths"])
    included = published_payload(published)["included"]["items"]["oneOf"][1]["properties"]
    assert included["type"]["example"] == "transcriptions"
    assert list(included["attributes"]["properties"]) == ["text"]
    assert schema(contract, "transcription", "properties", "attributes", "required") == ["text"]
    users = [
        name
        for name, item in contract["components"]["schemas"].items()
        if "#/components/schemas/transcription" in texts(item)
    ]
    assert users == ["webhook_event"]
    assert "transcription" in excuse(19)


def test_three_ways_to_authenticate(published: Json, contract: Json) -> None:
    """Published is an API key in the Authorization header; each operation takes any of the three of prose."""
    assert published["components"]["securitySchemes"].keys() == {"BearerHeader"}
    assert published["components"]["securitySchemes"]["BearerHeader"]["type"] == "apiKey"
    prose = published["info"]["description"]
    assert all(way in prose for way in ("`Authorization: Bearer abc123`", "`X-API-KEY: abc123`", "`api_key=abc123`"))
    schemes = contract["components"]["securitySchemes"]
    assert {name: {k: v for k, v in item.items() if k != "description"} for name, item in schemes.items()} == {
        "BearerHeader": {"type": "http", "scheme": "bearer"},
        "ApiKeyHeader": {"type": "apiKey", "in": "header", "name": "X-API-KEY"},
        "ApiKeyQuery": {"type": "apiKey", "in": "query", "name": "api_key"},
    }
    assert all(operation["security"] == AUTHENTICATION for _, operation in own_operations(contract))


def test_the_server_stays(published: Json, contract: Json) -> None:
    """Corrections do not move the API."""
    assert published["servers"] == contract["servers"]
    assert contract["servers"][0]["url"] == "https://api.contentgroove.com/api/v1"
