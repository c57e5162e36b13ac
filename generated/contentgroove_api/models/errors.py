from __future__ import annotations

from msgspec import Struct


class Errors(Struct, frozen=True, kw_only=True):
    """Errors in JSON:API's shape. The provider documents these statuses without a body (assumed)."""

    errors: list[Error]


from ..models.error import Error
