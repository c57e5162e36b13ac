"""Files that are whole after a power cut, and changes that Windows refuses while another program has a file open."""

from __future__ import annotations

import contextlib
import os
import time
from importlib import import_module
from pathlib import Path  # noqa: TC003 - lambdas below call its methods
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

try:
    _fcntl: Any = import_module("fcntl")
except ImportError:
    # Windows has none.
    _fcntl = None

PATIENCE = 2.0 if os.name == "nt" else 0.0
"""Seconds for which a refused change is tried again. Elsewhere an open file keeps nobody from anything, and a refusal
is one of permissions, which does not pass."""

PAUSE = 0.01
"""Seconds between two tries."""


def patiently(change: Callable[[], T]) -> T:
    """Change or open a file, again and again while Windows refuses it.

    There a file cannot be renamed, replaced or deleted while somebody has it open: a virus scanner, an indexer, another
    upload that looks into it. All of them are done within moments.

    Raises:
        OSError: What kept it to the end.
    """
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return change()
        except PermissionError:
            if time.monotonic() >= end:
                raise
        time.sleep(PAUSE)


def sync(descriptor: int) -> None:
    """Have the disk keep what was written.

    Raises:
        OSError: The disk failed, or is full.
    """
    if hasattr(_fcntl, "F_FULLFSYNC"):
        # macOS: its fsync stops at the drive's own memory, which a power cut empties. Not every file system has it.
        with contextlib.suppress(OSError):
            _fcntl.fcntl(descriptor, _fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


def write_whole(target: Path, draft: Path, content: bytes) -> None:
    """Replace a file's content so that it survives the machine's death; a file that fails leaves the old one.

    Args:
        target: The file; readable by its owner alone if it is new, which Windows leaves to its folder.
        draft: Where the new content is written first, in the same folder; nobody else may use it meanwhile.
        content: The new content.

    Raises:
        OSError: It could not be written.
    """
    try:
        # A process that was killed in here may have left one.
        patiently(lambda: draft.unlink(missing_ok=True))
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            sync(file.fileno())
        patiently(lambda: draft.replace(target))
        _sync_name(target)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _sync_name(target: Path) -> None:
    # Not every file system can do it.
    with contextlib.suppress(OSError):
        try:
            descriptor = os.open(target.parent, os.O_RDONLY)
        except PermissionError:
            # Windows opens no folder; there the new name is in the file system's journal, which is written before a
            # file counts as synced.
            descriptor = os.open(target, os.O_RDWR)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
