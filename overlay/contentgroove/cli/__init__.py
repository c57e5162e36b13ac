"""The command line `contentgroove` (extra `cli`).

Other packages add commands by entry points in the group `contentgroove.commands`: the name is the command's, and the
object is a function that takes a typer app and adds the command to it.
"""

from __future__ import annotations

import contextlib
import os
import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:
        from contentgroove import __version__

        # Without a buffer, because an output that cannot be written is reported below, which tries again.
        with contextlib.suppress(OSError):
            os.write(sys.stdout.fileno(), f"contentgroove {__version__}\n".encode())
            return
    from importlib.util import find_spec

    from contentgroove._extras import needs
    from contentgroove.errors import ConfigurationError

    try:
        with needs("the command line", "cli"):
            from .app import run

            # Commands import rich only when they draw: a missing rich is reported here, not half-way.
            if find_spec("rich") is None:
                raise ModuleNotFoundError("No module named 'rich'", name="rich")
        if "_CONTENTGROOVE_COMPLETE" in os.environ:
            _complete_plainly()
        code = run(sys.argv[1:])
    except ConfigurationError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)


def _complete_plainly() -> None:
    """Let typer pass the help that zsh and fish show on as it is.

    It would draw each with rich, whose import takes 80 ms, and break it into lines, which fish offers as choices.
    """
    from types import ModuleType

    plain = ModuleType("typer.rich_utils")
    vars(plain)["rich_render_text"] = str
    sys.modules[plain.__name__] = plain
