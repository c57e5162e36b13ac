"""What can be uploaded: a path, bytes, an open file, and in async clients an async iterator."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
from collections.abc import AsyncIterable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from contentgroove._core.checkpoints import printable_name
from contentgroove._core.inputs import invalid_input
from contentgroove._core.uploads import MAX_SIZE, check_upload_size, unusable_file

from .http import SourceChangedError
from .source_checks import (
    SNIFF_BYTES,
    as_unreadable,
    async_stream_error,
    base_name,
    check_media_type,
    check_size,
    file_name,
    has_async_read,
    path_error,
    refuse_url,
    require_binary,
    require_size,
    source_error,
    unreadable_error,
)
from .streams import CHUNK_SIZE, AsyncIteratorSource, IteratorSource, StreamSource

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from contentgroove._core.io import Source

_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

READ_AHEAD = 128 * 1024
"""Bytes that Linux reads from a disk at once: if the first is cached, the others nearly always are."""


class StorageFile(Protocol):
    """A file of any storage that is still to be opened, such as what `fsspec.open("s3://…")` returns."""

    @property
    def fs(self) -> Any:
        """The storage."""
        ...

    @property
    def path(self) -> str:
        """Where the file is in its storage."""
        ...


File: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | StorageFile | Iterable[bytes]
AsyncFile: TypeAlias = File | AsyncIterable[bytes]


class PathSource:
    """A file by its path; opened again for each attempt."""

    rewindable = True

    def __init__(self, path: Path) -> None:
        refuse_url(path)
        self._path = path
        self.name: str | None = path.name
        try:
            info = path.stat()
        except (OSError, ValueError) as error:
            raise path_error(path, error) from error
        if not stat.S_ISREG(info.st_mode):
            kind = "a folder" if stat.S_ISDIR(info.st_mode) else "not a regular file"
            problem = f"{printable_name(str(path))} is {kind}; pass the path of a video or audio file."
            raise unusable_file(problem, "not_a_file", self.name)
        check_upload_size(info.st_size, self.name)
        self.size = info.st_size
        self.modified: int | None = info.st_mtime_ns
        try:
            with path.open("rb") as opened:
                check_media_type(self.name, opened.read(SNIFF_BYTES))
        except OSError as error:
            raise path_error(path, error) from error

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
            raise source_error(error) from error
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
            raise source_error(error) from error
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
        check_media_type(None, bytes(self._view[:SNIFF_BYTES]))

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the bytes in chunks."""
        for start in range(0, self.size, CHUNK_SIZE):
            yield bytes(self._view[start : start + CHUNK_SIZE])


class FileObjectSource:
    """An open binary file, from the position that it has when it is passed in.

    A file that is neither on disk nor in memory, such as an archive's member, is read once before it is sent. That
    shows its size, and runs its own checks, which a member of a zip archive skips after a seek. A file of a remote
    storage that states its size is not: it would be fetched twice.
    """

    rewindable = True
    modified: int | None = None

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.name = file_name(file)
        subject = self.name or "The file"
        require_binary(file)
        try:
            measured = _position_and_size(file)
        except Exception as error:  # any object may be a file, such as a damaged archive's member
            raise unreadable_error(subject, error, self.name, file) from error
        if measured is None:
            problem = f"{subject} is a stream of unknown size, but the store needs an exact length."
            raise unusable_file(f"{problem} Pass size=, its total number of bytes.", "not_a_file", self.name)
        self._start, self.size, first = measured
        if not isinstance(first, bytes):
            raise invalid_input(f"The file's read() must return bytes, not {type(first).__name__}.")
        # Negative if the position is behind the end.
        check_upload_size(max(self.size, 0), self.name)
        check_media_type(self.name, first)

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the content from the position at which the file was passed in; never more than it had then."""
        with as_unreadable():
            self._file.seek(self._start)
        remaining = self.size
        while remaining:
            with as_unreadable():
                chunk = self._file.read(min(CHUNK_SIZE, remaining))
            if not chunk:
                raise SourceChangedError(f"it had {self.size:,} bytes and ends after {self.size - remaining:,}")
            remaining -= len(chunk)
            yield chunk
        with as_unreadable():
            extra = self._file.read(1)
        if extra:
            raise SourceChangedError(f"it had {self.size:,} bytes and has grown")


def _has_own_size(file: IO[bytes]) -> bool:
    """Return whether a file can be sought in, and its size is known without reading it."""
    if getattr(file, "closed", False) is True:
        return True
    return _can_seek(file) and (_is_on_disk_or_in_memory(file) or _known_size(file) is not None)


def _can_seek(file: IO[bytes]) -> bool:
    if not hasattr(file, "tell") or not hasattr(file, "seek"):
        return False
    try:
        return not hasattr(file, "seekable") or file.seekable()
    except AttributeError:
        # The members of an archive that tarfile reads as a stream ask that for it.
        return False


def _position_and_size(file: IO[bytes]) -> tuple[int, int, object] | None:
    """Return a file's position, the size of the remaining content and its first bytes; None if it cannot seek."""
    if not _can_seek(file):
        return None
    start = file.tell()
    known = _known_size(file)
    if known is not None:
        size = known - start
        first: object = file.read(SNIFF_BYTES)
    elif _is_on_disk_or_in_memory(file):
        file.seek(0, os.SEEK_END)
        # By `tell`, because not every `seek` returns the position, such as that of mmap before Python 3.13.
        size = file.tell() - start
        file.seek(start)
        first = file.read(SNIFF_BYTES)
    else:
        first, size = _read_through(file)
    file.seek(start)
    return start, size, first


