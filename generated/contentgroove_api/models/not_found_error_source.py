from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class NotFoundErrorSource(Struct, frozen=True, kw_only=True):
    """NotFoundErrorSource"""

    pointer: str | UnsetType = UNSET
