"""What can be uploaded: a path, bytes, an open file, and in async clients an async iterator."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from contentgroove._core.checkpoints import printable_name
from contentgroove._core.inputs import invalid_input
from contentgroove._core.io import CallbackError
from contentgroove._core.uploads import MAX_SIZE, check_upload_size, media_type_problem, unusable_file

from .foreign_errors import raise_if_foreign, was_raised_by_signal_handler
from .http import SourceChangedError, SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contentgroove._core.io import Progress, Source

CHUNK_SIZE = 1024 * 1024
"""Bytes read and sent at once: httpx's own 64 KiB halve the speed."""

_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

READ_AHEAD = 128 * 1024
"""Bytes that Linux reads from a disk at once: if the first is cached, the others nearly always are."""

SNIFF_BYTES = 8192
"""Bytes that are read to distinguish audio and video from other files."""

File: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
AsyncFile: TypeAlias = File | AsyncIterator[bytes]


class PathSource:
    """A file by its path; opened again for each attempt."""

    rewindable = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name: str | None = path.name
        printable = printable_name(str(path))
        try:
            info = path.stat()
        except FileNotFoundError as error:
            raise unusable_file(f"{printable} does not exist.", "missing", self.name) from error
        except (OSError, ValueError) as error:
            if isinstance(error, OSError):
                raise_if_foreign(error)
            problem = str(error.strerror if isinstance(error, OSError) else error)
            raise unusable_file(f"{printable} cannot be read: {problem}.", "unreadable", self.name) from error
        if not stat.S_ISREG(info.st_mode):
            kind = "a folder" if stat.S_ISDIR(info.st_mode) else "not a regular file"
            problem = f"{printable} is {kind}; pass the path of a video or audio file."
            raise unusable_file(problem, "not_a_file", self.name)
        check_upload_size(info.st_size, self.name)
        self.size = info.st_size
        self.modified: int | None = info.st_mtime_ns
        try:
            with path.open("rb") as opened:
                _check_media_type(self.name, opened.read(SNIFF_BYTES))
        except OSError as error:
            raise_if_foreign(error)
            raise unusable_file(f"{printable} cannot be read: {error.strerror}.", "unreadable", self.name) from error

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the file's content; a file that changes in the meantime is an error."""
        with contextlib.closing(self.open_reader()) as reader:
            while chunk := reader.read():
                yield chunk

    def open_reader(self) -> FileReader:
        """Open the file, for a caller that tries the page cache first."""
        return FileReader(self._path, self.size, self.modified)


class FileReader:
    """A file that is being sent in chunks; one that changes in the meantime is an error."""

    def __init__(self, path: Path, size: int, modified: int | None) -> None:
        self._size = size
        self._modified = modified
        self._offset = 0
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise _unreadable(error) from error
        try:
            self._check_unchanged()
        except SourceChangedError:
            self._file.close()
            raise

    def read(self) -> bytes:
        """Read the next chunk, waiting for the disk; empty at the end."""
        if self._offset == self._size:
            self._check_unchanged()
            return b""
        try:
            chunk = self._file.read(min(CHUNK_SIZE, self._size - self._offset))
        except OSError as error:
            raise _unreadable(error) from error
        if not chunk:
            raise SourceChangedError(f"it had {self._size:,} bytes and ends after {self._offset:,}")
        self._offset += len(chunk)
        return chunk

    def read_if_cached(self) -> bytes | None:
        """Read the next chunk if it is cached, None if the disk would be waited for (only Linux can tell)."""
        end = min(self._offset + CHUNK_SIZE, self._size)
        # The platform is named for type checkers, because `preadv` does not exist there.
        if sys.platform == "win32" or not _NOWAIT or self._offset == end:
            return None
        try:
            for offset in range(self._offset, end, READ_AHEAD):
                os.preadv(self._file.fileno(), [bytearray(1)], offset, _NOWAIT)
        except OSError:
            return None
        # Reading all of it this way would need a second copy: reads that return bytes have no flags.
        return self.read()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_unchanged(self) -> None:
        info = os.fstat(self._file.fileno())
        if (info.st_size, info.st_mtime_ns) != (self._size, self._modified):
            raise SourceChangedError(f"it had {self._size:,} bytes and has {info.st_size:,}, or was written to")


