"""Odd sources of uploads: whatever a file does, its uploader gets a documented error that blames the right thing."""

from __future__ import annotations

import array
import gzip
import io
import mmap
import os
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import InvalidInputError, UploadError

from tests.platforms import BYTE_NAMES

from .test_uploads import MP4, Api, Store, pieces, video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from .conftest import Maker


def zipped(folder: Path, *, damaged: bool = False) -> Any:
    """Open the film as a member of an archive."""
    path = folder / "films.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("film.mp4", MP4)
    if damaged:
        path.write_bytes(path.read_bytes().replace(MP4[40:60], bytes(20)))
    return zipfile.ZipFile(path).open("film.mp4")


def gzipped(folder: Path, *, cut: int | None = None) -> Any:
    """Open the film as it is compressed."""
    path = folder / "film.mp4.gz"
    path.write_bytes(gzip.compress(MP4)[:cut])
    return gzip.open(path)


def mapped(folder: Path) -> Any:
    """Map the film into memory."""
    with video(folder).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.parametrize("build", [zipped, gzipped, mapped], ids=["zip", "gzip", "mmap"])
def test_files_that_are_no_files_on_disk(make: Maker, tmp_path: Path, build: Callable[[Path], Any]) -> None:
    """What can be read and rewound is sent, and sent again, as what it holds."""
    store = Store(503, 200)
    with build(tmp_path) as file:
        make(Api(), store=store).medias.upload(file)
    assert store.bodies == [MP4, MP4]


@pytest.mark.parametrize(
    "build",
    [
        lambda folder: zipped(folder, damaged=True),
        lambda folder: gzipped(folder, cut=60),
        lambda folder: (folder / "new.mp4").open("wb"),
    ],
    ids=["damaged archive", "cut short", "write-only"],
)
def test_a_file_that_cannot_be_read(make: Maker, tmp_path: Path, build: Callable[[Path], Any]) -> None:
    """It is found out before anything is sent."""
    api = Api()
    with build(tmp_path) as file, pytest.raises(UploadError, match=r"cannot be read.*Nothing was sent") as caught:
        make(api).medias.upload(file)
    assert (caught.value.reason, api.prepared) == ("unreadable", 0)


class Burning(io.BytesIO):
    """A file that can be read once only."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read what is asked for, the first time."""
        self.reads += 1
        if self.reads > 1:
            raise RuntimeError("on fire")
        return super().read(size)


def test_a_file_that_fails_while_it_is_sent(make: Maker) -> None:
    """The file is blamed, not the connection, and it is not tried again."""
    api = Api()
    with pytest.raises(UploadError, match=r"could not be read to its end.*on fire") as caught:
        make(api, store=Store()).medias.upload(Burning(MP4))
    assert (caught.value.reason, api.prepared, api.posts) == ("unreadable", 1, [])


class Awaited:
    """A file as aiofiles and anyio have them."""

    async def read(self, _size: int = -1) -> bytes:
        """Read nothing."""
        return b""


class Wrong(io.BytesIO):
    """A file whose bytes are none."""

    def read(self, _size: int | None = -1) -> Any:
        """Read nothing of use."""
        return None


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda folder: (folder / "film.mp4").open(encoding="utf-8"), "text mode"),
        (lambda _folder: io.StringIO("text"), "text mode"),
        (lambda _folder: Awaited(), "is awaited"),
        (lambda _folder: Wrong(MP4), "gives NoneType"),
        (lambda _folder: memoryview(MP4)[::2], "memoryview cannot be read"),
        (lambda _folder: array.array("B", MP4), "not array"),
    ],
    ids=["text", "StringIO", "awaited", "None", "gaps", "array"],
)
def test_what_is_no_binary_file(make: Maker, tmp_path: Path, build: Callable[[Path], Any], says: str) -> None:
    """It is said what is wrong with it."""
    video(tmp_path, b"\x00\xff\xfe" + MP4)
    file = build(tmp_path)
    with pytest.raises(InvalidInputError, match=says):
        make(Api()).medias.upload(file)
    if hasattr(file, "close"):
        file.close()


def test_a_closed_file(make: Maker, tmp_path: Path) -> None:
    """It is called that."""
    with video(tmp_path).open("rb") as file:
        pass
    with pytest.raises(UploadError, match="it is closed"):
        make(Api()).medias.upload(file)


@BYTE_NAMES
def test_a_message_about_a_name_that_is_no_text_can_be_printed(make: Maker, tmp_path: Path) -> None:
    """Escapes stand for what no terminal can show."""
    with pytest.raises(UploadError, match="does not exist") as caught:
        make(Api()).medias.upload(tmp_path / os.fsdecode(b"\xff.mp4"))
    assert str(caught.value).encode()


async def burning() -> AsyncIterator[bytes]:
    """Give a part, and fail."""
    yield MP4[:100]
    raise RuntimeError("on fire")


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("given", [burning, lambda: pieces("text"), lambda: pieces(5)])  # type: ignore[arg-type]
def test_an_async_iterator_that_fails(make: Maker, given: Callable[[], Any]) -> None:
    """It is blamed, not the connection."""
    with pytest.raises(UploadError, match="could not be read to its end") as caught:
        make(Api(), store=Store()).medias.upload(given(), size=len(MP4))
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("make", ["async"], indirect=True)
def test_an_async_iterator_of_what_is_as_good_as_bytes(make: Maker) -> None:
    """Sizes are counted in bytes, whatever the items are."""
    items = memoryview(array.array("I", range(200)))
    store = Store()
    make(Api(), store=store).medias.upload(pieces(bytearray(MP4), b"", items), size=len(MP4) + items.nbytes)  # type: ignore[arg-type]
    assert store.bodies == [MP4 + bytes(items)]


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("size", [-1, 1.5, "1", True])
def test_an_async_iterator_of_no_size(make: Maker, size: Any) -> None:
    """A size that is none is refused before anything is sent."""
    api = Api()
    with pytest.raises(InvalidInputError, match="size must be"):
        make(api).medias.upload(pieces(MP4), size=size)
    assert api.prepared == 0


@pytest.mark.parametrize("files", ["film.mp4", b"film", None, 5])
def test_a_batch_of_one_file_is_none(make: Maker, files: Any) -> None:
    """A path in place of a list is not taken for a list of letters."""
    with pytest.raises(InvalidInputError, match="files must be an iterable"):
        make(Api()).medias.upload_many(files)


@pytest.mark.parametrize("make", ["sync"], indirect=True)
def test_a_callback_that_raises_stop_iteration(make: Maker, tmp_path: Path) -> None:
    """It is not taken for the end of the upload."""
    nothing: list[int] = []
    with pytest.raises(StopIteration):
        make(Api(), store=Store()).medias.upload(video(tmp_path), progress=lambda *_: next(iter(nothing)))
