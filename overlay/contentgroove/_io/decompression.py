"""Decompression of responses."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

MAX_PIECE = 1024 * 1024
"""Bytes decompressed at once: the data of a hostile server may grow a thousandfold."""


def decompression(coding: str) -> Decompression | None:
    """Return a decompressor for a content coding (RFC 9110, 8.4.1), None if it is not supported.

    Only gzip is requested; the others come from servers that ignore the request.
    """
    return Decompression() if coding.strip().lower() in _CODINGS else None


class Decompression:
    """Decompresses a response in pieces of limited size."""

    def __init__(self) -> None:
        # 32: the format, gzip or zlib, is detected from the data.
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed data of a chunk.

        Raises:
            zlib.error: The data is not valid.
        """
        while chunk:
            yield self._stream.decompress(chunk, MAX_PIECE)
            chunk = self._stream.unconsumed_tail
