"""Patterns of LIKE, which are compared in one pass."""

from __future__ import annotations

import itertools
import sqlite3
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock.contract.matchers import is_like

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_patterns_are_compared_as_sqlite_does() -> None:
    """All short texts and patterns, with escapes, against another implementation."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA case_sensitive_like = ON")
    texts = ["".join(text) for size in range(4) for text in itertools.product("ab%", repeat=size)]
    tokens = ("a", "b", "_", "%", "\\%", "\\_", "\\a")
    patterns = ["".join(pattern) for size in range(4) for pattern in itertools.product(tokens, repeat=size)]
    for pattern in patterns:
        rows = connection.execute(
            "SELECT value LIKE ? ESCAPE '\\' FROM json_each(?)", (pattern, str(texts).replace("'", '"'))
        )
        expected = [bool(found) for (found,) in rows]
        assert [is_like(text, pattern) for text in texts] == expected, pattern


def test_a_line_break_is_a_character() -> None:
    """Wildcards stand for it as well."""
    assert is_like("a\nb", "a_b")
    assert is_like("a\n\nb", "a%b")
    assert not is_like("a\n", "a")


@pytest.mark.parametrize("pattern", ["%a" * 200, "%a" * 200 + "%", "%a" * 200 + "%b", "%_" * 200 + "c", "%" * 5000])
@pytest.mark.parametrize("length", [1_000, 20_000])
def test_each_character_is_read_once(pattern: str, length: int) -> None:
    """However many wildcards there are, a text costs as many steps as it has characters."""
    read = 0

    def text() -> Iterator[str]:
        nonlocal read
        for character in "a" * length:
            read += 1
            yield character

    assert is_like(text(), pattern) is (pattern[-1] in "a%" and "b" not in pattern)
    assert read == length


def test_what_cannot_match_is_not_read_to_its_end() -> None:
    """A text is left at the first character that no pattern can begin with."""
    rest = iter("ba")
    assert not is_like(rest, "a%")
    assert [*rest] == ["a"]
