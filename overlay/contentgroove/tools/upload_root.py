"""Files that tools may send: regular files below one folder, the upload root."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .results import ToolError

if TYPE_CHECKING:
    from pathlib import PurePath

MAX_FILE = 256 * 1024 * 1024
"""Bytes of a file that is a part of a request, which is held in memory."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def open_below(root: Path | None, name: str) -> IO[bytes]:
    """Open a regular file that is below the root after all symbolic links are followed.

    Args:
        root: The folder; None if uploads are disabled.
        name: The file's path, absolute or relative to the root.

    Raises:
        ToolError: Uploads are disabled, or there is no such file below the root.
    """
    if root is None:
        raise ToolError(
            "not_allowed",
            "Nothing was sent: uploads are disabled. Start the server with --upload-root FOLDER to allow files below "
            "that folder.",
        )
    try:
        whole = root.resolve(strict=True)
        if not same_drive(whole, whole / name):
            raise _not_found_error(name, root)
        path = (whole / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_found_error(name, root) from error
    if not path.is_relative_to(whole) or path == whole:
        # The caller must not learn whether a file exists outside.
        raise _not_found_error(name, root)
    try:
        file = open(path, "rb", opener=lambda opened, _flags: _open(whole, opened))  # noqa: SIM115 - the caller closes it
    except (OSError, ValueError) as error:
        raise _not_found_error(name, root) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _not_found_error(name, root)
    return file


def read_below(root: Path | None, name: str) -> bytes:
    """Read a regular file that is below the root.

    Args:
        root: The folder; None if uploads are disabled.
        name: The file's path, absolute or relative to the root.

    Raises:
        ToolError: Uploads are disabled, there is no such file below the root, or it has more than `MAX_FILE` bytes.
    """
    with open_below(root, name) as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ToolError("invalid_input", f"Nothing was sent: {name[:200]!r} has more than {MAX_FILE:,} bytes.")
    return content


def same_drive(root: PurePath, path: PurePath) -> bool:
    """Return whether a path is on the root's drive; only Windows has several.

    It is checked before anything is opened: testing whether `//host/share/file` exists logs on to that host, and names
    such as `//./pipe/x` are not files.
    """
    return path.drive.lower() == root.drive.lower()


def _open(root: Path, path: str) -> int:
    if os.open not in os.supports_dir_fd:
        return os.open(path, _FLAGS)
    # Step by step and without following links: a folder may have become one since the path was resolved.
    folder = os.open(root, os.O_RDONLY)
    *folders, last = Path(path).relative_to(root).parts
    try:
        for step in folders:
            inner = os.open(step, _FLAGS | getattr(os, "O_DIRECTORY", 0), dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(last, _FLAGS, dir_fd=folder)
    finally:
        os.close(folder)


def _not_found_error(name: str, root: Path) -> ToolError:
    return ToolError(
        "invalid_input",
        f"Nothing was sent: there is no regular file {name[:200]!r} below the upload root {str(root)!r}.",
    )
