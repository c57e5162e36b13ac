"""What is the same on the wire is not a change, however it is written."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove_spec.compare import compare

from .small_documents import around, component, document, query, with_parameters

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
    "required": ["a"],
}
CAT: dict[str, Any] = {"type": "object", "properties": {"kind": {"enum": ["cat"]}, "name": {"type": "string"}}}
DOG: dict[str, Any] = {"type": "object", "properties": {"kind": {"enum": ["dog"]}, "age": {"type": "integer"}}}
TREE: dict[str, Any] = {"type": "object", "properties": {"parts": {"type": "array", "items": component("Tree")}}}
WOOD: dict[str, Any] = {"type": "object", "properties": {"parts": {"type": "array", "items": component("Wood")}}}

SCHEMAS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "inline and component": (around(OBJECT), around(component("A"), A=OBJECT)),
    "a renamed component": (around(component("A"), A=OBJECT), around(component("B"), B=OBJECT)),
    "a renamed recursive component": (around(component("Tree"), Tree=TREE), around(component("Wood"), Wood=WOOD)),
    "a component that refers to another": (
        around(component("A"), A=OBJECT),
        around(component("B"), A=OBJECT, B=component("A")),
    ),
    "allOf of one": (around(component("A"), A=OBJECT), around({"allOf": [component("A")]}, A=OBJECT)),
    "allOf of parts": (
        around(OBJECT),
        around(
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "string"}}},
                    {"properties": {"b": {"type": "integer"}}, "required": ["a"]},
                ]
            }
        ),
    ),
    "oneOf of one": (around(OBJECT), around({"oneOf": [OBJECT]})),
    "the order of branches": (
        around({"oneOf": [component("Cat"), component("Dog")]}, Cat=CAT, Dog=DOG),
        around({"oneOf": [component("Dog"), component("Cat")]}, Cat=CAT, Dog=DOG),
    ),
    "the order of inline branches": (around({"anyOf": [CAT, DOG]}), around({"anyOf": [DOG, CAT]})),
    "a renamed branch": (
        around({"oneOf": [component("Cat"), component("Dog")]}, Cat=CAT, Dog=DOG),
        around({"oneOf": [component("Cat"), component("Hound")]}, Cat=CAT, Hound=DOG),
    ),
    "a mapping that is written out": (
        around(
            {"oneOf": [component("Cat"), component("Dog")], "discriminator": {"propertyName": "kind"}}, Cat=CAT, Dog=DOG
        ),
        around(
            {
                "oneOf": [component("Cat"), component("Dog")],
                "discriminator": {"propertyName": "kind", "mapping": {"Cat": "Cat", "Dog": component("Dog")["$ref"]}},
            },
            Cat=CAT,
            Dog=DOG,
        ),
    ),
    "the order of types": (
        around({"type": ["string", "null"]}, version="3.1.0"),
        around({"type": ["null", "string"]}, version="3.1.0"),
    ),
    "a list of one type": (around({"type": "string"}, version="3.1.0"), around({"type": ["string"]}, version="3.1.0")),
    "null as a branch": (
        around({"type": ["string", "null"]}, version="3.1.0"),
        around({"anyOf": [{"type": "string"}, {"type": "null"}]}, version="3.1.0"),
    ),
    "types as branches": (
        around({"type": ["string", "integer"]}, version="3.1.0"),
        around({"oneOf": [{"type": "integer"}, {"type": "string"}]}, version="3.1.0"),
    ),
    "const and enum": (around({"const": "a"}, version="3.1.0"), around({"enum": ["a"]}, version="3.1.0")),
    "the type of an enum": (around({"enum": ["a", "b"]}), around({"type": "string", "enum": ["b", "a"]})),
    "numbers": (around({"type": "number", "maximum": 1}), around({"type": "number", "maximum": 1.0})),
    "whole numbers": (
        around({"type": "integer", "minimum": 1}, version="3.1.0"),
        around({"type": "integer", "exclusiveMinimum": 0}, version="3.1.0"),
    ),
    "defaults": (
        around({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array", "items": {}}}}),
        around(
            {
                "type": "object",
                "additionalProperties": True,
                "minProperties": 0,
                "required": [],
                "properties": {
                    "a": {"type": "string", "minLength": 0, "nullable": False, "readOnly": False, "deprecated": False},
                    "b": {"type": "array", "items": {}, "minItems": 0, "uniqueItems": False},
                },
            }
        ),
    ),
    "a parameter in the path item": (
        document({"/things": {"get": {"parameters": [query("q")]}}}),
        document({"/things": {"parameters": [query("q")], "get": {}}}),
    ),
    "defaults of a parameter": (
        with_parameters(query("q")),
        with_parameters(query("q", style="form", explode=True, required=False, allowReserved=False, deprecated=False)),
    ),
    "a name in another encoding": (with_parameters(query("filter[a]")), with_parameters(query("filter%5Ba%5D"))),
    "an ignored header": (
        with_parameters({"name": "Authorization", "in": "header", "schema": {"type": "string"}}),
        with_parameters(),
    ),
    "the order of security": (
        document({"/a": {"get": {"security": [{"a": []}, {"b": ["x", "y"]}]}}}),
        document({"/a": {"get": {"security": [{"b": ["y", "x"]}, {"a": []}]}}}),
    ),
    "a renamed security scheme": (
        document({"/a": {"get": {"security": [{"a": []}]}}}, components={"securitySchemes": {"a": {"type": "http"}}}),
        document({"/a": {"get": {"security": [{"b": []}]}}}, components={"securitySchemes": {"b": {"type": "http"}}}),
    ),
    "a server's spelling": (
        document(servers=[{"url": "HTTPS://API.example.com:443/v1/"}]),
        document(servers=[{"url": "https://api.example.com/v1"}]),
    ),
    "a server without a scheme": (
        document({"/a": {"get": {}}}, servers=[{"url": "api.example.com/v1"}]),
        document({"/v1/a": {"get": {}}}, servers=[{"url": "//api.example.com"}]),
    ),
    "a relative server": (
        document({"/a": {"get": {}}}, servers=[{"url": "v1"}]),
        document({"/v1/a": {"get": {}}}, servers=[{"url": "/"}]),
    ),
    "the encoding of UTF-8": (
        document({"/a": {"post": {"requestBody": {"content": {"application/json": {}}}}}}),
        document({"/a": {"post": {"requestBody": {"content": {"Application/JSON; charset=utf-8": {}}}}}}),
    ),
    "a form's default encoding": (
        document({"/a": {"post": {"requestBody": {"content": {"multipart/form-data": {"schema": OBJECT}}}}}}),
        document(
            {
                "/a": {
                    "post": {
                        "requestBody": {
                            "content": {
                                "multipart/form-data": {
                                    "schema": OBJECT,
                                    "encoding": {"a": {"contentType": "text/plain", "style": "form", "explode": True}},
                                }
                            }
                        }
                    }
                }
            }
        ),
    ),
    "statuses as numbers": (
        document({"/a": {"get": {"responses": {200: {"description": ""}}}}}),
        document({"/a": {"get": {"responses": {"200": {"description": ""}}}}}),
    ),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_no_change(case: str) -> None:
    """Neither direction has a change that matters on the wire, and everything was compared."""
    old, new = SCHEMAS[case]
    for before, after in ((old, new), (new, old)):
        comparison = compare(before, after)
        moved = [change for change in comparison.changes if change.rule not in {"base-path-moved", "component-added"}]
        assert [change.what for change in moved if change.rule != "component-removed"] == []
        assert comparison.not_compared == ()


def test_siblings_of_a_reference() -> None:
    """Next to `$ref`, keywords apply in OpenAPI 3.1, and are ignored in 3.0."""
    text = {"type": "string", "maxLength": 9}
    for version, expected in (("3.0.3", []), ("3.1.0", ["max-length-tightened"])):
        old = around(component("Text"), version=version, Text=text)
        new = around({**component("Text"), "maxLength": 5}, version=version, Text=text)
        assert sorted({change.rule for change in compare(old, new).changes}) == expected


def test_the_same_words_of_another_version() -> None:
    """A document that becomes OpenAPI 3.1 gets the siblings of its references."""
    schema = {**component("Text"), "maxLength": 5}
    old, new = (around(schema, version=version, Text={"type": "string"}) for version in ("3.0.3", "3.1.0"))
    rules = {change.rule for change in compare(old, new).changes}
    assert rules == {"max-length-tightened", "text-changed"}


def test_a_document_in_another_form_is_not_identical() -> None:
    """Only the same content is identical."""
    old, new = SCHEMAS["allOf of one"]
    assert not compare(old, new).identical
    assert compare(old, dict(reversed(old.items()))).identical
