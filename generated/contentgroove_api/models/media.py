from __future__ import annotations

from msgspec import Struct, field

from ..types import UNSET, Unset


class Media(Struct, frozen=True, kw_only=True):
    """A video or audio that the service processes."""

    attributes: MediaAttributes
    id: str
    relationships: MediaRelationships
    type_: str = field(name="type")
    transcription: ToOneOrNone | Unset = UNSET
    """ A relationship to at most one other resource. """


from ..models.media_attributes import MediaAttributes
from ..models.media_relationships import MediaRelationships
from ..models.to_one_or_none import ToOneOrNone
