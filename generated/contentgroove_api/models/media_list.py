from __future__ import annotations

from msgspec import Struct


class MediaList(Struct, frozen=True, kw_only=True):
    """MediaList"""

    data: list[Media]
    links: Links
    """ Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them. """


from ..models.links import Links
from ..models.media import Media
