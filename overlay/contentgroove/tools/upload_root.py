"""The only folder that files are uploaded from."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePath
from typing import IO

from .errors import ToolError

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def open_below(root: Path | None, name: str) -> IO[bytes]:
    """Open a regular file that is below the root once all symbolic links are followed.

    Args:
        root: The folder; None if there is none.
        name: The file's path, absolute or from the root.

    Raises:
        ToolError: There is no root, or no such file below it.
    """
    if root is None:
        raise ToolError(
            "not_allowed",
            "Nothing was sent: files cannot be uploaded before whoever starts this server names a folder for it: "
            "--upload-root FOLDER",
        )
    try:
        whole = root.resolve(strict=True)
        if not same_drive(whole, whole / name):
            raise _not_found_error(name, root)
        path = (whole / name).resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_found_error(name, root) from error
    if not path.is_relative_to(whole) or path == whole:
        # Whether something is there is not for the caller to know.
        raise _not_found_error(name, root)
    try:
        file = open(path, "rb", opener=lambda opened, _flags: _open(whole, opened))  # noqa: SIM115 - the caller closes it
    except (OSError, ValueError) as error:
        raise _not_found_error(name, root) from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise _not_found_error(name, root)
    return file


def same_drive(root: PurePath, path: PurePath) -> bool:
    """Whether a path stays on the root's drive, of which only Windows has several.

    Asked before anything is opened: to look whether `//host/share/file` exists is to log on to that host, and names
    such as `//./pipe/x` are no files at all.
    """
    return path.drive.lower() == root.drive.lower()


def _open(root: Path, path: str) -> int:
    if os.open not in os.supports_dir_fd:
        return os.open(path, _FLAGS)
    # Step by step and following nothing: a folder may have become a link since the path was resolved.
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
