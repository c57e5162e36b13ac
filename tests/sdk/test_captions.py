"""Captions and cut lists, read back by other programs: pysrt, webvtt-py, ffmpeg and the csv module."""

from __future__ import annotations

import csv
import io
import math
import re
import subprocess
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import imageio_ffmpeg
import pysrt
import pytest
import wcwidth
import webvtt
from contentgroove import InvalidInputError
from contentgroove._core.cues import MIN_CUE, divide_time, format_timecode
from contentgroove._core.line_breaks import display_width, divide
from contentgroove.captions import captionable_clips, count_overlaps, sort_clips, to_cut_list, to_srt, to_vtt
from hypothesis import example, given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

JOINER = "\u2060"
# Letters, wide letters, combining marks, emoji, marks of direction, and what the formats give a meaning.
TEXTS = st.lists(
    st.sampled_from(
        [
            *("word", "a", "longer", "co-operate", "Donaudampfschifffahrtsgesellschaftskapitän", "x" * 50, "42", "3:2"),
            *(" ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0", "\u2028", ". ", ", ", "! ", "; ", " \u2013 "),
            *(
                "日本",
                "語。",
                "「テ」",
                "ー",
                "한국어",
                "ไทย",
                "שלום ",
                "مرحبا ",
                "e\u0301",
                "क्षि",
                "👩‍👩‍👧",
                "🇩🇪",
                "✌️",
            ),
            *(
                "\u200e",
                "\u200f",
                "\u202b",
                "\u202c",
                "\u2066",
                "\u2069",
                "\u061c",
                "\u200b",
                "\u200d",
                "\ufeff",
                "\u00ad",
            ),
            *(
                "-->",
                "<i>",
                "</i>",
                "<",
                ">",
                "&",
                "&amp;",
                "{\\an8}",
                "NOTE ",
                "STYLE",
                "00:00:01.000 --> 00:00:02.000",
            ),
            *("\x00", "\x1b[2J", "\x85", "\ud800"),
        ]
    ),
    max_size=60,
).map("".join)
LINE_LENGTHS = st.sampled_from([0, 1, 2, 10, 20, 42, 100])


class Read(NamedTuple):
    """A caption as another program reads it; times in milliseconds."""

    start: int
    end: int
    lines: list[str]


def clip(start: float, end: float, text: str | None, clip_id: str = "c-1", **more: Any) -> Any:
    values = {"media_id": "m-1", "name": "n", "rank": None, "media_file_url": None, **more}
    return SimpleNamespace(id=clip_id, start_time=start, end_time=end, text=text, **values)


def read_srt(content: str) -> list[Read]:
    """Read with pysrt, which must find no error."""
    items = pysrt.from_string(content, error_handling=pysrt.ERROR_RAISE)
    assert [item.index for item in items] == list(range(1, len(items) + 1))
    return [Read(item.start.ordinal, item.end.ordinal, item.text.replace(JOINER, "").split("\n")) for item in items]


def read_vtt(content: str) -> list[Read]:
    """Read with webvtt-py, which reads lines as they are."""
    captions = webvtt.from_string(content).captions
    return [
        Read(_as_milliseconds(c.start), _as_milliseconds(c.end), [_unescape(line) for line in c.lines])
        for c in captions
    ]


def _as_milliseconds(code: str) -> int:
    hours, minutes, seconds = code.split(":")
    return int(hours) * 3_600_000 + int(minutes) * 60_000 + round(float(seconds) * 1000)


def _unescape(line: str) -> str:
    assert not re.search("[<>]|-->", line)
    return line.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def visible(text: str) -> str:
    """Return a text without white space and control characters, which captions may move or drop."""
    kept = "".join(c for c in text if not c.isspace() and not (c < " " or "\x7f" <= c <= "\x9f"))
    return kept.replace("\ud800", "\ufffd")


def clusters(text: str) -> list[str]:
    """Return the grapheme clusters, by a library that the package does not use."""
    return list(wcwidth.iter_graphemes(text))