class BytesSource:
    """Bytes in memory."""

    rewindable = True
    name: str | None = None
    modified: int | None = None

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._view = memoryview(data).cast("B")
        except (TypeError, ValueError) as error:
            # It is not contiguous, or was released.
            raise invalid_input(f"The memoryview cannot be read: {error}.") from error
        self.size = len(self._view)
        check_upload_size(self.size, None)
        _check_media_type(None, bytes(self._view[:SNIFF_BYTES]))

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the bytes in chunks."""
        for start in range(0, self.size, CHUNK_SIZE):
            yield bytes(self._view[start : start + CHUNK_SIZE])


class FileObjectSource:
    """An open binary file, from the position that it has when it is passed in.

    A file that is neither on disk nor in memory, such as an archive's member, is read once before it is sent. That
    shows its size, and runs its own checks, which a member of a zip archive skips after a seek.
    """

    rewindable = True
    modified: int | None = None

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        name: object = getattr(file, "name", None)
        self.name: str | None = Path(name).name if isinstance(name, str) and name else None
        subject = self.name or "The file"
        _require_binary(file)
        try:
            measured = _position_and_size(file)
        except Exception as error:  # any object may be a file, such as a damaged archive's member
            if was_raised_by_signal_handler(error):
                raise
            problem = "it is closed" if getattr(file, "closed", False) is True else str(error) or type(error).__name__
            raise unusable_file(f"{subject} cannot be read: {problem}.", "unreadable", self.name) from error
        if measured is None:
            problem = f"{subject} is a stream of unknown size, but the store needs an exact length."
            raise unusable_file(f"{problem} Write it to a file first, or read it into bytes.", "not_a_file", self.name)
        self._start, self.size, first = measured
        if not isinstance(first, bytes):
            raise invalid_input(f"The file's read() must return bytes, not {type(first).__name__}.")
        # Negative if the position is behind the end.
        check_upload_size(max(self.size, 0), self.name)
        _check_media_type(self.name, first)

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the content from the position at which the file was passed in; never more than it had then."""
        with _as_unreadable():
            self._file.seek(self._start)
        remaining = self.size
        while remaining:
            with _as_unreadable():
                chunk = self._file.read(min(CHUNK_SIZE, remaining))
            if not chunk:
                raise SourceChangedError(f"it had {self.size:,} bytes and ends after {self.size - remaining:,}")
            remaining -= len(chunk)
            yield chunk
        with _as_unreadable():
            extra = self._file.read(1)
        if extra:
            raise SourceChangedError(f"it had {self.size:,} bytes and has grown")


def _require_binary(file: object) -> None:
    import inspect

    if inspect.iscoroutinefunction(getattr(file, "read", None)):
        raise invalid_input(
            "The file has an async read(); pass its path, or with an async client an async iterator of its bytes and "
            "size=."
        )
    if isinstance(file, io.TextIOBase):
        raise invalid_input("The file is open in text mode: open it with mode 'rb'.")


def _position_and_size(file: IO[bytes]) -> tuple[int, int, object] | None:
    """Return a file's position, the size of the remaining content and its first bytes; None if it cannot seek."""
    if not hasattr(file, "tell") or not hasattr(file, "seek") or (hasattr(file, "seekable") and not file.seekable()):
        return None
    start = file.tell()
    if _is_on_disk_or_in_memory(file):
        file.seek(0, os.SEEK_END)
        # By `tell`, because not every `seek` returns the position, such as that of mmap before Python 3.13.
        size = file.tell() - start
        file.seek(start)
        first: object = file.read(SNIFF_BYTES)
    else:
        first, size = _read_through(file)
    file.seek(start)
    return start, size, first


def _is_on_disk_or_in_memory(file: object) -> bool:
    """Return whether a file's content is stored as it is, so that seeking in it skips no checksum."""
    buffered: object = getattr(file, "raw", None)
    if isinstance(file, (io.BufferedReader, io.BufferedRandom)):
        return _is_on_disk_or_in_memory(buffered)
    if isinstance(file, (io.FileIO, io.BytesIO)):
        return True
    import mmap

    if isinstance(file, mmap.mmap):
        return True
    # A temporary file with a name is a wrapper around the real one.
    return type(file).__module__ == "tempfile" and _is_on_disk_or_in_memory(getattr(file, "file", None))


