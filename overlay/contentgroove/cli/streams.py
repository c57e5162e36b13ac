"""Standard output and error as commands use them: any text can be printed, and pipes carry the same everywhere."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Any


def prepare_streams() -> None:
    """Let standard output and error take any text.

    Files and pipes are UTF-8 with plain newlines on every system; Windows' own are of a code page that lacks most
    characters. What a terminal's encoding lacks is shown by its number.
    """
    for stream in (sys.stdout, sys.stderr):
        # One that was closed before the start is None.
        with contextlib.suppress(AttributeError):
            its_own = is_terminal(stream)
            stream.reconfigure(  # type: ignore[union-attr]
                encoding=None if its_own else "utf-8", newline=None if its_own else "\n", errors="backslashreplace"
            )


def is_terminal(stream: Any) -> bool:
    """Whether a person sits at a stream; a closed one has nobody."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def is_closed_pipe(error: BaseException | None, system: str = os.name) -> bool:
    """Whether an error says that nobody reads what is printed any more.

    Args:
        error: What was raised.
        system: `os.name`. Windows says of such a pipe that an argument is invalid, and names no file with it.
    """
    if isinstance(error, BrokenPipeError):
        return True
    return system == "nt" and isinstance(error, OSError) and (error.errno, error.filename) == (errno.EINVAL, None)
