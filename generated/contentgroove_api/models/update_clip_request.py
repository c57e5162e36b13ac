from __future__ import annotations

from msgspec import Struct


class UpdateClipRequest(Struct, frozen=True, kw_only=True):
    """UpdateClipRequest"""

    data: UpdateClipRequestData


from ..models.update_clip_request_data import UpdateClipRequestData
