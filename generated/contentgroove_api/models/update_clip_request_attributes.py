from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class UpdateClipRequestAttributes(Struct, frozen=True, kw_only=True):
    """UpdateClipRequestAttributes"""

    end_time: float | UnsetType = UNSET
    """ Where the clip ends in the media, in seconds. """
    name: str | UnsetType = UNSET
    start_time: float | UnsetType = UNSET
    """ Where the clip begins in the media, in seconds. """
