from __future__ import annotations

from msgspec import Struct


class NotFoundErrors(Struct, frozen=True, kw_only=True):
    """The answer to an id that leads to nothing."""

    errors: list[NotFoundError]


from ..models.not_found_error import NotFoundError
