from __future__ import annotations

from msgspec import Struct


class UnauthorizedErrors(Struct, frozen=True, kw_only=True):
    """The answer to a missing or wrong API key."""

    errors: list[UnauthorizedError]


from ..models.unauthorized_error import UnauthorizedError
