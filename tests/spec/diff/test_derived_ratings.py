"""Edits whose ratings were derived from OpenAPI, JSON Schema and the direction of the value, in both directions."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from contentgroove_spec.changes import Direction, Rating
from contentgroove_spec.compare import compare

from .conftest import CORPUS
from .public.restated import patched
from .small_documents import around, component, document

EDITS: dict[str, dict[str, Any]] = yaml.safe_load((CORPUS / "derived" / "schemas.yaml").read_text(encoding="utf-8"))
SERVER = {
    "url": "https://{region}.example.com/v1",
    "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}},
}
TENANT = {"url": "https://{tenant}.example.com/v1", "variables": {"tenant": {"default": "demo"}}}


def with_property(edit: dict[str, Any], side: str, direction: Direction) -> dict[str, Any]:
    """A document with one side of an edit in a property that is sent or received."""
    version = edit.get("version", "3.0.3")
    version = version if isinstance(version, str) else version[side == "new"]
    schema = {"type": "object", "properties": {"value": edit[side]}}
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": content} if direction is Direction.SENT else {"responses": {"200": content}}
    schemas = edit.get("components") or edit.get(f"{side}_components", {})
    return document({"/things": {"post": operation}}, version=version, components={"schemas": schemas})


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize("name", list(EDITS))
def test_the_rating_of_an_edit(name: str, direction: Direction) -> None:
    """The gravest rating is the derived one; the version of OpenAPI itself is a text."""
    edit = EDITS[name]
    comparison = compare(*(with_property(edit, side, direction) for side in ("old", "new")))
    ratings = [str(change.rating) for change in comparison.changes if change.subject.pointer != "/openapi"]
    assert [*ratings, "none"][0] == edit[direction]
    assert comparison.not_compared == ()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([SERVER], [{"url": "https://eu.example.com/v1"}], {"server-removed"}),
        ([{"url": "https://eu.example.com/v1"}], [SERVER], {"server-added"}),
        ([SERVER], [{"url": "https://eu.example.com/v1"}, {"url": "https://us.example.com/v1"}], set[str]()),
        ([TENANT], [{"url": "https://demo.example.com/v1"}], {"server-removed"}),
        ([TENANT], [{**TENANT, "url": "https://{tenant}.example.com/v1/"}], set[str]()),
    ],
)
def test_the_values_of_server_variables_are_servers(old: list[Any], new: list[Any], expected: set[str]) -> None:
    """A variable stands for the URLs of all its values, however the document writes them."""
    comparison = compare(*(document({"/a": {"get": {}}}, servers=servers) for servers in (old, new)))
    assert {change.rule for change in comparison.changes} == expected


@pytest.mark.parametrize("content", ["application/octet-stream", "image/png"])
def test_a_body_of_bytes_needs_no_schema(content: str) -> None:
    """OpenAPI 3.1 writes no schema where 3.0 wrote the format `binary`."""
    schema = {"schema": {"type": "string", "format": "binary"}}
    old, new = (
        document({"/a": {"post": {"requestBody": {"content": {content: media}}}}}, version=version)
        for version, media in (("3.0.3", schema), ("3.1.0", {}))
    )
    assert {change.subject.pointer for change in compare(old, new).changes} == {"/openapi"}


CALLBACK: dict[str, Any] = {"{$request.body#/url}": {"post": {"responses": {}}}}
FULL: dict[str, Any] = {
    "servers": [SERVER],
    "paths": {
        "/a": {
            "post": {
                "responses": {"200": {"description": ""}},
                "callbacks": {"done": CALLBACK},
                "requestBody": {"content": {"multipart/form-data": {"encoding": {"a": {"contentType": "image/png"}}}}},
                "security": [{"login": []}],
            }
        }
    },
    "components": {
        "examples": {"One": {"value": 1}},
        "links": {"Next": {"operationId": "next"}},
        "securitySchemes": {"login": {"type": "oauth2", "flows": {"implicit": {"scopes": {}}}}},
    },
}
POST = "/paths/~1a/post"


@pytest.mark.parametrize(
    ("holder", "name", "rule"),
    [
        ("/servers/0", "description", "text-added"),
        ("/servers/0/variables/region", "description", "text-added"),
        ("/components", "x-a", "text-added"),
        ("/components/examples/One", "summary", "example-changed"),
        ("/components/links/Next", "description", "text-changed"),
        ("/components/securitySchemes/login/flows", "x-a", "text-added"),
        ("/components/securitySchemes/login/flows/implicit", "x-a", "text-added"),
        ("/paths", "x-a", "text-added"),
        (f"{POST}/responses", "x-a", "text-added"),
        (f"{POST}/callbacks/done", "x-a", "text-added"),
        (f"{POST}/requestBody/content/multipart~1form-data/encoding/a", "x-a", "text-added"),
    ],
)
def test_no_text_is_overlooked(holder: str, name: str, rule: str) -> None:
    """What is added for readers is found, so that the headline is true."""
    old = document(**FULL)
    new = patched(old, [{"op": "add", "path": f"{holder}/{name}", "value": "new"}])
    assert [change.rule for change in compare(old, new).changes] == [rule]
    assert all(change.rating is Rating.DOCUMENTATION for change in compare(old, new).changes)


def test_what_stands_next_to_a_reference_is_compared() -> None:
    """In OpenAPI 3.1, a description and `deprecated` next to a `$ref` count, and the component is compared once."""
    old = around(component("Text"), version="3.1.0", Text={"type": "string"})
    schema = {**component("Text"), "description": "new", "deprecated": True}
    new = around(schema, version="3.1.0", Text={"type": "string", "maxLength": 9})
    comparison = compare(old, new)
    assert sorted(change.rule for change in comparison.changes) == [
        "deprecation-added",
        "deprecation-added",
        "max-length-tightened",
        "text-added",
        "text-added",
    ]


def test_the_timestamp_of_an_unused_example_is_a_text() -> None:
    """The mirror rewrites it at each release, whether or not an operation refers to the example."""
    old, new = (
        document(components={"examples": {"One": {"value": {"at": f"{day}T10:00:00Z"}}}})
        for day in ("2025-01-01", "2025-02-02")
    )
    assert [change.rule for change in compare(old, new).changes] == ["example-timestamps-changed"]
