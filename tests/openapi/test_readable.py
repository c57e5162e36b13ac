"""What can be read of a document, and which document of a folder is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.compositions import without_empty_parts
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.folders import find_document
from contentgroove._openapi.operations import operations
from contentgroove._openapi.readable import readable

if TYPE_CHECKING:
    from pathlib import Path

OK: dict[str, Any] = {"200": {"description": ""}}

DEFECTS: list[tuple[str, Any, str]] = [
    ("an operation that is a text", {"/a": {"get": "x", "put": {"responses": OK}}}, "GET /a: it was left out"),
    ("a path that is a list", {"/a": [], "/b": {"put": {"responses": OK}}}, "/a: it was left out"),
    ("a path of another document", {"/a": {"$ref": "x.yaml"}, "/b": {"put": {"responses": OK}}}, "/a: it was left out"),
    (
        "a parameter without a location",
        {"/b": {"put": {"parameters": [{"name": "p"}], "responses": OK}}},
        "parameter 0",
    ),
    ("a parameter that is nowhere", {"/b": {"put": {"parameters": [{"$ref": "#/x"}], "responses": OK}}}, "parameter 0"),
    ("parameters that are an object", {"/b": {"parameters": {}, "put": {"responses": OK}}}, "they are not a list"),
    ("a body that is nowhere", {"/b": {"put": {"requestBody": {"$ref": "#/x"}, "responses": OK}}}, "its request body"),
    ("a body without content", {"/b": {"put": {"requestBody": {}, "responses": OK}}}, "it has no content"),
    ("a response that is nowhere", {"/b": {"put": {"responses": {"200": {"$ref": "#/x"}}}}}, "response 200"),
    ("a response that is a text", {"/b": {"put": {"responses": {"200": "fine"}}}}, "response 200"),
    (
        "a callback that is nowhere",
        {"/b": {"put": {"callbacks": {"c": {"$ref": "#/x"}}, "responses": OK}}},
        "callback c",
    ),
    ("security that is a text", {"/b": {"put": {"security": "none", "responses": OK}}}, "its security"),
]


@pytest.mark.parametrize(("paths", "problem"), [case[1:] for case in DEFECTS], ids=[case[0] for case in DEFECTS])
def test_a_defect_hides_nothing_else(paths: Any, problem: str) -> None:
    """What cannot be read is named, and the operation that is left can be read in all its parts."""
    document = {"openapi": "3.0.0", "paths": paths}
    before = json.dumps(document)
    found = readable(document)
    assert len(found.problems) == 1
    assert problem in found.problems[0]
    (operation,) = operations(found.document)
    assert operation.method == "PUT"
    assert (operation.parameters, operation.body, operation.callbacks, operation.security) == ([], {}, [], [])
    assert set(operation.responses) <= {"200"}
    assert json.dumps(document) == before


def test_a_document_without_defects() -> None:
    """Nothing is changed."""
    document = {"openapi": "3.0.0", "paths": {"/a": {"get": {"responses": OK}}}}
    assert readable(document) == (document, ())
    assert readable({"openapi": "3.1.0", "paths": []}).problems == ("paths: it is not an object, and was left out",)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"allOf": [{"$ref": "#/a"}, {"description": "D"}]}, {"$ref": "#/a"}),
        ({"description": "D", "allOf": [{"$ref": "#/a"}]}, {"$ref": "#/a"}),
        ({"allOf": [{"$ref": "#/a"}], "nullable": True}, {"allOf": [{"$ref": "#/a"}], "nullable": True}),
        ({"allOf": [{"$ref": "#/a"}], "required": ["b"]}, {"allOf": [{"$ref": "#/a"}], "required": ["b"]}),
        ({"allOf": [{"$ref": "#/a"}, {"$ref": "#/b"}]}, {"allOf": [{"$ref": "#/a"}, {"$ref": "#/b"}]}),
        ({"properties": {"allOf": {"type": "string"}}}, {"properties": {"allOf": {"type": "string"}}}),
        ({"example": {"allOf": [{"title": "data"}, {"a": 1}]}}, {"example": {"allOf": [{"title": "data"}, {"a": 1}]}}),
    ],
)
def test_compositions_of_one_part(schema: Any, expected: Any) -> None:
    """Only a composition that composes nothing is replaced, and never in data."""
    assert without_empty_parts(schema) == expected


GOOD = 'openapi: 3.0.0\ninfo: {title: T, version: "1"}\npaths: {}\n'


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"openapi.yaml": GOOD, "other.yaml": GOOD}, "openapi.yaml"),
        ({"api.yml": GOOD, "README.md": "x", "data.json": "{}"}, "api.yml"),
        ({"api.json": '{"openapi": "3.1.0", "paths": {}}', "corrections.overlay.yaml": "overlay: 1.1.0"}, "api.json"),
        ({"api.yaml": GOOD, "broken.json": "{"}, "api.yaml"),
    ],
)
def test_the_document_of_a_folder(tmp_path: Path, files: dict[str, str], chosen: str) -> None:
    """It is the one named openapi, or the only one."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    path, document = find_document(tmp_path)
    assert path.name == chosen
    assert "openapi" in document
    assert find_document(path) == (path, document)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "has no OpenAPI document. Put one there, as openapi.yaml or openapi.json."),
        ({"a.yaml": GOOD, "b.json": '{"openapi": "3.0.0"}'}, "has several OpenAPI documents: a.yaml, b.json. Name one"),
        ({"api.json": '{"swagger": "2.0"}'}, "Swagger 2.0"),
        ({"api.yaml": "openapi: [3\n"}, "is not valid YAML"),
        ({"openapi.json": '{"openapi": "3.0.0",'}, "openapi.json is not valid JSON"),
        ({"openapi.yaml": ""}, "is empty"),
    ],
)
def test_folders_that_say_what_is_wrong(tmp_path: Path, files: dict[str, str], words: str) -> None:
    """The message says what was found and what to do."""
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        find_document(tmp_path)
    assert words in str(caught.value)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(DocumentError, match="nowhere does not exist"):
        find_document(tmp_path / "nowhere")
