from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class Error(Struct, frozen=True, kw_only=True):
    """Error"""

    status: str
    title: str
    code: str | None | UnsetType = UNSET
    detail: str | None | UnsetType = UNSET
    source: OptionalErrorSource | None | UnsetType = UNSET


from ..models.optional_error_source import OptionalErrorSource
