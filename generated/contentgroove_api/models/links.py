from __future__ import annotations

from msgspec import Struct, field

from ..types import UNSET, Unset


class Links(Struct, frozen=True, kw_only=True):
    """Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them."""

    self_: str = field(name="self")
    current: str | None | Unset = UNSET
    first: str | None | Unset = UNSET
    last: str | None | Unset = UNSET
    next_: str | None | Unset = field(name="next", default=UNSET)
    prev: str | None | Unset = UNSET
