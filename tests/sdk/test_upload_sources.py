"""Odd sources of uploads: whatever a file does, its uploader gets a documented error that blames the right thing."""

from __future__ import annotations

import array
import bz2
import gzip
import io
import lzma
import mmap
import os
import tarfile
import tempfile
import threading
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import InvalidInputError, UploadError, progress_bar
from contentgroove._core import uploads
from contentgroove._io import sources
from contentgroove._io.async_io import aiter_with_progress
from contentgroove._io.source_checks import SNIFF_BYTES
from rich.console import Console

from tests.platforms import BYTE_NAMES

from .test_uploads import MP4, Api, Store, pieces, video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from .conftest import Maker


def zipped(content: bytes = MP4, *, compression: int = zipfile.ZIP_STORED, damaged: bool = False) -> Any:
    """Open the film as a member of an archive, in which a byte of it may have changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        archive.writestr("film.mp4", content)
    if damaged:
        packed.getbuffer()[packed.getvalue().index(b"film.mp4") + len(b"film.mp4") + 60] ^= 1
    return zipfile.ZipFile(packed).open("film.mp4")


def compressed(module: Any, *, cut: int | None = None) -> Any:
    """Open the compressed film, all of it or the part from an offset."""
    return module.open(io.BytesIO(module.compress(MP4)[:cut]))


def tarred(*, cut: int | None = None) -> Any:
    """Open the film as a member of an archive, all of it or what is left of it."""
    packed, film = io.BytesIO(), tarfile.TarInfo("film.mp4")
    film.size = len(MP4)
    with tarfile.open(fileobj=packed, mode="w:") as archive:
        archive.addfile(film, io.BytesIO(MP4))
    archive = tarfile.open(fileobj=io.BytesIO(packed.getvalue()[:cut]))  # noqa: SIM115 - the member reads from it
    return archive.extractfile(archive.next() or film)


def mapped(folder: Path) -> Any:
    """Map the film into memory."""
    with video(folder).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class Summed(io.RawIOBase):
    """A member of an archive of another kind, whose checksum, too, is compared only without a seek."""

    name = "film.mp4"

    def __init__(self, content: bytes, expected: bytes) -> None:
        self._content = io.BytesIO(content)
        self._expected: bytes | None = expected

    def seekable(self) -> bool:
        """Return that it can seek."""
        return True

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, and stop comparing."""
        self._expected = None
        return self._content.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._content.tell()

    def readinto(self, target: Any) -> int:
        """Read some, and compare at the end."""
        count = self._content.readinto(target)
        if not count and self._expected is not None and self._content.getvalue() != self._expected:
            raise ValueError("bad checksum")
        return count


def filled(file: Any) -> Any:
    """Write the film into a file and go back to its start."""
    file.write(MP4)
    file.seek(0)
    return file


SOUND: dict[str, Callable[[Path], Any]] = {
    "zip": lambda _: zipped(),
    "deflated zip": lambda _: zipped(compression=zipfile.ZIP_DEFLATED),
    "bzip2 zip": lambda _: zipped(compression=zipfile.ZIP_BZIP2),
    "lzma zip": lambda _: zipped(compression=zipfile.ZIP_LZMA),
    "buffered zip": lambda _: io.BufferedReader(zipped()),
    "tar": lambda _: tarred(),
    "gzip": lambda _: compressed(gzip),
    "bz2": lambda _: compressed(bz2),
    "lzma": lambda _: compressed(lzma),
    "another archive": lambda _: Summed(MP4, MP4),
    "mmap": mapped,
    "temporary": lambda _: filled(tempfile.TemporaryFile()),  # noqa: SIM115 - the test closes it
    "named": lambda folder: filled(tempfile.NamedTemporaryFile(dir=folder)),  # noqa: SIM115 - as above
    "spooled": lambda _: filled(tempfile.SpooledTemporaryFile(max_size=1 << 20)),  # noqa: SIM115 - as above
    "spooled to disk": lambda _: filled(tempfile.SpooledTemporaryFile(max_size=1)),  # noqa: SIM115 - as above
}

