"""Multipart bodies of which a document says little: parts without names, and files that it gives a style."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from contentgroove.tools.results import ToolError

from tests.tools.test_bodies import BINARY, PNG, body, described, parts, with_files


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (BINARY, {"file": base64.b64encode(PNG).decode()}, [("file", "file", "application/octet-stream", PNG)]),
        (
            {"type": "array", "items": BINARY},
            {"file": [{"file": "a.png"}, {"base64": "AP8="}]},
            [
                ("file", "a.png", "application/octet-stream", PNG),
                ("file", "file", "application/octet-stream", b"\x00\xff"),
            ],
        ),
        (
            {"type": "array", "items": {"type": "integer"}},
            {"ids": [1, 2], "more": [3]},
            [("ids", None, "", b"1"), ("ids", None, "", b"2"), ("more", None, "", b"3")],
        ),
        ({"type": "string"}, {"a=b": "x"}, [("a=b", None, "", b"x")]),
    ],
)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_parts_without_names(schema: Any, value: Any, expected: Any, version: str) -> None:
    """A body that is not an object has parts that the document does not name; the caller does."""
    operation = body("multipart/form-data", schema, version)
    assert [described(part) for part in parts(with_files(operation, value))] == expected


@pytest.mark.parametrize("wrong", [{}, "AP8=", {"file": [["AP8="]]}])
def test_parts_need_names(wrong: Any) -> None:
    """Bytes by themselves are not a multipart body."""
    operation = body("multipart/form-data", {"type": "array", "items": BINARY})
    with pytest.raises(ToolError, match="was not called"):
        with_files(operation, wrong)


def test_the_names_are_asked_for() -> None:
    """The schema says what is missing."""
    schema = body("multipart/form-data", BINARY).input_schema["properties"]["body"]
    assert "pass each part by its name" in schema["description"]


A_FILE = {"file": "a.png"}


@pytest.mark.parametrize(
    ("schema", "value", "version"),
    [(BINARY, A_FILE, "3.0.3"), ({"type": "array", "items": BINARY}, [A_FILE], "3.0.1"), ({}, A_FILE, "3.1.0")],
)
def test_files_with_a_style(schema: Any, value: Any, version: str) -> None:
    """A style writes texts, and a file stays bytes: some generators of documents give one to every field."""
    fields = {"type": "object", "properties": {"File": schema, "n": {"type": "array", "items": {"type": "integer"}}}}
    encoding = {"File": {"style": "form"}, "n": {"style": "form", "explode": False}}
    operation = body("multipart/form-data", fields, version, encoding=encoding)
    call = with_files(operation, {"File": value, "n": [1, 2]})
    assert [described(part) for part in parts(call)] == [
        ("File", "a.png", "application/octet-stream", PNG),
        ("n", None, "", b"1,2"),
    ]


def test_styles_of_parts() -> None:
    """A part's text is not encoded: a delimiter in it is refused, and an equals sign in a name is a part of it."""
    strings = {"type": "array", "items": {"type": "string"}}
    schema = {"type": "object", "properties": {"a=b": strings}}
    operation = body("multipart/form-data", schema, encoding={"a=b": {"style": "form", "explode": False}})
    (part,) = parts(with_files(operation, {"a=b": ["x=1", "y"]}))
    assert described(part) == ("a=b", None, "", b"x=1,y")
    with pytest.raises(ToolError, match=r"a part of a=b contains ',', which separates parts there"):
        with_files(operation, {"a=b": ["x,y"]})
