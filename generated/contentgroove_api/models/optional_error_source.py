from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class OptionalErrorSource(Struct, frozen=True, kw_only=True):
    """OptionalErrorSource"""

    pointer: str | UnsetType = UNSET
