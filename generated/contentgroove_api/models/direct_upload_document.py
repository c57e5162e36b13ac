from __future__ import annotations

from msgspec import Struct


class DirectUploadDocument(Struct, frozen=True, kw_only=True):
    """DirectUploadDocument"""

    data: DirectUpload
    """ A prepared upload. """


from ..models.direct_upload import DirectUpload
