"""Equal parts of documents become one object, and everything else is as if each document was read by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from contentgroove._openapi.documents import MAX_DEPTH, DocumentError, Limits, parse
from contentgroove._openapi.shared_values import SharedValues
from hypothesis import given
from hypothesis import strategies as st

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Films: “old”", "version": "1"},
    "paths": {f"/films/{name}": {"get": {"responses": {"200": {"description": "All: well"}}}} for name in "abc"},
    "x-values": [1, 1.0, True, None, 0.0, -0.0, "1", [], {}, "", 10**30, 1e22, -0],
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=80), inner, max_size=4),
    max_leaves=12,
)


def test_equal_parts_are_one_object() -> None:
    """Inside a document and between documents, whatever their notation; the order of members is kept."""
    shared = SharedValues()
    old = parse(json.dumps(DOCUMENT).encode(), "old", None, shared)
    new = parse(json.dumps(DOCUMENT, indent=2, ensure_ascii=False), "new", None, shared)
    other = parse(
        json.dumps({**DOCUMENT, "info": {"version": "1", "title": "Films: “old”"}}).encode(), "o", None, shared
    )
    yaml = parse(
        "openapi: 3.0.3\npaths: {/a: {get: {responses: {200: {description: 'All: well'}}}}}", "y", None, shared
    )
    assert old is new
    assert old["paths"]["/films/a"] is old["paths"]["/films/b"] is other["paths"]["/films/c"] is yaml["paths"]["/a"]
    assert old["info"] == other["info"]
    assert old["info"] is not other["info"]
    assert list(other["info"]) == ["version", "title"]


@pytest.mark.parametrize("indent", [None, 3])
@given(value=JSON)
def test_values_are_those_of_the_ordinary_reader(value: Any, indent: int | None) -> None:
    """Also where Python takes values of different types for equal, such as 1, 1.0 and true."""
    shared = SharedValues()
    for outer in (DOCUMENT, {"value": value}, {"again": [value, {"value": value}]}):
        text = json.dumps(outer, indent=indent)
        # Its text tells the types and the order of members apart, which `==` does not.
        assert json.dumps(parse(text, "it", None, shared)) == json.dumps(parse(text, "it"))
        assert json.dumps(shared.share(outer)) == json.dumps(outer)


def test_notations_of_numbers() -> None:
    """They have the types and values that Python's reader gives them."""
    text = '{"a": [-0, -0.0, 0.0, 1E2, 100, 1e-400, 12345678901234567890123, 0.1, 1.0, true, 1]}'
    assert repr(parse(text, "it", None, SharedValues())) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": 1, "a": {"b:c": [{"d": 1}]}}',
        '{"x": {"a:b": 1, "a:b": "c:d"}}',
        '{"a\\u003a": 1, "x": 1, "x": 2}',
        '{"a\\u003A": 1, "x": 1, "x": 2}',
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        '{"\\udc00": 1}',
        '{"a": 01}',
        '{"a": 1}}',
        '{"a": ',
        '{"a": "\t"}',
        "[1]",
        "{}x",
        "",
        "<html>",
        '{"a": ' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1),
        '{"a": ' * 5000 + "1" + "}" * 5000,
        '{"a": ' + "9" * 5000 + "}",
        json.dumps({"a": [[1, 2, 3]] * 40}),
        json.dumps({"a": "x" * 50_000}),
    ],
)
def test_errors_are_those_of_the_ordinary_reader(text: str) -> None:
    """What is not a document is refused with the same words; parts that occur often count as often."""
    limits = Limits(bytes=50_000, nodes=150)
    for content in (text, text.encode()):
        with pytest.raises(DocumentError) as ordinary:
            parse(content, "it", limits)
        with pytest.raises(DocumentError) as shared:
            parse(content, "it", limits, SharedValues())
        assert str(shared.value) == str(ordinary.value)


def test_bytes_that_are_not_utf_8() -> None:
    """They are refused wherever they are."""
    for content in (b'{"a": "\xff"}', b'{"\xff": 1}', b'\xff{"a": 1}'):
        with pytest.raises(DocumentError, match="is not UTF-8"):
            parse(content, "it", None, SharedValues())


def test_the_deepest_document() -> None:
    """As many levels as an ordinary reader takes, and not one more, also where the inner ones are known already."""
    shared = SharedValues()
    deep = '{"a": ' * MAX_DEPTH + "1" + "}" * MAX_DEPTH
    assert parse(deep, "it", None, shared) == parse(deep, "it")
    with pytest.raises(DocumentError, match="levels"):
        parse(f'{{"b": {deep}}}', "it", None, shared)


def test_escaped_colons_are_read() -> None:
    """A document that has them is read in the ordinary way, and is shared, too."""
    shared = SharedValues()
    plain, escaped = (parse(text, "it", None, shared) for text in ('{"a:": {"b": [1]}}', '{"a\\u003a": {"b": [1]}}'))
    assert plain is escaped
