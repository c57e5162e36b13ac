"""Verification: a valid contract passes, and each kind of seeded mistake is found at its location."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from contentgroove_spec import PipelineError
from pipeline.verify import check_contract, check_structure, require_valid

pytestmark = pytest.mark.slow

Breaking = Callable[[dict[str, Any]], object]


def media(contract: dict[str, Any]) -> Any:
    """The example of one media."""
    return contract["paths"]["/medias/{id}"]["get"]["responses"]["200"]["content"]["application/json"]["example"][
        "data"
    ]


def schemas(contract: dict[str, Any]) -> Any:
    """The component schemas."""
    return contract["components"]["schemas"]


def hook(contract: dict[str, Any]) -> Any:
    """The webhook's operation."""
    callbacks = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]
    return callbacks["media.processing_finished"]["{$request.body#/data/attributes/url}"]["post"]


def hook_example(contract: dict[str, Any]) -> Any:
    """The webhook's example."""
    return hook(contract)["requestBody"]["content"]["application/json"]["example"]


def response_json(contract: dict[str, Any], path: str, method: str, status: str) -> Any:
    """A response's JSON content."""
    return contract["paths"][path][method]["responses"][status]["content"]["application/json"]


def parameter(contract: dict[str, Any], path: str, name: str) -> dict[str, Any]:
    """A list's parameter."""
    return next(item for item in contract["paths"][path]["get"]["parameters"] if item["name"] == name)


def test_the_committed_documents_are_valid(published: dict[str, Any], contract: dict[str, Any]) -> None:
    """The published document is valid OpenAPI; the contract is that and follows its own rules."""
    check_structure(published, "published")
    require_valid(contract, "contract")


SEEDED: list[tuple[str, Breaking, str]] = [
    ("undeclared member", lambda c: media(c)["attributes"].update(extra=1), r"GET /medias/\{id\}: .*attributes.*extra"),
    ("renamed member", lambda c: media(c)["attributes"].update(names=media(c)["attributes"].pop("name")), "name"),
    ("missing member", lambda c: media(c)["attributes"].pop("has_fetch_error"), "has_fetch_error"),
    ("wrong type", lambda c: media(c)["attributes"].update(name=5), "/data/attributes/name"),
    ("null where none may be", lambda c: media(c)["attributes"].update(name=None), "/data/attributes/name"),
    ("no number", lambda c: media(c)["attributes"].update(source_file_duration="long"), "source_file_duration"),
    ("no moment", lambda c: media(c)["attributes"].update(created_at="yesterday"), "created_at"),
    ("no URI", lambda c: media(c)["attributes"].update(source_url="not a url"), "source_url"),
    ("wrong resource type", lambda c: media(c).update(type="clips"), "/data/type"),
    ("undeclared relationship", lambda c: media(c)["relationships"].update(user={}), "relationships"),
    ("undeclared member of a relationship", lambda c: media(c)["relationships"]["clips"].update(meta=1), "clips"),
    (
        "undeclared member of an error",
        lambda c: response_json(c, "/medias", "get", "401")["example"]["errors"][0].update(x=1),
        "401",
    ),
    ("webhook: undeclared member", lambda c: hook_example(c)["payload"]["data"].update(meta=1), "processing_finished"),
    (
        "webhook: clip that is none",
        lambda c: hook_example(c)["payload"]["included"][0]["attributes"].pop("text"),
        "included",
    ),
    ("webhook: another event", lambda c: hook_example(c).update(event="media.deleted"), "/event"),
    (
        "filter that is none",
        lambda c: parameter(c, "/medias", "filter")["example"].update(name_is="x"),
        "parameter filter",
    ),
    ("page that is none", lambda c: parameter(c, "/clips", "page")["example"].update(offset=3), "parameter page"),
    ("page zero", lambda c: parameter(c, "/clips", "page")["example"].update(number=0), "parameter page"),
    (
        "response without schema",
        lambda c: response_json(c, "/clips", "get", "429").pop("schema"),
        "response 429: it has no schema",
    ),
    (
        "response without example",
        lambda c: response_json(c, "/clips", "get", "500").pop("example"),
        "response 500: it has no example",
    ),
    (
        "response without content",
        lambda c: c["paths"]["/clips"]["get"]["responses"]["401"].pop("content"),
        "response 401",
    ),
    ("properties without type", lambda c: schemas(c)["links_object_data"].pop("type"), "no type"),
    (
        "misspelt type",
        lambda c: schemas(c)["links_object_data"].update(type="objekt"),
        "'objekt' is not a value of this keyword",
    ),
    (
        "schema's own example",
        lambda c: schemas(c)["direct_upload_response_object"]["properties"]["data"]["properties"]["id"].update(
            example=7
        ),
        "direct_upload_response_object",
    ),
]


