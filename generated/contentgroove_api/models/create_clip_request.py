from __future__ import annotations

from msgspec import Struct


class CreateClipRequest(Struct, frozen=True, kw_only=True):
    """CreateClipRequest"""

    data: CreateClipRequestData


from ..models.create_clip_request_data import CreateClipRequestData
