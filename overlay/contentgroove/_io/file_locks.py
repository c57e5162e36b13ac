"""File locks: one holder at a time, in this process and all others, and none is left when a process dies.

Both kinds remove their file at the end, in the order that their system requires. While a lock is held, its file says
who holds it, behind a first byte that Windows lets no one else read.
"""

from __future__ import annotations

import datetime as dt
import errno
import os
import re
import socket
from abc import ABC, abstractmethod
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .durable_files import retry_while_open
from .foreign_errors import ignoring, raise_if_foreign

if TYPE_CHECKING:
    from pathlib import Path

_MAX_HOLDER = 400
"""Bytes of a holder's description; names of hosts have at most 255."""

_HOLDER = re.compile(r"[\x20-\x7e]+")


class FileLock(ABC):
    """A lock that no one else can take between `take` and `release`.

    Args:
        path: Its file, which must not be used for anything else.
        system: The module of the system's locks.
    """

    def __init__(self, path: Path, system: Any) -> None:
        self._path = path
        self._system = system
        self._descriptor = -1
        self._pid = -1

    def holder(self) -> str | None:
        """Return who holds the lock: process, host, and since when; None if its file does not say it."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
            try:
                os.lseek(descriptor, 1, os.SEEK_SET)
                found = _HOLDER.fullmatch(os.read(descriptor, _MAX_HOLDER).decode("ascii", "replace"))
            finally:
                os.close(descriptor)
        except OSError as error:
            raise_if_foreign(error)
            return None
        return None if found is None else found[0]

    def _write_holder(self) -> None:
        text = f" {describe_process()} since {dt.datetime.now(dt.UTC).isoformat(timespec='seconds')}"
        # It only helps people: a full disk must not keep the lock from being taken.
        with ignoring(OSError):
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, text.encode("ascii", "replace")[:_MAX_HOLDER])
        # Where WindowsLock releases the byte that it locked.
        os.lseek(self._descriptor, 0, os.SEEK_SET)

    @abstractmethod
    def take(self) -> None:
        """Take the lock; raise BlockingIOError if another holder has it, OSError if its file cannot be created."""

    @abstractmethod
    def release(self) -> None:
        """Release the lock and remove its file."""


def describe_process() -> str:
    """Return this process and its host, for people."""
    return f"process {os.getpid()} on {socket.gethostname()}"


def file_lock(path: Path) -> FileLock:
    """Return a lock for this system."""
    return WindowsLock(path, import_module("msvcrt")) if os.name == "nt" else PosixLock(path, import_module("fcntl"))


class PosixLock(FileLock):
    """A lock by `flock`, of the module `fcntl`, which Windows lacks."""

    def take(self) -> None:
        while True:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                self._system.flock(descriptor, self._system.LOCK_EX | self._system.LOCK_NB)
                if self._is_at(descriptor):
                    self._descriptor, self._pid = descriptor, os.getpid()
                    self._write_holder()
                    return
            except BaseException:
                os.close(descriptor)
                raise
            # Its holder removed the file between the two steps, so the lock protects nothing.
            os.close(descriptor)

    def release(self) -> None:
        """Release the lock and remove its file."""
        # Removed before it is released: afterwards it may belong to another holder. A child process only has a copy of
        # the descriptor; the lock and its file are the parent's.
        if os.getpid() == self._pid:
            with ignoring(OSError):
                self._path.unlink()
        os.close(self._descriptor)

    def _is_at(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._path.stat())
        except FileNotFoundError:
            return False


class WindowsLock(FileLock):
    """A lock by `LockFile`, of the module `msvcrt`, which only Windows has.

    An open file cannot be removed there, so an open descriptor always belongs to the file that the path names.
    """

    def take(self) -> None:
        # Refused for a moment while its last holder removes it.
        descriptor = retry_while_open(lambda: os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            self._system.locking(descriptor, self._system.LK_NBLCK, 1)
        except OSError as error:
            os.close(descriptor)
            # Reported like on every other system.
            if error.errno in {errno.EACCES, errno.EDEADLK}:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
            raise
        self._descriptor = descriptor
        self._write_holder()

    def release(self) -> None:
        """Release the lock and remove its file."""
        # Explicit, because the system releases the lock of a closed file only after some time.
        with ignoring(OSError):
            self._system.locking(self._descriptor, self._system.LK_UNLCK, 1)
        os.close(self._descriptor)
        # Refused if another process has opened it since; that one takes the lock and removes the file.
        with ignoring(OSError):
            self._path.unlink()
