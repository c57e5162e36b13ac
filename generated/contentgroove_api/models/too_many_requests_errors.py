from __future__ import annotations

from msgspec import Struct


class TooManyRequestsErrors(Struct, frozen=True, kw_only=True):
    """The answer to too many requests in the current window."""

    errors: list[TooManyRequestsError]


from ..models.too_many_requests_error import TooManyRequestsError
