"""A ready-made progress bar for uploads (extra `cli`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ._extras import needs

if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

__all__ = ["ProgressBar", "progress_bar"]


class ProgressBar:
    """Shows an upload's bytes, speed and time left; pass it as `progress=` inside a `with`."""

    def __init__(self, description: str, console: Console | None) -> None:
        with needs("The progress bar", "cli"):
            from rich import get_console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
                TransferSpeedColumn,
            )
        console = console or get_console()
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(binary_units=True),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        # A file's name may hold what the stream cannot write, which Windows' pipes are quick to meet.
        shown = description.encode(console.encoding, "backslashreplace").decode(console.encoding)
        self._task = self._progress.add_task(shown, total=None)

    def __call__(self, sent: int, total: int) -> None:
        """Show that `sent` of `total` bytes have gone out."""
        self._progress.update(self._task, completed=sent, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def progress_bar(description: str = "Uploading", *, console: Console | None = None) -> ProgressBar:
    """Make a progress bar.

    Args:
        description: What stands before the bar.
        console: A rich console to draw on; standard output without it.

    Raises:
        ConfigurationError: rich, which the extra `cli` brings, is not installed or cannot be imported.
    """
    return ProgressBar(description, console)
