"""A progress bar for uploads (extra `cli`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from ._extras import needs

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["ProgressBar", "progress_bar"]


class ProgressBar:
    """Shows an upload's bytes, speed and remaining time; use it in a `with` statement and pass it as `progress=`."""

    def __init__(self, description: str, console: Console | None) -> None:
        with needs("The progress bar", "cli"):
            from rich import get_console, progress
        console = console or get_console()
        self._progress = progress.Progress(
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.DownloadColumn(binary_units=True),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
        )
        # A file's name may contain characters that the stream cannot encode, as is common with pipes on Windows.
        printable = description.encode(console.encoding, "backslashreplace").decode(console.encoding)
        self._task = self._progress.add_task(printable, total=None)

    def __call__(self, sent: int, total: int) -> None:
        """Show that `sent` of `total` bytes were sent."""
        self._progress.update(self._task, completed=sent, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def progress_bar(description: str = "Uploading", *, console: Console | None = None) -> ProgressBar:
    """Create a progress bar.

    Args:
        description: The text in front of the bar.
        console: The rich console to draw on; by default standard output.

    Raises:
        ConfigurationError: rich, a package of the extra `cli`, is not installed or cannot be imported.
    """
    return ProgressBar(description, console)
