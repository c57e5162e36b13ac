"""Bodies as lines, with the violations at the members that break the contract."""

from __future__ import annotations

import json

import pytest
from contentgroove_mock.contract.violations import Violation
from contentgroove_mock.inspector.bodies import MAX_LINES, Body, Line, shown_body, shown_rows

WHERE = "request.body"


def body(content: bytes, size: int | None = None) -> Body:
    """Build a body."""
    return Body(content, len(content) if size is None else size, "application/json")


def violation(location: str) -> Violation:
    """Build a violation."""
    return Violation("createMedia", location, "type", "must be text", "5")


def marked(content: object, *pointers: str) -> dict[str, list[str]]:
    """Return the texts of the marked lines, and their notes."""
    found = shown_body(body(json.dumps(content).encode()), [violation(f"{WHERE}#{item}") for item in pointers], WHERE)
    return {line.text: list(line.notes) for line in found.lines if line.notes}


def test_json_is_shown_line_by_line() -> None:
    """Each member and each item has a line of its own."""
    assert shown_body(body(b'{"a":[1,{"b":null}],"c":{},"d":[],"e":"x\\n"}')).lines == (
        Line(0, "{"),
        Line(1, '"a": ['),
        Line(2, "1,"),
        Line(2, "{"),
        Line(3, '"b": null'),
        Line(2, "}"),
        Line(1, "],"),
        Line(1, '"c": {},'),
        Line(1, '"d": [],'),
        Line(1, '"e": "x\\n"'),
        Line(0, "}"),
    )


@pytest.mark.parametrize("text", ["1.0", "1e400", "123456789012345678901234567890", "-0", "0.10", "NaN"])
def test_numbers_are_shown_as_they_were_written(text: str) -> None:
    """A float would round some of them."""
    assert shown_body(body(text.encode())).lines == (Line(0, text),)


def test_a_name_that_is_there_twice_is_shown_twice() -> None:
    """A decoder would keep one."""
    assert [line.text for line in shown_body(body(b'{"a":1,"a":2}')).lines] == ["{", '"a": 1,', '"a": 2', "}"]


def test_violations_are_at_their_members() -> None:
    """In objects and lists, with names that JSON pointers escape."""
    content = {"data": {"a/b": [True, "x"], "c~": 1}, "": 2}
    assert marked(content, "/data/a~1b/1", "/data/c~0", "/") == {
        '"x"': ["type: must be text (seen: 5)"],
        '"c~": 1': ["type: must be text (seen: 5)"],
        '"": 2': ["type: must be text (seen: 5)"],
    }


def test_what_is_missing_is_noted_where_it_should_be() -> None:
    """The nearest member that exists says which is missing."""
    assert marked({"data": {}}, "/data/attributes/name", "/more") == {
        '"data": {}': ["/attributes/name: type: must be text (seen: 5)"],
        "{": ["/more: type: must be text (seen: 5)"],
    }


def test_violations_of_the_whole_body_and_of_other_messages() -> None:
    """What is said of the body is not at a member, and what is said of the response is not at the request."""
    found = [violation(WHERE), violation("response.body#/a")]
    shown = shown_body(body(b'{"a":1}'), found, WHERE)
    assert shown.notes == ("type: must be text (seen: 5)",)
    assert [line for line in shown.lines if line.notes] == []


def test_violations_of_what_is_not_json_are_of_the_whole() -> None:
    """There is no member to mark."""
    shown = shown_body(body(b"{broken\nbody"), [violation(f"{WHERE}#/a")], WHERE)
    assert [line.text for line in shown.lines] == ["{broken", "body"]
    assert shown.notes == ("type: must be text (seen: 5)",)


@pytest.mark.parametrize(
    "content",
    [
        b'{"upload_url":"http://127.0.0.1/_uploads/1?X-Amz-Signature=canary-secret"}',
        b'["http://127.0.0.1/hook?token=canary-secret"]',
        b"not json: /medias?api_key=canary-secret",
        b'{"https://user:canary-secret@host/":1}',
    ],
)
def test_credentials_are_not_shown(content: bytes) -> None:
    """In members, names and texts."""
    lines = "\n".join(line.text for line in shown_body(body(content)).lines)
    assert "canary-secret" not in lines
    assert "redacted" in lines


@pytest.mark.parametrize(
    ("content", "size", "remark"),
    [
        (b"", 0, "No body."),
        (b"", 5_000, "5,000 bytes, which are not kept."),
        (b"abc", 70_000, "Only the first 3 of 70,000 bytes are kept."),
        (b"abc", 3, ""),
    ],
)
def test_what_is_not_shown_is_said(content: bytes, size: int, remark: str) -> None:
    """Nothing is left out silently."""
    assert shown_body(body(content, size)).remark == remark


def test_long_bodies_are_cut() -> None:
    """A page stays one that a browser can show."""
    shown = shown_body(body(json.dumps([1] * 3000).encode()))
    assert len(shown.lines) == MAX_LINES
    assert shown.remark == "Only the first 2,000 of 3,002 lines are shown."


def test_deeply_nested_bodies_are_texts() -> None:
    """They break no limit of recursion."""
    assert shown_body(body(b"[" * 20_000)).lines[0].text.startswith("[[[")


def test_parameters_have_their_violations() -> None:
    """By the name that the violation has."""
    pairs = [("page[size]", "x"), ("sort", "name")]
    rows = shown_rows(pairs, [violation("request.query.page[size]")], "request.query")
    assert [(row.name, row.value, len(row.notes)) for row in rows] == [("page[size]", "x", 1), ("sort", "name", 0)]
