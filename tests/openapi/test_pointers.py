"""JSON pointers by RFC 6901, and references within a document."""

from __future__ import annotations

from typing import Any

import pytest
from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.pointers import (
    ReferenceLoopError,
    escape,
    is_local,
    join,
    lookup,
    references,
    resolve,
    resolve_reference,
    split,
)

# RFC 6901, 5: the document, and what each pointer evaluates to.
EXAMPLE: dict[str, Any] = {
    "foo": ["bar", "baz"],
    "": 0,
    "a/b": 1,
    "c%d": 2,
    "e^f": 3,
    "g|h": 4,
    "i\\j": 5,
    'k"l': 6,
    " ": 7,
    "m~n": 8,
}
POINTERS = [
    ("", EXAMPLE),
    ("/foo", ["bar", "baz"]),
    ("/foo/0", "bar"),
    ("/", 0),
    ("/a~1b", 1),
    ("/c%d", 2),
    ("/e^f", 3),
    ("/g|h", 4),
    ("/i\\j", 5),
    ('/k"l', 6),
    ("/ ", 7),
    ("/m~0n", 8),
]


@pytest.mark.parametrize(("pointer", "value"), POINTERS)
def test_pointers_of_the_standard(pointer: str, value: object) -> None:
    """The standard's own examples, with and without the `#` of a fragment, and back from their steps."""
    assert lookup(EXAMPLE, pointer) == value
    assert lookup(EXAMPLE, f"#{pointer}") == value
    assert join(split(pointer)) == pointer


@pytest.mark.parametrize(
    ("reference", "value"),
    # RFC 6901, 6: the same as URI fragments.
    [("#/c%25d", 2), ("#/e%5Ef", 3), ("#/g%7Ch", 4), ("#/i%5Cj", 5), ("#/k%22l", 6), ("#/%20", 7), ("#/foo/1", "baz")],
)
def test_references_are_percent_encoded(reference: str, value: object) -> None:
    """In a `$ref` a pointer is a URI's fragment."""
    assert resolve_reference(EXAMPLE, reference) == value


def test_steps_are_escaped() -> None:
    """Order matters: `~01` is `~1` and not a slash (RFC 6901, 4)."""
    assert escape("a/b~1") == "a~1b~01"
    assert split("/a~1b~01") == ["a/b~1"]
    assert join(["paths", "/a", 0]) == "/paths/~1a/0"


def test_references_within_the_document() -> None:
    """Pointers are followed through objects and lists, escaped and percent-encoded; others are errors."""
    document = {"paths": {"/a/{b}": {"x~y": [1, 2]}}}
    assert resolve_reference(document, "#/paths/~1a~1%7Bb%7D/x~0y/1") == 2
    wrong = ["#/paths/c", "#/paths/~1a~1{b}/x~0y/2", "#/paths/~1a~1{b}/x~0y/-1", "#/paths/~1a~1{b}/x~0y/²"]
    for reference in [*wrong, "#/paths/~1a~1{b}/x~0y/1/further"]:
        with pytest.raises(DocumentError, match="nothing at"):
            resolve_reference(document, reference)
        with pytest.raises(LookupError):
            lookup(document, reference)


def test_references_are_followed_to_the_object() -> None:
    """Chains end at an object, siblings of `$ref` do not count, and everything else is an empty object."""
    document = {"a": {"$ref": "#/b", "summary": "ignored"}, "b": {"$ref": "#/c"}, "c": {"x": 1}, "d": [1]}
    assert resolve(document, {"$ref": "#/a"}) == {"x": 1}
    assert resolve(document, document["c"]) is document["c"]
    others: list[Any] = [{"$ref": "#/d"}, None, [], "text"]
    for other in others:
        assert resolve(document, other) == {}
    with pytest.raises(DocumentError, match="nothing at '#/gone'"):
        resolve(document, {"$ref": "#/gone"})


def test_loops_end() -> None:
    """References that lead to each other are an error, however long the loop is."""
    document = {"a": {"$ref": "#/b"}, "b": {"$ref": "#/c"}, "c": {"$ref": "#/b"}}
    with pytest.raises(ReferenceLoopError, match="circle"):
        resolve(document, document["a"])


@pytest.mark.parametrize(
    "reference", ["other.yaml#/a", "https://example.com/a.json", "file:///etc/passwd", "/etc/passwd", "a", "", "#a"]
)
def test_other_documents_are_not_read(reference: str) -> None:
    """A reference that names another document stays as it is."""
    assert not is_local(reference)
    assert resolve({"a": 1}, {"$ref": reference}) == {"$ref": reference}


def test_all_references() -> None:
    """Every `$ref` in a value is found, in its order; a property called `$ref` is none."""
    value = {"a": [{"$ref": "#/1"}, {"b": {"$ref": "#/2"}}], "properties": {"$ref": {"$ref": "#/3"}}, "c": "$ref"}
    assert list(references(value)) == ["#/1", "#/2", "#/3"]
