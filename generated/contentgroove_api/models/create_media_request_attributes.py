from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class CreateMediaRequestAttributes(Struct, frozen=True, kw_only=True):
    """CreateMediaRequestAttributes"""

    description: str | Unset = UNSET
    name: str | Unset = UNSET
    source_url: str | Unset = UNSET
    """ Where the service fetches the file, if it was not uploaded. """
    upload_id: str | Unset = UNSET
    """ The upload_id of GET /direct_uploads, once the file is sent. """
