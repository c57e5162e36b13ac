"""Stores uploaded files and, if requested, the whole state."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import IO

import msgspec
from contentgroove._io.durable_files import patiently

from contentgroove_mock.simulator.core.records import State


class FileStore:
    """A folder of uploaded files: next to the state file, or a temporary one that is deleted with this object."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def open(self) -> IO[bytes]:
        """Create a new file and open it for writing; its `name` is its path."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="contentgroove-mock-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self._folder, prefix="upload-")
        os.close(descriptor)
        return Path(path).open("wb")

    def discard(self, path: str) -> None:
        """Delete a file."""
        # Windows refuses this while the file is being sent; it then stays until its folder is deleted.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(path).unlink()


class StateFile:
    """The state as JSON, replaced as a whole so that a crash of this process never leaves half of it; not synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: bytes | None = None

    @property
    def files(self) -> Path:
        """The folder for uploaded files."""
        return self._path.with_name(self._path.name + ".files")

    def load(self) -> State | None:
        """Read the state; None if the file does not exist yet.

        Raises:
            ValueError: The file is not a simulator's state.
            OSError: The file cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSError(error.errno, f"Cannot read {self._path}: {error.strerror}") from error
        try:
            return msgspec.json.decode(content, type=State)
        except msgspec.DecodeError as error:
            raise ValueError(
                f"{self._path} is not a simulator's state ({error}): pass another file, or delete this one"
            ) from error

    def save(self, state: State) -> None:
        """Write the state if it has changed since it was last written.

        Raises:
            OSError: The file cannot be written.
        """
        content = msgspec.json.encode(state)
        if content == self._written:
            return
        try:
            # The file contains the secret that signs upload URLs, so only its owner may read it.
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            draft = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                patiently(lambda: draft.replace(self._path))
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise OSError(error.errno, f"Cannot write {self._path}: {error.strerror}") from error
        self._written = content
