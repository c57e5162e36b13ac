from __future__ import annotations

from msgspec import Struct


class UpdateClipRequestData(Struct, frozen=True, kw_only=True):
    """UpdateClipRequestData"""

    attributes: UpdateClipRequestAttributes


from ..models.update_clip_request_attributes import UpdateClipRequestAttributes
