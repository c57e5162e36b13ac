"""Content that is read once, while it is sent: iterators of bytes and streams of a stated size."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from itertools import chain
from typing import IO, TYPE_CHECKING, Any, cast

from contentgroove._core.uploads import check_upload_size

from .http import SourceChangedError
from .source_checks import SNIFF_BYTES, as_unreadable, check_media_type, unreadable_error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator

CHUNK_SIZE = 1024 * 1024
"""Bytes read and sent at once: httpx's own 64 KiB halve the speed."""


class _Stream:
    """What all streams share: they are sent once, and must have exactly the stated size."""

    rewindable = False
    modified: int | None = None

    def __init__(self, name: str | None, size: int) -> None:
        check_upload_size(size, name)
        self.name = name
        self.size = size
        self._remaining = size

    def _checked(self, item: object) -> bytes:
        """Return a piece of the content as bytes, and count it; more than announced is an error."""
        if not isinstance(item, (bytes, bytearray, memoryview)):
            with as_unreadable():
                raise TypeError(f"it yielded {type(item).__name__}, not bytes")
        chunk = bytes(cast("bytes", item))
        self._remaining -= len(chunk)
        if self._remaining < 0:
            raise SourceChangedError(f"it yielded more than the {self.size:,} bytes announced")
        return chunk

    def _check_end(self) -> None:
        if self._remaining:
            raise SourceChangedError(f"it ended after {self.size - self._remaining:,} of {self.size:,} bytes")


class _Start:
    """The first items of an iterable, which are read before anything is sent, and sent like the others.

    Attributes:
        items: The items, of any type: sending them checks that they are bytes.
        is_complete: Whether they tell audio and video from other files, or cannot.
    """

    def __init__(self) -> None:
        self.items: list[object] = []
        self.is_complete = False
        self._bytes = b""

    def add(self, item: object) -> None:
        """Add the next item."""
        self.items.append(item)
        if not isinstance(item, (bytes, bytearray, memoryview)):
            self.is_complete = True
            return
        self._bytes += bytes(cast("bytes", item)[: SNIFF_BYTES - len(self._bytes)])
        self.is_complete = len(self._bytes) >= SNIFF_BYTES

    def check(self) -> None:
        """Raise an UploadError for bytes that are those of neither audio nor video."""
        check_media_type(None, self._bytes)


@contextlib.contextmanager
def _as_unusable() -> Generator[None, None, None]:
    """Turn what an iterable raises before anything was sent into an UploadError."""
    try:
        yield
    except Exception as error:  # any object may be iterated
        raise unreadable_error("The data", error, None) from error


class IteratorSource(_Stream):
    """An iterable of bytes."""

    def __init__(self, iterable: Iterable[bytes], size: int) -> None:
        super().__init__(None, size)
        self._iterator: Iterator[object] = iter(iterable)
        start = _Start()
        with _as_unusable():
            while not start.is_complete and (item := next(self._iterator, None)) is not None:
                start.add(item)
        start.check()
        self._iterator = chain(start.items, self._iterator)

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the iterable's bytes; more or fewer than announced are an error."""
        while True:
            with as_unreadable():
                item = next(self._iterator, None)
            if item is None:
                break
            if chunk := self._checked(item):
                yield chunk
        self._check_end()


class StreamSource(_Stream):
    """A file that is read from its position to its end, once, as pipes and the members of archives are.

    Nothing is sought in it: a member of a zip archive compares its checksum at its end only if it was not.
    """

    def __init__(self, file: IO[bytes], name: str | None, size: int) -> None:
        super().__init__(name, size)
        self._file = file
        try:
            self._start = self._checked(file.read(min(SNIFF_BYTES, size)))
        except Exception as error:  # any object may be a file
            raise unreadable_error(name or "The file", error, name, file) from error
        check_media_type(name, self._start)

    def chunks(self) -> Generator[bytes, None, None]:
        """Yield the file's content; more or fewer bytes than announced are an error."""
        if self._start:
            yield self._start
        while self._remaining:
            with as_unreadable():
                # A raw pipe returns what it has; None if it has nothing and does not wait.
                item = self._file.read(min(CHUNK_SIZE, self._remaining))
            chunk = self._checked(item)
            if not chunk:
                break
            yield chunk
        self._check_end()
        if not _may_block_after_end(self._file):
            with as_unreadable():
                extra = self._file.read(1)
            self._checked(extra)


def _may_block_after_end(file: object) -> bool:
    """Return whether reading on could wait forever, because the other side of a pipe or socket may stay open."""
    raw: object = getattr(cast("object", file), "raw", None) if isinstance(file, io.BufferedReader) else file
    if isinstance(raw, io.FileIO):
        return not stat.S_ISREG(os.fstat(raw.fileno()).st_mode)
    # A pair belongs to a connection in both directions.
    return isinstance(raw, io.BufferedRWPair) or type(raw).__module__ == "socket"


class AsyncIteratorSource(_Stream):
    """An async iterable of bytes, or a file with an async `read`."""

    def __init__(self, content: AsyncIterable[bytes] | Any, size: int) -> None:
        super().__init__(None, size)
        self._iterator: AsyncIterator[object] = aiter(content) if hasattr(content, "__aiter__") else _read_all(content)
        self._start = _Start()

    async def check_start(self) -> None:
        """Read the first bytes, and raise an UploadError if they are those of neither audio nor video."""
        with _as_unusable():
            while not self._start.is_complete and (item := await anext(self._iterator, None)) is not None:
                self._start.add(item)
        self._start.check()

    def chunks(self) -> Generator[bytes, None, None]:
        """Raise TypeError: `open_source` refuses the iterator in sync clients."""
        raise TypeError("an async iterator cannot be read synchronously")

    async def achunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the iterable's bytes; more or fewer than announced are an error."""
        for item in self._start.items:
            if chunk := self._checked(item):
                yield chunk
        while True:
            with as_unreadable():
                item = await anext(self._iterator, None)
            if item is None:
                break
            if chunk := self._checked(item):
                yield chunk
        self._check_end()


async def _read_all(file: Any) -> AsyncGenerator[object, None]:
    while chunk := await file.read(CHUNK_SIZE):
        yield chunk
