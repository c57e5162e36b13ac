"""Where uploaded files and, if asked for, the whole state are kept."""

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
    """A folder of uploaded files: beside the state file, or a temporary one that goes with its owner."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def open(self) -> IO[bytes]:
        """Create a new file, to be written; its `name` is its path."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="contentgroove-mock-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor, path = tempfile.mkstemp(dir=self._folder, prefix="upload-")
        os.close(descriptor)
        return Path(path).open("wb")

    def discard(self, path: str) -> None:
        """Delete a file."""
        # Windows refuses it while the file is being sent to somebody; it stays until its folder goes.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(path).unlink()


class StateFile:
    """The state as JSON, replaced as a whole so that no crash of ours leaves half of one; it is not synced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: bytes | None = None

    @property
    def files(self) -> Path:
        """The folder for uploaded files."""
        return self._path.with_name(self._path.name + ".files")

    def load(self) -> State | None:
        """Read the state; None if there is no file yet.

        Raises:
            ValueError: The file is not a simulator's state.
            OSError: It cannot be read.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSError(error.errno, f"{self._path} cannot be read: {error.strerror}") from error
        try:
            return msgspec.json.decode(content, type=State)
        except msgspec.DecodeError as error:
            raise ValueError(
                f"{self._path} is not a simulator's state ({error}): name another file, or delete this one"
            ) from error

    def save(self, state: State) -> None:
        """Write the state, if it differs from what was written last.

        Raises:
            OSError: It cannot be written.
        """
        content = msgspec.json.encode(state)
        if content == self._written:
            return
        try:
            # It holds the secret that signs upload URLs: for the owner's eyes only.
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            draft = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                patiently(lambda: draft.replace(self._path))
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise OSError(error.errno, f"{self._path} cannot be written: {error.strerror}") from error
        self._written = content
