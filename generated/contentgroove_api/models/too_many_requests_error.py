from __future__ import annotations

from msgspec import Struct


class TooManyRequestsError(Struct, frozen=True, kw_only=True):
    """TooManyRequestsError"""

    detail: str
    status: str
    title: str
