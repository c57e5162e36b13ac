"""How long the command line takes to start, beside the smallest program of its own framework.

`python -m benchmarks.command_line [--runs 15]`: the programs take turns, and the median counts. Processor time is
printed as well, because the other is long on a machine that does something else.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import contentgroove
import contentgroove_mock
import contentgroove_spec

from benchmarks.figures import Figure, keep

GOAL = 0.25
RIVAL = "typer's hello world"
HELLO = """
import sys, typer
app = typer.Typer(rich_markup_mode=None)
@app.command()
def hello(name: str) -> None:
    print(name)
app(["--help"])
"""
TYPED = "contentgroove medias up"
COMPLETION = {"_CONTENTGROOVE_COMPLETE": "complete_bash", "COMP_CWORD": "2"}


def programs() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Return arguments and environment of each program, by name."""
    ours = ["-m", "contentgroove"]
    return {
        "python -c pass": (["-c", "pass"], {}),
        RIVAL: (["-c", HELLO], {}),
        "--version": ([*ours, "--version"], {}),
        "--help": ([*ours, "--help"], {}),
        "medias upload --help": ([*ours, "medias", "upload", "--help"], {}),
        "completion of a group": (ours, {**COMPLETION, "COMP_WORDS": "contentgroove med", "COMP_CWORD": "1"}),
        "completion of a command": (ours, {**COMPLETION, "COMP_WORDS": TYPED}),
        "the same in zsh": (ours, {"_CONTENTGROOVE_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": TYPED}),
        "the same in fish": (
            ours,
            {
                "_CONTENTGROOVE_COMPLETE": "complete_fish",
                "_TYPER_COMPLETE_ARGS": TYPED,
                "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            },
        ),
        "an error": ([*ours, "medias", "lst"], {}),
    }


def measure(arguments: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Run a program; return its seconds, and those of its processor."""
    before, started = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *arguments], env={**os.environ, **environment}, capture_output=True, check=False)
    elapsed, after = time.perf_counter() - started, os.times()
    return elapsed, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure all programs in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs: int = parser.parse_args().runs
    for package in (contentgroove, contentgroove_mock, contentgroove_spec):
        # Installers compile the modules.
        compileall.compile_dir(str(Path(package.__file__ or "").parent), quiet=2)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in programs()}
    for _ in range(runs):
        for name, program in programs().items():
            times[name].append(measure(*program))
    rival = statistics.median(processor for _, processor in times[RIVAL])
    print(f"Start of the command line: goal {GOAL * 1000:.0f} ms")
    for name, measured in times.items():
        elapsed = statistics.median(seconds for seconds, _ in measured)
        processor = statistics.median(seconds for _, seconds in measured)
        figures = f"{elapsed * 1000:6.0f} ms, processor {processor * 1000:5.0f} ms"
        print(f"  {name:<24} {figures}, {processor / rival:4.1f} of {RIVAL}")
        detail = f"{figures.strip()}, {processor / rival:.1f} of the processor time of {RIVAL}"
        # The others are what it is compared with.
        goal = f"<= {GOAL * 1000:.0f}" if "contentgroove" in str(programs()[name]) else ""
        keep(Figure("Start of the command line", name, elapsed * 1000, goal, "ms", detail))


if __name__ == "__main__":
    main()
