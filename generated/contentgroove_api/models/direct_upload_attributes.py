from __future__ import annotations

from msgspec import Struct


class DirectUploadAttributes(Struct, frozen=True, kw_only=True):
    """DirectUploadAttributes"""

    upload_id: str
    """ What POST /medias takes once the file is sent. """
    upload_url: str
    """ Where the file is PUT. Presigned, for one upload and a limited time. """
