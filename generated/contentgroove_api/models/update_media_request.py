from __future__ import annotations

from msgspec import Struct


class UpdateMediaRequest(Struct, frozen=True, kw_only=True):
    """UpdateMediaRequest"""

    data: UpdateMediaRequestData


from ..models.update_media_request_data import UpdateMediaRequestData
