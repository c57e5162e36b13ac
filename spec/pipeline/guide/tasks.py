"""The list of what to write, and its text: Markdown, whose code can be pasted as it is."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from contentgroove_spec.reports.report import Advice, Section, count_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

StepKind: TypeAlias = Literal["add", "replace", "delete", "run", "decide"]

HEAD = (
    "Nothing of this is written yet. Line numbers are those of the files before any of these changes, so work from the "
    "bottom of a file to its top. Check what the code assumes."
)
LONGEST = 100
"""Characters that are shown of a line."""


@dataclass(frozen=True)
class Step:
    """One thing to do in one file, or one command.

    Attributes:
        kind: Adding lines after a line, replacing or deleting lines, running a command, or a decision.
        file: The file, relative to the repository; empty for a command.
        first: The line after which lines are added, or the first to replace or delete.
        last: The last line to replace or delete.
        code: The lines, each with its indentation; the command; or the question.
        anchor: The text of the first line, for people.
    """

    kind: StepKind
    file: str = ""
    first: int = 0
    last: int = 0
    code: str = ""
    anchor: str = ""

    @property
    def heading(self) -> str:
        """What to do, in one line without the code."""
        if self.kind == "run":
            return f"Run `{self.code}`"
        if self.kind == "decide":
            return self.code
        lines = f"line {self.first}" if self.last <= self.first else f"lines {self.first} to {self.last}"
        words = {"add": f"after {lines}", "replace": f"instead of {lines}", "delete": f"delete {lines}"}[self.kind]
        anchor = self.anchor.strip()
        return f"{self.file}, {words} (`{anchor if len(anchor) <= LONGEST else anchor[: LONGEST - 1] + '…'}`)"

    @property
    def count(self) -> int:
        """The number of lines to write or delete by hand."""
        if self.kind == "delete":
            return self.last - self.first + 1
        return sum(bool(line.strip()) for line in self.code.splitlines()) if self.kind in {"add", "replace"} else 0


@dataclass(frozen=True)
class Task:
    """One change of the document that a person must follow.

    Attributes:
        what: The change.
        steps: What to do, in order.
    """

    what: str
    steps: tuple[Step, ...]


def deduplicated(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Drop the steps that an earlier task has, and the tasks that have nothing else.

    What several steps change in one line is written once, with all of it.
    """
    listed = list(tasks)
    changed: dict[tuple[str, int], list[Step]] = {}
    for step in (step for task in listed for step in task.steps if step.kind == "replace"):
        changed.setdefault((step.file, step.first), []).append(step)
    texts = {line: _merged(steps) for line, steps in changed.items()}
    seen: set[Step] = set()
    kept: list[Task] = []
    for task in listed:
        known = dict.fromkeys(texts[step.file, step.first] if step.kind == "replace" else step for step in task.steps)
        steps = tuple(step for step in known if step not in seen)
        seen.update(steps)
        if steps:
            kept.append(Task(task.what, steps))
    return tuple(kept)


def _merged(steps: list[Step]) -> Step:
    """Return one step with what each of some changes in the same line; all know the line as it was."""
    last = steps[-1]
    if last.last > last.first:
        return last
    words = re.findall(r"\w+|\W", last.anchor)
    gone: set[int] = set()
    added: dict[int, dict[str, None]] = {}
    for step in steps:
        written = re.findall(r"\w+|\W", step.code)
        matcher = difflib.SequenceMatcher(None, words, written, autojunk=False)
        for kind, first, end, begin, until in matcher.get_opcodes():
            if kind != "equal":
                gone.update(range(first, end))
                added.setdefault(first, {})["".join(written[begin:until])] = None
    kept = ["".join(added.get(index, ())) + ("" if index in gone else word) for index, word in enumerate(words)]
    code = "".join((*kept, *added.get(len(words), ())))
    if code.endswith(": {}") and not last.anchor.endswith(": {}"):
        # Nothing is left of the object.
        return Step("delete", last.file, last.first, last.first, anchor=last.anchor)
    return Step("replace", last.file, last.first, last.last, code, last.anchor)


def as_text(tasks: tuple[Task, ...]) -> str:
    """Write the list."""
    if not tasks:
        return "Nothing to write by hand.\n"
    lines = [f"# To write by hand: {_summary(tasks)}"]
    if _count(tasks):
        lines += ["", HEAD]
    for number, task in enumerate(tasks, 1):
        lines += ["", f"## {number}. {task.what}", ""]
        for step in task.steps:
            lines.append(f"- {step.heading}")
            if step.kind in {"add", "replace"}:
                language = "yaml" if step.file.endswith(".yaml") else "python" if step.file.endswith(".py") else ""
                lines += ["", f"```{language}", *step.code.splitlines(), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def as_section(tasks: tuple[Task, ...]) -> Section:
    """Return the list without the code, for reports."""
    advice = [
        Advice(f"{number}. {task.what}", "; ".join(step.heading for step in task.steps))
        for number, task in enumerate(tasks, 1)
    ]
    printed = " `make update` prints the lines." if _count(tasks) else ""
    summary = f"{_summary(tasks)}{printed}" if tasks else "Nothing to do."
    return Section("To write by hand", summary, tuple(advice))


def _summary(tasks: tuple[Task, ...]) -> str:
    count = count_text(len(tasks), "task")
    if not _count(tasks):
        return f"{count}, no lines. Start with this: {tasks[0].steps[0].heading}."
    files = {step.file for task in tasks for step in task.steps if step.count}
    return f"{count}, {count_text(_count(tasks), 'line')} in {count_text(len(files), 'file')}."


def _count(tasks: tuple[Task, ...]) -> int:
    return sum(step.count for task in tasks for step in task.steps)


def line_of(root: Path, file: str, number: int) -> str:
    """Return a line of a file, for people."""
    return (root / file).read_text(encoding="utf-8").splitlines()[number - 1]


def steps_between(root: Path, file: str, text: str) -> Iterator[Step]:
    """Yield what makes a file have another text."""
    before, after = (root / file).read_text(encoding="utf-8").splitlines(), text.splitlines()
    for kind, first, end, begin, until in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        code = "\n".join(after[begin:until])
        if kind == "insert":
            yield Step("add", file, first, 0, code, before[first - 1])
        elif kind == "replace":
            yield Step("replace", file, first + 1, end if end > first + 1 else 0, code, before[first])
