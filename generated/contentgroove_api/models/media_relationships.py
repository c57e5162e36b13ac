from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class MediaRelationships(Struct, frozen=True, kw_only=True):
    """MediaRelationships"""

    clips: ToMany
    """ A relationship to several other resources. """
    transcription: ToOneOrNone | UnsetType = UNSET
    """ A relationship to at most one other resource. """


from ..models.to_many import ToMany
from ..models.to_one_or_none import ToOneOrNone
