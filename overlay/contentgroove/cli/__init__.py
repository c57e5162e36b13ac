"""The command line `contentgroove` (extra `cli`).

Other packages add commands through the entry-point group `contentgroove.commands`: each entry is named as its command
is, and is a function that takes a typer app and adds the command to it.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"]:
        from contentgroove import __version__

        print(f"contentgroove {__version__}")  # noqa: T201 - a command line prints
        return
    from importlib.util import find_spec

    if find_spec("typer") is None or find_spec("rich") is None:
        sys.exit("error: the command line needs typer and rich: pip install 'contentgroove[cli]'")
    try:
        from .app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
