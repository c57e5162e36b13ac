"""Count the bytes of an upload and report them to the application."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

from contentgroove._core.io import CallbackError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from contentgroove._core.io import Progress, Source


def iter_with_progress(source: Source, progress: Progress | None) -> Generator[bytes, None, None]:
    """Yield a source's chunks, and report each when the next is requested: then it was passed to the network."""
    sent = 0
    report_progress(progress, sent, source.size)
    for chunk in source.chunks():
        yield chunk
        sent += len(chunk)
        report_progress(progress, sent, source.size)


async def aiter_with_progress(source: Source, progress: Progress | None) -> AsyncGenerator[bytes, None]:
    """Yield a source's chunks and report them; slow reads happen in a thread, so that they do not block other tasks."""
    sent = 0
    report_progress(progress, sent, source.size)
    async with contextlib.aclosing(_aiter_chunks(source)) as chunks:
        async for chunk in chunks:
            yield chunk
            sent += len(chunk)
            report_progress(progress, sent, source.size)


async def _aiter_chunks(source: Source) -> AsyncGenerator[bytes, None]:
    from anyio.to_thread import run_sync

    from .sources import AsyncIteratorSource, PathSource

    if isinstance(source, AsyncIteratorSource):
        async with contextlib.aclosing(source.achunks()) as achunks:
            async for chunk in achunks:
                yield chunk
        return
    if isinstance(source, PathSource):
        with contextlib.closing(await run_sync(source.open_reader)) as reader:
            # Cached data is read at once; a thread for each chunk would halve the speed.
            while data := reader.read_if_cached() or await run_sync(reader.read):
                yield data
        return
    with contextlib.closing(source.chunks()) as chunks:
        while read := await run_sync(_read_chunk, chunks):
            yield read[0]


def _read_chunk(chunks: Iterator[bytes]) -> list[bytes]:
    # StopIteration cannot leave a thread.
    return list(itertools.islice(chunks, 1))


def report_progress(progress: Progress | None, sent: int, total: int) -> None:
    """Call the application's callback.

    Raises:
        CallbackError: The callback raised an exception.
    """
    if progress is None:
        return
    try:
        progress(sent, total)
    except Exception as error:
        raise CallbackError(error) from error
