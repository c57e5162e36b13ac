from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove.tools.argument_checks import check_arguments, compile_schema
from contentgroove.tools.compilation import Compiled, compile_document
from contentgroove.tools.operation_tools import contract_operations
from contentgroove.tools.results import ToolError

if TYPE_CHECKING:
    from contentgroove.tools.operations import Operation


def whole(paths: dict[str, Any], *, closed: bool = False, **document: Any) -> Compiled:
    """Compile a document."""
    content = {"openapi": "3.0.3", "info": {"title": "T"}, "paths": paths, **document}
    return compile_document(parse(json.dumps(content), "it"), "", closed=closed)


def compiled(operation: dict[str, Any], path: str = "/things", *, closed: bool = False, **document: Any) -> Operation:
    """Make the operation of a document that has one."""
    made = whole({path: {"post": operation}}, closed=closed, **document)
    assert made.left_out == []
    return made.operations[0]


def left_out(operation: dict[str, Any], path: str = "/things", **document: Any) -> str:
    """Return why an operation is left out, beside one that is not."""
    made = whole({path: {"post": operation}, "/good": {"get": {}}}, **document)
    assert [operation.name for operation in made.operations] == ["good.getGood"]
    (only,) = made.left_out
    assert (only.method, only.path) == ("POST", path)
    return only.reason


def body(schema: Any, *, closed: bool = False, **document: Any) -> Any:
    """Give what the schema of a JSON body becomes."""
    content = {"application/json": {"schema": schema}}
    made = compiled({"requestBody": {"required": True, "content": content}}, closed=closed, **document)
    return made.input_schema


def refused(schema: dict[str, Any], arguments: Any) -> dict[str, str]:
    """Give each field that does not fit, with what is wrong; empty if all fit."""
    try:
        check_arguments(compile_schema(schema, "it"), arguments, "it")
    except ToolError as error:
        return {problem["field"]: problem["problem"] for problem in error.details}
    return {}


def test_older_schemas_become_json_schema() -> None:
    """OpenAPI 3.0's null, bounds and read-only properties mean what they mean; decoration is left out."""
    schema = {
        "type": "object",
        "required": ["id", "size"],
        "xml": {"name": "x"},
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "nullable": True, "example": 3},
            "kind": {"type": "string", "enum": ["a"], "nullable": True},
            "open": {"type": "integer", "maximum": 9, "exclusiveMaximum": False},
            "any": {"nullable": True, "oneOf": [{"type": "string"}, {"type": "boolean"}]},
        },
    }
    made = body(schema)["properties"]["body"]
    assert made["required"] == ["size"]
    assert made["properties"] == {
        "size": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "kind": {"type": ["string", "null"], "enum": ["a", None]},
        "open": {"type": "integer", "maximum": 9},
        "any": {"anyOf": [{"oneOf": [{"type": "string"}, {"type": "boolean"}]}, {"type": "null"}]},
    }
    assert "xml" not in made


def test_schemas_that_contain_themselves() -> None:
    """A tree keeps its reference, within the tool's own schema, and is checked to its leaves."""
    tree = {"type": "object", "properties": {"n": {"type": "integer"}, "next": {"$ref": "#/components/schemas/Tree"}}}
    schema = body({"$ref": "#/components/schemas/Tree"}, components={"schemas": {"Tree": tree}})
    assert schema["$defs"]["Tree"]["properties"]["next"] == {"$ref": "#/$defs/Tree"}
    check_arguments(compile_schema(schema, "it"), {"body": {"next": {"next": {"n": 1}}}}, "it")
    assert refused(schema, {"body": {"next": {"next": {"n": "x"}}}}) == {
        "body.next.next.n": '"x" is not of type "integer"'
    }


def test_small_schemas_are_written_out() -> None:
    """Some hosts follow no references, so a small one without further references is copied."""
    schema = body(
        {"$ref": "#/components/schemas/A", "description": "mine"},
        components={"schemas": {"A": {"type": "string", "description": "its own"}}},
    )
    assert schema["properties"]["body"] == {"type": "string", "description": "mine"}
    assert "$defs" not in schema


def test_references_do_not_multiply() -> None:
    """Schemas that refer to each other twice, level over level, stay as many as they are."""
    schemas: dict[str, Any] = {
        f"A{level}": {
            "type": "object",
            "description": "x" * 1000,
            "properties": {side: {"$ref": f"#/components/schemas/A{level + 1}"} for side in "lr"},
        }
        for level in range(60)
    }
    schemas["A60"] = {"type": "string", "description": "x" * 2000}
    schema = body({"$ref": "#/components/schemas/A0"}, components={"schemas": schemas})
    assert len(schema["$defs"]) == 61