@given(TEXTS, LINE_LENGTHS, st.integers(0, 3), st.integers(0, 400_000_000), st.integers(1, 60_000))
@example("x" * 500, 10, 2, 0, 3)
@example("\u200b\u200b", 42, 2, 0, 1000)
@example("42", 42, 2, 0, 1000)
@example("\u200bword \u0301 x", 4, 1, 0, 1000)
@example("\u200b " + "x" * 50, 10, 2, 0, 1000)
@example("word \u200b", 1, 0, 0, 1)
@example("word \u200d", 1, 0, 0, 1)
@example("word \u200e", 2, 0, 0, 1)
@example("a\u00a0b" * 9, 4, 2, 0, 1)
def test_every_export_is_read_back(text: str, line_length: int, lines: int, start: int, length: int) -> None:
    """The whole text is shown, in lines and captions that are not too long, over the whole time and nothing else."""
    item = clip(start / 1000, (start + length) / 1000, text)
    after = clip((start + length) / 1000, (start + length) / 1000 + 1, "z", "c-2")
    srt, vtt = (write([item, after], line_length=line_length, lines=lines) for write in (to_srt, to_vtt))
    assert read_srt(srt) == read_vtt(vtt)
    *cues, last = read_vtt(vtt)
    assert last == Read(start + length, start + length + 1000, ["z"])
    if not captionable_clips([item]):
        assert cues == []
        return
    # What is divided is divided without a gap, and nothing is lost or added.
    assert [cues[0].start, *(cue.end for cue in cues)] == [*(cue.start for cue in cues), start + length]
    assert cues[0].start == start
    assert visible("".join(line for cue in cues for line in cue.lines)) == visible(text)
    shortest = min(MIN_CUE, length // len(cues))
    for cue in cues:
        assert cue.end - cue.start >= max(1, shortest)
        assert all(line.strip() for line in cue.lines)
        assert line_length or len(cue.lines) == 1
        # If there is less than a millisecond for each caption, they have more lines.
        assert not lines or not line_length or len(cue.lines) <= lines or length < 500
        for line in cue.lines:
            assert display_width(line)
            # A single character may be wider than a line.
            seen = [cluster for cluster in clusters(line) if display_width(cluster.strip())]
            assert not line_length or display_width(line) <= line_length or len(seen) == 1
    assert "\r" not in srt + vtt


CLUSTERS = ["e\u0301", "🇩🇪", "👩‍👩‍👧", "क्षि", "語", "a", " ", "✌️", "한", "\u0605し"]


@given(st.lists(st.sampled_from(CLUSTERS), min_size=1).map("".join), st.integers(1, 9))
@example("\u0605し" * 9, 2)
def test_grapheme_clusters_stay_whole(text: str, line_length: int) -> None:
    """No line starts in the middle of what readers see as one character."""
    lines = [line for screen in divide(text.strip(), line_length, 2, 10**9) for line in screen]
    parts = [cluster for line in lines for cluster in clusters(line) if not cluster.isspace()]
    assert parts == [cluster for cluster in clusters(text) if not cluster.isspace()]


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("word", 4),
        ("日本語", 6),
        ("ｱｲ", 2),
        ("한국", 4),
        ("e\u0301", 1),
        ("👩‍👩‍👧", 2),
        ("🇩🇪", 2),
        ("✌️", 2),
        ("a\u200fb", 2),
        ("שלום", 4),
        ("", 0),
    ],
)
def test_width(text: str, width: int) -> None:
    """Columns are those of terminals; another library says the same."""
    assert display_width(text) == width == wcwidth.width(text)


