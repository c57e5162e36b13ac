from __future__ import annotations

from msgspec import Struct


class ClipDocument(Struct, frozen=True, kw_only=True):
    """ClipDocument"""

    data: Clip
    """ A part of a media, suggested by the service or made by a user. """
    links: Links
    """ Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them. """


from ..models.clip import Clip
from ..models.links import Links
