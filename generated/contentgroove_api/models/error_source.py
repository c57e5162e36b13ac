from __future__ import annotations

from msgspec import Struct


class ErrorSource(Struct, frozen=True, kw_only=True):
    """ErrorSource"""

    pointer: str
