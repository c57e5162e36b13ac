"""Run the checks of an update, and group their failures by the work that they require."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from contentgroove_spec.reports.report import count_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from contentgroove_spec.config import Work

CHECK_SECONDS = 3600.0
MAX_SHOWN_LINES = 40
MAX_REASON = 160

# As mypy and pyright write errors.
_TYPE_ERROR = re.compile(
    r"^\s*(?P<file>[^\s:]+\.py):(?P<line>\d+)(?::\d+)?(?: -|:) error: (?P<message>.*)$", re.MULTILINE
)

# How pytest explains the differences of two collections, and the start of its additions (with CI=true, a diff).
_DIFFERING = re.compile(r"Extra items in the |Left contains |Right contains |Differing items")
_PADDING = ("Use -v", "Full diff", "...Full output")


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a check.

    Attributes:
        location: The test, or the file and line.
        message: The first line of the reason.
    """

    location: str
    message: str


def run_check(command: tuple[str, ...], folder: Path, log: Path) -> list[Failure]:
    """Run a check and append its output to the log.

    Args:
        command: The command; the word `python` is replaced by this environment's.
        folder: The folder in which it runs.
        log: The file to which its output is appended.

    Returns:
        Its failures; empty if it passes.
    """
    text = " ".join(command)
    program = [sys.executable if word == "python" else word for word in command]
    report = log.with_suffix(".xml")
    report.unlink(missing_ok=True)
    if "pytest" in command:
        # A test file that cannot be imported must not hide the failures of the others.
        program += [f"--junitxml={report}", "--continue-on-collection-errors"]
    try:
        done = subprocess.run(
            program,
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
        return [Failure(text, str(error))]
    with log.open("a", encoding="utf-8") as opened:
        opened.write(f"$ {text}\n{done.stdout}\n")
    if not done.returncode:
        return []
    found = [*_failed_tests(report), *_type_errors(done.stdout, folder)]
    if found:
        return found
    last = "\n".join(done.stdout.rstrip().splitlines()[-MAX_SHOWN_LINES:])
    return [Failure(text, f"it ended with status {done.returncode} and wrote:\n{last}")]


def _failed_tests(report: Path) -> Iterator[Failure]:
    try:
        cases = ET.parse(report).getroot().iter("testcase")  # noqa: S314 - pytest has just written it
    except (OSError, ET.ParseError):
        return
    for case in cases:
        module, name = case.get("classname", ""), case.get("name", "")
        # A file that could not be collected has only a name.
        location = f"{module.replace('.', '/')}.py::{name}" if module else f"{name.replace('.', '/')}.py"
        # A test whose teardown failed as well has two problems.
        for problem in (*case.findall("failure"), *case.findall("error")):
            yield Failure(location, _reason(problem.get("message", ""), problem.text or ""))


def _reason(message: str, text: str) -> str:
    """Return the most useful line: pytest's list of differing items, or else the error, or else the message."""
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
        yield Failure(f"{file}:{found['line']}", found["message"][:MAX_REASON])


def by_work(failures: Iterable[Failure], works: Iterable[Work]) -> dict[Work | None, list[Failure]]:
    """Group failures by the first work whose patterns match; the key None has the others."""
    found: dict[Work | None, list[Failure]] = {work: [] for work in (*works, None)}
    for failure in dict.fromkeys(failures):
        text = f"{failure.location}: {failure.message}"
        found[next((work for work in found if work and work.matches(text)), None)].append(failure)
    return {work: matching for work, matching in found.items() if matching}


def as_text(failures: Iterable[Failure], works: Iterable[Work]) -> str:
    """List every failure below the work that it requires; a test with parameters is listed once, with all reasons."""
    lines: list[str] = []
    for work, matching in by_work(failures, works).items():
        lines.append("")
        lines.append(f"{work.what if work else 'Other failures'}: {count_text(len(matching), 'failure')}")
        lines.append(f"  → {work.todo if work else 'Write what the list says, then check what remains.'}")
        messages: dict[str, list[str]] = {}
        for failure in matching:
            messages.setdefault(failure.location.partition("[")[0], []).append(failure.message)
        for location, reasons in messages.items():
            times = f" ({len(reasons)} times)" if len(reasons) > 1 else ""
            first, *others = dict.fromkeys(reasons)
            lines.append(f"  {location}{times}: {first}")
            lines.extend(f"    {reason}" for reason in others)
    return "\n".join(lines).strip("\n")
