"""Conversion: what an OpenAPI 3.0 schema lets through, with objects closed and as they are."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from contentgroove._openapi.schemas import bundle, has_subschemas, map_subschemas, to_json_schema, validator_schema

A: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}}
B: dict[str, Any] = {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]}
COMPONENTS = {"A": A, "B": B, "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}}


def accepts(schema: dict[str, Any], value: object, *, closed: bool = True) -> bool:
    """Whether a value fits a schema."""
    complete = validator_schema(schema, bundle(COMPONENTS, closed=closed), closed=closed)
    return jsonschema_rs.Draft202012Validator(complete, validate_formats=True).is_valid(value)


def reference(name: str) -> dict[str, str]:
    """Refer to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "fitting", "closed_out"),
    [
        (A, {"a": 1}, {"a": 1, "x": 1}),
        ({"properties": {"a": {}}}, {"a": 1}, {"x": 1}),
        (reference("A"), {"a": 1}, {"x": 1}),
        (reference("Node"), {"next": {"next": {}}}, {"next": {"next": {"x": 1}}}),
        ({"type": "array", "items": A}, [{"a": 1}], [{"x": 1}]),
        ({"type": "object", "properties": {"in": A}}, {"in": {"a": 1}}, {"in": {"x": 1}}),
        ({"type": "object", "additionalProperties": A}, {"any": {"a": 1}}, {"any": {"x": 1}}),
        # All parts of an allOf together say what is declared, whether the type stands beside them or not.
        ({"allOf": [A, B]}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "x": 1}),
        ({"allOf": [reference("A"), reference("B")]}, {"a": 1, "b": 1}, {"b": 1, "x": 1}),
        ({**A, "allOf": [B]}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "x": 1}),
        ({"allOf": [{"allOf": [A]}, B]}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "x": 1}),
        ({"allOf": [{"type": "object", "properties": {"in": A}}]}, {"in": {"a": 1}}, {"in": {"x": 1}}),
        # Of alternatives, the one that fits says it.
        ({"oneOf": [A, B]}, {"b": 1}, {"b": 1, "x": 1}),
        ({"anyOf": [A, B]}, {"a": 1}, {"x": 1}),
        # Members beside alternatives count for each of them.
        ({**A, "oneOf": [B]}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "x": 1}),
        ({"allOf": [A], "anyOf": [B]}, {"a": 1, "b": 1}, {"a": 1, "b": 1, "x": 1}),
    ],
)
def test_closed_objects_refuse_what_is_not_declared(
    schema: dict[str, Any], fitting: object, closed_out: object
) -> None:
    """A member that no part of the schema declares is refused when closed."""
    assert accepts(schema, fitting)
    assert not accepts(schema, closed_out)


