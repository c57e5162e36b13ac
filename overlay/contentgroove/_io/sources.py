"""What can be uploaded: a file by its path, bytes, an open file, and for async also an iterator."""

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
from contentgroove._core.uploads import MAX_SIZE, check_upload_size, media_type_problem
from contentgroove.errors import InvalidInputError, UploadError

from .source_errors import SourceChangedError, SourceUnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contentgroove._core.io import Source

CHUNK_SIZE = 1024 * 1024
"""Bytes read and sent at once: httpx's own 64 KiB halve the speed."""

_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

READ_AHEAD = 128 * 1024
"""Bytes that Linux reads from a disk at once: where the first is in memory, the rest hardly ever is not."""

SNIFF_BYTES = 8192
"""Bytes looked at to tell audio and video from other files."""

File: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]
AsyncFile: TypeAlias = File | AsyncIterator[bytes]


class PathSource:
    """A file by its path; opened anew for each attempt."""

    rewindable = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name: str | None = path.name
        shown = printable_name(str(path))
        try:
            info = path.stat()
        except FileNotFoundError as error:
            raise UploadError(f"{shown} does not exist. Nothing was sent.", reason="missing", file=self.name) from error
        except (OSError, ValueError) as error:
            problem = error.strerror if isinstance(error, OSError) else error
            raise UploadError(
                f"{shown} cannot be read: {problem}. Nothing was sent.", reason="unreadable", file=self.name
            ) from error
        if not stat.S_ISREG(info.st_mode):
            kind = "a folder" if stat.S_ISDIR(info.st_mode) else "no regular file"
            raise UploadError(
                f"{shown} is {kind}; pass the path of a video or audio file. Nothing was sent.",
                reason="not_a_file",
                file=self.name,
            )
        check_upload_size(info.st_size, self.name)
        self.size = info.st_size
        self.modified: int | None = info.st_mtime_ns
        try:
            with path.open("rb") as opened:
                _check_media_type(self.name, opened.read(SNIFF_BYTES))
        except OSError as error:
            raise UploadError(
                f"{shown} cannot be read: {error.strerror}. Nothing was sent.", reason="unreadable", file=self.name
            ) from error

    def chunks(self) -> Generator[bytes, None, None]:
        """Give the file's content; a file that changes meanwhile is an error."""
        with contextlib.closing(FileReader(self._path, self.size, self.modified)) as reading:
            while chunk := reading.read():
                yield chunk

    def open_reader(self) -> FileReader:
        """Open the file, for those who look into the page cache first."""
        return FileReader(self._path, self.size, self.modified)


class FileReader:
    """A file that is being sent, piece by piece; one that changes meanwhile is an error."""

    def __init__(self, path: Path, size: int, modified: int | None) -> None:
        self._size = size
        self._modified = modified
        self._offset = 0
        try:
            self._file = path.open("rb", buffering=0)
        except OSError as error:
            raise SourceUnreadableError(str(error)) from error
        try:
            self._check_unchanged()
        except SourceChangedError:
            self._file.close()
            raise

    def read(self) -> bytes:
        """Read the next piece, waiting for the disk; empty at the end."""
        if self._offset == self._size:
            self._check_unchanged()
            return b""
        try:
            chunk = self._file.read(min(CHUNK_SIZE, self._size - self._offset))
        except OSError as error:
            raise SourceUnreadableError(str(error)) from error
        if not chunk:
            raise SourceChangedError(f"it had {self._size:,} bytes and ends after {self._offset:,}")
        self._offset += len(chunk)
        return chunk

    def read_if_cached(self) -> bytes | None:
        """Read the next piece if it is in memory, None if the disk would be waited for (Linux alone can tell)."""
        end = min(self._offset + CHUNK_SIZE, self._size)
        # The platform is named for type checkers, which know no `preadv` there.
        if sys.platform == "win32" or not _NOWAIT or self._offset == end:
            return None
        try:
            for offset in range(self._offset, end, READ_AHEAD):
                os.preadv(self._file.fileno(), [bytearray(1)], offset, _NOWAIT)
        except OSError:
            return None
        # Reading all of it that way would need a second copy: there are no flags for reads that make bytes.
        return self.read()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check_unchanged(self) -> None:
        info = os.fstat(self._file.fileno())
        if (info.st_size, info.st_mtime_ns) != (self._size, self._modified):
            raise SourceChangedError(f"it had {self._size:,} bytes and has {info.st_size:,}, or was written to")


