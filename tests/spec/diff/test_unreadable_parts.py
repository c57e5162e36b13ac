"""What cannot be read is named and counted, and never hides the rest."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.cli.app import run
from contentgroove_spec.compare import compare

from .campaign import changed, tried
from .conftest import BASE
from .small_documents import around, component, document

if TYPE_CHECKING:
    from pathlib import Path

FILM = "/components/schemas/Film"


def broken(pointer: str, value: Any) -> dict[str, Any]:
    """The corpus's document with one part replaced."""
    result: Any = copy.deepcopy(BASE)
    *steps, last = (step.replace("~1", "/") for step in pointer.split("/")[1:])
    holder = result
    for step in steps:
        holder = holder[step]
    holder[last] = value
    return dict(result)


@pytest.mark.parametrize(
    ("pointer", "value", "noted", "words"),
    [
        ("/components/schemas/Film/properties/parts/items", {"$ref": "#/components/schemas/Lost"}, "", "does not have"),
        ("/components/schemas/Film/properties/parts/items", {"$ref": "other.yaml#/Film"}, "", "another document"),
        ("/components/schemas/Film/properties/parts/items", {"$ref": 3}, "", "is a number, not a text"),
        ("/components/schemas/Film/properties/parts/items", "Film", "", "is a text, not an object"),
        ("/paths/~1films/get/parameters", {}, "", "is an object, not a list"),
        ("/paths/~1films/get/responses", [], "", "is a list, not an object"),
        ("/paths/~1films/get/responses/200", 3, "", "is a number, not an object"),
        ("/paths/~1films/get", "text", "", "is a text, not an object"),
        ("/paths/~1films~1{id}", None, "", "is null, not an object"),
        ("/paths/~1films/post/requestBody", {"$ref": "#/components/requestBodies/Lost"}, "", "does not have"),
        ("/paths/~1films/post/callbacks", [1], "", "is a list, not an object"),
    ],
)
def test_one_broken_part(pointer: str, value: Any, noted: str, words: str) -> None:
    """It is named with its location, in the document that has it; another change is still found."""
    new = broken(pointer, value)
    del new["paths"]["/health"]
    comparison = compare(BASE, new)
    (part,) = comparison.not_compared
    assert (part.document, part.pointer) == ("new", pointer + noted)
    assert words in part.reason
    assert part.locations
    assert "operation-removed" in {change.rule for change in comparison.changes}
    assert {change.subject.location.operation for change in comparison.changes if change.subject.location} >= {
        "GET /v1/health"
    }


def test_both_documents_have_it() -> None:
    """A reference to nothing in both is not compared in either, and nothing else is reported."""
    both = broken(f"{FILM}/properties/parts/items", component("Lost"))
    comparison = compare(both, both)
    assert comparison.changes == ()
    assert [part.document for part in comparison.not_compared] == ["old", "new"]


def test_a_part_of_an_all_of() -> None:
    """What the readable parts have in common is compared; what may be in the unreadable one is not reported."""
    part = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    old = around({"allOf": [part, component("More")]}, More={"properties": {"c": {"type": "string"}}})
    new = around({"allOf": [{"properties": {"a": {"type": "integer"}}}, component("Lost")]})
    comparison = compare(old, new)
    assert {change.rule for change in comparison.changes} == {"type-changed"}
    assert len(comparison.not_compared) == 2


def test_the_same_path_twice() -> None:
    """Only the first of two operations with the same method and path can be reached."""
    twice = document({"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}, "post": {}}})
    comparison = compare(twice, document({"/a/{x}": {"get": {}}}))
    assert [part.pointer for part in comparison.not_compared] == ["/paths/~1a~1{y}/get"]
    assert [change.rule for change in comparison.changes] == ["operation-removed"]


def test_references_in_a_circle() -> None:
    """A path item that refers to itself is named; a schema that does is compared."""
    schema = around({"$ref": "#/components/schemas/A"}, A=component("A"))
    assert compare(schema, around({"type": "string"})).changes
    item = document({"/a": {"$ref": "#/paths/~1a"}})
    assert "circle" in compare(item, item).not_compared[0].reason


@pytest.mark.parametrize(
    "server", ["example.com", "example.com/v1", "/v1", "v1", "{scheme}://x", "http://[", "//x:bad", "", 3, None, {}]
)
def test_any_server(server: Any) -> None:
    """A server's URL is never a reason to refuse."""
    old = document({"/a": {"get": {}}}, servers=[{"url": server}])
    comparison = compare(old, document({"/a": {"get": {"deprecated": True}}}, servers=[{"url": server}]))
    assert [change.rule for change in comparison.changes] == ["deprecation-added"]


def test_documents_without_much() -> None:
    """Without paths, tags, responses or info."""
    for old in ({"openapi": "3.0.0"}, {"openapi": "3.1.0", "paths": {}}, document({"/a": {"get": {}}})):
        assert compare(old, old).changes == ()
        assert compare(old, old).not_compared == ()
        compare(old, BASE)
        compare(BASE, old)


def test_schemas_that_are_truth_values() -> None:
    """`true` and `false` are schemas."""
    for schema in (True, False, {"properties": {"a": True, "b": False}}, {"items": False}):
        assert compare(around(schema, version="3.1.0"), around(schema, version="3.1.0")).changes == ()


def test_openapi_3_2() -> None:
    """Its new methods are operations."""
    old = document({"/a": {"query": {}, "additionalOperations": {"COPY": {}}}}, version="3.2.0")
    changes = compare(old, document({"/a": {}}, version="3.2.0")).changes
    assert {str(change.subject) for change in changes} == {"QUERY /a", "COPY /a"}


def test_anchors() -> None:
    """A reference to an anchor is followed."""
    text = {"$anchor": "text", "type": "string"}
    old = around({"$ref": "#text"}, version="3.1.0", Text=text)
    new = around({"$ref": "#text"}, version="3.1.0", Text={**text, "type": "integer"})
    comparison = compare(old, new)
    assert comparison.not_compared == ()
    (change,) = comparison.changes
    assert (change.rule, len(change.uses)) == ("type-changed", 2)


@pytest.mark.parametrize("seed", range(25))
def test_parts_of_the_wrong_type(seed: int) -> None:
    """Whatever is broken, the comparison does not crash, in either direction."""
    new = changed(BASE, seed, rate=0.05, broken=True)
    for old, now in ((BASE, new), (new, BASE), (new, new)):
        trial = tried("films", "broken", old, now)
        assert trial.crash == ""


def test_the_command_reports_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A document with a reference to nothing is not refused."""
    for name, content in (
        ("old.json", BASE),
        ("new.json", broken(f"{FILM}/properties/parts/items", component("Lost"))),
    ):
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    assert run(["spec", "diff", str(tmp_path / "old.json"), str(tmp_path / "new.json")]) == 0
    assert capsys.readouterr().err == ""


def test_more_than_five_mebibytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Documents of any size are read."""
    large = document({"/a": {"get": {"description": "long " * 1_200_000}}})
    (tmp_path / "old.json").write_text(json.dumps(large), encoding="utf-8")
    del large["paths"]["/a"]["get"]
    (tmp_path / "new.json").write_text(json.dumps(large), encoding="utf-8")
    assert run(["spec", "diff", str(tmp_path / "old.json"), str(tmp_path / "new.json"), "--fail-on", "breaking"]) == 1
    assert "GET /a" in capsys.readouterr().out
