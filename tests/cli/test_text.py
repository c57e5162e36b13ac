"""Foreign text is harmless, times are exact, and other programs read captions correctly."""

from __future__ import annotations

import json
import re
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg
import pytest
from contentgroove.cli import captions
from contentgroove.cli.options import format_timecode, parse_time
from contentgroove.cli.output import multi_line, safe_json, single_line
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import CommandLine

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def clip(start: float, end: float, text: str | None, clip_id: str = "c-1") -> Any:
    return SimpleNamespace(id=clip_id, media_id="m-1", start_time=start, end_time=end, text=text, name="n")


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


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, "00:00:00.000"),
        (59.9994, "00:00:59.999"),
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (360_000.5, "100:00:00.500"),
        (57.71, "00:00:57.710"),
        (float("nan"), "00:00:00.000"),
        (-1, "00:00:00.000"),
    ],
)
def test_timecode(seconds: float, code: str) -> None:
    """Milliseconds are rounded once, with a carry."""
    assert format_timecode(seconds) == code


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


def ffmpeg(folder: Path, content: str, suffix: str) -> str:
    """Read captions with ffmpeg; returns the text for a viewer, without the tags that it understood."""
    source = folder / f"in.{suffix}"
    source.write_text(content, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - a program of the test environment
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(source), "-c:s", "text", "-f", "srt", "-"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )
    return done.stdout.strip().replace("\u2060", "")


@pytest.mark.process
@pytest.mark.parametrize(
    ("suffix", "text", "read"),
    [
        *((suffix, text, text) for suffix in ("srt", "vtt") for text in ("Tom & Jerry <3 1 < 2", "a <b>b</b>", "&lt;")),
        ("srt", "{\\an8}top", "{\\an8}top"),
        ("srt", "an arrow --> in\n\nthe text", "an arrow → in the text"),
        ("vtt", "an arrow --> in\n\nthe text", "an arrow --> in the text"),
    ],
)
def test_captions_are_read_correctly(tmp_path: Path, suffix: str, text: str, read: str) -> None:
    """Characters with a meaning in the format reach the viewer unchanged, and no cue is lost."""
    cues = [clip(0, 1, text), clip(1, 2.5, "after", "c-2")]
    written = captions.to_srt(cues) if suffix == "srt" else captions.to_vtt(cues)
    understood = ffmpeg(tmp_path, written, suffix)
    assert understood == f"1\n00:00:00,000 --> 00:00:01,000\n{read}\n\n2\n00:00:01,000 --> 00:00:02,500\nafter"


def test_captions_omit_clips_without_text_or_length() -> None:
    """Such a cue is invalid in both formats."""
    clips = [clip(0, 1, None), clip(0, 1, " \n "), clip(1, 1.0001, "short"), clip(2, 3, "good")]
    assert [item.text for item in captions.captionable_clips(clips)] == ["good"]


def test_the_order_is_that_of_times() -> None:
    """The service lists clips in any order; captions follow the film."""
    clips = [clip(5, 6, "c"), clip(0, 9, "b", "c-2"), clip(0, 1, "a", "c-1")]
    assert [item.text for item in captions.sorted_clips(clips)] == ["a", "b", "c"]


def test_empty_captions() -> None:
    """Captions of no clips are an empty file of the format."""
    assert captions.to_srt([]) == ""
    assert captions.to_vtt([]) == "WEBVTT\n"


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