@pytest.mark.parametrize("schema", [A, {"allOf": [A, reference("A")]}, {**A, "anyOf": [reference("A")]}])
def test_open_objects_take_more(schema: dict[str, Any]) -> None:
    """As OpenAPI has it, an undeclared member is allowed."""
    assert accepts(schema, {"a": 1, "x": 1}, closed=False)


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        # OpenAPI 3.0.3, Schema Object: `nullable` allows null in addition to the type; without a type it says nothing.
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string", "nullable": False}, None, False),
        ({"type": "string"}, None, False),
        ({"type": "string", "nullable": True, "enum": ["a"]}, None, True),
        ({"type": "string", "nullable": True, "enum": ["a"]}, "b", False),
        ({"nullable": True, "allOf": [{"type": "string"}]}, None, False),
        # Boolean in 3.0, a number in JSON Schema.
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 1, False),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, 2, True),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, 1, True),
        ({"type": "integer", "maximum": 3, "exclusiveMaximum": True}, 3, False),
        # Formats are checked.
        ({"type": "string", "format": "date-time"}, "2025-10-15T13:51:02.558Z", True),
        ({"type": "string", "format": "date-time"}, "2025-10-15 13:51", False),
        ({"type": "string", "format": "uri"}, "https://e.com/a?b=c", True),
        ({"type": "string", "format": "uri"}, "(an example) https://e.com", False),
        ({"type": "string", "format": "uuid"}, "2b6e6a5f-6c0e-4a0c-9d0b-000000000000", True),
        ({"type": "string", "format": "uuid"}, "7", False),
        # Our spelling of propertyNames.
        ({"type": "object", "x-propertyNames": {"pattern": "_eq$"}, "additionalProperties": {}}, {"a_eq": 1}, True),
        ({"type": "object", "x-propertyNames": {"pattern": "_eq$"}, "additionalProperties": {}}, {"a": 1}, False),
        # Below `not`, an undeclared member does not decide.
        ({"type": "object", "additionalProperties": {}, "not": {**A, "required": ["a"]}}, {"a": 1, "x": 1}, False),
        # A property may bear a keyword's name.
        ({"type": "object", "properties": {"nullable": {"type": "string"}, "example": A}}, {"nullable": "x"}, True),
        ({"type": "object", "properties": {"nullable": {"type": "string"}, "example": A}}, {"nullable": 1}, False),
    ],
)
def test_the_dialect_of_openapi_3_0(schema: dict[str, Any], value: object, *, fits: bool) -> None:
    """Keywords that OpenAPI 3.0 spells differently mean the same after conversion."""
    assert accepts(schema, value) is fits


def test_conversion_leaves_the_schema_alone() -> None:
    """The document's own schema is not changed."""
    schema: dict[str, Any] = {"type": "string", "nullable": True, "enum": ["a"]}
    accepts(schema, None)
    assert schema == {"type": "string", "nullable": True, "enum": ["a"]}


@pytest.mark.parametrize(
    ("schema", "value", "fits"),
    [
        # OpenAPI 3.1 is JSON Schema already; what its keywords contain is closed as well.
        ({"type": ["object", "null"], "properties": {"a": {"const": 1}}}, None, True),
        ({"type": ["object", "null"], "properties": {"a": {"const": 1}}}, {"a": 1}, True),
        ({"type": "array", "prefixItems": [reference("A")], "items": False}, [{"a": 1}], True),
        ({"type": "array", "prefixItems": [reference("A")], "items": False}, [{"x": 1}], False),
        ({"type": "array", "prefixItems": [reference("A")], "items": False}, [{"a": 1}, 2], False),
        ({"type": "integer", "exclusiveMinimum": 1}, 1, False),
        ({"type": "object", "patternProperties": {"^a": A}, "additionalProperties": {}}, {"ab": {"x": 1}}, False),
        # Below a condition, an undeclared member does not decide.
        ({**B, "properties": {"a": {}, "b": {}, "x": {}}, "if": A, "then": False}, {"a": 1, "b": 1, "x": 1}, False),
        ({"type": "array", "contains": B}, [{"b": 1, "x": 1}], True),
    ],
)
def test_the_dialect_of_openapi_3_1(schema: dict[str, Any], value: object, *, fits: bool) -> None:
    """Keywords of JSON Schema keep their meaning."""
    assert accepts(schema, value) is fits


def test_subschemas_are_found_where_the_keyword_has_them() -> None:
    """One schema, a list of them or several by name; a value of another form contains none."""
    seen: list[Any] = []

    def see(schema: Any) -> Any:
        seen.append(schema)
        return schema

    for keyword, value in (("items", A), ("allOf", [A, B]), ("properties", {"a": A, "b": True})):
        assert has_subschemas(keyword, value)
        assert map_subschemas(keyword, value, see) == value
    assert seen == [A, A, B, A, True]
    for keyword, other in (("allOf", A), ("properties", [A]), ("enum", [A]), ("title", A)):
        assert not has_subschemas(keyword, other)
        assert map_subschemas(keyword, other, see) is other
    assert to_json_schema(schema=False, closed=True) is False
