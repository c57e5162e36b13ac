"""Checkpoints on disk: whole or not at all, readable by their owner only, used by one process at a time."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove.errors import InvalidInputError

try:
    import fcntl
except ImportError:
    # Windows has no flock; there the caller sees to it that one process uses a checkpoint.
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Generator


class CheckpointFile:
    """One checkpoint's file.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def locked(self) -> Generator[None, None, None]:
        """Keep other processes from using the checkpoint.

        Raises:
            InvalidInputError: Another process uses it, or the folder cannot be written to.
        """
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise InvalidInputError(f"The checkpoint {self.path} cannot be written: {error.strerror}.") from error
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
            lock.unlink(missing_ok=True)
        except BlockingIOError as error:
            raise InvalidInputError(
                f"Another process is at the upload of {self.path}; wait for it to end. Nothing was sent."
            ) from error
        finally:
            os.close(descriptor)

    def read(self) -> bytes | None:
        """Give the content, None if there is no file yet."""
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidInputError(f"The checkpoint {self.path} cannot be read: {error.strerror}.") from error

    def write(self, content: bytes) -> None:
        """Replace the content so that it survives the machine's death, or leave the old one."""
        # mkstemp makes files of mode 0600, beside the target so that the rename is atomic.
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
