"""Windows' rules for open files, as far as checkpoints meet them, on a system that has none of them.

Made from the documentation of Windows and of Python's `msvcrt`; no one has compared it with Windows itself.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

REFUSED = PermissionError(errno.EACCES, "The process cannot access the file because it is being used")


class WindowsFiles:
    """Keeps what is open from being removed or replaced, and gives an `msvcrt` whose locks exclude.

    Attributes:
        refusals: How often something was refused because it was open.
        when_closed: Called each time a descriptor was closed, once.
    """

    LK_NBLCK = 2
    LK_UNLCK = 0

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.refusals = 0
        self.when_closed: list[Callable[[], object]] = []
        self._open: set[int] = set()
        self._holders: dict[tuple[int, int], int] = {}
        self._real_open, self._real_close = os.open, os.close
        self._real_unlink, self._real_replace = Path.unlink, Path.replace
        patch.setattr(os, "open", self._opened)
        patch.setattr(os, "close", self._closed)
        # Functions, because methods of this object would not receive the path.
        patch.setattr(Path, "unlink", lambda path, **options: self._unlinked(path, **options))  # noqa: PLW0108 - as above
        patch.setattr(Path, "replace", lambda path, target: self._replaced(path, target))  # noqa: PLW0108 - as above

    def hold(self, path: Path) -> int:
        """Open a file as a virus scanner does; `os.close` ends it."""
        return self._opened(path, os.O_RDONLY)

    def locking(self, descriptor: int, mode: int, _count: int) -> None:
        """Do what `msvcrt.locking` does to the byte at a file's position."""
        info = os.fstat(descriptor)
        location = (info.st_ino, os.lseek(descriptor, 0, os.SEEK_CUR))
        if mode == self.LK_UNLCK:
            if self._holders.pop(location, None) != descriptor:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        elif self._holders.setdefault(location, descriptor) != descriptor:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def _opened(self, path: Any, *arguments: Any, **options: Any) -> int:
        descriptor = self._real_open(path, *arguments, **options)
        self._open.add(descriptor)
        return descriptor

    def _closed(self, descriptor: int) -> None:
        self._open.discard(descriptor)
        self._holders = {location: holder for location, holder in self._holders.items() if holder != descriptor}
        self._real_close(descriptor)
        while self.when_closed:
            self.when_closed.pop()()

    def _refuse_if_open(self, path: Path) -> None:
        # Other threads open and close files at the same time; a copy is made in one step.
        if path.exists() and any(_is_open(descriptor, path) for descriptor in tuple(self._open)):
            self.refusals += 1
            raise REFUSED

    def _unlinked(self, path: Path, **options: Any) -> None:
        self._refuse_if_open(path)
        self._real_unlink(path, **options)

    def _replaced(self, path: Path, target: Path) -> Path:
        self._refuse_if_open(target)
        return self._real_replace(path, target)


def _is_open(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        # Closed by the file object that was made of it.
        return False