@pytest.mark.parametrize(
    ("text", "cues"),
    [
        ("A short text.", [["A short text."]]),
        # Two lines as equal as words allow, not a full one and a rest.
        (
            "A small lamp lights up before the coloured bars begin to move.",
            [["A small lamp lights up before", "the coloured bars begin to move."]],
        ),
        # A new caption starts with a new sentence, although the first one is shorter for it.
        (
            "The camera waits for a while in the dark. Not one of them has seen it so far, so all of them continue.",
            [
                ["The camera waits for a while in the dark."],
                ["Not one of them has seen it so far,", "so all of them continue."],
            ],
        ),
        # 21 wide characters are 42 columns; no line starts with closing punctuation.
        (
            "日本語のテキストは、これで「テスト」です。次の行も読めます。",
            [["日本語のテキストは、これで「テスト」です。", "次の行も読めます。"]],
        ),
        # French puts a space before these marks; no line starts with them.
        (
            "« Bonjour madame ! » dit-il ; « comment allez-vous ? »",
            [["« Bonjour madame ! » dit-il ;", "« comment allez-vous ? »"]],
        ),
        ("x" * 90, [["x" * 42], ["x" * 42, "x" * 6]]),
    ],
)
def test_good_breaks(text: str, cues: list[list[str]]) -> None:
    """Breaks are where a person would make them."""
    assert [cue.lines for cue in read_srt(to_srt([clip(0, 10, text)]))] == cues


@pytest.mark.parametrize(
    "text",
    [
        "\u202b\u05e9\u05dc\u05d5\u05dd\u202c \u200e\u2066a\u2069 \u65e5\u672c e\u0301 \u200f",
        "\u200f \u05e9\u05dc\u05d5\u05dd",
        "\u05e9\u05dc\u05d5\u05dd \u200e 3 \u200f \u200f!",
        "\u202b \u05e9\u05dc\u05d5\u05dd \u202c",
        "two  words",
    ],
)
def test_marks_and_the_spaces_beside_them_stay(text: str) -> None:
    """A line is a part of the text as it is; only at a break are spaces dropped, and the marks beside them never."""
    assert divide(text, 42, 2, 10) == [[text]]
    around = f"{'x' * 40} {text} {'y' * 40}"
    lines = [line for screen in divide(around, 42, 1, 10) for line in screen]
    assert (len(lines), " ".join(lines)) == (3, around)
    # Each mark stays where there is room for nothing else.
    narrow = "".join(line for screen in divide(text, 1, 1, 100) for line in screen)
    assert narrow == text.replace(" ", "")


def test_the_time_follows_the_text() -> None:
    """A caption with twice the text is shown twice as long; one with little text long enough to be read."""
    assert divide_time(0, 9000, [20, 40]) == [3000, 9000]
    assert divide_time(1000, 11_000, [1, 99, 1]) == [1000 + MIN_CUE, 11_000 - MIN_CUE, 11_000]
    assert divide_time(0, 100, [1, 99]) == [50, 100]
    assert divide_time(0, 2, [1, 99]) == [1, 2]


