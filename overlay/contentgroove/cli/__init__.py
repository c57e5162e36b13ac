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
        code = run(sys.argv[1:])
    except ConfigurationError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