class BytesSource:
    """Bytes that are in memory already."""

    rewindable = True
    name: str | None = None
    modified: int | None = None

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._view = memoryview(data).cast("B")
        except (TypeError, ValueError) as error:
            # One with gaps, or that was released.
            raise InvalidInputError(f"The memoryview cannot be read: {error}. Nothing was sent.") from error
        self.size = len(self._view)
        check_upload_size(self.size, None)
        _check_media_type(None, bytes(self._view[:SNIFF_BYTES]))

    def chunks(self) -> Generator[bytes, None, None]:
        """Give the bytes in pieces."""
        for start in range(0, self.size, CHUNK_SIZE):
            yield bytes(self._view[start : start + CHUNK_SIZE])


class FileObjectSource:
    """An open binary file, from the position it has when it is handed over.

    A file that is neither on disk nor in memory, such as an archive's member, is read once before it is sent: that
    tells its size and finds what its own checks find, which a member of a zip archive drops where it is sought in.
    """

    modified: int | None = None

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        name: object = getattr(file, "name", None)
        self.name: str | None = Path(name).name if isinstance(name, str) and name else None
        _require_binary(file)
        try:
            measured = _position_and_size(file)
        except Exception as error:  # a file may be anything, such as a damaged archive's member
            problem = "it is closed" if getattr(file, "closed", False) is True else str(error) or type(error).__name__
            raise UploadError(
                f"{self.name or 'The file'} cannot be read: {problem}. Nothing was sent.",
                reason="unreadable",
                file=self.name,
            ) from error
        if measured is None:
            raise UploadError(
                f"{self.name or 'The file'} is a stream whose size cannot be told, and the store needs an exact "
                "length. Write it to a file first, or read it into bytes. Nothing was sent.",
                reason="not_a_file",
                file=self.name,
            )
        self._start, self.size, first = measured
        if not isinstance(first, bytes):
            raise InvalidInputError(f"The file's read() gives {type(first).__name__}, not bytes. Nothing was sent.")
        self.rewindable = True
        if self.size <= 0:
            check_upload_size(0, self.name)
        check_upload_size(self.size, self.name)
        _check_media_type(self.name, first)

    def chunks(self) -> Generator[bytes, None, None]:
        """Give the content from where the file was handed over; never more than it had then."""
        with _as_unreadable():
            self._file.seek(self._start)
        left = self.size
        while left:
            with _as_unreadable():
                chunk = self._file.read(min(CHUNK_SIZE, left))
            if not chunk:
                raise SourceChangedError(f"it had {self.size:,} bytes and ends after {self.size - left:,}")
            left -= len(chunk)
            yield chunk
        with _as_unreadable():
            more = self._file.read(1)
        if more:
            raise SourceChangedError(f"it had {self.size:,} bytes and has grown")


def _require_binary(file: object) -> None:
    import inspect

    if inspect.iscoroutinefunction(getattr(file, "read", None)):
        raise InvalidInputError(
            "The file is one whose read() is awaited; pass its path, or with an async client an async iterator of its "
            "bytes and size=. Nothing was sent."
        )
    if isinstance(file, io.TextIOBase):
        raise InvalidInputError("The file is open in text mode; open it with mode 'rb'. Nothing was sent.")


def _position_and_size(file: IO[bytes]) -> tuple[int, int, object] | None:
    """Give where a file stands, how many bytes are left, and the first of them; None if it cannot seek."""
    if not hasattr(file, "tell") or not hasattr(file, "seek") or (hasattr(file, "seekable") and not file.seekable()):
        return None
    start = file.tell()
    if _is_on_disk_or_in_memory(file):
        file.seek(0, os.SEEK_END)
        # Asked, because not every `seek` says it, such as that of mmap before Python 3.13.
        size = file.tell() - start
        file.seek(start)
        first: object = file.read(SNIFF_BYTES)
    else:
        first, size = _read_through(file)
    file.seek(start)
    return start, size, first


