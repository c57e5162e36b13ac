from __future__ import annotations

from msgspec import Struct


class CreateMediaRequestData(Struct, frozen=True, kw_only=True):
    """CreateMediaRequestData"""

    attributes: CreateMediaRequestAttributes


from ..models.create_media_request_attributes import CreateMediaRequestAttributes
