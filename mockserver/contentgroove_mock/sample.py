"""The sample video of this package, and the facts about it."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

SECONDS = 6.0
WIDTH = 320
HEIGHT = 180
CONTENT_TYPE = "video/mp4"


def sample_video() -> Path:
    """Return the path of a real video of 6 seconds (H.264 and AAC in MP4, 320 by 180 pixels, below 150 KB)."""
    return _FOLDER / "sample.mp4"


def sample_thumbnail() -> Path:
    """Return the path of a JPEG picture from that video."""
    return _FOLDER / "sample.jpg"
