from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class UpdateClipRequestAttributes(Struct, frozen=True, kw_only=True):
    """UpdateClipRequestAttributes"""

    end_time: float | Unset = UNSET
    """ Where the clip ends in the media, in seconds. """
    name: str | Unset = UNSET
    start_time: float | Unset = UNSET
    """ Where the clip begins in the media, in seconds. """
