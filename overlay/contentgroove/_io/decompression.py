"""Compressed answers."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

PIECE = 1024 * 1024
"""Bytes decompressed at once: a thousandth of that may become of what a hostile server sends."""


def decompression(coding: str) -> Decompression | None:
    """Give what takes a content coding (RFC 9110, 8.4.1) off, None for one that is not known here.

    Only gzip is asked for; the others come from servers that do not ask.
    """
    return Decompression() if coding.strip().lower() in _CODINGS else None


class Decompression:
    """Decompresses an answer in pieces, however much comes of little."""

    def __init__(self) -> None:
        # 32: the data says itself whether it is gzip's or zlib's format.
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """Give what comes of a part.

        Raises:
            zlib.error: It is not what it was said to be.
        """
        while part:
            yield self._stream.decompress(part, PIECE)
            part = self._stream.unconsumed_tail
