"""Progress in a terminal: bars of uploads, and a spinner while waiting.

It is drawn on standard error, and only if that is a terminal.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from typing import TYPE_CHECKING, Self

from .output import displayable, ellipsis_or_crop, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from rich.progress import Progress, ProgressColumn, TaskID

    from .output import Output

_FIGURES = 58
_PERCENTAGE = 8
"""Columns of a terminal for bar, bytes, speed and remaining time, or for a percentage alone. Two of them stay free,
because a terminal echoes Ctrl-C as ^C, and a line that wraps could not be erased."""

_MIN_BARS_WIDTH = _FIGURES + 20
"""In terminals with fewer columns, only names and percentages are shown."""

_MIN_WAIT_WIDTH = 80
"""In terminals with fewer columns, a wait shows no time limit: an id with its state takes 47 of them."""

_ELAPSED = 12
"""Columns for the spinner and the time so far, of which two stay free as above."""


class UploadDisplay:
    """A bar for each running upload, and one for all files with speed and remaining time."""

    def __init__(self, out: Output, sizes: dict[str, int]) -> None:
        """Prepare the bars of files with these sizes in bytes; 0 if unknown."""
        self._sizes = sizes
        self._sent: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}
        self._ended = 0
        self._progress = _create_bars(out) if out.interactive and not out.stderr_console.is_dumb_terminal else None
        self._all: TaskID | None = None

    def __enter__(self) -> Self:
        if self._progress is not None:
            self._progress.start()
            if len(self._sizes) > 1:
                self._all = self._progress.add_task("")
                self._refresh()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def callback(self, file: str) -> Callable[[int, int], None] | None:
        """Return a file's progress callback, which takes the bytes sent and the total; None if nothing is drawn."""
        progress = self._progress
        if progress is None:
            return None

        def update(sent: int, total: int) -> None:
            if file not in self._tasks:
                self._tasks[file] = progress.add_task(displayable(file, sys.stderr), total=total)
            progress.update(self._tasks[file], completed=sent, total=total)
            self._sent[file] = sent
            self._refresh()

        return update

    def end(self, file: str) -> None:
        """Remove a file's bar."""
        self._ended += 1
        # Bytes that were sent in an earlier run, or that failed, count neither as done nor as remaining.
        self._sizes[file] = self._sent.get(file, 0)
        if self._progress is not None and (task := self._tasks.pop(file, None)) is not None:
            self._progress.remove_task(task)
        self._refresh()

    def _refresh(self) -> None:
        if self._progress is not None and self._all is not None:
            self._progress.update(
                self._all,
                completed=sum(self._sent.values()),
                total=sum(self._sizes.values()),
                description=f"{self._ended} of {len(self._sizes)} files",
            )


@contextlib.contextmanager
def wait_spinner(out: Output, title: str, seconds: float) -> Generator[Callable[[str], None]]:
    """Show a wait with its time so far and its time limit; yields a function that changes the text."""
    if not out.interactive or out.stderr_console.is_dumb_terminal:
        yield lambda _: None
        return
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    width = out.stderr_console.width
    narrow = width < _MIN_WAIT_WIDTH
    limit = () if narrow else (TextColumn(f"of at most {dt.timedelta(seconds=round(seconds))}", markup=False),)
    column = Column(no_wrap=True, max_width=width - _ELAPSED, overflow=ellipsis_or_crop(out.stderr_console))
    # The usual spinner needs characters that only UTF-8 has.
    spinner = SpinnerColumn("line" if out.stderr_console.options.ascii_only else "dots")
    text = TextColumn("{task.description}", markup=False, table_column=column)
    columns = (spinner, text, TimeElapsedColumn(), *limit)
    with _create_progress(out, columns) as progress:
        task = progress.add_task(displayable(title, sys.stderr), total=None)
        yield lambda title: progress.update(task, description=displayable(title, sys.stderr))


def _create_bars(out: Output) -> Progress:
    from rich import progress
    from rich.table import Column

    narrow = out.stderr_console.width < _MIN_BARS_WIDTH
    width = out.stderr_console.width - (_PERCENTAGE if narrow else _FIGURES)
    # The width is fixed, because long names would leave too little for the figures.
    column = Column(width=width, no_wrap=True, overflow=ellipsis_or_crop(out.stderr_console))
    columns: list[ProgressColumn] = [progress.TextColumn("{task.description}", markup=False, table_column=column)]
    if narrow:
        columns.append(progress.TaskProgressColumn())
    else:
        columns += [progress.BarColumn(bar_width=16), progress.DownloadColumn()]
        columns += [progress.TransferSpeedColumn(), progress.TimeRemainingColumn()]
    return _create_progress(out, columns)


def _create_progress(out: Output, columns: Iterable[ProgressColumn]) -> Progress:
    from rich.progress import Progress

    # rich prints results above the bars, but only if standard output is the same terminal.
    return Progress(*columns, console=out.stderr_console, transient=True, redirect_stdout=is_terminal(sys.stdout))
