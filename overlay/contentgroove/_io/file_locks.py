"""Locks that are files: one holder at a time, in this process and all others, and none left when a process dies.

Both kinds remove their file at the end, in the order that their system demands.
"""

from __future__ import annotations

import contextlib
import errno
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from .durable_files import patiently

if TYPE_CHECKING:
    from pathlib import Path


class FileLock(Protocol):
    """A lock that nobody else can take from `take` to `release`."""

    def take(self) -> None:
        """Take it.

        Raises:
            BlockingIOError: Somebody else holds it.
            OSError: Its file cannot be made.
        """
        ...

    def release(self) -> None:
        """Give it back, and remove its file."""
        ...


def file_lock(path: Path) -> FileLock:
    """Give the lock of this system.

    Args:
        path: Its file, which holds nothing and is used for nothing else.
    """
    return WindowsLock(path, import_module("msvcrt")) if os.name == "nt" else PosixLock(path, import_module("fcntl"))


class PosixLock:
    """A lock of `flock`.

    Args:
        path: Its file.
        fcntl: The module, which Windows lacks.
    """

    def __init__(self, path: Path, fcntl: Any) -> None:
        self._path = path
        self._fcntl = fcntl
        self._descriptor = -1

    def take(self) -> None:
        """Take it."""
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._fcntl.flock(descriptor, self._fcntl.LOCK_EX | self._fcntl.LOCK_NB)
                if self._is_at(descriptor):
                    self._descriptor = descriptor
                    return
            except BaseException:
                os.close(descriptor)
                raise
            # Its holder removed it between the two steps, so it keeps nobody out.
            os.close(descriptor)

    def release(self) -> None:
        """Give it back."""
        # Removed before it is free: afterwards it may be somebody else's.
        with contextlib.suppress(OSError):
            self._path.unlink()
        os.close(self._descriptor)

    def _is_at(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


class WindowsLock:
    """A lock of `LockFile`.

    What is open cannot be removed there, so whoever has opened the file has the file that the name leads to.

    Args:
        path: Its file.
        msvcrt: The module, which only Windows has.
    """

    def __init__(self, path: Path, msvcrt: Any) -> None:
        self._path = path
        self._msvcrt = msvcrt
        self._descriptor = -1

    def take(self) -> None:
        """Take it."""
        # Refused for a moment while its last holder's removal is under way.
        descriptor = patiently(lambda: os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            self._msvcrt.locking(descriptor, self._msvcrt.LK_NBLCK, 1)
        except OSError as error:
            os.close(descriptor)
            # Said as every other system says it.
            if error.errno in {errno.EACCES, errno.EDEADLK}:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Give it back."""
        # Said, because the system frees what is only closed when it has time.
        with contextlib.suppress(OSError):
            self._msvcrt.locking(self._descriptor, self._msvcrt.LK_UNLCK, 1)
        os.close(self._descriptor)
        # Refused if somebody has opened it meanwhile, who then holds it, and removes it.
        with contextlib.suppress(OSError):
            self._path.unlink()
