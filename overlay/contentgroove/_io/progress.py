"""Count an upload's bytes on their way, and tell the application."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator, Iterator

    from .sources import Source

Progress: TypeAlias = Callable[[int, int], object]
"""Called with the bytes sent so far and their total; what it raises ends the upload."""


class CallbackError(Exception):
    """What an application's callback raised, on its way through the HTTP library.

    Attributes:
        reason: The exception.
    """

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


def counted(source: Source, progress: Progress | None) -> Generator[bytes, None, None]:
    """Give a source's pieces, telling of each once the next is asked for: then it was handed to the network."""
    sent = 0
    tell(progress, sent, source.size)
    for chunk in source.chunks():
        yield chunk
        sent += len(chunk)
        tell(progress, sent, source.size)


async def acounted(source: Source, progress: Progress | None) -> AsyncGenerator[bytes, None]:
    """As `counted`; files are read in a thread, because a blocking read stalls every other task."""
    from anyio.to_thread import run_sync

    from .source_errors import SourceChangedError
    from .sources import AsyncIteratorSource

    sent = 0
    tell(progress, sent, source.size)
    if isinstance(source, AsyncIteratorSource):
        async for chunk in source.iterator:
            if sent + len(chunk) > source.size:
                raise SourceChangedError(f"it gives more than the {source.size:,} bytes announced")
            yield chunk
            sent += len(chunk)
            tell(progress, sent, source.size)
        if sent < source.size:
            raise SourceChangedError(f"it ended after {sent:,} of {source.size:,} bytes")
        return
    chunks = source.chunks()
    try:
        while True:
            piece: bytes | None = await run_sync(_next, chunks)
            if piece is None:
                return
            yield piece
            sent += len(piece)
            tell(progress, sent, source.size)
    finally:
        chunks.close()


def _next(chunks: Iterator[bytes]) -> bytes | None:
    # StopIteration cannot leave a thread.
    return next(chunks, None)


def tell(progress: Progress | None, sent: int, total: int) -> None:
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
