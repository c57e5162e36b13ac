from __future__ import annotations

from msgspec import Struct


class CreateMediaRequest(Struct, frozen=True, kw_only=True):
    """CreateMediaRequest"""

    data: CreateMediaRequestData


from ..models.create_media_request_data import CreateMediaRequestData
