"""Run the checks of an update, and put what fails together by what must be written."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from contentgroove_spec.reports import count_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from contentgroove_spec.config import Work

CHECK_SECONDS = 3600.0
MAX_SHOWN_LINES = 40
MAX_REASON = 160

# As mypy and pyright write it.
_TYPE_ERROR = re.compile(r"^\s*(?P<file>[^\s:]+\.py):(?P<line>\d+)(?::\d+)?(?: -|:) error: (?P<said>.*)$", re.MULTILINE)

# How pytest explains what two collections do not share, and how its additions start: with CI=true, with a whole diff.
_DIFFERING = re.compile(r"Extra items in the |Left contains |Right contains |Differing items")
_PADDING = ("Use -v", "Full diff", "...Full output")


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that a check complains of.

    Attributes:
        where: The test, or the place in a file.
        said: The first line of the reason.
    """

    where: str
    said: str


def run_check(command: tuple[str, ...], folder: Path, log: Path) -> list[Failure]:
    """Run a check and add all that it says to the log.

    Args:
        command: What to run; a word `python` is this environment's.
        folder: Where to run it.
        log: The file that all it says is added to.

    Returns:
        What it complains of, nothing if it passes.
    """
    shown = " ".join(command)
    own = [sys.executable if word == "python" else word for word in command]
    report = log.with_suffix(".xml")
    report.unlink(missing_ok=True)
    if "pytest" in command:
        # A test file that cannot be imported must not hide what the others find.
        own += [f"--junitxml={report}", "--continue-on-collection-errors"]
    try:
        done = subprocess.run(
            own,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return [Failure(shown, str(error))]
    with log.open("a", encoding="utf-8") as opened:
        opened.write(f"$ {shown}\n{done.stdout}\n")
    if not done.returncode:
        return []
    found = [*_failed_tests(report), *_type_errors(done.stdout, folder)]
    if found:
        return found
    last = "\n".join(done.stdout.rstrip().splitlines()[-MAX_SHOWN_LINES:])
    return [Failure(shown, f"it ended with status {done.returncode} and said:\n{last}")]


def _failed_tests(report: Path) -> Iterator[Failure]:
    try:
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest has just written it
    except (OSError, ET.ParseError):
        return
    for case in cases:
        # One that failed and could not be taken down has two.
        for kind in ("failure", "error"):
            if (problem := case.find(kind)) is not None:
                module, name = case.get("classname", ""), case.get("name", "")
                # A file that could not be collected is all name.
                where = f"{module.replace('.', '/')}.py::{name}" if module else f"{name.replace('.', '/')}.py"
                yield Failure(where, _reason(problem.get("message", ""), problem.text or ""))


def _reason(message: str, text: str) -> str:
    """Give the line that tells most: what pytest says is too much or missing, else the error, else the message."""
    marked: list[str] = re.findall(r"^E +(\S.*)$", text, re.MULTILINE)
    differing = next((index for index, line in enumerate(marked) if _DIFFERING.match(line)), None)
    if differing is not None:
        explained = takewhile(lambda line: not line.startswith(_PADDING), marked[differing:])
        marked = [" ".join(line.strip() for line in explained)]
    line = next((line for line in (*marked, *message.splitlines()) if line.strip()), "")
    return line.strip()[:MAX_REASON]


def _type_errors(output: str, folder: Path) -> Iterator[Failure]:
    for found in _TYPE_ERROR.finditer(output):
        file = found["file"].removeprefix(f"{folder}/")
        yield Failure(f"{file}:{found['line']}", found["said"][:MAX_REASON])


def by_work(failures: Iterable[Failure], works: Iterable[Work]) -> dict[Work | None, list[Failure]]:
    """Put failures to the first work that one of its patterns finds in them; None has the rest."""
    found: dict[Work | None, list[Failure]] = {work: [] for work in (*works, None)}
    for failure in dict.fromkeys(failures):
        text = f"{failure.where}: {failure.said}"
        found[next((work for work in found if work and work.fits(text)), None)].append(failure)
    return {work: of_it for work, of_it in found.items() if of_it}


def as_text(failures: Iterable[Failure], works: Iterable[Work]) -> str:
    """Name every failure below what must be written; a test with parameters stands there once, with all reasons."""
    lines: list[str] = []
    for work, of_it in by_work(failures, works).items():
        lines.append("")
        lines.append(f"{work.what if work else 'Something else'}: {count_text(len(of_it), 'failure')}")
        lines.append(f"  → {work.todo if work else 'Look at each.'}")
        places: dict[str, list[str]] = {}
        for failure in of_it:
            places.setdefault(failure.where.partition("[")[0], []).append(failure.said)
        for where, said in places.items():
            times = f" ({len(said)} times)" if len(said) > 1 else ""
            first, *others = dict.fromkeys(said)
            lines.append(f"  {where}{times}: {first}")
            lines.extend(f"    {reason}" for reason in others)
    return "\n".join(lines).strip("\n")