def test_chains_of_references_have_no_limit() -> None:
    """Schemas that refer to each other over thousands of levels are converted one after the other."""
    schemas: dict[str, Any] = {
        f"A{level}": {"properties": {"next": {"$ref": f"#/components/schemas/A{level + 1}"}}} for level in range(1500)
    }
    schemas["A1500"] = {"type": "string"}
    schema = body({"$ref": "#/components/schemas/A0"}, components={"schemas": schemas})
    nested: Any = 5
    for _ in range(90):
        nested = {"next": nested}
    assert refused(schema, {"body": {"next": {"next": 5}}}) == {}
    assert refused(schema, {"body": nested}) == {}


@pytest.mark.parametrize("closed", [True, False])
def test_closed_objects(closed: bool) -> None:  # noqa: FBT001 - a case
    """Objects that list their properties can be closed, except where another schema adds to them."""
    schema = body(
        {
            "type": "object",
            "properties": {
                "a": {"type": "object", "properties": {"b": {}}},
                "free": {"type": "object", "properties": {"b": {}}, "additionalProperties": True},
                "both": {"allOf": [{"type": "object", "properties": {"c": {}}}]},
            },
        },
        closed=closed,
    )
    properties = schema["properties"]["body"]["properties"]
    assert properties["a"].get("additionalProperties") is (False if closed else None)
    assert properties["free"]["additionalProperties"] is True
    assert "additionalProperties" not in properties["both"]["allOf"][0]


