"""Defects 6 to 13 and 15, in requests and responses: present in the published document, corrected in the contract.

The first half of each test fails if the provider fixes the defect. Defects of schemas are shown by checking the same
JSON against both documents' schemas.
"""

from __future__ import annotations

import re

import pytest
from pipeline.verify import NO_BODY

from tests.spec.both_documents import (
    CLIP,
    EXPRESSION,
    MEDIA,
    RESOURCES,
    SUBSCRIPTION,
    Json,
    attributes,
    corrected_hook,
    fits,
    objects,
    own_operations,
    parameters,
    published_hook,
    request,
    response_json,
    schema,
    texts,
)


def test_6_callback(published: Json, contract: Json) -> None:
    """The webhook moved to the operation that names its URL, under a runtime expression."""
    assert published_hook(published)["responses"]
    assert "callbacks" not in published["paths"]["/webhook_subscriptions"]["post"]
    assert "callbacks" not in contract["paths"]["/medias"]["post"]
    callback = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.processing_finished"]
    assert list(callback) == [EXPRESSION]
    assert list(corrected_hook(contract)["responses"]) == ["200"]
    assert corrected_hook(contract)["security"] == []
    # The expression must name an existing field.
    found = request(contract, "/webhook_subscriptions")
    for step in ("data", "attributes", "url"):
        assert step in found["required"]
        found = found["properties"][step]


@pytest.mark.parametrize("path", ["/medias", "/clips", "/webhook_subscriptions"])
def test_7_filter(published: Json, contract: Json, path: str) -> None:
    """In the published document any object is a filter but the example is not; now names and values are checked."""
    before, after = parameters(published, path)["filter"], parameters(contract, path)["filter"]
    assert isinstance(before["example"], str)
    assert not fits(published, before["schema"], before["example"])
    assert fits(published, before["schema"], {"no such filter": {}})
    assert (after["style"], after["explode"]) == ("deepObject", True)
    expected = after["schema"]
    assert fits(contract, expected, after["example"])
    for name in ("created_at_gteq", "id_in", "created_at_or_id_not_eq", "id_eq_any", "id_does_not_match", "id_null"):
        assert fits(contract, expected, {name: "1"}), name
    for name in ("created_at", "nothing_eq", "created_at_is", "_eq", "created_at_gteq_", "id_or_eq", "filter[id_eq]"):
        assert not fits(contract, expected, {name: "1"}), name
    for good in ("a", 1, 1.5, True, ["a", "b"]):
        assert fits(contract, expected, {"id_in": good}), good
    rejected: list[object] = [None, {}, {"a": 1}, [], [{}]]
    for bad in rejected:
        assert not fits(contract, expected, {"id_in": bad}), bad


@pytest.mark.parametrize(
    ("path", "key"),
    [("/medias", MEDIA), ("/clips", CLIP), ("/webhook_subscriptions", SUBSCRIPTION)],
)
def test_7_every_attribute_can_be_filtered_by(contract: Json, path: str, key: str) -> None:
    """The names in a filter's pattern are the resource's own; only objects and arrays may lack there."""
    expected = parameters(contract, path)["filter"]["schema"]
    named = set(expected["x-propertyNames"]["pattern"].removeprefix("^(").partition(")")[0].split("|"))
    # `sourceUrl` is in the published example, `media_id` is the foreign key behind a relationship.
    own = attributes(contract, key)
    plain = {name for name, item in own.items() if item.get("type") not in {"object", "array"}}
    assert {"id", *plain} <= named - {"sourceUrl", "media_id"} <= {"id", *own}
    described = re.findall(r"filter\[(\w+)\]=", parameters(contract, path)["filter"]["description"])
    assert described
    assert all(fits(contract, expected, {name: "x"}) for name in described)


def test_7_page(published: Json, contract: Json) -> None:
    """In the published document any object is a page; now it has a number and a size, both from 1."""
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


