"""Console blocks that show what commands print."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def shown(text: str) -> Iterator[tuple[str, str]]:
    r"""Yield each command of a block with what the block says that it prints.

    A command begins with `$ `, and goes on over lines that end with a backslash.
    """
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        length = next((i for i, line in enumerate(lines, 1) if not line.endswith("\\\n")), len(lines))
        yield "".join(lines[:length]), "".join(lines[length:])


def matches(printed: str, expected: str) -> bool:
    """Compare what was printed with what a page shows: `…` stands for anything, blanks at ends of lines for nothing."""
    pattern = ".*?".join(re.escape(part) for part in _stripped(expected).split("…"))
    return re.fullmatch(pattern, _stripped(printed), re.DOTALL) is not None


def _stripped(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()
