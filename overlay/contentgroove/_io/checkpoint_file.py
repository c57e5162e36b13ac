"""Checkpoints on disk: whole or not at all, readable by their owner only, used by one upload at a time."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove.errors import InvalidInputError

from .durable_files import patiently, write_whole
from .file_locks import file_lock

if TYPE_CHECKING:
    from collections.abc import Generator

MAX_BYTES = 1024 * 1024
"""Bytes read at most: a path given by mistake may be that of a video."""


class FileCheckpointStore:
    """One checkpoint's file.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Take a path.

        Raises:
            InvalidInputError: It cannot be that of a file.
        """
        try:
            self.path = str(Path(path))
            # A link stays a link, and whoever comes by another link meets the same lock.
            self._target = Path(os.path.realpath(self.path))
            self._lock = self._target.with_name(f"{self._target.name}.lock")
            self._new = self._target.with_name(f".{self._target.name}.new")
        except (TypeError, ValueError, OSError) as error:
            raise InvalidInputError(
                f"checkpoint must be the path of a file, not {path!r} ({error}). Nothing was sent."
            ) from error

    @contextlib.contextmanager
    def lock(self) -> Generator[None, None, None]:
        """Keep other uploads, in this process and others, from using the checkpoint.

        Raises:
            InvalidInputError: Another upload uses it, or it cannot be written.
        """
        lock = file_lock(self._lock)
        try:
            self._require_regular_file()
            lock.take()
        except BlockingIOError as error:
            raise InvalidInputError(
                f"Another upload, in this process or another process, is using the checkpoint {self.path}; wait for it "
                "to end. Nothing was sent."
            ) from error
        except OSError as error:
            raise self._unusable_error("written", error) from error
        try:
            yield
        finally:
            lock.release()

    def _require_regular_file(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            # A device or pipe would be waited for or replaced, a folder cannot be.
            if not stat.S_ISREG(self._target.stat().st_mode):
                raise InvalidInputError(
                    f"The checkpoint {self.path} is no regular file; pass the path of a file that may be written. "
                    "Nothing was sent."
                )

    def read(self) -> bytes | None:
        """Give the content, None if there is no file yet.

        Raises:
            InvalidInputError: It cannot be read.
        """
        try:
            with patiently(lambda: self._target.open("rb")) as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable_error("read", error) from error

    def read_siblings(self) -> list[bytes]:
        """Give what the files beside it hold whose names end like its own."""
        found: list[bytes] = []
        with contextlib.suppress(OSError):
            for path in self._target.parent.glob(f"*{self._target.suffix}"):
                # Those that are large, or went meanwhile, are no checkpoints of any use.
                with contextlib.suppress(OSError):
                    info = path.stat()
                    if path != self._target and stat.S_ISREG(info.st_mode) and info.st_size < MAX_BYTES:
                        found.append(patiently(path.read_bytes))
        return found

    def write(self, content: bytes) -> OSError | None:
        """Replace the content so that it survives the machine's death; else leave the old one and give what kept it."""
        try:
            write_whole(self._target, self._new, content)
        except OSError as error:
            return error
        return None

    def _unusable_error(self, how: str, error: OSError) -> InvalidInputError:
        return InvalidInputError(
            f"The checkpoint {self.path} cannot be {how}: {error.strerror or error}. Pass a path in a folder that "
            "exists and can be written to. Nothing was sent."
        )


@contextlib.contextmanager
def open_store(path: str | os.PathLike[str] | None) -> Generator[FileCheckpointStore | None, None, None]:
    """Lock the checkpoint at a path for one upload; yield None if there is no path.

    Raises:
        InvalidInputError: Another upload uses it, or it cannot be written.
    """
    if path is None:
        yield None
        return
    store = FileCheckpointStore(path)
    with store.lock():
        yield store
