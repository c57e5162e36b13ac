from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class PageQuery(Struct, frozen=True, kw_only=True):
    """Which page of a list, and how large."""

    number: int | UnsetType = UNSET
    """ The page's number, from 1. """
    size: int | UnsetType = UNSET
    """ How many items a page has at most. """
