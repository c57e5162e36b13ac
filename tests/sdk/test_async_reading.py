"""Async uploads read what is in memory at once, and wait for the disk in a thread."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._io import sources
from contentgroove._io.async_io import aiter_with_progress

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio

MEBIBYTE = 1024 * 1024
CONTENT = b"\0\0\0\x18ftypisom" + os.urandom(2 * MEBIBYTE + MEBIBYTE // 2)


class Readers:
    """Notes for each piece whether the event loop's thread read it, of a file whose blocks are on disk as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, on_disk: set[int]) -> None:
        self.by_the_loop: list[bool] = []
        loop = threading.get_ident()
        read = sources.FileReader.read

        def noted(reading: sources.FileReader) -> bytes:
            piece = read(reading)
            if piece:
                self.by_the_loop.append(threading.get_ident() == loop)
            return piece

        def probe(_file: int, _buffers: Any, offset: int, _flags: int) -> int:
            if offset in on_disk:
                raise BlockingIOError
            return 1

        monkeypatch.setattr(sources.FileReader, "read", noted)
        # The same on systems that cannot tell, which lack both.
        monkeypatch.setattr(sources, "_NOWAIT", 8)
        monkeypatch.setattr(os, "preadv", probe, raising=False)


@pytest.mark.parametrize(
    ("on_disk", "by_the_loop"),
    [
        (set[int](), [True, True, True]),
        ({0}, [False, True, True]),
        ({MEBIBYTE + 7 * 128 * 1024}, [True, False, True]),
        ({2 * MEBIBYTE + 3 * 128 * 1024}, [True, True, False]),
    ],
    ids=["all-in-memory", "first-block", "last-block-of-a-piece", "last-block-of-the-file"],
)
async def test_the_disk_is_waited_for_in_a_thread(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, on_disk: set[int], by_the_loop: list[bool]
) -> None:
    """A piece of which a block is not in memory is read in a thread, every other one at once."""
    path = tmp_path / "video.mp4"
    path.write_bytes(CONTENT)
    source = sources.PathSource(path)
    readers = Readers(monkeypatch, on_disk)
    assert b"".join([piece async for piece in aiter_with_progress(source, None)]) == CONTENT
    assert readers.by_the_loop == by_the_loop


async def test_a_system_that_cannot_tell_reads_in_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is not known what is in memory, nothing is read by the event loop's thread."""
    path = tmp_path / "video.mp4"
    path.write_bytes(CONTENT)
    source = sources.PathSource(path)
    readers = Readers(monkeypatch, set())
    monkeypatch.setattr(sources, "_NOWAIT", 0)
    assert b"".join([piece async for piece in aiter_with_progress(source, None)]) == CONTENT
    assert readers.by_the_loop == [False, False, False]
