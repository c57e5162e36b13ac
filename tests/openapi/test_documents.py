from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove._openapi.documents import MAX_BYTES, MAX_DEPTH, parse, resolve_reference
from contentgroove.tools.errors import SpecError

GOOD: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}}


def test_json_and_yaml_read_the_same() -> None:
    """Both languages give the document, with keys as strings and YAML's dates and yes as what was written."""
    text = 'openapi: "3.0.3"\ninfo: {title: T, version: "1", x-day: 2024-01-01, x-on: on}\npaths: {}\nx-200: {200: a}\n'
    document = parse(text, "it")
    assert document["info"] == {"title": "T", "version": "1", "x-day": "2024-01-01", "x-on": "on"}
    assert document["x-200"] == {"200": "a"}
    assert parse(json.dumps(GOOD), "it") == GOOD


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("just words", "holds a str"),
        ("[1]", "holds a list"),
        ("{", "is no JSON"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("a: [", "is no YAML"),
        ("a: 1\na: 2", "stands twice"),
        ("? [a]\n: 1", "a key is no scalar"),
        ("!!python/object/apply:os.system [ls]", "is no YAML"),
        ("<!DOCTYPE html><html></html>", "HTML"),
        ("a: .nan", "JSON has not"),
        ('{"a": "\\ud800"}', "JSON has not"),
        (f'{{"a": {"9" * 5000}}}', "is no JSON"),
        ('{"swagger": "2.0"}', "Swagger 2.0"),
        ('{"openapi": "2.0"}', "no OpenAPI 3.x"),
        ('{"openapi": 3}', "no OpenAPI 3.x"),
        ('{"openapi": "3.0.0"}', "no info.title"),
        ('{"openapi": "3.0.0", "info": {"title": "T"}, "paths": []}', "no paths"),
        (" " * (MAX_BYTES + 1), "larger than"),
        ("é" * (MAX_BYTES // 2 + 1), "larger than"),
        ("[" * 100_000, "levels"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "levels"),
        ("- " * 100_000, "levels"),
    ],
)
def test_what_is_no_document_is_refused(text: str, said: str) -> None:
    """Anything that is no OpenAPI 3.x document of bounded size is an error that says why."""
    with pytest.raises(SpecError, match=said) as caught:
        parse(text, "The text")
    assert caught.value.code == "invalid_spec"
    assert len(caught.value.message) < 1000


def test_aliases_are_no_bombs() -> None:
    """A few lines that stand for billions of values are refused in bounded time; honest aliases are read."""
    bomb = ["openapi: 3.0.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    with pytest.raises(SpecError, match="values or"):
        parse("\n".join(bomb), "it")
    text = "openapi: 3.0.0\ninfo: {title: &t T}\nx: *t\npaths: {}\n"
    assert parse(text, "it")["x"] == "T"


@pytest.mark.parametrize(
    "reference", ["other.yaml#/a", "https://example.com/a.json", "file:///etc/passwd", "/etc/passwd", "a", ""]
)
def test_references_to_other_documents_are_refused(reference: str) -> None:
    """Neither files nor other places are read, wherever the reference stands."""
    document = GOOD | {"components": {"schemas": {"A": {"properties": {"b": [{"$ref": reference}]}}}}}
    with pytest.raises(SpecError, match="not fetched"):
        parse(json.dumps(document), "it")


def test_references_within_the_document() -> None:
    """Pointers are followed through objects and lists, escaped and percent-encoded; others lead nowhere."""
    document = {"paths": {"/a/{b}": {"x~y": [1, 2]}}}
    assert resolve_reference(document, "#/paths/~1a~1%7Bb%7D/x~0y/1") == 2
    for wrong in ("#/paths/c", "#/paths/~1a~1{b}/x~0y/2", "#/paths/~1a~1{b}/x~0y/-1", "#/paths/~1a~1{b}/x~0y/²"):
        with pytest.raises(SpecError, match="nothing at"):
            resolve_reference(document, wrong)