def _read_through(file: IO[bytes]) -> tuple[object, int]:
    """Read a file to its end, or until it is too large; return its first bytes and its size."""
    first: object = file.read(SNIFF_BYTES)
    size = len(first) if isinstance(first, bytes) else 0
    more = bool(size)
    while more and size <= MAX_SIZE:
        chunk = file.read(CHUNK_SIZE)
        size += len(chunk)
        more = bool(chunk)
    return first, size


def _unreadable(error: Exception) -> Exception:
    if was_raised_by_signal_handler(error):
        return CallbackError(error)
    return SourceUnreadableError(str(error) or type(error).__name__)


@contextlib.contextmanager
def _as_unreadable() -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        # An exception of the file is not a failure of the connection: a retry would not help.
        raise _unreadable(error) from error


class AsyncIteratorSource:
    """An async iterator of bytes whose total size is known; sent once."""

    rewindable = False
    name: str | None = None
    modified: int | None = None

    def __init__(self, iterator: AsyncIterator[bytes], size: int | None) -> None:
        if size is None:
            raise invalid_input(
                "An async iterator can only be uploaded with size=, its total number of bytes: the store needs "
                "an exact length."
            )
        if not isinstance(cast("object", size), int) or isinstance(size, bool) or size < 0:
            raise invalid_input(f"size must be a whole number of bytes, not {size!r}.")
        check_upload_size(size, None)
        self.size = size
        self._iterator = iterator

    def chunks(self) -> Generator[bytes, None, None]:
        """Raise TypeError: `open_source` refuses the iterator in sync clients."""
        raise TypeError("an async iterator cannot be read synchronously")

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the iterator's bytes; more or fewer than announced are an error."""
        remaining = self.size
        while True:
            with _as_unreadable():
                item: object = await anext(self._iterator, None)
                if item is not None and not isinstance(item, (bytes, bytearray, memoryview)):
                    raise TypeError(f"it yielded {type(item).__name__}, not bytes")
            if item is None:
                break
            chunk = bytes(item)
            remaining -= len(chunk)
            if remaining < 0:
                raise SourceChangedError(f"it yielded more than the {self.size:,} bytes announced")
            yield chunk
        if remaining:
            raise SourceChangedError(f"it ended after {self.size - remaining:,} of {self.size:,} bytes")


def report_progress(progress: Progress | None, sent: int, total: int) -> None:
    """Call the application's callback, and wrap what it raises in a CallbackError."""
    if progress is None:
        return
    try:
        progress(sent, total)
    except Exception as error:
        raise CallbackError(error) from error


def open_source(file: object) -> Source:
    """Open what is uploaded, and check it."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        return BytesSource(cast("bytes | bytearray | memoryview", file))
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(cast("str | os.PathLike[str]", file))
        if isinstance(cast("object", path), bytes):
            path = os.fsdecode(path)
        return PathSource(Path(path))
    if hasattr(file, "read"):
        return FileObjectSource(cast("IO[bytes]", file))
    raise invalid_input(f"file must be a path, bytes or an open binary file, not {type(file).__name__}.")


async def open_async_source(file: object, size: int | None) -> Source:
    """Open what is uploaded, also an async iterator of bytes with its size; slow steps are done in a thread."""
    if isinstance(file, AsyncIterator):
        return AsyncIteratorSource(cast("AsyncIterator[bytes]", file), size)
    if isinstance(file, (str, os.PathLike, bytes, bytearray, memoryview)):
        return open_source(cast("object", file))
    from anyio.to_thread import run_sync

    return await run_sync(open_source, file)


def _check_media_type(name: str | None, start: bytes) -> None:
    problem = media_type_problem(name, start, _guess_media_type)
    if problem is not None:
        formats = "most video formats (mp4 is best) and aac, mp3, flac, ogg, wav and wma"
        problem = f"{name or 'The data'} is not audio or video: {problem}. The service accepts {formats}."
        raise unusable_file(problem, "not_audio_or_video", name)


def _guess_media_type(start: bytes) -> str | None:
    import filetype

    guessed: object = filetype.guess_mime(start)  # pyright: ignore[reportUnknownMemberType]
    return guessed if isinstance(guessed, str) else None
