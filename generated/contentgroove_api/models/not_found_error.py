from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class NotFoundError(Struct, frozen=True, kw_only=True):
    """NotFoundError"""

    detail: str | None | UnsetType = UNSET
    source: NotFoundErrorSource | None | UnsetType = UNSET
    status: str
    title: str


from ..models.not_found_error_source import NotFoundErrorSource
