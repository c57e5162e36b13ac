from __future__ import annotations

from msgspec import Struct


class CreateClipRequestAttributes(Struct, frozen=True, kw_only=True):
    """CreateClipRequestAttributes"""

    end_time: float
    """ Where the clip ends in the media, in seconds. """
    media_id: str
    name: str
    start_time: float
    """ Where the clip begins in the media, in seconds. """
