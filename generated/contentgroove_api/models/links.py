from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field


class Links(Struct, frozen=True, kw_only=True):
    """Links to this and other pages. No example shows `first`, `prev`, `next` or `last`; the published
    schema names them."""

    self_: str = field(name="self")
    current: str | None | UnsetType = UNSET
    first: str | None | UnsetType = UNSET
    last: str | None | UnsetType = UNSET
    next_: str | None | UnsetType = field(name="next", default=UNSET)
    prev: str | None | UnsetType = UNSET
