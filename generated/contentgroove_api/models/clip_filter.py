from __future__ import annotations

from typing import TypeAlias

ClipFilter: TypeAlias = dict[str, str | float | bool | list[str]]
""" ClipFilter """
