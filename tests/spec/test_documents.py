"""Reading and writing documents: YAML 1.2 is read, and the output is the same to every reader."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from contentgroove_spec.documents import MAX_BYTES, canonical_digest, dump_yaml, parse
from contentgroove_spec.errors import PipelineError
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-10-15T13:51:02.558Z", "2025-10-15T13:51:02.558Z"),
        ("2025-10-15", "2025-10-15"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("017", 17),
        ("true", True),
        ("null", None),
        ("1e3", 1000.0),
        ("'7'", "7"),
    ],
)
def test_yaml_is_read_by_version_1_2(text: str, value: object) -> None:
    """Dates, `yes`, underscores and sexagesimals are strings (YAML 1.2.2, 10.3: the core schema)."""
    assert parse(f"a: {text}\n".encode(), "test") == {"a": value}


@pytest.mark.parametrize("key", ["200", "on", "no", "null", "~", "1.0", "2025-10-15", "<<"])
def test_keys_are_strings(key: str) -> None:
    """A key is its text, regardless of its form (OpenAPI Specification 3.0.4, "Format": the Failsafe schema)."""
    document = parse(f"a:\n  {key}: 1\n".encode(), "test")
    assert document == {"a": {key: 1}}
    assert yaml.safe_load(dump_yaml(document)) == document


TEXT = st.characters(exclude_categories=["Cs"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(TEXT, max_size=40),
    st.sampled_from(
        [
            "yes",
            "2025-10-15",
            "2025-10-15T13:51:02Z",
            "1_000",
            "0o7",
            "12:30",
            "~",
            "",
            " a",
            "a ",
            "a: b",
            "#",
            "a\nb",
            "=",
            "0x1F",
            "1e3",
            ".inf",
            "a\x85b",
            "a\u2028b",
            "\tx\n",
            "a \nb",
        ]
    ),
)
DOCUMENTS = st.dictionaries(
    st.text(TEXT, min_size=1, max_size=10),
    st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(TEXT, max_size=8), inner, max_size=3),
    ),
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_what_is_written_is_read_back_by_every_reader(document: dict[str, Any]) -> None:
    """A document survives writing, for YAML 1.2 and for the 1.1 readers that most tools have."""
    text = dump_yaml(document)
    assert parse(text.encode(), "test") == document
    assert yaml.safe_load(text) == document


def test_what_is_written_is_easy_to_compare() -> None:
    """Block style, the document's own order, several lines as lines, and no anchors for values that are the same."""
    shared = {"type": "string"}
    assert dump_yaml({"b": {"z": 1, "a": [shared, shared]}, "a": "one\ntwo\n"}) == (
        "b:\n  z: 1\n  a:\n  - type: string\n  - type: string\na: |\n  one\n  two\n"
    )


def test_timestamps_stay_strings_for_old_readers() -> None:
    """apis.guru writes them unquoted; they are written so that no reader converts them to dates."""
    document = parse(b"example: 2025-10-15T13:51:02.558Z\nplain: text\n", "test")
    text = dump_yaml(document)
    assert yaml.safe_load(text) == {"example": "2025-10-15T13:51:02.558Z", "plain": "text"}
    assert "'2025-10-15T13:51:02.558Z'" in text


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>Sign in</html>", "HTML"),
        (b"  <html></html>", "HTML"),
        (b'{"openapi": "3.0.1", "info": {', "truncated"),
        (b"a: [1, 2", "truncated"),
        (b'{"a": 1, "a": 2}', "'a' occurs twice"),
        (b"a: 1\nb: 2\na: 3\n", "'a' occurs twice"),
        (b"[1, 2]", "not an object"),
        (b"", "not an object"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"x" * (MAX_BYTES + 1), "larger than"),
        (BOMB.encode(), "nodes or"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "levels"),
        (b"a: " + b"[" * 100_000, "more than 100 levels"),
        (b"a:\n " + b"- " * 100_000, "more than 100 levels"),
        (b"a: &a [*a]\n", "levels"),
        (b"a: 1\n? [b]\n: 2\n", "a key is not a scalar"),
        (b"a: {1: x, '1': y}\n", "'1' occurs twice"),
        (b"a: 1\n---\na: 1\n", "single document"),
        (b"a: !!python/object/apply:os.system [true]\n", "is not valid YAML"),
        (b"a: !!binary aGk=\n", "is not valid YAML"),
        (b"a: !!bool maybe\n", "is not valid YAML"),
        (b"a: .nan\n", "a value that JSON cannot express"),
        (b'{"a": 1e999}', "a value that JSON cannot express"),
        (b'{"a": "\\ud800"}', "a value that JSON cannot express"),
    ],
)
def test_other_content_is_a_clear_error(content: bytes, words: str) -> None:
    """Each kind of wrong content is named, with its source."""
    with pytest.raises(PipelineError, match=words) as caught:
        parse(content, "the-source")
    assert "the-source" in str(caught.value)


def test_the_canonical_digest_ignores_notation_and_timestamps() -> None:
    """Key order and the mirror's rewritten dates do not change the digest; anything else does."""
    first = {"a": 1, "b": {"example": {"at": "2025-10-15T13:51:02.558Z", "id": "x"}}}
    same = {"b": {"example": {"id": "x", "at": "2026-01-01T00:00:00.000Z"}}, "a": 1}
    other = {"a": 1, "b": {"example": {"at": "2025-10-15T13:51:02.558Z", "id": "y"}}}
    outside = {"a": 1, "b": {"description": "2025-10-15T13:51:02.558Z"}}
    assert canonical_digest(first) == canonical_digest(same)
    assert canonical_digest(first) != canonical_digest(other)
    assert canonical_digest(outside) != canonical_digest({"a": 1, "b": {"description": "2026-10-15T13:51:02.558Z"}})