def test_8_responses_without_schema(published: Json, contract: Json) -> None:
    """Of the published responses 23 have no schema, all of them errors; now each has one and an example."""

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
    """The statuses that prose documents, and 422, are documented where they occur, and nowhere else."""
    for name, operation in own_operations(published):
        assert not {"400", "422", "500"} & operation["responses"].keys(), name
        assert "404" not in operation["responses"] or not name.startswith("PUT"), name
    for name, operation in own_operations(contract):
        expected = {"401", "429", "500"}
        if name.startswith(("POST", "PUT")):
            expected |= {"400", "422"}
        if name in {"GET /medias", "GET /clips", "GET /webhook_subscriptions"}:
            expected.add("400")
        if "{id}" in name or name == "POST /clips":
            expected.add("404")
        if name in {"POST /medias", "POST /clips"}:
            expected.add("402")
        expected.add("204" if name.startswith("DELETE") else "200")
        assert operation["responses"].keys() == expected, name


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
    example = response_json(published, path, method, status)["example"]
    assert set(example["errors"][0]) == members
    expected = response_json(contract, path, method, status)["schema"]
    assert fits(contract, expected, example, closed=True)
    for name in members:
        lacking = {"errors": [{key: value for key, value in example["errors"][0].items() if key != name}]}
        assert not fits(contract, expected, lacking), name
    assert not fits(contract, expected, {"errors": []})


def test_9_published_schemas_forbid_the_nulls_of_404(published: Json, contract: Json) -> None:
    """The published 404 matches no published error schema, and the 402's body contains the status 422."""
    example = response_json(published, "/medias/{id}", "get", "404")["example"]
    keys = [name for name in published["components"]["schemas"] if "error" in name]
    assert len(keys) == 3
    assert not any(fits(published, name, example, closed=True) for name in keys)
    assert response_json(published, "/medias", "post", "402")["example"]["errors"][0]["status"] == "422"
    assert response_json(contract, "/medias", "post", "402")["example"]["errors"][0]["status"] == "422"


@pytest.mark.parametrize("status", ["400", "422", "500"])
def test_9_undocumented_bodies_are_called_assumed(contract: Json, status: str) -> None:
    """Bodies that the provider never documented have JSON:API's shape and are described as assumed."""
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
    # Signed ids as Rails makes them: base64, two hyphens, a digest.
    assert any(re.search(r"--[0-9a-f]{40}$", text) for text in texts(published))
    assert not any(re.search(r"--[0-9a-f]{40}$", text) for text in texts(contract))
    upload = response_json(contract, "/direct_uploads", "get", "200")
    assert upload["example"]["data"]["attributes"]["upload_url"].startswith("https://")
    assert upload["example"]["data"]["attributes"]["upload_id"] == "example-upload-id"


@pytest.mark.parametrize(
    ("values", "accepted"),
    [
        ({"source_url": "https://example.com/film.mp4"}, True),
        ({"upload_id": "example-upload-id"}, True),
        ({"upload_id": "example-upload-id", "name": "n", "description": "d"}, True),
        ({}, False),
        ({"name": "n"}, False),
        ({"source_url": "https://example.com/film.mp4", "upload_id": "example-upload-id"}, False),
    ],
)
def test_11_exactly_one_source(published: Json, contract: Json, values: Json, accepted: bool) -> None:  # noqa: FBT001 - a case's outcome
    """In the published document a media needs no source or may have two; now it has exactly one."""
    body = {"data": {"attributes": values}}
    assert fits(published, request(published, "/medias"), body)
    assert fits(contract, request(contract, "/medias"), body) == accepted


@pytest.mark.parametrize(
    ("path", "key"), [("/medias", MEDIA), ("/clips", CLIP), ("/webhook_subscriptions", SUBSCRIPTION)]
)
def test_12_sort(published: Json, contract: Json, path: str, key: str) -> None:
    """The published lists have orders by what only others have; now those of the resource's own fields, both ways."""
    own = attributes(published, key).keys()
    before, after = (set(parameters(document, path)["sort"]["schema"]["enum"]) for document in (published, contract))
    assert after == {order for order in before if order.removeprefix("-") in own}
    assert {"created_at", "-created_at"} <= after
    assert (after < before) is (path != "/medias"), "the orders of medias are listed for all"


def test_12_page_of_subscriptions(published: Json, contract: Json) -> None:
    """The list whose links contain a page has the parameter."""
    links = response_json(published, "/webhook_subscriptions", "get", "200")["example"]["links"]
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
    assert declared >= set(RESOURCES)


def test_15_types_and_titles(published: Json, contract: Json) -> None:
    """Some published schemas have members and no type; in the contract each has a type and its own title."""
    assert any("type" not in item for item in objects(published))
    found = list(objects(contract))
    assert all(item["type"] == "object" for item in found)
    titles = [item["title"] for item in found]
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r"(?:[A-Z][a-z]+)+", title) for title in titles)
    assert all("title" in item for item in contract["components"]["schemas"].values())


def test_every_component_is_used(contract: Json) -> None:
    """A schema without references would have no effect."""
    components = contract["components"]["schemas"].keys()
    assert {f"#/components/schemas/{name}" for name in components} <= set(texts(contract))
