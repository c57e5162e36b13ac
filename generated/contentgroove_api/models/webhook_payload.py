from __future__ import annotations

from msgspec import UNSET, Raw, Struct, UnsetType


class WebhookPayload(Struct, frozen=True, kw_only=True):
    """WebhookPayload"""

    data: Media
    """ A video or audio that the service processes. """
    included: list[Raw] | None | UnsetType = UNSET
    """ The media's clips and its transcription; null or missing without any (assumed). """


from ..models.media import Media
