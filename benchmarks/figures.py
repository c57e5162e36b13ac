"""Keeps what benchmarks measure, for the page that `python -m benchmarks.report` writes of it."""

from __future__ import annotations

import operator
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

VARIABLE = "CONTENTGROOVE_FIGURES"
"""The environment variable that names the file to which figures are added; without it, they are only printed."""

ABOUT = 0.25
"""How far a value may be from a goal that says "about", as a share of it."""

_GOAL = re.compile(r"(>=|<=|<|>|about) *([0-9.]+)")
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "about": lambda value, limit: abs(value - limit) <= ABOUT * limit,
}

Verdict = Literal["met", "missed", "no goal"]


class Goal(NamedTuple):
    """What a figure should be."""

    relation: str
    limit: float


class Figure(msgspec.Struct, frozen=True):
    """One result.

    Attributes:
        benchmark: The benchmark that it is of.
        name: What was measured, and beside what.
        value: The result: a ratio, unless there is a unit.
        goal: What it should be, such as `>= 1.5` or `about 1`; empty if it is only for information.
        unit: The unit of value and goal; empty for ratios.
        detail: The measurements behind it.
    """

    benchmark: str
    name: str
    value: float
    goal: str = ""
    unit: str = ""
    detail: str = ""

    @property
    def limit(self) -> Goal | None:
        """The goal in parts; None if there is none that can be compared."""
        found = _GOAL.match(self.goal)
        return Goal(found[1], float(found[2])) if found else None

    @property
    def verdict(self) -> Verdict:
        """Whether the goal was met."""
        if self.limit is None:
            return "no goal"
        return "met" if _COMPARISONS[self.limit.relation](self.value, self.limit.limit) else "missed"


def show(figure: Figure) -> None:
    """Print a result in one line, and keep it."""
    goal = f"   goal {figure.goal}" if figure.goal else ""
    unit = f" {figure.unit}" if figure.unit else ""
    detail = f": {figure.detail}" if figure.detail else ""
    print(f"{figure.name + detail:66} {figure.value:7.3f}{unit}{goal}")
    keep(figure)


def keep(figure: Figure) -> None:
    """Add a result to the file that the environment names."""
    if path := os.environ.get(VARIABLE):
        with Path(path).open("ab") as file:
            file.write(msgspec.json.encode(figure) + b"\n")


def read(lines: Iterable[bytes]) -> list[Figure]:
    """Read what `keep` has written.

    Raises:
        msgspec.DecodeError: A line is not a figure.
    """
    return [msgspec.json.decode(line, type=Figure) for line in lines if line.strip()]
