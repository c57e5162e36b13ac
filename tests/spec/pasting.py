"""Do what the list of work says, as a person who pastes the lines."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipeline.guide.tasks import Step, Task


def paste(tasks: Iterable[Task], root: Path) -> dict[str, int]:
    """Write the lines of all tasks into a copy of the repository.

    Returns:
        The lines written or deleted, by file.
    """
    by_file: dict[str, list[Step]] = collections.defaultdict(list)
    for task in tasks:
        for step in task.steps:
            if step.kind in {"add", "replace", "delete"}:
                by_file[step.file].append(step)
    counts: dict[str, int] = {}
    for file, steps in by_file.items():
        path = root / file
        lines = path.read_text(encoding="utf-8").splitlines()
        # From the bottom up; several additions after one line keep their order.
        ordered = sorted(enumerate(steps), key=lambda item: (item[1].first, item[0]), reverse=True)
        for _, step in ordered:
            last = max(step.first, step.last)
            if step.kind == "add":
                lines[step.first : step.first] = step.code.splitlines()
            else:
                lines[step.first - 1 : last] = step.code.splitlines() if step.kind == "replace" else []
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        counts[file] = sum(step.count for step in steps)
    return counts
