from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class NotFoundError(Struct, frozen=True, kw_only=True):
    """NotFoundError"""

    detail: str | None | Unset = UNSET
    source: NotFoundErrorSource | None | Unset = UNSET
    status: str
    title: str


from ..models.not_found_error_source import NotFoundErrorSource
