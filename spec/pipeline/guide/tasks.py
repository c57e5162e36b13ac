"""The list of what to write, and its text: Markdown, whose code can be pasted as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from contentgroove_spec.reports.report import Advice, Section, count_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

StepKind: TypeAlias = Literal["add", "replace", "delete", "run", "decide"]

HEAD = (
    "Line numbers are those of the files before any of these changes, so work from the bottom of a file to its top. "
    "Check what the code assumes."
)


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
        return f"{self.file}, {words} (`{self.anchor.strip()}`)"

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

    Of several texts for one line, the last counts, which has the changes of the others.
    """
    listed = list(tasks)
    texts = {(step.file, step.first): step for task in listed for step in task.steps if step.kind == "replace"}
    seen: set[Step] = set()
    kept: list[Task] = []
    for task in listed:
        known = dict.fromkeys(
            _without_empty(texts.get((step.file, step.first), step)) if step.kind == "replace" else step
            for step in task.steps
        )
        steps = tuple(step for step in known if step not in seen)
        seen.update(steps)
        if steps:
            kept.append(Task(task.what, steps))
    return tuple(kept)


def _without_empty(step: Step) -> Step:
    return step if step.code else Step("delete", step.file, step.first, step.last or step.first, anchor=step.anchor)


def as_text(tasks: tuple[Task, ...]) -> str:
    """Write the list."""
    if not tasks:
        return "Nothing to write by hand.\n"
    lines = [f"# To write by hand: {_summary(tasks)}", "", HEAD]
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
    summary = f"{_summary(tasks)} `make update` prints the lines." if tasks else "Nothing to do."
    return Section("To write by hand", summary, tuple(advice))


def _summary(tasks: tuple[Task, ...]) -> str:
    steps = [step for task in tasks for step in task.steps]
    lines, files = sum(step.count for step in steps), {step.file for step in steps if step.count}
    return f"{count_text(len(tasks), 'task')}, {count_text(lines, 'line')} in {count_text(len(files), 'file')}."


def line_of(root: Path, file: str, number: int) -> str:
    """Return a line of a file, for people."""
    return (root / file).read_text(encoding="utf-8").splitlines()[number - 1]
