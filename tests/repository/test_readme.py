"""The README keeps its promises: short, with a first program of ten lines. `tests/docs` runs its programs."""

from __future__ import annotations

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_it_is_short() -> None:
    """A reader sees what it is, and where to go on, without leafing."""
    assert len(README.splitlines()) <= 150


def test_the_first_example_has_ten_lines() -> None:
    """The promise of a ten-line example is kept."""
    first = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
