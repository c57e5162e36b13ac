from __future__ import annotations

from msgspec import Struct


class UpdateMediaRequestData(Struct, frozen=True, kw_only=True):
    """UpdateMediaRequestData"""

    attributes: UpdateMediaRequestAttributes


from ..models.update_media_request_attributes import UpdateMediaRequestAttributes
