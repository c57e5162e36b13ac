"""Properties that are read-only: a request need not have them, wherever the document says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove.tools.results import ToolError

from tests.tools.test_bodies import body
from tests.tools.test_requests import compiled, sent

READ_ONLY = {"type": "string", "readOnly": True}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"required": ["id", "n"], "properties": {"id": READ_ONLY}}, {"n": 1}),
        ({"required": ["id"], "properties": {"id": {"$ref": "#/components/schemas/Id"}}}, {}),
        ({"required": ["id"], "properties": {"id": {"allOf": [{"$ref": "#/components/schemas/Id"}]}}}, {}),
        ({"required": ["id"], "properties": {"id": {"readOnly": True, "allOf": [{"type": "string"}]}}}, {}),
        ({"allOf": [{"$ref": "#/components/schemas/Base"}, {"required": ["id"]}]}, {}),
        ({"required": ["id"], "allOf": [{"$ref": "#/components/schemas/Base"}]}, {}),
        ({"allOf": [{"required": ["id"]}, {"allOf": [{"properties": {"id": READ_ONLY}}]}]}, {}),
        ({"properties": {"a": {"required": ["id"], "properties": {"id": READ_ONLY}}}}, {"a": {}}),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Base"}}, [{}]),
        ({"properties": {"id": READ_ONLY}, "oneOf": [{"required": ["id"]}, {"required": ["n"]}]}, {"n": 1}),
        (
            {"required": ["id"], "properties": {"id": {"allOf": [{"type": "object"}, {"readOnly": True}]}}},
            {},
        ),
        ({"required": ["id"], "properties": {"id": {"allOf": [{}, {"$ref": "#/components/schemas/Id"}]}}}, {}),
        ({"properties": {"id": READ_ONLY}, "not": {"required": ["id"]}}, {"n": 1}),
    ],
)
def test_required_and_read_only(schema: Any, value: Any) -> None:
    """A property that only responses have is not demanded of a request, wherever the document says so."""
    schemas = {"Id": READ_ONLY, "Base": {"required": ["id"], "properties": {"id": READ_ONLY, "n": {}}}}
    content = {"application/json": {"schema": schema}}
    operation = compiled({"requestBody": {"content": content}}, components={"schemas": schemas})
    assert json.loads(sent(operation, {"body": value}).content or b"") == value


@pytest.mark.parametrize(
    ("schema", "wrong"),
    [
        ({"required": ["id"], "properties": {"id": {"type": "string", "writeOnly": True}}}, {}),
        ({"required": ["id", "n"], "properties": {"id": READ_ONLY}}, {}),
        ({"oneOf": [{"required": ["id"], "properties": {"id": READ_ONLY, "n": {}}}, {"required": ["id"]}]}, 3),
    ],
)
def test_what_is_still_required(schema: Any, wrong: Any) -> None:
    """Others are, also those that only requests have."""
    operation = body("application/json", {"type": "object", **schema})
    with pytest.raises(ToolError, match="was not called"):
        sent(operation, {"body": wrong})
