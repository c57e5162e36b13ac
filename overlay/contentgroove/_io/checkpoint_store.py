"""Checkpoints on disk: complete or absent, readable by their owner only, used by one upload at a time.

A path that cannot be used, or is in use, is an `InvalidInputError`.
"""

from __future__ import annotations

import contextlib
import os
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from contentgroove._core.inputs import invalid_input
from contentgroove._core.io import CheckpointStore
from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import CheckpointInUseError

from .durable_files import retry_while_open, write_whole
from .file_locks import file_lock
from .foreign_errors import raise_if_foreign

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contentgroove._core.io import IO
    from contentgroove.errors import InvalidInputError

CheckpointLocation: TypeAlias = CheckpointStore | str | os.PathLike[str]
"""Where the checkpoint of one upload is: in a store, or in the file with this path."""

MAX_BYTES = 1024 * 1024
"""The maximum size: a path passed by mistake may be that of a video."""


@with_safe_repr
class FileCheckpointStore:
    """Reads and writes the checkpoint of one upload.

    Attributes:
        path: The checkpoint's path, for messages.
        shared: False.
    """

    shared = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Check a path."""
        try:
            self.path = str(Path(path))
            # A link stays a link, and an upload that uses another link encounters the same lock.
            self._target = Path(os.path.realpath(self.path))
            self._lock = self._target.with_name(f"{self._target.name}.lock")
            self._new = self._target.with_name(f".{self._target.name}.new")
        except (TypeError, ValueError, OSError) as error:
            raise invalid_input(f"checkpoint must be the path of a file, not {path!r} ({error}).") from error

    def __repr__(self) -> str:
        return repr(self.path)

    @contextlib.contextmanager
    def lock(self) -> Generator[None, None, None]:
        """Keep other uploads, in this process and others, from using the checkpoint."""
        lock = file_lock(self._lock)
        try:
            self._require_regular_file()
            lock.take()
        except BlockingIOError as error:
            raise in_use_error(self.path, lock.holder()) from error
        except OSError as error:
            raise_if_foreign(error)
            raise self._unusable_error("written", error) from error
        try:
            yield
        finally:
            lock.release()

    def _require_regular_file(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            # A device or a pipe would block or be replaced, and a folder cannot be written.
            if not stat.S_ISREG(self._target.stat().st_mode):
                raise invalid_input(
                    f"The checkpoint {self.path} is not a regular file; pass the path of a writable file."
                )

    def read(self) -> bytes | None:
        """Return the content, None if there is no file yet."""
        try:
            with retry_while_open(lambda: self._target.open("rb")) as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise_if_foreign(error)
            raise self._unusable_error("read", error) from error

    def write(self, content: bytes) -> OSError | None:
        """Replace the content atomically and durably. If that fails, keep the old content and return the error."""
        try:
            write_whole(self._target, self._new, content)
        except OSError as error:
            raise_if_foreign(error)
            return error
        return None

    def _unusable_error(self, action: str, error: OSError) -> InvalidInputError:
        return invalid_input(
            f"The checkpoint {self.path} cannot be {action}: {error.strerror or error}. Pass a path in a writable "
            "folder."
        )


def in_use_error(path: str, holder: str | None) -> CheckpointInUseError:
    """Create the error of a checkpoint that another upload uses."""
    return CheckpointInUseError(
        f"Another upload is using the checkpoint {path}: {holder or 'in this process or another'}. Wait for it to "
        "finish. Nothing was sent.",
        holder=holder,
    )


def find_store(checkpoint: CheckpointLocation) -> CheckpointStore:
    """Return the store of a checkpoint that was passed as such, or as the path of its file."""
    if isinstance(checkpoint, (str, os.PathLike)):
        return FileCheckpointStore(checkpoint)
    if not hasattr(checkpoint, "lock"):
        raise invalid_input(f"checkpoint must be the path of a file, or a checkpoint store, not {checkpoint!r}.")
    return checkpoint


@contextlib.contextmanager
def open_store(checkpoint: CheckpointLocation) -> Generator[CheckpointStore, None, None]:
    """Lock a checkpoint for one upload."""
    store = find_store(checkpoint)
    with store.lock():
        yield store


@contextlib.asynccontextmanager
async def open_async_store(checkpoint: CheckpointLocation, io: IO) -> AsyncGenerator[CheckpointStore, None]:
    """Lock a checkpoint for one upload, in a thread."""
    from anyio import CancelScope

    store = find_store(checkpoint)
    with contextlib.ExitStack() as exits:
        try:
            # Even if the task is cancelled meanwhile, what was locked is released.
            await io.call_blocking(lambda: exits.enter_context(store.lock()), abandon=False)
            yield store
        except BaseException as error:
            with CancelScope(shield=True):
                await io.call_blocking(partial(exits.__exit__, type(error), error, error.__traceback__), abandon=False)
            raise
        else:
            with CancelScope(shield=True):
                await io.call_blocking(exits.close, abandon=False)
