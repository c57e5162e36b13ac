from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field


class Media(Struct, frozen=True, kw_only=True):
    """A video or audio that the service processes."""

    attributes: MediaAttributes
    id: str
    relationships: MediaRelationships
    type_: str = field(name="type")
    transcription: ToOneOrNone | UnsetType = UNSET
    """ A relationship to at most one other resource. """


from ..models.media_attributes import MediaAttributes
from ..models.media_relationships import MediaRelationships
from ..models.to_one_or_none import ToOneOrNone
