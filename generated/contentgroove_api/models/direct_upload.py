from __future__ import annotations

from msgspec import Struct, field


class DirectUpload(Struct, frozen=True, kw_only=True):
    """A prepared upload."""

    attributes: DirectUploadAttributes
    id: str
    type_: str = field(name="type")


from ..models.direct_upload_attributes import DirectUploadAttributes