UNREADABLE: dict[str, Callable[[Path], Any]] = {
    "zip": lambda _: zipped(damaged=True),
    "deflated zip": lambda _: zipped(compression=zipfile.ZIP_DEFLATED, damaged=True),
    "bzip2 zip": lambda _: zipped(compression=zipfile.ZIP_BZIP2, damaged=True),
    "lzma zip": lambda _: zipped(compression=zipfile.ZIP_LZMA, damaged=True),
    "buffered zip": lambda _: io.BufferedReader(zipped(damaged=True)),
    "tar": lambda _: tarred(cut=4096),
    "gzip": lambda _: compressed(gzip, cut=60),
    "gzip without its checksum": lambda _: compressed(gzip, cut=-8),
    "bz2": lambda _: compressed(bz2, cut=-4),
    "lzma": lambda _: compressed(lzma, cut=-12),
    "another archive": lambda _: Summed(MP4, MP4[:-1] + b"?"),
    "write-only": lambda folder: (folder / "new.mp4").open("wb"),
}


@pytest.mark.parametrize("build", SOUND.values(), ids=SOUND)
def test_files_that_are_not_on_disk(make: Maker, tmp_path: Path, build: Callable[[Path], Any]) -> None:
    """Whatever can be read and rewound is sent, and sent again, unchanged."""
    store = Store(503, 200)
    with build(tmp_path) as file:
        make(Api(), store=store).medias.upload(file)
    assert store.bodies == [MP4, MP4]


@pytest.mark.parametrize("build", UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cannot_be_read(make: Maker, tmp_path: Path, build: Callable[[Path], Any]) -> None:
    """Whatever finds it, a checksum or a missing end, it is found before anything is sent."""
    api = Api()
    with build(tmp_path) as file, pytest.raises(UploadError, match=r"cannot be read.*Nothing was sent") as caught:
        make(api).medias.upload(file)
    assert (caught.value.reason, api.prepared) == ("unreadable", 0)


def test_an_archives_member_is_sent_from_its_position(make: Maker) -> None:
    """As any other file, each time that it is sent."""
    store = Store(503, 200)
    with zipped(b"header" + MP4) as file:
        assert file.read(6) == b"header"
        make(Api(), store=store).medias.upload(file)
    assert store.bodies == [MP4, MP4]


class Endless(io.RawIOBase):
    """A compressed film of unknown size."""

    position = 0

    def seekable(self) -> bool:
        """Return that it can seek."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self.position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to the start, the only position that is requested."""
        assert whence == os.SEEK_SET
        self.position = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        """Read the requested bytes."""
        self.position += size
        return MP4.ljust(size, b"x")[:size]


def test_a_file_without_end_is_too_large(make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read only as far as that takes."""
    monkeypatch.setattr(uploads, "MAX_SIZE", 5_000_000)
    monkeypatch.setattr(sources, "MAX_SIZE", 5_000_000)
    file = Endless()
    with pytest.raises(UploadError, match="Nothing was sent") as caught:
        make(Api()).medias.upload(file)
    assert caught.value.reason == "too_large"


def test_a_file_on_disk_is_not_read_beforehand(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses nothing where it is sought in, and reading gigabytes twice takes its time."""
    monkeypatch.setattr(sources, "_read_through", None)
    store = Store(200, 200, 200)
    with video(tmp_path).open("rb") as file, video(tmp_path).open("rb", buffering=0) as raw:
        make(Api(), store=store).medias.upload(file)
        make(Api(), store=store).medias.upload(raw)
    with tempfile.NamedTemporaryFile(dir=tmp_path) as named:
        make(Api(), store=store).medias.upload(filled(named))
    assert store.bodies == [MP4] * 3


class Burning(io.BytesIO):
    """A file that can be read once only."""

    reads = 0

    def read(self, size: int | None = -1) -> bytes:
        """Read the requested bytes, the first time."""
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
    """A file whose `read` does not return bytes."""

    def read(self, _size: int | None = -1) -> Any:
        """Read nothing of use."""
        return None


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda folder: (folder / "film.mp4").open(encoding="utf-8"), "text mode"),
        (lambda _folder: io.StringIO("text"), "text mode"),
        (lambda _folder: Awaited(), "async read"),
        (lambda _folder: Wrong(MP4), "must return bytes, not NoneType"),
        (lambda _folder: memoryview(MP4)[::2], "memoryview cannot be read"),
        (lambda _folder: array.array("B", MP4), "not array"),
    ],
    ids=["text", "StringIO", "awaited", "None", "gaps", "array"],
)
def test_files_that_are_not_binary(make: Maker, tmp_path: Path, build: Callable[[Path], Any], says: str) -> None:
    """The error says what is wrong with it."""
    video(tmp_path, b"\x00\xff\xfe" + MP4)
    file = build(tmp_path)
    with pytest.raises(InvalidInputError, match=says):
        make(Api()).medias.upload(file)
    if hasattr(file, "close"):
        file.close()