def _is_on_disk_or_in_memory(file: object) -> bool:
    """Whether a file's content is what is stored, so that seeking in it passes over no checksum."""
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
    """Read a file to its end, or as far as is certain that it is too large; gives its first bytes and its size."""
    first: object = file.read(SNIFF_BYTES)
    size = len(first) if isinstance(first, bytes) else 0
    more = bool(size)
    while more and size <= MAX_SIZE:
        chunk = file.read(CHUNK_SIZE)
        size += len(chunk)
        more = bool(chunk)
    return first, size


@contextlib.contextmanager
def _as_unreadable() -> Generator[None, None, None]:
    try:
        yield
    except Exception as error:
        # Whatever a file raises, it is not the connection that failed: trying again would not help.
        raise SourceUnreadableError(str(error) or type(error).__name__) from error


class AsyncIteratorSource:
    """An async iterator of bytes whose total size the caller knows; sent once."""

    rewindable = False
    name: str | None = None
    modified: int | None = None

    def __init__(self, iterator: AsyncIterator[bytes], size: int | None) -> None:
        if size is None:
            raise InvalidInputError(
                "An async iterator can only be uploaded with size=, the bytes that it gives in all: the store needs "
                "an exact length. Nothing was sent."
            )
        if not isinstance(cast("object", size), int) or isinstance(size, bool) or size < 0:
            raise InvalidInputError(f"size must be a whole number of bytes, not {size!r}. Nothing was sent.")
        check_upload_size(size, None)
        self.size = size
        self._iterator = iterator

    def chunks(self) -> Generator[bytes, None, None]:
        """Not for sync clients; `open_source` refuses the iterator there."""
        raise TypeError("an async iterator cannot be read synchronously")

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """Give what the iterator gives; more or less than was announced is an error."""
        left = self.size
        while True:
            with _as_unreadable():
                piece: object = await anext(self._iterator, None)
                if piece is not None and not isinstance(piece, (bytes, bytearray, memoryview)):
                    raise TypeError(f"it gave {type(piece).__name__}, not bytes")
            if piece is None:
                break
            chunk = bytes(piece)
            left -= len(chunk)
            if left < 0:
                raise SourceChangedError(f"it gives more than the {self.size:,} bytes announced")
            yield chunk
        if left:
            raise SourceChangedError(f"it ended after {self.size - left:,} of {self.size:,} bytes")


def open_source(file: object) -> Source:
    """Check what is to be uploaded.

    Raises:
        UploadError: It cannot be uploaded; nothing was sent.
        InvalidInputError: It is nothing that can be a file.
    """
    if isinstance(file, (bytes, bytearray, memoryview)):
        return BytesSource(cast("bytes | bytearray | memoryview", file))
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(cast("str | os.PathLike[str]", file))
        if isinstance(cast("object", path), bytes):
            path = os.fsdecode(path)
        return PathSource(Path(path))
    if hasattr(file, "read"):
        return FileObjectSource(cast("IO[bytes]", file))
    raise InvalidInputError(
        f"file must be a path, bytes or an open binary file, not {type(file).__name__}. Nothing was sent."
    )


async def open_async_source(file: object, size: int | None) -> Source:
    """As `open_source`, and also an async iterator of bytes with its size; what takes long is done in a thread."""
    if isinstance(file, AsyncIterator):
        return AsyncIteratorSource(cast("AsyncIterator[bytes]", file), size)
    if isinstance(file, (str, os.PathLike, bytes, bytearray, memoryview)):
        return open_source(cast("object", file))
    from anyio.to_thread import run_sync

    return await run_sync(open_source, file)


def _check_media_type(name: str | None, start: bytes) -> None:
    problem = media_type_problem(name, start, _guess_media_type)
    if problem is not None:
        raise UploadError(
            f"{name or 'The data'} is no audio or video: {problem}. The service takes most video formats (mp4 is "
            "best) and aac, mp3, flac, ogg, wav and wma. Nothing was sent.",
            reason="not_audio_or_video",
            file=name,
        )


def _guess_media_type(start: bytes) -> str | None:
    import filetype

    guessed: object = filetype.guess_mime(start)  # pyright: ignore[reportUnknownMemberType]
    return guessed if isinstance(guessed, str) else None
