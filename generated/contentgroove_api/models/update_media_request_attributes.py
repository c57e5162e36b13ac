from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class UpdateMediaRequestAttributes(Struct, frozen=True, kw_only=True):
    """UpdateMediaRequestAttributes"""

    description: str | Unset = UNSET
    name: str | Unset = UNSET
