from __future__ import annotations

from msgspec import Struct


class ClipList(Struct, frozen=True, kw_only=True):
    """ClipList"""

    data: list[Clip]
    links: Links
    """ Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them. """


from ..models.clip import Clip
from ..models.links import Links
