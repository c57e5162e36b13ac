"""Writes one page of what the benchmarks measured: `python -m benchmarks.report FIGURES PAGE`.

`make bench` does it: each benchmark adds its results to the file FIGURES, and this makes a page of them that loads
nothing, to keep or to attach to a pull request. Its ratios can be compared with those of other machines; times cannot.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import sys
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from contentgroove._pages.page import (
    Html,
    Segment,
    State,
    badge,
    bar,
    document,
    element,
    figures,
    join,
    legend,
    section,
    table,
)

from benchmarks.figures import ABOUT, Figure, Verdict, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STATES: dict[Verdict, State] = {"met": "good", "missed": "bad", "no goal": "idle"}
# From here on, what is behind the point says nothing: three digits are as much as such measurements are good for.
_WHOLE = 100
_LIBRARIES = ("contentgroove", "httpx", "httpcore", "msgspec", "anyio")


def page(found: Sequence[Figure], machine: Mapping[str, str]) -> str:
    """Return the page of some figures, in the order in which they were measured."""
    verdicts = [figure.verdict for figure in found]
    met, missed = verdicts.count("met"), verdicts.count("missed")
    return document(
        f"{met} of {met + missed} goals met" if met + missed else "Figures without goals",
        figures(
            [
                ("Goals met", f"{met} of {met + missed}", "good" if met and not missed else None),
                ("Goals missed", f"{missed}", "bad" if missed else "good"),
                ("No goal", f"{verdicts.count('no goal')}", None),
            ]
        ),
        _legend(),
        *(_benchmark(name, list(group)) for name, group in groupby(found, lambda figure: figure.benchmark)),
        _machine(machine),
        about="Benchmarks",
        lead=_lead(met, missed),
        footer="Measured with make bench. A ratio can be compared with that of another machine; a time cannot.",
    )


def _lead(met: int, missed: int) -> str:
    if not met + missed:
        return "No figure with a goal was measured."
    if not missed:
        return f"All {met} goals are met."
    return f"{missed} of {met + missed} goals are missed on this machine, in this run."


def _legend() -> Html:
    mark = element("span", bar([Segment(0, 0.6, "good")], [0.8]))
    return legend(
        [
            (badge("good", "met"), "The figure is what it should be."),
            (badge("bad", "missed"), "It is not. A busy machine can be the reason: see its load below."),
            (badge("idle", "no goal"), "For information."),
            (
                mark,
                "The length of a bar is the figure, the line its goal. Bars of one row are comparable, rows are not.",
            ),
            ("ratio", "Ours to the rival's that the row names, as the median of turns in the same run."),
            (">= and <=", "At least, at most: which is better, more or less, differs by row."),
            ("about", f"Not further from it than {ABOUT:.0%}."),
        ]
    )


def _benchmark(name: str, found: Sequence[Figure]) -> Html:
    rows = (
        [
            join([figure.name, element("small", figure.detail, class_="quiet") if figure.detail else ""]),
            badge(_STATES[figure.verdict], figure.verdict),
            element("td", _number(figure), class_="number"),
            element("td", figure.goal or "none", class_="number"),
            _bar(figure),
        ]
        for figure in found
    )
    numbers = (element("th", title, scope="col", class_="number") for title in ("figure", "goal"))
    head = ["what", "verdict", *numbers, "beside the goal"]
    return section(name, table(f"Figures of: {name}", head, rows))


def _number(figure: Figure) -> str:
    digits = f"{figure.value:,.0f}" if figure.value >= _WHOLE else f"{figure.value:.3g}"
    return digits + (f" {figure.unit}" if figure.unit else "")


def _bar(figure: Figure) -> Html:
    if figure.limit is None:
        return element("td")
    longest = 1.25 * max(figure.value, figure.limit.limit)
    if longest <= 0:
        return element("td")
    drawn = bar([Segment(0, figure.value / longest, _STATES[figure.verdict])], [figure.limit.limit / longest])
    return element("td", drawn)


def _machine(machine: Mapping[str, str]) -> Html:
    return section("Machine", table("Where the figures come from.", ["fact", "value"], machine.items()))


def facts() -> dict[str, str]:
    """Return what is known about this machine, without its name."""
    found = {
        "measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "system": f"{platform.system()} {platform.release()}",
        "processor": _first("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": f"{os.cpu_count()}",
        "memory": _memory(),
        "load in the last minute, 5 and 15 minutes": " ".join(f"{load:.1f}" for load in os.getloadavg())
        if hasattr(os, "getloadavg")
        else "",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: version(name) for name in _LIBRARIES},
    }
    return {name: value for name, value in found.items() if value}


def _memory() -> str:
    kibibytes = _first("/proc/meminfo", "MemTotal").partition(" ")[0]
    return f"{int(kibibytes) / 1024**2:.1f} GiB" if kibibytes.isdecimal() else ""


def _first(path: str, key: str) -> str:
    """Return the first value of a key in a file of Linux; empty elsewhere."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=__doc__)
    parser.add_argument("figures", type=Path, help="what the benchmarks have kept")
    parser.add_argument("page", type=Path, help="the HTML file to write")
    arguments = parser.parse_args()
    try:
        found = read(arguments.figures.read_bytes().splitlines())
        arguments.page.parent.mkdir(parents=True, exist_ok=True)
        arguments.page.write_text(page(found, facts()), encoding="utf-8", newline="\n")
    except (OSError, msgspec.DecodeError) as error:
        print(f"error: No page was written: {error}. Run: make bench", file=sys.stderr)
        return 1
    print(f"{len(found)} figures in {arguments.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
