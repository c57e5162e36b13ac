"""What a stored file is: media type, duration and picture size, read from the file itself by MediaInfo."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

from contentgroove_mock.simulator.core.records import SourceFile

if TYPE_CHECKING:
    from pathlib import Path

_MILLISECONDS = 1000


def inspect(path: Path) -> SourceFile | None:
    """Read a file.

    Returns:
        What is known about it, None if it is no video or audio.
    """
    # Its library takes longer to load than the whole simulator, and mostly no file is uploaded.
    from pymediainfo import MediaInfo

    tracks = cast("list[Any]", cast("Any", MediaInfo.parse(path)).tracks)
    general = next((track for track in tracks if track.track_type == "General"), None)
    video = next((track for track in tracks if track.track_type == "Video"), None)
    audio = next((track for track in tracks if track.track_type == "Audio"), None)
    duration = _milliseconds(general, video, audio)
    if (video is None and audio is None) or not duration:
        return None
    kind = "video" if video is not None else "audio"
    return SourceFile(
        content_type=getattr(general, "internet_media_type", None) or f"{kind}/octet-stream",
        duration=round(duration / _MILLISECONDS, 6),
        width=video.width if video is not None else None,
        height=video.height if video is not None else None,
        made_at=_moment(getattr(general, "encoded_date", None)),
    )


def _milliseconds(*tracks: Any) -> float | None:  # the library has no types
    for track in tracks:
        try:
            return float(track.duration)
        except (AttributeError, TypeError, ValueError):
            continue
    return None


def _moment(text: str | None) -> dt.datetime | None:
    # MediaInfo writes "2024-05-01 10:00:00 UTC", older versions "UTC 2024-05-01 10:00:00".
    try:
        return dt.datetime.fromisoformat((text or "").replace("UTC", "").strip()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