@given(st.integers(0, 10**9), st.lists(st.integers(1, 500), min_size=1, max_size=40), st.integers(0, 10**6))
def test_no_part_is_too_short(start: int, weights: list[int], more: int) -> None:
    """The parts fill the whole time, and each lasts the minimum or an equal share."""
    end = start + len(weights) + more
    ends = divide_time(start, end, weights)
    assert (len(ends), ends[-1]) == (len(weights), end)
    lengths = [later - earlier for earlier, later in zip([start, *ends], ends, strict=False)]
    assert min(lengths) >= min(MIN_CUE, (end - start) // len(weights))


@pytest.mark.parametrize("arguments", [{"line_length": -1}, {"lines": -1}], ids=str)
def test_wrong_numbers(arguments: dict[str, int]) -> None:
    """They are rejected."""
    with pytest.raises(InvalidInputError, match="0 means no limit"):
        to_vtt([clip(0, 1, "a")], **arguments)


def test_clips_of_two_medias() -> None:
    """Their times cannot be combined in one file."""
    with pytest.raises(InvalidInputError, match="2 medias"):
        to_srt([clip(0, 1, "a"), clip(0, 1, "b", "c-2", media_id="m-2")])


@pytest.mark.parametrize(
    "clip_id", ["NOTE", "STYLE", "REGION x", "WEBVTT", "a\n\nb", "a --> b", "--->", "1", "", "\u2028", "a\x00b\rc"]
)
def test_an_id_is_not_taken_for_another_line(clip_id: str) -> None:
    """Every caption is read, whatever the id of its clip is."""
    content = to_vtt([clip(0, 1, "one", clip_id), clip(1, 60, "two " * 60, "c-2")])
    captions = webvtt.from_string(content).captions
    assert [caption.text for caption in captions[:1]] == ["one"]
    assert [caption.identifier for caption in captions[1:]] == [f"c-2-{n}" for n in range(1, len(captions))]
    # WebVTT, 4.1: an identifier has no line break and no arrow.
    assert content.count("-->") == len(captions)
    assert len(content.split("\n\n")) == len(captions) + 1
    assert not re.search("[\x00-\x09\x0b-\x1f\x85\u2028]", content)
    assert len(re.findall(r"^NOTE|^STYLE|^REGION|^WEBVTT", content, re.MULTILINE)) == 1


def test_clips_that_overlap_stay_in_order() -> None:
    """WebVTT requires that no caption starts before the one above it (4.1)."""
    clips = [clip(0, 60, "long text " * 40), clip(10, 20, "short", "c-2"), clip(60, 61, "last", "c-3")]
    starts = [cue.start for cue in read_vtt(to_vtt(clips))]
    assert len(starts) > 6
    assert starts == sorted(starts)
    assert count_overlaps(clips) == 1


@pytest.mark.parametrize(
    ("start", "end"), [(1, 1), (2, 1), (1, 1.0004), (math.nan, 1), (0, math.nan), (0, math.inf), (-2, -1)]
)
def test_clips_without_a_length_are_omitted(start: float, end: float) -> None:
    """Such a caption is invalid in both formats."""
    assert read_srt(to_srt([clip(start, end, "no"), clip(2, 3, "yes", "c-2")])) == [Read(2000, 3000, ["yes"])]


@pytest.mark.parametrize("text", [None, "", " \n ", "\u200b", "\u200e\u202c", "\u00a0\u3000", "\x00\x1b"])
def test_clips_without_a_text_are_omitted(text: str | None) -> None:
    """A text that shows nothing is none."""
    assert captionable_clips([clip(0, 1, text)]) == []


def test_more_than_a_hundred_hours() -> None:
    """The hour before and after are in order, and a clip between them has a length."""
    items = [clip(359_999, 360_001.5, "over"), clip(360_002, 3_600_001, "long", "c-2")]
    assert read_srt(to_srt(items)) == read_vtt(to_vtt(items))
    assert "99:59:59,000 --> 100:00:01,500" in to_srt(items)
    assert "100:00:02.000 --> 1000:00:01.000" in to_vtt(items)


def test_the_order_is_that_of_times() -> None:
    """The service lists clips in any order; captions follow the film."""
    clips = [clip(5, 6, "c"), clip(0, 9, "b", "c-2"), clip(0, 1, "a", "c-1")]
    assert [item.text for item in sort_clips(clips)] == ["a", "b", "c"]


def test_empty_captions() -> None:
    """Captions of no clips are an empty file of the format."""
    assert (to_srt([]), to_vtt([])) == ("", "WEBVTT\n")


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, "00:00:00.000"),
        (59.9994, "00:00:59.999"),
        (59.9996, "00:01:00.000"),
        (3599.9999, "01:00:00.000"),
        (360_000.5, "100:00:00.500"),
        (57.71, "00:00:57.710"),
        (math.nan, "00:00:00.000"),
        (-1, "00:00:00.000"),
    ],
)
def test_timecode(seconds: float, code: str) -> None:
    """Milliseconds are rounded once, with a carry."""
    assert format_timecode(seconds) == code


