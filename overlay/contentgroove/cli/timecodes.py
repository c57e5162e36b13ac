"""Times in a video, as editors write them."""

from __future__ import annotations

import math
import re

_TIME = re.compile(r"(?:(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):)?(?P<seconds>\d{1,9}(?:[.,]\d{1,9})?)", re.ASCII)


def format_timecode(seconds: float, point: str = ".") -> str:
    """Format seconds as HH:MM:SS.mmm.

    Args:
        seconds: Rounded to milliseconds; negative and non-finite numbers count as 0.
        point: The decimal separator; SubRip requires a comma.
    """
    total = round(max(seconds, 0.0) * 1000) if math.isfinite(seconds) else 0
    remaining, milliseconds = divmod(total, 1000)
    remaining, second = divmod(remaining, 60)
    hour, minute = divmod(remaining, 60)
    return f"{hour:02}:{minute:02}:{second:02}{point}{milliseconds:03}"


def parse_time(text: str) -> float:
    """Parse seconds (`83.5`) or a time code (`1:23.5`, `00:01:23.500`).

    Raises:
        ValueError: The text is neither.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a time: pass seconds (83.5) or a time code (1:23.5, 00:01:23.500)")
    hours, minutes = int(found["hours"] or 0), int(found["minutes"] or 0)
    return hours * 3600 + minutes * 60 + float(found["seconds"].replace(",", "."))