@pytest.mark.parametrize(("breaking", "words"), [case[1:] for case in SEEDED], ids=[case[0] for case in SEEDED])
def test_a_seeded_mistake_is_found(contract: dict[str, Any], breaking: Breaking, words: str) -> None:
    """Each kind of mistake is an error with its location."""
    breaking(contract)
    found = "\n".join(str(finding) for finding in check_contract(contract))
    assert re.search(words, found), found


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        ({"source_url": "https://e.com/a.mp4"}, True),
        ({"upload_id": "u", "name": "n"}, True),
        ({"name": "n"}, False),
        ({"source_url": "https://e.com/a.mp4", "upload_id": "u"}, False),
    ],
)
def test_exactly_one_source(contract: dict[str, Any], body: dict[str, Any], *, fits: bool) -> None:
    """A media is created from exactly one of a URL and an upload."""
    content = contract["paths"]["/medias"]["post"]["requestBody"]["content"]["application/json"]
    content["example"] = {"data": {"attributes": body}}
    assert (check_contract(contract) == []) is fits


@pytest.mark.parametrize(
    "breaking",
    [
        lambda c: c["paths"]["/medias"]["get"].update(operationId="getClips"),
        lambda c: response_json(c, "/medias", "get", "200").update(schema={"$ref": "#/components/schemas/gone"}),
        lambda c: c["paths"].update({"/x/{id}": {"get": {"responses": {"200": {"description": "d"}}}}}),
        lambda c: c["paths"]["/medias"]["get"].pop("responses"),
    ],
    ids=["operationId twice", "dangling reference", "undeclared path parameter", "no responses"],
)
def test_prance_guards_the_structure(contract: dict[str, Any], breaking: Breaking) -> None:
    """A document that is not OpenAPI is rejected before anything is generated from it."""
    breaking(contract)
    with pytest.raises(PipelineError, match="not a valid OpenAPI document"):
        require_valid(contract, "contract")


