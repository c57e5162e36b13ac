from __future__ import annotations

from msgspec import Struct


class CreateClipRequestData(Struct, frozen=True, kw_only=True):
    """CreateClipRequestData"""

    attributes: CreateClipRequestAttributes


from ..models.create_clip_request_attributes import CreateClipRequestAttributes
