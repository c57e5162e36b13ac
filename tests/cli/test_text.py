"""Foreign text is harmless, and times are exact."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from contentgroove._core.cues import format_timecode
from contentgroove.cli.options import parse_time
from contentgroove.cli.output import multi_line, safe_json, single_line
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_a_single_line_is_harmless(text: str) -> None:
    """No control character of a name remains."""
    assert not UNSAFE.search(single_line(text))


@given(st.text(alphabet=st.characters(exclude_categories=[])))
def test_json_stays_equivalent(text: str) -> None:
    """JSON output contains no control character, and is parsed as the same text."""
    encoded = safe_json(json.dumps(text, ensure_ascii=False))
    assert not UNSAFE.search(encoded)
    assert json.loads(encoded) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("two\r\nlines\tand a tab", "two lines and a tab"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202egpj.exe", "abc\\u202egpj.exe"),
        ("日本語 👩‍👩‍👧 Zoë", "日本語 👩‍👩‍👧 Zoë"),
    ],
)
def test_a_single_line(text: str, escaped: str) -> None:
    """Controls become visible, ordinary letters of all languages stay."""
    assert single_line(text) == escaped


def test_several_lines_keep_line_breaks() -> None:
    """Tracebacks stay readable, and harmless."""
    assert multi_line("a\n\tb\x1b[2J") == "a\n\tb\\x1b[2J"


@given(st.integers(min_value=0, max_value=10**9))
def test_time_codes_are_parsed_back(milliseconds: int) -> None:
    """A formatted time is parsed as the same time."""
    assert round(parse_time(format_timecode(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("83.5", 83.5), ("1:23.5", 83.5), ("00:01:23,500", 83.5), ("1:00:00", 3600), (" 7 ", 7)]
)
def test_parse_time(text: str, seconds: float) -> None:
    """Seconds and time codes are parsed."""
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1:2:3:4", "1:", "1e3", "nan", "inf", "٣"])
def test_an_invalid_time(text: str) -> None:
    """Anything else is rejected with an example."""
    with pytest.raises(ValueError, match="time code") as caught:
        parse_time(text)
    assert "83.5" in str(caught.value)


def test_foreign_names_are_harmless_everywhere(cli: CommandLine) -> None:
    """Markup is shown as it is written, and escapes as numbers, in lists, details, errors and JSON."""
    name = "[red]x[/red] \x1b]0;title\x07 :smile: \u202eabc"
    media_id = cli.media(name, description="line\nbreak")
    escaped = "[red]x[/red] \\x1b]0;title\\x07 :smile: \\u202eabc"
    assert cli("medias", "list").out.rstrip("\n").endswith(f"\t{escaped}")
    assert f"name\t{escaped}\n" in cli("medias", "show", media_id).out
    ran = cli("medias", "show", media_id, "--json")
    assert ran.document["name"] == name
    assert not UNSAFE.search(ran.out.replace("\n", ""))
    assert "\\x1b" in cli("medias", "show", "\x1b[2J").err
