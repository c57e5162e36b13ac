from __future__ import annotations

from typing import TypeAlias

MediaFilter: TypeAlias = dict[str, str | float | bool | list[str]]
""" MediaFilter """
