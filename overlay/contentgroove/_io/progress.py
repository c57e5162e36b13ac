"""Count an upload's bytes on their way, and tell the application."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

from contentgroove._core.io import CallbackError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from contentgroove._core.io import Progress, Source


def iter_with_progress(source: Source, progress: Progress | None) -> Generator[bytes, None, None]:
    """Give a source's pieces, telling of each once the next is asked for: then it was handed to the network."""
    sent = 0
    report_progress(progress, sent, source.size)
    for chunk in source.chunks():
        yield chunk
        sent += len(chunk)
        report_progress(progress, sent, source.size)


async def aiter_with_progress(source: Source, progress: Progress | None) -> AsyncGenerator[bytes, None]:
    """As `iter_with_progress`; slow reads happen in a thread, because they would stall every other task."""
    sent = 0
    report_progress(progress, sent, source.size)
    async with contextlib.aclosing(_aiter_chunks(source)) as pieces:
        async for piece in pieces:
            yield piece
            sent += len(piece)
            report_progress(progress, sent, source.size)


async def _aiter_chunks(source: Source) -> AsyncGenerator[bytes, None]:
    from anyio.to_thread import run_sync

    from .sources import AsyncIteratorSource, PathSource

    if isinstance(source, AsyncIteratorSource):
        async with contextlib.aclosing(source.achunks()) as pieces:
            async for given in pieces:
                yield given
        return
    if isinstance(source, PathSource):
        with contextlib.closing(await run_sync(source.open_reader)) as reading:
            # What is in memory is read at once; a thread for each piece would halve the speed.
            while piece := reading.read_if_cached() or await run_sync(reading.read):
                yield piece
        return
    with contextlib.closing(source.chunks()) as chunks:
        while found := await run_sync(_read_chunk, chunks):
            yield found[0]


def _read_chunk(chunks: Iterator[bytes]) -> list[bytes]:
    # StopIteration cannot leave a thread.
    return list(itertools.islice(chunks, 1))


def report_progress(progress: Progress | None, sent: int, total: int) -> None:
    """Call back.

    Raises:
        CallbackError: The callback raised.
    """
    if progress is None:
        return
    try:
        progress(sent, total)
    except Exception as error:
        raise CallbackError(error) from error
