"""Compares the announcements of an end: `deprecated`, and the date in `x-sunset`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .reading import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reading import Part

SUNSET = "x-sunset"


def lifecycle_changes(old: Part, new: Part) -> Iterator[tuple[str, Part | None, Part | None]]:
    """Yield what changed between two operations, parameters, headers or schemas: the rule's id and the two values."""
    was, now = (part.value.get("deprecated") is True for part in (old, new))
    had, has = old.optional("deprecated"), new.optional("deprecated")
    if was != now:
        yield ("deprecation-added" if now else "deprecation-removed"), had, has
    had, has = old.optional(SUNSET), new.optional(SUNSET)
    if has is None:
        if had is not None:
            yield "sunset-removed", had, None
    elif had is None or comparable(had.value) != comparable(has.value):
        earlier = had is not None and _date(has.value) < _date(had.value)
        yield ("sunset-earlier" if earlier else "sunset-set"), had, has


def _date(value: Any) -> str:
    """Return the digits of a date, which can be compared as text."""
    return "".join(re.findall(r"\d", str(value))[:8])
