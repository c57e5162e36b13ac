"""What captions show of clips, and when: clips become cues of a few lines each.

The API returns one text for each clip and no times of single words, so that a clip whose text needs several cues is
divided in proportion to the text.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from .inputs import invalid_input, short_repr
from .line_breaks import display_width, divide, shows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from contentgroove.models import Clip

LINE_LENGTH = 42
LINES = 2
"""What broadcasters and streaming services allow for most languages."""

MIN_CUE = 833
"""Milliseconds (5/6 second) that a cue of a divided clip lasts at least, unless the whole clip is too short."""

_LINE_BREAKS = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# Players stop at NUL, and show nothing for the others. Half of a surrogate pair cannot be written.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


class Cue(NamedTuple):
    """One caption.

    Attributes:
        start: When it appears, in milliseconds.
        end: When it disappears.
        lines: Its text.
        clip_id: The id of its clip.
        number: Its number among the cues of the clip, from 1; None if it is the only one.
    """

    start: int
    end: int
    lines: tuple[str, ...]
    clip_id: str
    number: int | None


def sort_clips(clips: Iterable[Clip]) -> list[Clip]:
    """Sort clips by media and time."""
    return sorted(clips, key=_order)


def _order(clip: Clip) -> tuple[str, float, float, str]:
    # Clips whose times cannot be read are the last of their media.
    start, end = finite_time(clip, "start_time"), finite_time(clip, "end_time")
    unknown = math.inf
    return _media_of(clip), unknown if start is None else start, unknown if end is None else end, clip.id


def _media_of(clip: Clip) -> str:
    return getattr(clip, "media_id", None) or ""


def finite_time(clip: Clip, name: str) -> float | None:
    """Return a clip's time; None if it cannot be read or is not a finite number."""
    value: float | None = getattr(clip, name, None)
    return value if value is not None and math.isfinite(value) else None


def milliseconds(seconds: float) -> int:
    """Round seconds; negative and non-finite numbers count as 0."""
    return round(max(seconds, 0.0) * 1000) if math.isfinite(seconds) else 0


def format_milliseconds(total: int, point: str = ".") -> str:
    """Format milliseconds as HH:MM:SS.mmm, or with a comma for SubRip; from 100 hours on with more digits."""
    remaining, fraction = divmod(total, 1000)
    remaining, second = divmod(remaining, 60)
    hour, minute = divmod(remaining, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{fraction:03}"


def format_timecode(seconds: float) -> str:
    """Format seconds as HH:MM:SS.mmm; negative and non-finite numbers count as 0."""
    return format_milliseconds(milliseconds(seconds))


def captionable_clips(clips: Iterable[Clip]) -> list[Clip]:
    """Return the clips that can be captions, sorted: with a text that shows something, and an end after the start."""
    return [clip for clip in sort_clips(clips) if caption_text(clip) and _span(clip) is not None]


def caption_text(clip: Clip) -> str:
    """Return a clip's text in one line; empty if it shows nothing.

    Nothing else is changed: marks of direction and all other letters stay as they are.
    """
    text = one_line(getattr(clip, "text", None) or "")
    return text if shows(text) else ""


def one_line(text: str) -> str:
    """Return text in one line, without control characters."""
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _LINE_BREAKS.sub(" ", text))).strip()


def _span(clip: Clip) -> tuple[int, int] | None:
    start, end = finite_time(clip, "start_time"), finite_time(clip, "end_time")
    if start is None or end is None:
        return None
    span = milliseconds(start), milliseconds(end)
    return span if span[1] > span[0] else None


def count_overlaps(clips: Iterable[Clip]) -> int:
    """Return how many clips start before an earlier one has ended."""
    spans = sorted(span for clip in clips if (span := _span(clip)) is not None)
    count = latest = 0
    for start, end in spans:
        count += start < latest
        latest = max(latest, end)
    return count


def cues_of(clips: Iterable[Clip], line_length: int, lines: int) -> list[Cue]:
    """Return the cues of clips in the order of their times.

    Raises:
        InvalidInputError: A number is negative or not whole, or the clips belong to several medias.
    """
    layout: dict[str, object] = {"line_length": line_length, "lines": lines}
    for name, value in layout.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise invalid_input(f"{name} must be a whole number, where 0 means no limit, not {short_repr(value)}.")
    usable = captionable_clips(clips)
    if len(medias := {_media_of(clip) for clip in usable}) > 1:
        raise invalid_input(
            f"The clips belong to {len(medias)} medias, whose times cannot be combined: export each media by itself."
        )
    found = [cue for clip in usable for cue in _cues_of_clip(clip, line_length, lines)]
    # WebVTT requires the order of starts, which clips that overlap do not have once they are divided.
    return sorted(found, key=lambda cue: (cue.start, cue.end))


def _cues_of_clip(clip: Clip, line_length: int, lines: int) -> Iterator[Cue]:
    span = _span(clip)
    if span is None:
        return
    start, end = span
    # No cue is shorter than a millisecond.
    screens = divide(caption_text(clip), line_length, lines, max_screens=end - start)
    weights = [max(1, sum(map(display_width, screen))) for screen in screens]
    times = [start, *divide_time(start, end, weights)]
    for number, ((begin, finish), screen) in enumerate(zip(pairwise(times), screens, strict=True), 1):
        yield Cue(begin, finish, tuple(screen), clip.id, number if len(screens) > 1 else None)


def divide_time(start: int, end: int, weights: Sequence[int]) -> list[int]:
    """Divide a time span in proportion to weights; returns the end of each part.

    Each part lasts at least `MIN_CUE`, or an equal share if there is not enough time for that.
    """
    length = end - start
    minimum = min(MIN_CUE, length // len(weights))
    # Parts that would be too short get the minimum, which shortens the others, until all are long enough.
    short: set[int] = set()
    while True:
        remaining = length - minimum * len(short)
        weight = sum(weights[index] for index in range(len(weights)) if index not in short)
        more = {
            index
            for index in range(len(weights))
            if index not in short and weights[index] * remaining < minimum * weight
        }
        if not more:
            break
        short |= more
    ends: list[int] = []
    fixed = shared = 0
    for index, own in enumerate(weights):
        if index in short:
            fixed += minimum
        else:
            shared += own
        # The sum is rounded, not each part, so that the last part ends exactly at the end.
        ends.append(start + fixed + (shared * remaining // weight if weight else 0))
    return ends
