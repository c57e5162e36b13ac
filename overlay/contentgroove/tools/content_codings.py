"""Decompresses responses (RFC 9110, 8.4), with a limit on what they become.

A few compressed bytes can stand for any number of others, so only codings whose libraries stop at a size are accepted.
gzip and deflate are in Python, zstd is from 3.14 on. Brotli is if its library, which no extra installs, is there.
"""

from __future__ import annotations

import functools
import importlib
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


MAX_CODINGS = 3
MAX_STREAMS = 1000
"""Compressed streams in one body, one after the other."""


class CodingError(Exception):
    """A body is not what its Content-Encoding says, or becomes too large."""


@functools.cache
def accepted_codings() -> str:
    """Return the Accept-Encoding header: the codings that can be decoded here."""
    return ", ".join(name for name, load in _CODINGS.items() if load() is not None)


def decompress(content: bytes, codings: str, max_bytes: int) -> bytes:
    """Decode a body.

    Args:
        content: The body as it was sent.
        codings: The Content-Encoding header: one or several codings, in the order in which they were applied.
        max_bytes: The most that it may become.

    Raises:
        CodingError: A coding is not known here, the body does not have it, or it becomes larger than that.
    """
    applied = [part.strip().lower().removeprefix("x-") for part in codings.split(",")]
    if len(applied) > MAX_CODINGS:
        raise CodingError(f"a response that was compressed {len(applied)} times")
    for coding in reversed(applied):
        # Without a body, as after HEAD, there is nothing to decode.
        if coding in {"", "identity"} or not content:
            continue
        decode = _CODINGS.get(coding, _missing)()
        if decode is None:
            raise CodingError(f"a compressed response in {coding[:30]!r}, which was not requested")
        try:
            content = decode(content, max_bytes)
        except CodingError:
            raise
        except Exception as error:
            # Each library has its own errors for the same thing.
            raise CodingError(f"a compressed response that is damaged or cut off ({coding})") from error
    return content


def _too_large(max_bytes: int) -> CodingError:
    return CodingError(f"more than {max_bytes:,} bytes after it was decompressed")


def _gzip() -> Callable[[bytes, int], bytes] | None:
    return functools.partial(_inflate, wbits=31)


def _deflate() -> Callable[[bytes, int], bytes] | None:
    def decode(content: bytes, max_bytes: int) -> bytes:
        # Some servers send it without the header that RFC 9110 demands.
        has_header = content[0] & 0x0F == zlib.DEFLATED and int.from_bytes(content[:2]) % 31 == 0
        return _inflate(content, max_bytes, wbits=15 if has_header else -15)

    return decode


def _inflate(content: bytes, max_bytes: int, *, wbits: int) -> bytes:
    return _decode_streams(content, max_bytes, lambda: zlib.decompressobj(wbits))


def _decode_streams(content: bytes, max_bytes: int, new_decoder: Callable[[], Any]) -> bytes:
    decoded = b""
    for _ in range(MAX_STREAMS):
        decoder = new_decoder()
        decoded += bytes(decoder.decompress(content, max_bytes + 1 - len(decoded)))
        if len(decoded) > max_bytes:
            raise _too_large(max_bytes)
        if not decoder.eof:
            raise EOFError
        content = decoder.unused_data.lstrip(b"\0")
        if not content:
            return decoded
    raise CodingError(f"a compressed response of more than {MAX_STREAMS:,} streams")


def _brotli() -> Callable[[bytes, int], bytes] | None:
    try:
        library = importlib.import_module("brotli")
        # Older releases have no limit.
        library.Decompressor().process(b"", output_buffer_limit=1)
    except (ImportError, AttributeError, TypeError):
        return None

    def decode(content: bytes, max_bytes: int) -> bytes:
        decoder: Any = library.Decompressor()
        decoded = bytes(decoder.process(content, output_buffer_limit=max_bytes + 1))
        while not decoder.is_finished() and len(decoded) <= max_bytes:
            further = bytes(decoder.process(b"", output_buffer_limit=max_bytes + 1 - len(decoded)))
            if not further:
                raise EOFError
            decoded += further
        if len(decoded) > max_bytes:
            raise _too_large(max_bytes)
        return decoded

    return decode


def _zstd() -> Callable[[bytes, int], bytes] | None:
    try:
        library = importlib.import_module("compression.zstd")
    except ImportError:
        return None

    return functools.partial(_decode_streams, new_decoder=library.ZstdDecompressor)


def _missing() -> Callable[[bytes, int], bytes] | None:
    return None


_CODINGS: dict[str, Callable[[], Callable[[bytes, int], bytes] | None]] = {
    "gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
