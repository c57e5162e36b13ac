from __future__ import annotations

from msgspec import Struct

from ..types import UNSET, Unset


class PageQuery(Struct, frozen=True, kw_only=True):
    """Which page of a list, and how large."""

    number: int | Unset = UNSET
    """ The page's number, from 1. """
    size: int | Unset = UNSET
    """ How many items a page has at most. """
