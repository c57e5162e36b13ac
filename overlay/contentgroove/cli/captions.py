"""Captions and cut lists of clips, for other programs.

The API returns one text for each clip and no times of single words, so each clip becomes one caption.
"""

from __future__ import annotations

import csv
import html
import io
import math
import re
from typing import TYPE_CHECKING

from .options import format_timecode
from .output import single_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove.models import Clip

CSV_COLUMNS = ("clip_id", "media_id", "name", "start", "end", "start_seconds", "end_seconds", "rank", "text", "url")

# SubRip has no escapes for what players read as a tag: <i>, {\an8}. An invisible word joiner (U+2060) separates the
# bracket from the next character.
_TAG_LIKE = re.compile(r"([<{])(?=[/\\a-zA-Z])")
_WORD_JOINER = "\u2060"


def sorted_clips(clips: Iterable[Clip]) -> list[Clip]:
    """Sort clips by media and time."""
    return sorted(clips, key=_order)


def _order(clip: Clip) -> tuple[str, float, float, str]:
    # Clips whose times cannot be read are the last of their media.
    start, end = getattr(clip, "start_time", math.inf), getattr(clip, "end_time", math.inf)
    return getattr(clip, "media_id", None) or "", start, end, clip.id


def captionable_clips(clips: Iterable[Clip]) -> list[Clip]:
    """Return the clips that can be captions: with a text, and with an end after the start."""
    return [clip for clip in clips if _text(clip) and _has_length(clip)]


def _has_length(clip: Clip) -> bool:
    start, end = getattr(clip, "start_time", None), getattr(clip, "end_time", None)
    return start is not None and end is not None and format_timecode(end) > format_timecode(start)


def to_srt(clips: Iterable[Clip]) -> str:
    """Format clips as SubRip (.srt)."""
    cues = [
        f"{number}\n{format_timecode(clip.start_time, ',')} --> {format_timecode(clip.end_time, ',')}\n"
        f"{_srt_text(clip)}\n"
        for number, clip in enumerate(clips, 1)
    ]
    return "\n".join(cues)


def to_vtt(clips: Iterable[Clip]) -> str:
    """Format clips as WebVTT (https://www.w3.org/TR/webvtt1/); the name of a cue is the id of its clip."""
    cues = [
        f"{clip.id}\n{format_timecode(clip.start_time)} --> {format_timecode(clip.end_time)}\n"
        f"{html.escape(_text(clip), quote=False)}\n"
        for clip in clips
    ]
    return "\n".join(["WEBVTT\n", *cues])


def to_cut_list(clips: Iterable[Clip]) -> str:
    """Format clips as CSV (RFC 4180) with a heading; times are both time codes and seconds.

    What cannot be read is empty.
    """
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(CSV_COLUMNS)
    for clip in clips:
        start, end = getattr(clip, "start_time", None), getattr(clip, "end_time", None)
        rank = getattr(clip, "rank", None)
        writer.writerow(
            (
                clip.id,
                getattr(clip, "media_id", None) or "",
                getattr(clip, "name", ""),
                "" if start is None else format_timecode(start),
                "" if end is None else format_timecode(end),
                "" if start is None else f"{start:.3f}",
                "" if end is None else f"{end:.3f}",
                "" if rank is None else rank,
                getattr(clip, "text", None) or "",
                getattr(clip, "media_file_url", None) or "",
            )
        )
    return table.getvalue()


def _text(clip: Clip) -> str:
    # In one line, because an empty line ends a caption in both formats.
    return single_line(getattr(clip, "text", None) or "").strip()


def _srt_text(clip: Clip) -> str:
    return _TAG_LIKE.sub(rf"\g<1>{_WORD_JOINER}", _text(clip).replace("-->", "\N{RIGHTWARDS ARROW}"))
