"""Bodies that a proxy passes on: copies of limited size, and their decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from contentgroove_mock.recording.recordings import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_BODY = 16 * 1024 * 1024
"""The longest body that is recorded, in bytes, before and after decoding."""

READABLE_ENCODINGS = ("gzip", "deflate", "identity")
"""The content codings that can be decoded without another package."""

_SLICE = 16 * 1024


class BodyCopy:
    """A copy of a body that passes in chunks.

    Attributes:
        size: The number of bytes so far.
    """

    def __init__(self, limit: int = MAX_BODY) -> None:
        self.size = 0
        self._limit = limit
        self._content = bytearray()

    def add(self, chunk: bytes) -> None:
        """Count a chunk, and keep it up to the limit."""
        self.size += len(chunk)
        if self.size <= self._limit:
            self._content += chunk

    @property
    def content(self) -> bytes:
        """The body; raises `RecordingError` if it is longer than the limit."""
        if self.size > self._limit:
            raise RecordingError(f"A body of {self.size} bytes is too long to record; the limit is {self._limit}.")
        return bytes(self._content)


def readable_encodings(accepted: bytes) -> bytes:
    """Return an Accept-Encoding header without codings that cannot be decoded."""
    offered = [item.strip() for item in accepted.decode("latin-1").split(",")]
    kept = [item for item in offered if item.partition(";")[0].strip().lower() in READABLE_ENCODINGS]
    return ", ".join(kept).encode("latin-1") or b"identity"


def decode_body(content: bytes, headers: Mapping[str, str]) -> bytes:
    """Return a response's body without its content coding; raise `RecordingError` if that is not possible."""
    coding = headers.get("content-encoding", "identity")
    if not content or coding == "identity":
        return content
    if any(item.strip().lower() not in READABLE_ENCODINGS for item in coding.split(",")):
        raise RecordingError(f"A body with the content coding {coding!r} cannot be decoded.")
    response = httpx.Response(200, headers={"content-encoding": coding}, stream=_Slices(content))
    decoded = BodyCopy()
    try:
        for part in response.iter_bytes():
            decoded.add(part)
            # A small body may decode to a huge one.
            if decoded.size > MAX_BODY:
                break
    except httpx.DecodingError as error:
        raise RecordingError(f"A body is not valid {coding}: {error}.") from None
    return decoded.content


class _Slices(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Iterator[bytes]:
        for start in range(0, len(self._content), _SLICE):
            yield self._content[start : start + _SLICE]
