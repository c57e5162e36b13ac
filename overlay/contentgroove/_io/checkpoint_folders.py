"""The checkpoints of many uploads: what `upload_many` needs of them, and those in a folder."""

from __future__ import annotations

import hashlib
import os
import re
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from contentgroove.errors import InvalidInputError

from .batches import UploadItem
from .checkpoint_store import FileCheckpointStore

if TYPE_CHECKING:
    from contentgroove._core.io import CheckpointStore

_UNSAFE = re.compile(r"[^\w.-]+", re.ASCII)


class Checkpoints(Protocol):
    """The checkpoints of many uploads, one for each file of a job."""

    @property
    def recheck(self) -> float | None:
        """Seconds after which `upload_many` tries a file again that another process holds.

        With None it reports the file at once, with a CheckpointInUseError.
        """
        ...

    def store(self, upload: UploadItem | str) -> CheckpointStore:
        """Return the checkpoint store of one upload: an item of a batch, or its key.

        Raises:
            InvalidInputError: The upload cannot have a checkpoint here.
        """
        ...


class FileCheckpoints:
    """Checkpoints in a folder, a file for each upload; the folder is created if it does not exist.

    The uploads of one machine use it: a lock keeps processes apart, and ends with its process.

    Args:
        folder: The folder.

    Attributes:
        recheck: None: a file that another process holds is reported.
    """

    recheck: float | None = None

    def __init__(self, folder: str | PathLike[str]) -> None:
        self._folder = folder

    def store(self, upload: UploadItem | str) -> FileCheckpointStore:
        """Return the store of an item's checkpoint or of the one with a key: always the same, and unique.

        An item without a key is identified by its path, name and description.

        Raises:
            InvalidInputError: The item's file is not a path, or the folder cannot be created.
        """
        try:
            folder = Path(self._folder)
            label, identity = _identify(upload)
            folder.mkdir(parents=True, exist_ok=True)
        except InvalidInputError:
            raise
        except (OSError, ValueError, TypeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidInputError(
                f"Cannot create checkpoint_dir {self._folder}: {reason}. Nothing was sent."
            ) from error
        digest = hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()
        # The label helps people, and is shortened to what every file system accepts.
        return FileCheckpointStore(folder / f"{label[:50]}.{digest[:16]}.json")


def require_path(item: UploadItem, option: str) -> str:
    """Return the path of an item's file, as text.

    Raises:
        InvalidInputError: It is not a path.
    """
    # A path of fsspec is one of another machine.
    is_elsewhere = hasattr(item.file, "fs") and not isinstance(item.file, Path)
    if not isinstance(item.file, (str, PathLike)) or is_elsewhere:
        raise InvalidInputError(
            f"With {option}= all files must be paths, because data in memory is lost with the process. "
            "Nothing was sent."
        )
    return os.fsdecode(item.file)


def _identify(upload: UploadItem | str) -> tuple[str, str]:
    item = UploadItem("", key=upload) if isinstance(upload, str) else upload
    if item.key is not None:
        return _UNSAFE.sub("-", item.key), item.key
    # Earlier releases named the files in this way.
    path = Path(require_path(item, "checkpoint_dir")).absolute()
    return path.name, repr((str(path), item.name, item.description))


def choose_checkpoints(folder: str | PathLike[str] | None, checkpoints: Checkpoints | None) -> Checkpoints | None:
    """Return the checkpoints of a batch: those passed, those in a folder, or None.

    Raises:
        InvalidInputError: Both were passed.
    """
    if folder is None:
        return checkpoints
    if checkpoints is not None:
        raise InvalidInputError("Pass either checkpoint_dir or checkpoints, not both. Nothing was sent.")
    return FileCheckpoints(folder)
