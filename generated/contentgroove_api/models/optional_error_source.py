from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class OptionalErrorSource(Struct, frozen=True, kw_only=True):
    """OptionalErrorSource"""

    pointer: str | Unset = UNSET
