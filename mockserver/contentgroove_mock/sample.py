"""The film that the package ships, and the facts about it."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

SECONDS = 6.0
WIDTH = 320
HEIGHT = 180
CONTENT_TYPE = "video/mp4"


def sample_video() -> Path:
    """Give the path of a real film of 6 seconds (H.264 and AAC in MP4, 320 by 180 pixels, below 150 KB)."""
    return _FOLDER / "sample.mp4"


def sample_still() -> Path:
    """Give the path of a JPEG picture out of that film."""
    return _FOLDER / "sample.jpg"
