"""Captions and cut lists of clips, for players, editors and spreadsheets (extra `captions`).

The functions take the clips that `client.clips.list` returns, and return the text of a file::

    clips = client.clips.list(filter={"media_id_eq": media.id})
    Path("film.srt").write_text(to_srt(clips), encoding="utf-8", newline="")

A cut list needs no extra. Lines of captions end with a line feed, those of a cut list with a carriage return and a
line feed (RFC 4180): open the file with `newline=""`, so that they stay. Write UTF-8; Excel needs
`encoding="utf-8-sig"`.
"""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING

from ._core.cues import (
    LINE_LENGTH,
    LINES,
    captionable_clips,
    count_overlaps,
    cues_of,
    finite_time,
    format_milliseconds,
    format_timecode,
    one_line,
    sort_clips,
)
from ._extras import needs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._core.cues import Cue
    from .models import Clip

__all__ = ["captionable_clips", "count_overlaps", "sort_clips", "to_cut_list", "to_srt", "to_vtt"]

_CUT_LIST_COLUMNS = (
    "clip_id",
    "media_id",
    "name",
    "start",
    "end",
    "start_seconds",
    "end_seconds",
    "rank",
    "text",
    "url",
)

# SubRip has no escapes for what players read as a tag or a time: <i>, {\an8}, -->. An invisible word joiner (U+2060)
# separates the bracket from what precedes or follows.
_SRT_SPECIAL = re.compile(r"(?<=[<{])(?=[/\\a-zA-Z])|(?<=--)(?=>)")
_WORD_JOINER = "\u2060"

# Readers take a block that starts with one of these words as something else than a cue.
_VTT_KEYWORD = re.compile(r"NOTE|STYLE|REGION|WEBVTT")

# What makes a spreadsheet run a cell: also after spaces and quotes, which some importers drop, and in full width.
_IGNORED = r"[\s\"'\x00-\x1f\u200b-\u200f\u2060\ufeff]*"
_FORMULA = re.compile(_IGNORED + r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]|[\t\r\n]")
# Where the list separator is not a comma, a spreadsheet may see a new cell or row within a text, because a quote that
# is not at the start of a cell means nothing. Neither a smiley nor the dash before the words of a speaker is one.
_INNER_FORMULA = re.compile(
    r"(?:(?<=[;\t\n])|(?<=\r)(?!\n))(?=[ \xa0\u3000\"'\u200b-\u200f\u2060\ufeff]*"
    r"(?:[=@\uff1d\uff20\ufe66\ufe6b]|[+\-\uff0b\uff0d\ufe62\ufe63][\w(]))"
)


def to_srt(clips: Iterable[Clip], *, line_length: int = LINE_LENGTH, lines: int = LINES) -> str:
    """Format the clips of one media as SubRip (.srt).

    Clips without a text or without a length are omitted (`captionable_clips` returns the others), and the rest is
    sorted by time. A clip whose text does not fit becomes several captions, which share its time in proportion to
    their text, because the API returns no times of single words.

    Args:
        clips: The clips.
        line_length: The maximum number of columns in a line, where a wide character (CJK, emoji) counts as two;
            0 for one line of any length.
        lines: The maximum number of lines of a caption; 0 for no limit.

    Raises:
        InvalidInputError: A number is negative or not whole, or the clips belong to several medias.
        ConfigurationError: uniseg, the package of the extra `captions`, is not installed or cannot be imported.
    """
    return "\n".join(
        _block(f"{number}\n", cue, ",", [_SRT_SPECIAL.sub(_WORD_JOINER, line) for line in cue.lines])
        for number, cue in enumerate(_cues(clips, line_length, lines), 1)
    )


def to_vtt(clips: Iterable[Clip], *, line_length: int = LINE_LENGTH, lines: int = LINES) -> str:
    """Format the clips of one media as WebVTT (https://www.w3.org/TR/webvtt1/).

    The identifier of a caption is the id of its clip, with `-1`, `-2`, … if the clip became several captions. Clips,
    arguments and errors are those of `to_srt`.
    """
    blocks = [
        _block(_vtt_identifier(cue), cue, ".", [html.escape(line, quote=False) for line in cue.lines])
        for cue in _cues(clips, line_length, lines)
    ]
    return "\n".join(["WEBVTT\n", *blocks])


def to_cut_list(clips: Iterable[Clip], *, raw: bool = False) -> str:
    """Format clips as CSV (RFC 4180) with a heading; times are both time codes and seconds.

    What cannot be read is empty. Clips are sorted by media and time.

    Args:
        clips: The clips, also those of several medias.
        raw: True to leave texts as they are. By default, those that a spreadsheet would run as a formula, because
            they start with `=`, `+`, `-`, `@`, a tab or a line break, get an apostrophe in front, and so does a formula
            after a semicolon, a tab or a line break, where some spreadsheets start a new cell.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(_CUT_LIST_COLUMNS)
    text = str if raw else safe_cell
    for clip in sort_clips(clips):
        start, end = finite_time(clip, "start_time"), finite_time(clip, "end_time")
        rank = getattr(clip, "rank", None)
        writer.writerow(
            (
                text(clip.id),
                text(getattr(clip, "media_id", None) or ""),
                text(getattr(clip, "name", None) or ""),
                "" if start is None else format_timecode(start),
                "" if end is None else format_timecode(end),
                "" if start is None else f"{start:.3f}",
                "" if end is None else f"{end:.3f}",
                "" if rank is None else rank,
                text(getattr(clip, "text", None) or ""),
                text(getattr(clip, "media_file_url", None) or ""),
            )
        )
    return table.getvalue()


def safe_cell(text: str) -> str:
    """Return a cell that spreadsheets show as text, with an apostrophe in front of what they would run."""
    start = _FORMULA.match(text)
    first = "" if start is None else f"'{start[0]}"
    rest = text if start is None else text[start.end() :]
    return first + _INNER_FORMULA.sub("'", rest)


def _cues(clips: Iterable[Clip], line_length: int, lines: int) -> list[Cue]:
    with needs("Captions", "captions"):
        return cues_of(clips, line_length, lines)


def _block(heading: str, cue: Cue, point: str, lines: Iterable[str]) -> str:
    times = f"{format_milliseconds(cue.start, point)} --> {format_milliseconds(cue.end, point)}"
    return heading + "".join(f"{line}\n" for line in (times, *lines))


def _vtt_identifier(cue: Cue) -> str:
    """Return the line of a cue's identifier, which must not look like another line of the format."""
    identifier = one_line(cue.clip_id).replace("-->", "--\N{RIGHTWARDS ARROW}")
    if _VTT_KEYWORD.match(identifier):
        identifier = f"clip {identifier}"
    number = "" if cue.number is None else f"-{cue.number}"
    return f"{identifier}{number}\n" if identifier else ""
