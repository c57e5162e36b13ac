from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class Error(Struct, frozen=True, kw_only=True):
    """Error"""

    status: str
    title: str
    code: str | None | Unset = UNSET
    detail: str | None | Unset = UNSET
    source: OptionalErrorSource | None | Unset = UNSET


from ..models.optional_error_source import OptionalErrorSource
