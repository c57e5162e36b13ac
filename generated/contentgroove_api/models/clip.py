from __future__ import annotations

from msgspec import Struct, field


class Clip(Struct, frozen=True, kw_only=True):
    """A part of a media, suggested by the service or made by a user."""

    attributes: ClipAttributes
    id: str
    relationships: ClipRelationships
    type_: str = field(name="type")


from ..models.clip_attributes import ClipAttributes
from ..models.clip_relationships import ClipRelationships
