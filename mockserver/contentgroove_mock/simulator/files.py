"""Reads the media type, duration and picture size of a stored file with MediaInfo."""

from __future__ import annotations

import datetime as dt
import filecmp
import platform
import sys
from typing import TYPE_CHECKING, Any, cast

from contentgroove._extras import advice, find_trouble

from contentgroove_mock.sample import sample_video
from contentgroove_mock.simulator.core.records import SAMPLE, SourceFile

if TYPE_CHECKING:
    from pathlib import Path

_MILLISECONDS = 1000


class NoMediaInfoError(RuntimeError):
    """MediaInfo is missing, so that only the sample is known; the message says what to do."""


def inspect_file(path: Path) -> SourceFile | None:
    """Read a file.

    Returns:
        Its facts; None if it is neither video nor audio.

    Raises:
        NoMediaInfoError: The file is not the sample, and MediaInfo is missing.
    """
    try:
        tracks = _tracks(path)
    except NoMediaInfoError:
        if filecmp.cmp(path, sample_video(), shallow=False):
            return SAMPLE
        raise
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
        made_at=_parse_time(getattr(general, "encoded_date", None)),
    )


def _tracks(path: Path) -> list[Any]:
    try:
        # Its library takes longer to load than the whole simulator, and most tests upload no file.
        from pymediainfo import MediaInfo
    except Exception as error:
        trouble = find_trouble(error)
        if trouble is None:
            raise
        raise NoMediaInfoError(f"The mock cannot inspect uploaded files: it needs {advice(trouble, 'mock')}") from error
    try:
        return cast("list[Any]", cast("Any", MediaInfo.parse(path)).tracks)
    except OSError as error:
        if MediaInfo.can_parse():
            raise
        raise NoMediaInfoError(missing_library(sys.platform, platform.machine())) from error


def missing_library(system: str, machine: str) -> str:
    """Write the message for pymediainfo without MediaInfo's library: where to get it.

    Args:
        system: `sys.platform`.
        machine: `platform.machine()`.
    """
    problem = "The mock cannot inspect uploaded files: pymediainfo has no MediaInfo library for"
    # pip installs a build without the library if there is none with it: on Linux with musl, and on Windows on ARM.
    if system == "win32":
        return f"{problem} Windows on {machine}: use Python for x86-64, or put MediaInfo.dll on PATH."
    if system == "darwin":
        return f"{problem} this macOS on {machine}: brew install media-info"
    return f"{problem} this {system} on {machine}: apk add libmediainfo (Alpine), or apt install libmediainfo0v5."


def _milliseconds(*tracks: Any) -> float | None:  # the library has no types
    for track in tracks:
        try:
            return float(track.duration)
        except (AttributeError, TypeError, ValueError):
            continue
    return None


def _parse_time(text: str | None) -> dt.datetime | None:
    # MediaInfo writes "2024-05-01 10:00:00 UTC", older versions "UTC 2024-05-01 10:00:00".
    try:
        return dt.datetime.fromisoformat((text or "").replace("UTC", "").strip()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
