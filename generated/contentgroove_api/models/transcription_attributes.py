from __future__ import annotations

from msgspec import Struct


class TranscriptionAttributes(Struct, frozen=True, kw_only=True):
    """TranscriptionAttributes"""

    text: str
    """ The spoken words. """
