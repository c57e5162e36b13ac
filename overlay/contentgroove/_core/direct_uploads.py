"""The operation of direct uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_api.api.direct_uploads import get_upload_url

from . import decoding
from .calls import Operation

if TYPE_CHECKING:
    from contentgroove.models import DirectUpload


def prepare_upload() -> Operation[DirectUpload]:
    """Prepare an upload.

    This GET creates something. It is still retried like any other: an unused prepared upload costs nothing and expires.
    """
    return Operation(get_upload_url.build_request(), decoding.decode_direct_upload)
