from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType

from .. import Times


class ClipAttributes(Struct, frozen=True, kw_only=True):
    """ClipAttributes"""

    created_at: Times.datetime
    """ When the clip was created. """
    external_id: str | None | UnsetType = UNSET
    """ An identifier that the service gives beside the id. """
    media_file_content_type: str | None | UnsetType = UNSET
    """ The clip file's media type. """
    media_file_preview_image_url: str | None | UnsetType = UNSET
    """ A still picture of the clip. """
    media_file_url: str | None | UnsetType = UNSET
    """ The clip's file, once it is ready. """
    name: str
    """ The clip's name. """
    text: str | None | UnsetType = UNSET
    """ What is spoken in the clip. """
    start_time: float
    end_time: float
    start_char: int | None | UnsetType = UNSET
    end_char: int | None | UnsetType = UNSET
    rank: int | None | UnsetType = UNSET
    media_file_duration: float | None | UnsetType = UNSET
    media_file_height: int | None | UnsetType = UNSET
    media_file_width: int | None | UnsetType = UNSET
    is_processing: bool | None | UnsetType = UNSET
    """ False when processing has finished, true while it runs, null right after creation. """
    processing_started_at: Times.datetime | None | UnsetType = UNSET
    """ When processing began. Webhooks leave it out. """
