"""Files that survive a power cut, and changes that Windows refuses while another program has a file open."""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path  # noqa: TC003 - lambdas below call its methods
from typing import TYPE_CHECKING, Any, TypeVar

from .foreign_errors import ignoring, raise_if_foreign

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

try:
    _fcntl: Any = import_module("fcntl")
except ImportError:
    # Windows does not have it.
    _fcntl = None

RETRY_SECONDS = 2.0 if os.name == "nt" else 0.0
"""Seconds for which a refused change is retried. On other systems an open file prevents nothing, and a refusal concerns
permissions, which is not temporary."""

PAUSE = 0.01
"""Seconds between two attempts."""


def retry_while_open(change: Callable[[], T]) -> T:
    """Change or open a file, and retry while Windows refuses it.

    There, a file cannot be renamed, replaced or deleted while another program has it open: a virus scanner, an indexer,
    another upload that reads it. All of them close it soon.
    """
    end = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return change()
        except PermissionError as error:
            raise_if_foreign(error)
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def sync(descriptor: int) -> None:
    """Make sure that written data is on the disk."""
    if hasattr(_fcntl, "F_FULLFSYNC"):
        # On macOS, fsync stops at the drive's cache, which a power cut empties. Not every file system supports this.
        with ignoring(OSError):
            _fcntl.fcntl(descriptor, _fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def write_whole(target: Path, draft: Path, content: bytes) -> None:
    """Replace a file's content atomically and durably; if that fails, the old content stays.

    A new file is readable by its owner only (on Windows, its folder determines that). The content is first written to
    `draft`, in the same folder, which nothing else may use.
    """
    try:
        # A process that was killed here may have left one.
        retry_while_open(lambda: draft.unlink(missing_ok=True))
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            sync(file.fileno())
        retry_while_open(lambda: draft.replace(target))
        _sync_name(target)
    finally:
        with ignoring(OSError):
            draft.unlink(missing_ok=True)


def _sync_name(target: Path) -> None:
    # Not every file system supports it.
    with ignoring(OSError):
        try:
            descriptor = os.open(target.parent, os.O_RDONLY)
        except PermissionError:
            # Windows cannot open a folder. There, the new name is in the file system's journal, which is written before
            # a file counts as synced.
            descriptor = os.open(target, os.O_RDWR)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
