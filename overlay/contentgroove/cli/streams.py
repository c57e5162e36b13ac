"""Standard output and error: every text can be printed, and pipes carry the same bytes on every system."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Any


def prepare_streams() -> None:
    """Let standard output and error accept every text.

    Files and pipes become UTF-8 with plain newlines on every system, because the code pages of Windows lack most
    characters. A terminal keeps its encoding, and shows what that lacks by its number.
    """
    for stream in (sys.stdout, sys.stderr):
        # A stream that was closed before the start is None.
        with contextlib.suppress(AttributeError):
            terminal = is_terminal(stream)
            stream.reconfigure(  # type: ignore[union-attr]
                encoding=None if terminal else "utf-8", newline=None if terminal else "\n", errors="backslashreplace"
            )


def is_terminal(stream: Any) -> bool:
    """Return True if a stream is open and a terminal."""
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def is_closed_pipe(error: BaseException | None, system: str = os.name) -> bool:
    """Return True if an error means that the output pipe was closed by its reader.

    Args:
        error: The exception.
        system: `os.name`. Windows reports an invalid argument for such a pipe, without a file name.
    """
    if isinstance(error, BrokenPipeError):
        return True
    return system == "nt" and isinstance(error, OSError) and (error.errno, error.filename) == (errno.EINVAL, None)
