"""The ready-made progress bar."""

from __future__ import annotations

import io

from contentgroove import progress_bar
from rich.console import Console


def test_a_name_is_no_markup() -> None:
    """What stands in a file's name is shown as it is, brackets included."""
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=100)
    with progress_bar("film [red]one[/red] [/].mp4", console=console) as progress:
        progress(1024, 2048)
    assert "film [red]one[/red] [/].mp4" in drawn.getvalue()
    assert "1.0/2.0 KiB" in drawn.getvalue()
