from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class UpdateMediaRequestAttributes(Struct, frozen=True, kw_only=True):
    """UpdateMediaRequestAttributes"""

    description: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
