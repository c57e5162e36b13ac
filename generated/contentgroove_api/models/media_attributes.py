from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from .. import Times


class MediaAttributes(Struct, frozen=True, kw_only=True):
    """MediaAttributes"""

    created_at: Times.datetime
    """ When the media was created. """
    description: str | None | UnsetType = UNSET
    """ Free text given at creation or by an update. """
    external_id: str | None | UnsetType = UNSET
    """ An identifier that the service gives beside the id. """
    has_fetch_error: bool
    """ Whether the service could not fetch the file of source_url. """
    is_processing: bool | None | UnsetType = UNSET
    """ False when processing has finished, true while it runs, null right after creation. """
    name: str
    """ The name; empty if none was given. """
    original_created_at: Times.datetime | None | UnsetType = UNSET
    """ When the original was created. """
    processing_started_at: Times.datetime | None | UnsetType = UNSET
    """ When processing began. """
    source_created_at: Times.datetime | None | UnsetType = UNSET
    """ When the source file was created. """
    source_file_content_type: str | None | UnsetType = UNSET
    """ The file's media type. """
    source_file_preview_image_url: str | None | UnsetType = UNSET
    """ A still picture of the media. """
    source_url: str | None | UnsetType = UNSET
    """ Where the file was fetched from. """
    source_file_duration: float | None | UnsetType = UNSET
    source_file_height: int | None | UnsetType = UNSET
    source_file_width: int | None | UnsetType = UNSET