def test_a_file_that_is_only_written(make: Maker, tmp_path: Path) -> None:
    """The error names the mode."""
    with (
        (tmp_path / "film.mp4").open("wb") as file,
        pytest.raises(UploadError, match="not open for reading; open it with mode 'rb'"),
    ):
        make(Api()).medias.upload(file)


def test_an_empty_string(make: Maker) -> None:
    """It is not the current folder."""
    with pytest.raises(UploadError, match="The path is empty"):
        make(Api()).medias.upload("")


def test_a_closed_file(make: Maker, tmp_path: Path) -> None:
    """It is called that."""
    with video(tmp_path).open("rb") as file:
        pass
    with pytest.raises(UploadError, match="it is closed"):
        make(Api()).medias.upload(file)


@BYTE_NAMES
def test_a_message_about_an_undecodable_name_can_be_printed(make: Maker, tmp_path: Path) -> None:
    """Bytes that a terminal cannot display are escaped."""
    with pytest.raises(UploadError, match="does not exist") as caught:
        make(Api()).medias.upload(tmp_path / os.fsdecode(b"\xff.mp4"))
    assert str(caught.value).encode()


async def burning() -> AsyncIterator[bytes]:
    """Return a part, and fail."""
    yield MP4.ljust(SNIFF_BYTES, b"\0")
    raise RuntimeError("on fire")


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("given", [burning, lambda: pieces("text"), lambda: pieces(5)])  # type: ignore[arg-type]
def test_an_async_iterator_that_fails(make: Maker, given: Callable[[], Any]) -> None:
    """It is blamed, not the connection."""
    with pytest.raises(UploadError, match="could not be read to its end") as caught:
        make(Api(), store=Store()).medias.upload(given(), size=100_000)
    assert caught.value.reason == "unreadable"


@pytest.mark.parametrize("make", ["async"], indirect=True)
def test_an_async_iterator_of_bytes_like_objects(make: Maker) -> None:
    """Sizes are counted in bytes, whatever the items are."""
    items = memoryview(array.array("I", range(200)))
    store = Store()
    make(Api(), store=store).medias.upload(pieces(bytearray(MP4), b"", items), size=len(MP4) + items.nbytes)  # type: ignore[arg-type]
    assert store.bodies == [MP4 + bytes(items)]


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("size", [-1, 1.5, "1", True])
def test_an_async_iterator_without_a_valid_size(make: Maker, size: Any) -> None:
    """A wrong size is refused before anything is sent."""
    api = Api()
    with pytest.raises(InvalidInputError, match="size must be"):
        make(api).medias.upload(pieces(MP4), size=size)
    assert api.prepared == 0


@pytest.mark.parametrize("files", ["film.mp4", b"film", None, 5])
def test_a_batch_of_one_file_is_none(make: Maker, files: Any) -> None:
    """A path instead of a list is not taken for a list of letters."""
    with pytest.raises(InvalidInputError, match="files must be an iterable"):
        make(Api()).medias.upload_many(files)


@pytest.mark.parametrize("make", ["sync"], indirect=True)
def test_a_callback_that_raises_stop_iteration(make: Maker, tmp_path: Path) -> None:
    """It is not taken for the end of the upload."""
    nothing: list[int] = []
    with pytest.raises(StopIteration):
        make(Api(), store=Store()).medias.upload(video(tmp_path), progress=lambda *_: next(iter(nothing)))


MEBIBYTE = 1024 * 1024
CONTENT = b"\0\0\0\x18ftypisom" + os.urandom(2 * MEBIBYTE + MEBIBYTE // 2)


class Readers:
    """Records for each chunk whether the event loop's thread read it; some blocks of the file are only on disk."""

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
        # The same on systems without both functions.
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
@pytest.mark.anyio
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


@pytest.mark.anyio
async def test_a_system_without_preadv_reads_in_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where it is not known what is in memory, nothing is read by the event loop's thread."""
    path = tmp_path / "video.mp4"
    path.write_bytes(CONTENT)
    source = sources.PathSource(path)
    readers = Readers(monkeypatch, set())
    monkeypatch.setattr(sources, "_NOWAIT", 0)
    assert b"".join([piece async for piece in aiter_with_progress(source, None)]) == CONTENT
    assert readers.by_the_loop == [False, False, False]


def test_a_name_is_not_markup() -> None:
    """A file's name is shown unchanged, brackets included."""
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=100)
    with progress_bar("film [red]one[/red] [/].mp4", console=console) as progress:
        progress(1024, 2048)
    assert "film [red]one[/red] [/].mp4" in drawn.getvalue()
    assert "1.0/2.0 KiB" in drawn.getvalue()
