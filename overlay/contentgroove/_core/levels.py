"""How deeply an argument may be nested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from contentgroove_api.types import MAX_LEVELS


def check_value_levels(value: object) -> None:
    """Raise ValueError if a value has more levels than JSON that this library reads, such as one that contains itself.

    On some Pythons, encoding too many levels ends the process.
    """
    # By identity, because a list that contains itself twice has twice as many members on each further level.
    level: dict[int, object] = {id(value): value}
    for _ in range(MAX_LEVELS + 1):
        level = {id(member): member for holder in level.values() for member in _members(holder)}
        if not level:
            return
    raise ValueError(f"it contains itself, or has more than {MAX_LEVELS} levels")


def _members(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(cast("Mapping[object, object]", value).values())
    return list(cast("list[object]", value)) if isinstance(value, (list, tuple, set, frozenset)) else []
