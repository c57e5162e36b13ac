"""Times in a video, as editors write them."""

from __future__ import annotations

import math
import re

_TIME = re.compile(r"(?:(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):)?(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)", re.ASCII)


def format_timecode(seconds: float, point: str = ".") -> str:
    """Write seconds as HH:MM:SS.mmm.

    Args:
        seconds: From 0; a fraction of a millisecond is rounded.
        point: What stands before the milliseconds; SubRip wants a comma.
    """
    total = round(max(seconds, 0.0) * 1000) if math.isfinite(seconds) else 0
    rest, milliseconds = divmod(total, 1000)
    rest, second = divmod(rest, 60)
    hour, minute = divmod(rest, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{milliseconds:03}"


def parse_time(text: str) -> float:
    """Read seconds (`83.5`) or a time code (`1:23.5`, `00:01:23.500`).

    Raises:
        ValueError: It is neither.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no time: write seconds (83.5) or a time code (1:23.5, 00:01:23.500)")
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    return hours * 3600 + minutes * 60 + float(found["seconds"].replace(",", "."))
