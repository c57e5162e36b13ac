from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field


class Transcription(Struct, frozen=True, kw_only=True):
    """What is spoken in a media. Only the webhook carries it."""

    id: str
    type_: str = field(name="type")
    attributes: TranscriptionAttributes
    relationships: TranscriptionRelationships | UnsetType = UNSET
    """ Empty in the published example. """


from ..models.transcription_attributes import TranscriptionAttributes
from ..models.transcription_relationships import TranscriptionRelationships