def _known_size(file: object) -> int | None:
    """Return the size that a file of a remote storage states, as those of fsspec do; None if it states none."""
    size: object = getattr(file, "size", None)
    if not isinstance(size, int) or isinstance(size, bool) or _is_archive_member(file):
        return None
    return size


def _is_archive_member(file: object) -> bool:
    # fsspec states the size of these, too, but they must be read through for their checksums.
    zipfile = sys.modules.get("zipfile")
    while isinstance(file, (io.BufferedReader, io.BufferedRandom)):
        file = cast("object", file.raw)
    return zipfile is not None and isinstance(file, zipfile.ZipExtFile)


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


class OpenFileSource:
    """A file of any storage that is opened for each attempt, and closed after it."""

    rewindable = True
    modified: int | None = None

    def __init__(self, file: StorageFile) -> None:
        self._unopened = file
        self.name: str | None = base_name(file.path)
        try:
            with self._open() as opened:
                source = FileObjectSource(opened)
        except FileNotFoundError as error:
            raise unusable_file(f"{self.name or 'The file'} does not exist.", "missing", self.name) from error
        except OSError as error:
            raise unreadable_error(self.name or "The file", error, self.name) from error
        self.size = source.size

    def chunks(self) -> Generator[bytes, None, None]:
        """Open the file and yield its content."""
        with contextlib.ExitStack() as stack:
            with as_unreadable():
                source = FileObjectSource(stack.enter_context(self._open()))
            if source.size != self.size:
                raise SourceChangedError(f"it had {self.size:,} bytes and has {source.size:,}")
            yield from source.chunks()

    def _open(self) -> AbstractContextManager[IO[bytes]]:
        unopened: Any = self._unopened
        # fsspec's OpenFile may also decompress; other paths, such as those of universal_pathlib, only name the file.
        opened: AbstractContextManager[IO[bytes]] = (
            unopened if hasattr(unopened, "compression") else unopened.fs.open(unopened.path, "rb")
        )
        return opened


def open_source(file: object, size: int | None = None) -> Source:
    """Open what is uploaded, and check it; `size` is that of a stream, which only the application knows."""
    if size is not None:
        check_size(size)
    source = _open(file, size)
    if size is not None and source.size != size:
        raise invalid_input(
            f"{source.name or 'The data'} has {source.size:,} bytes, but size={size:,} was passed: size= is needed for "
            "streams only."
        )
    return source


def _open(file: object, size: int | None) -> Source:
    if isinstance(file, (bytes, bytearray, memoryview)):
        return BytesSource(cast("bytes | bytearray | memoryview", file))
    if hasattr(file, "fs") and hasattr(file, "path") and not hasattr(file, "read"):
        return _open_storage_file(cast("StorageFile", file))
    if isinstance(file, (str, os.PathLike)):
        path = os.fspath(cast("str | os.PathLike[str]", file))
        if isinstance(cast("object", path), bytes):
            path = os.fsdecode(path)
        if not path:
            raise unusable_file("The path is empty; pass the path of a video or audio file.", "missing", None)
        return PathSource(Path(path))
    if isinstance(file, AsyncIterable):
        raise async_stream_error()
    if hasattr(file, "read"):
        opened = cast("IO[bytes]", file)
        if size is None or _has_own_size(opened):
            return FileObjectSource(opened)
        require_binary(file)
        return StreamSource(opened, file_name(file), size)
    if isinstance(file, Iterator) or (size is not None and isinstance(file, Iterable)):
        return IteratorSource(cast("Iterable[bytes]", file), require_size("An iterator", size))
    raise invalid_input(f"file must be a path, bytes or an open binary file, not {type(file).__name__}.")


def _open_storage_file(file: StorageFile) -> Source:
    mode: object = getattr(file, "mode", "rb")
    if isinstance(mode, str) and "r" not in mode:
        # Opening it would empty it.
        raise invalid_input(f"The file is to be opened for writing (mode {mode!r}): use mode 'rb'.")
    protocol: str | tuple[str, ...] = file.fs.protocol
    is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)
    if is_local and getattr(file, "compression", None) is None:
        return PathSource(Path(file.path))
    return OpenFileSource(file)


async def open_async_source(file: object, size: int | None) -> Source:
    """Open what is uploaded, also an async stream of bytes with its size; slow steps are done in a thread."""
    if isinstance(file, AsyncIterable) or (size is not None and has_async_read(file)):
        stated = require_size("An async iterator", size)
        check_size(stated)
        stream = AsyncIteratorSource(cast("Any", file), stated)
        await stream.check_start()
        return stream
    if isinstance(file, (str, os.PathLike, bytes, bytearray, memoryview)) and not hasattr(cast("object", file), "fs"):
        return open_source(cast("object", file), size)
    from functools import partial

    from anyio.to_thread import run_sync

    return await run_sync(partial(open_source, file, size))
