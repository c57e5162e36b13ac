"""How deeply what a caller passes may be nested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from contentgroove_api.types import MAX_LEVELS


def check_value_levels(value: object) -> None:
    """Look how deeply a value is nested before an encoder does: on some Pythons too much of it ends the process.

    Raises:
        ValueError: It has more levels than JSON that this library reads, such as one that holds itself.
    """
    # By identity, because a list that holds itself twice has twice as many members a level further down.
    level: dict[int, object] = {id(value): value}
    for _ in range(MAX_LEVELS + 1):
        level = {id(member): member for holder in level.values() for member in _members(holder)}
        if not level:
            return
    raise ValueError(f"it holds itself, or has more than {MAX_LEVELS} levels")


def _members(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(cast("Mapping[object, object]", value).values())
    return list(cast("list[object]", value)) if isinstance(value, (list, tuple, set, frozenset)) else []
