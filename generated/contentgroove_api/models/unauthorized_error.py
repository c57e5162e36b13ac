from __future__ import annotations

from msgspec import Struct


class UnauthorizedError(Struct, frozen=True, kw_only=True):
    """UnauthorizedError"""

    message: str