def ffmpeg(folder: Path, content: str, suffix: str) -> list[Read]:
    """Read captions with ffmpeg; returns the text for a viewer, without the tags that it understood."""
    source = folder / f"in.{suffix}"
    source.write_text(content, encoding="utf-8", newline="")
    done = subprocess.run(  # noqa: S603 - a program of the test environment
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(source), "-c:s", "text", "-f", "srt", "-"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=30,
    )
    assert done.stderr == ""
    return read_srt(done.stdout)


@pytest.mark.process
@pytest.mark.parametrize("suffix", ["srt", "vtt"])
def test_ffmpeg_reads_the_same(tmp_path: Path, suffix: str) -> None:
    """Characters with a meaning in the format reach the viewer unchanged, and no cue is lost."""
    texts = [
        *("Tom & Jerry <3 1 < 2", "a <b>b</b>", "&lt;", "an arrow --> in\n\nthe text", "{\\an8}top", "42", "NOTE this"),
        *(
            "\u202b\u05e9\u05dc\u05d5\u05dd\u202c",
            "日本語のテキスト、" * 8,
            "00:00:01,000 --> 00:00:02,000",
            "one two " * 40,
        ),
    ]
    clips = [
        clip(360_000 + 20 * number, 360_020 + 20 * number, text, f"c-{number}") for number, text in enumerate(texts)
    ]
    if suffix == "vtt":
        # ffmpeg reads {\an8} as a position in WebVTT, too, which has no such tag.
        clips = [item for item in clips if "an8" not in item.text]
    content = (to_srt if suffix == "srt" else to_vtt)(clips)
    read = ffmpeg(tmp_path, content, suffix)
    assert [cue[:2] for cue in read] == [cue[:2] for cue in read_srt(to_srt(clips))]
    assert visible("".join(line for cue in read for line in cue.lines)) == visible("".join(item.text for item in clips))


FORMULAS = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\tx", "\rx", " =1", "  -1", '"=1', "'=1", " \"'@x"),
    *(
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "\u00a0=1",
        "\u3000=1",
        "\u200b=1",
        "\ufeff=1",
        "\ufe66x",
        "=cmd|' /C calc'!A0",
    ),
]


@pytest.mark.parametrize("field", ["clip_id", "media_id", "name", "text", "url"])
def test_no_cell_is_a_formula(field: str) -> None:
    """A cell that a spreadsheet would run starts with an apostrophe, in every column of texts."""
    names = {"url": "media_file_url", "clip_id": "clip_id", "media_id": "media_id", "name": "name", "text": "text"}
    for value in FORMULAS:
        item = clip(0, 1, "t")
        setattr(item, "id" if field == "clip_id" else names[field], value)
        for raw in (False, True):
            (row,) = csv.DictReader(io.StringIO(to_cut_list([item], raw=raw), newline=""))
            assert row[field] == (value if raw else f"'{value}")


@pytest.mark.parametrize("value", ["film", "a=b", "1-2", "日本", "mail@host", "", "http://h/?a=-1", "(=", "\u2013dash"])
def test_other_cells_stay(value: str) -> None:
    """Only the start of a cell matters."""
    (row,) = csv.DictReader(io.StringIO(to_cut_list([clip(0, 1, value)])))
    assert row["text"] == value


def test_numbers_stay_numbers() -> None:
    """A negative number in a column of numbers is not a formula."""
    (row,) = csv.DictReader(io.StringIO(to_cut_list([clip(-1.5, 2, "t", rank=-5)])))
    assert (row["start_seconds"], row["end_seconds"], row["rank"]) == ("-1.500", "2.000", "-5")


@given(TEXTS, TEXTS)
def test_a_cut_list_is_read_back(name: str, text: str) -> None:
    """Line breaks, quotes and commas in cells come back, and each row ends as RFC 4180 says."""
    content = to_cut_list([clip(0, 1, text, name=name)], raw=True)
    (row,) = csv.DictReader(io.StringIO(content, newline=""))
    assert (row["name"], row["text"]) == (name, text)
    assert content.startswith("clip_id,media_id,name,start,end,start_seconds,end_seconds,rank,text,url\r\n")
    assert content.endswith("\r\n")
