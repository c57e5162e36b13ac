from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class NotFoundErrorSource(Struct, frozen=True, kw_only=True):
    """NotFoundErrorSource"""

    pointer: str | Unset = UNSET
