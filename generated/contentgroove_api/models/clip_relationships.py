from __future__ import annotations

from msgspec import Struct


class ClipRelationships(Struct, frozen=True, kw_only=True):
    """ClipRelationships"""

    media: ToOne
    """ A relationship to one other resource. """


from ..models.to_one import ToOne
