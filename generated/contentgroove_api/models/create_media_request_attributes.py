from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class CreateMediaRequestAttributes(Struct, frozen=True, kw_only=True):
    """CreateMediaRequestAttributes"""

    description: str | UnsetType = UNSET
    name: str | UnsetType = UNSET
    source_url: str | UnsetType = UNSET
    """ Where the service fetches the file, if it was not uploaded. """
    upload_id: str | UnsetType = UNSET
    """ The upload_id of GET /direct_uploads, once the file is sent. """
