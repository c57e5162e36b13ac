"""Writing documents so that every reader gets the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from contentgroove._openapi.documents import parse
from contentgroove_spec.documents import canonical_digest, dump_yaml
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize("key", ["200", "on", "no", "null", "~", "1.0", "2025-10-15", "<<"])
def test_keys_are_strings(key: str) -> None:
    """A key that looks like another value is written so that old readers read a string."""
    document = {"a": {key: 1}}
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


@settings(max_examples=150)
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


def test_the_canonical_digest_ignores_notation_and_timestamps() -> None:
    """Key order and the mirror's rewritten dates do not change the digest; anything else does."""
    first = {"a": 1, "b": {"example": {"at": "2025-10-15T13:51:02.558Z", "id": "x"}}}
    same = {"b": {"example": {"id": "x", "at": "2026-01-01T00:00:00.000Z"}}, "a": 1}
    other = {"a": 1, "b": {"example": {"at": "2025-10-15T13:51:02.558Z", "id": "y"}}}
    outside = {"a": 1, "b": {"description": "2025-10-15T13:51:02.558Z"}}
    assert canonical_digest(first) == canonical_digest(same)
    assert canonical_digest(first) != canonical_digest(other)
    assert canonical_digest(outside) != canonical_digest({"a": 1, "b": {"description": "2026-10-15T13:51:02.558Z"}})