def small(**operation: Any) -> dict[str, Any]:
    """Write a document with one operation, valid unless the operation is not."""
    no_content = {"responses": {"204": {"description": "Done"}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1"},
        "paths": {"/things": {"get": {**no_content, **operation}}},
        "components": {"schemas": {"Thing": {"type": "object", "properties": {"id": {"type": "string"}}}}},
    }


THING = {"$ref": "#/components/schemas/Thing"}
BAD_PARAMETER = {"name": "n", "in": "query", "schema": {"type": "integer"}, "example": "seven"}
BAD_BODY = {"content": {"application/json": {"schema": THING, "example": {"id": 7}}}}
BAD_RESPONSE = {"description": "d", **BAD_BODY}


def with_component(kind: str, value: object, **operation: Any) -> dict[str, Any]:
    """Write a document whose operation refers to a shared component named `X`."""
    document = small(**operation)
    document["components"][kind] = {"X": value}
    return document


def on_path(document: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Add members to the document's one path."""
    document["paths"]["/things"].update(members)
    return document


LOCATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("parameter", small(parameters=[BAD_PARAMETER]), "GET /things: parameter n, example: .*seven"),
    ("path's parameter", on_path(small(), parameters=[BAD_PARAMETER]), "GET /things: parameter n, example: .*seven"),
    (
        "shared parameter",
        with_component("parameters", BAD_PARAMETER, parameters=[{"$ref": "#/components/parameters/X"}]),
        "GET /things: parameter n, example: .*seven",
    ),
    (
        "parameter with content",
        small(parameters=[{"name": "n", "in": "query", **BAD_BODY}]),
        "GET /things: parameter n, example/id: 7",
    ),
    (
        "string for a deepObject",
        small(
            parameters=[{"name": "f", "in": "query", "style": "deepObject", "schema": THING, "example": "{'id': '7'}"}]
        ),
        "GET /things: parameter f, example: .*id",
    ),
    (
        "schema of a parameter",
        small(parameters=[{"name": "n", "in": "query", "schema": {"type": "integer", "example": "seven"}}]),
        "GET /things: parameter n schema, example: .*seven",
    ),
    ("request body", small(requestBody=BAD_BODY), "GET /things: request body, example/id: 7"),
    (
        "shared request body",
        with_component("requestBodies", BAD_BODY, requestBody={"$ref": "#/components/requestBodies/X"}),
        "GET /things: request body, example/id: 7",
    ),
    ("response", small(responses={"200": BAD_RESPONSE}), "GET /things: response 200, example/id: 7"),
    (
        "shared response",
        with_component("responses", BAD_RESPONSE, responses={"200": {"$ref": "#/components/responses/X"}}),
        "GET /things: response 200, example/id: 7",
    ),
    (
        "named example",
        small(requestBody={"content": {"a/b": {"schema": THING, "examples": {"one": {"value": {"id": 7}}}}}}),
        "GET /things: request body, example one/id: 7",
    ),
    (
        "shared example",
        with_component(
            "examples",
            {"value": {"id": 7}},
            requestBody={
                "content": {"a/b": {"schema": THING, "examples": {"one": {"$ref": "#/components/examples/X"}}}}
            },
        ),
        "GET /things: request body, example one/id: 7",
    ),
    (
        "header",
        small(
            responses={
                "204": {
                    "description": "d",
                    "headers": {"Retry-After": {"schema": {"type": "integer"}, "example": "soon"}},
                }
            }
        ),
        "GET /things: response 204, header Retry-After, example: .*soon",
    ),
    (
        "body of a callback",
        small(callbacks={"hook": {"{$url}": {"post": {"requestBody": BAD_BODY, "responses": {}}}}}),
        r"GET /things → hook: POST \{\$url\}: request body, example/id: 7",
    ),
    (
        "schema of a property called example",
        small(
            requestBody={
                "content": {
                    "a/b": {"schema": {"type": "object", "properties": {"example": {"type": "string", "example": 5}}}}
                }
            }
        ),
        "GET /things: request body schema/properties/example, example: 5",
    ),
    (
        "property called example",
        small(
            requestBody={
                "content": {
                    "a/b": {
                        "schema": {
                            "type": "object",
                            "properties": {"example": {"type": "object", "properties": {"a": {"example": 1}}}},
                        },
                        "example": {"example": {"b": 1}},
                    }
                }
            }
        ),
        'request body, example/example/b: "b" is not declared',
    ),
]


@pytest.mark.parametrize(("document", "words"), [case[1:] for case in LOCATIONS], ids=[case[0] for case in LOCATIONS])
def test_examples_are_found_at_every_location(document: dict[str, Any], words: str) -> None:
    """An example that violates its schema is found at every possible location, with the value."""
    found = [str(finding) for finding in check_contract(document)]
    assert len(found) == 1, found
    assert re.search(words, found[0]), found


@pytest.mark.parametrize(
    "document",
    [
        small(),
        small(requestBody={"content": {"a/b": {"schema": THING, "examples": {"x": {"externalValue": "x.json"}}}}}),
        small(
            requestBody={
                "content": {
                    "a/b": {
                        "schema": {
                            "type": "object",
                            "properties": {"properties": {"type": "object"}, "example": {"type": "integer"}},
                        }
                    }
                }
            }
        ),
        on_path(small(), summary="s", **{"x-more": {"get": 1}}),
    ],
    ids=["no body at all", "external example", "properties with names of keywords", "extension"],
)
def test_valid_documents_have_no_findings(document: dict[str, Any]) -> None:
    """None of these is a mistake."""
    assert check_contract(document) == []


def test_many_findings_are_shortened() -> None:
    """A message stays readable, and contains the number of omitted findings."""
    parameters = [{**BAD_PARAMETER, "name": f"n{number}"} for number in range(25)]
    with pytest.raises(PipelineError, match=r"(?s)at 25 locations.*parameter n19.*… and 5 more$") as caught:
        require_valid(small(parameters=parameters), "contract")
    assert "n20" not in str(caught.value)