def test_parameters() -> None:
    """The operation's parameters replace the path's; those with equal names get the location as a prefix."""
    made = compiled(
        {
            "parameters": [
                {"name": "id", "in": "query", "schema": {"type": "integer"}},
                {"name": "Authorization", "in": "header", "schema": {}},
                {"name": "filter[name]", "in": "query", "description": " D ", "example": "e", "schema": {}},
                {"name": "body", "in": "query", "schema": {}},
                {"name": "q", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                {"$ref": "#/components/parameters/Id"},
            ],
            "requestBody": {"content": {"text/csv": {}}},
        },
        "/things/{id}",
        components={"parameters": {"Id": {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}}},
    )
    assert [
        (parameter.argument, parameter.name, parameter.location, parameter.media_type) for parameter in made.parameters
    ] == [
        ("id", "id", "path", ""),
        ("query_id", "id", "query", ""),
        ("filter_name_", "filter[name]", "query", ""),
        ("query_body", "body", "query", ""),
        ("q", "q", "query", "application/json"),
    ]
    assert made.input_schema["required"] == ["id"]
    assert made.input_schema["properties"]["filter_name_"] == {"description": "D", "examples": ["e"]}
    assert made.input_schema["properties"]["body"] == {"type": "string"}
    assert made.body is not None
    assert (made.body.media_type, made.body.kind) == ("text/csv", "text")


def test_an_operations_parameter_replaces_its_paths() -> None:
    """The same name at the same location is one parameter, as the operation declares it."""
    shared = {"name": "size", "in": "query", "schema": {"type": "string"}}
    own = shared | {"schema": {"type": "integer"}}
    item = {"parameters": [shared], "get": {"parameters": [own]}, "delete": {}}
    get, delete = whole({"/a": item}).operations
    assert get.input_schema["properties"] == {"size": {"type": "integer"}}
    assert delete.input_schema["properties"] == {"size": {"type": "string"}}


@pytest.mark.parametrize(
    ("operation", "path", "message"),
    [
        ({"parameters": [{"in": "query"}]}, "/a", "without a name"),
        ({"parameters": [{"name": "a", "in": "body"}]}, "/a", "outside path, header, query, cookie"),
        ({}, "/a/{b}", "does not describe"),
        ({"parameters": [{"$ref": "#/x"}]}, "/a", "nothing at '#/x'"),
        ({"parameters": [{"$ref": "other.yaml#/x"}]}, "/a", "'other.yaml#/x' leads to another document"),
        ({"requestBody": {"$ref": "https://example.com/a#/x"}}, "/a", "leads to another document"),
        ({"parameters": [{"name": "a", "in": "query", "style": "matrix"}]}, "/a", "the style 'matrix', which query"),
        ({"requestBody": {"content": {"application/json": {"schema": {"type": 3}}}}}, "/a", "not a valid JSON Schema"),
    ],
)
def test_operations_that_are_not_supported(operation: dict[str, Any], path: str, message: str) -> None:
    """An operation that cannot be called is left out with the reason; the others are tools."""
    assert message in left_out(operation, path)


def test_similar_names_of_parameters() -> None:
    """Parameters whose names become the same are numbered."""
    made = compiled({"parameters": [{"name": f"a{sign}b", "in": "query"} for sign in "[]("]})
    assert [(parameter.argument, parameter.name) for parameter in made.parameters] == [
        ("a_b", "a[b"),
        ("query_a_b", "a]b"),
        ("query_a_b_2", "a(b"),
    ]


def test_circles_of_references() -> None:
    """A parameter that refers to itself leaves its operation out."""
    circle = {"parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}}}
    assert "circle" in left_out({"parameters": [{"$ref": "#/components/parameters/A"}]}, components=circle)


def test_paths_that_cannot_be_read() -> None:
    """A path or an operation that is not one is left out alone."""
    paths = {"/a": {"$ref": "#/nowhere"}, "/b": {"get": [], "post": {}}, "/c": {"get": {}}, "/d": {"$ref": "d.yaml"}}
    made = whole(paths)
    assert [operation.name for operation in made.operations] == ["b.postB", "c.getC"]
    assert [(each.method, each.path) for each in made.left_out] == [("", "/a"), ("GET", "/b"), ("", "/d")]
    assert "nothing at '#/nowhere'" in made.left_out[0].reason
    assert "must be an object" in made.left_out[1].reason
    assert "'d.yaml' leads to another document" in made.left_out[2].reason


def test_operations_that_are_never_tools() -> None:
    """They are listed as left out, too."""
    made = whole({"/a": {"trace": {}, "get": {}}, "b": {"get": {}}})
    assert [operation.name for operation in made.operations] == ["a.getA"]
    assert [(each.method, each.path) for each in made.left_out] == [("TRACE", "/a"), ("GET", "b")]
    assert "repeats the request" in made.left_out[0].reason
    assert "slash" in made.left_out[1].reason


def test_a_schema_that_cannot_be_used_leaves_out_those_that_use_it() -> None:
    """Also an operation that comes to it by a schema which another one has used before."""
    schemas = {"Bad": {"type": 3}, "Through": {"properties": {"a": {"$ref": "#/components/schemas/Bad"}}}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Through"}}}
    operation = {"requestBody": {"content": content}}
    made = whole({"/a": {"post": operation, "put": operation, "get": {}}}, components={"schemas": schemas})
    assert [operation.method for operation in made.operations] == ["GET"]
    assert ["'#/components/schemas/Bad' has a schema" in each.reason for each in made.left_out] == [True, True]


def test_schemas_of_any_size() -> None:
    """What is too large for a tool is not described, and then anything is accepted."""
    schemas = {
        f"A{n}": {"type": "object", "properties": {"p": {"type": "integer", "description": "x" * 4000}}}
        for n in range(100)
    }
    union = {"type": "object", "properties": {name: {"$ref": f"#/components/schemas/{name}"} for name in schemas}}
    schema = body(union, components={"schemas": schemas})
    assert len(json.dumps(schema)) < 200_000
    assert list(refused(schema, {"body": {"A0": {"p": "x"}}})) == ["body.A0.p"]
    assert refused(schema, {"body": {"A99": {"p": "x"}}}) == {}


def test_patterns_of_other_languages_are_the_servers_to_check() -> None:
    """A pattern that cannot be read here is omitted, and one that needs exponential time ends in bounded time."""
    assert "pattern" not in body({"type": "string", "pattern": "["})["properties"]["body"]
    schema = body({"type": "string", "pattern": r"^(\w+\s?)*\1$"})
    assert refused(schema, {"body": "a" * 5000 + "!"})


def test_messages_name_the_field() -> None:
    """Missing, unknown, wrong and contradictory members are named by their paths."""
    schemas = {operation.operation_id: operation.input_schema for operation in contract_operations()}
    wrong = {"pag": 1, "page": {"number": "x"}, "filter": {"colour_eq": 1}, "sort": "size"}
    found = refused(schemas["getMedias"], wrong)
    assert found["pag"] == "is not known"
    assert found["page.number"] == '"x" is not of type "integer"'
    assert found["filter.colour_eq"].startswith("is not an allowed name")
    assert "created_at" in found["sort"]
    assert refused(schemas["getMediaById"], {}) == {"id": "is required"}
    assert refused(schemas["getUploadUrl"], {"size": 1}) == {"size": "is not known"}
    both = {"source_url": "https://example.com/a.mp4", "upload_id": "u"}
    for attributes in (both, {}):
        found = refused(schemas["createMedia"], {"body": {"data": {"attributes": attributes}}})
        assert "source_url" in found["body.data.attributes"]
    found = refused(schemas["createMedia"], {"body": {"data": {"attributes": {"upload_id": "u", "nam": "x"}}}})
    assert found == {"body.data.attributes.nam": "is not known"}
    assert list(refused(schemas["getMedias"], [])) == ["arguments"]
