"""Schemas that are named by `$id`, `$anchor` and `$dynamicAnchor`, in references of every kind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.identifiers import References
from contentgroove.tools.argument_checks import check_arguments, compile_schema
from contentgroove.tools.results import ToolError

from tests.tools.test_requests import compiled

SCHEMAS: dict[str, Any] = {
    "Plain": {"type": "integer"},
    "Anchored": {"$anchor": "here", "type": "string", "$defs": {"in": {"$anchor": "inner", "type": "boolean"}}},
    "Tree": {
        "$id": "https://example.com/schemas/tree",
        "$anchor": "here",
        "type": "object",
        "properties": {
            "leaf": {"$ref": "#/$defs/leaf"},
            "next": {"$ref": "#"},
            "other": {"$ref": "other"},
            "absolute": {"$ref": "https://example.com/schemas/other#deep"},
            "component": {"$ref": "#/components/schemas/Plain"},
            "again": {"$ref": "#here"},
        },
        "$defs": {"leaf": {"type": "integer"}},
    },
    "Other": {
        "$id": "https://example.com/schemas/other",
        "type": "boolean",
        "$defs": {"d": {"$anchor": "deep", "const": 7}},
    },
    "Urn": {"$id": "urn:example:a", "properties": {"x": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"const": 1}}},
    "Example": {"type": "object", "example": {"$id": "https://example.com/schemas/other", "$anchor": "here"}},
}


def accepts(schema: Any, value: Any, schemas: Any = None) -> bool:
    """Return whether a tool whose body has a schema accepts a value."""
    content = {"application/json": {"schema": schema}}
    components = {"schemas": schemas or SCHEMAS}
    operation = compiled({"requestBody": {"content": content}}, openapi="3.1.0", components=components)
    try:
        check_arguments(compile_schema(operation.input_schema, "it"), {"body": value}, "it")
    except ToolError:
        return False
    return True


@pytest.mark.parametrize(
    ("reference", "good", "wrong"),
    [
        ("#/components/schemas/Plain", 1, "x"),
        ("#here", "x", 1),
        ("#inner", True, 1),
        ("https://example.com/schemas/other", True, 1),
        ("https://example.com/schemas/other#deep", 7, 8),
        ("https://example.com/schemas/other#/$defs/d", 7, 8),
        ("#/components/schemas/Other/$defs/d", 7, 8),
        ("https://example.com/schemas/tree", {"leaf": 1}, {"leaf": "x"}),
        ("#/components/schemas/Tree", {"next": {"leaf": 1}}, {"next": {"leaf": "x"}}),
        ("#/components/schemas/Tree", {"other": True}, {"other": 1}),
        ("#/components/schemas/Tree", {"absolute": 7}, {"absolute": 8}),
        ("#/components/schemas/Tree", {"component": 1}, {"component": "x"}),
        ("#/components/schemas/Tree", {"again": {"leaf": 1}}, {"again": {"leaf": "x"}}),
        ("#/components/schemas/Tree/properties/next", {"leaf": 1}, {"leaf": "x"}),
        ("#/components/schemas/Urn", {"x": 1}, {"x": 2}),
        ("urn:example:a#/$defs/x", 1, 2),
    ],
)
def test_references(reference: str, good: Any, wrong: Any) -> None:
    """Each is relative to the nearest `$id` around it; the document's own pointers work everywhere."""
    assert accepts({"$ref": reference}, good)
    assert not accepts({"$ref": reference}, wrong)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("#nowhere", "has no anchor 'nowhere'"),
        ("#twice", "has more than one anchor 'twice'"),
        ("https://example.com/schemas/tree#nowhere", "has no anchor"),
        ("https://example.com/schemas/tree#/nowhere", "has nothing at"),
        ("https://example.com/unknown", "leads to another document"),
        ("other.yaml#/a", "leads to another document"),
        ("", "leads to another document|leads in a circle"),
    ],
)
def test_references_that_name_nothing(reference: str, message: str) -> None:
    """The error names the reference."""
    document = {"a": {"$anchor": "twice"}, "b": {"$anchor": "twice"}, "schemas": SCHEMAS}
    if reference == "":
        assert References(document).follow("#").schema is document
        return
    with pytest.raises(DocumentError, match=message):
        References(document).follow(reference)


def page(name: str, item: Any) -> dict[str, Any]:
    """Extend the template by what its items are."""
    return {
        "$id": f"https://example.com/{name}",
        "$defs": {"item": {"$dynamicAnchor": "item", **item}},
        "$ref": "https://example.com/page",
    }


GENERIC: dict[str, Any] = {
    "Page": {
        "$id": "https://example.com/page",
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"$dynamicRef": "#item"}}, "next": {"$ref": "#"}},
        "$defs": {"item": {"$dynamicAnchor": "item", "not": {}}},
    },
    "Numbers": page("numbers", {"type": "integer"}),
    "Texts": page("texts", {"type": "string"}),
    "Node": {
        "$dynamicAnchor": "node",
        "type": "object",
        "properties": {"child": {"$dynamicRef": "#node"}, "n": {"type": "integer"}},
    },
}


@pytest.mark.parametrize(
    ("name", "good", "wrong"),
    [
        ("Numbers", {"items": [1]}, {"items": ["x"]}),
        ("Texts", {"items": ["x"]}, {"items": [1]}),
        ("Numbers", {"next": {"items": [1]}}, {"next": {"items": ["x"]}}),
        ("Page", {"items": []}, {"items": [1]}),
        ("Node", {"child": {"n": 1}}, {"child": {"n": "x"}}),
    ],
)
def test_dynamic_references(name: str, good: Any, wrong: Any) -> None:
    """The outermost schema with the anchor counts (JSON Schema 2020-12, 8.2.3.2), so that a template has many uses."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    assert accepts(schema, good, GENERIC)
    assert not accepts(schema, wrong, GENERIC)


def test_what_is_evaluated_beside_a_reference() -> None:
    """The properties that a reference names are known to `unevaluatedProperties` beside it."""
    named = {"$ref": "#/components/schemas/Named"}
    schemas = {"Named": {"type": "object", "properties": {"a": {"type": "integer"}}}}
    closed = {**named, "allOf": [{"properties": {"b": True}}], "unevaluatedProperties": False}
    assert accepts(closed, {"a": 1, "b": 2}, schemas)
    assert not accepts(closed, {"a": "x"}, schemas)
    assert not accepts(closed, {"c": 1}, schemas)


def test_what_is_beside_a_reference() -> None:
    """It counts in OpenAPI 3.1, and does not in 3.0."""
    schema = {"$ref": "#/components/schemas/Plain", "minimum": 5}
    assert accepts(schema, 5)
    assert not accepts(schema, 4)
    assert not accepts(schema, "x")
    content = {"application/json": {"schema": schema}}
    operation = compiled({"requestBody": {"content": content}}, components={"schemas": SCHEMAS})
    assert json.dumps(operation.input_schema).count("minimum") == 0
