"""Uploads of streams, of files in other storages and of archives' members, and names, progress and waits of uploads."""

from __future__ import annotations

import asyncio
import functools
import gzip
import io
import os
import socket
import sys
import tarfile
import threading
import warnings
import zipfile
from typing import IO, TYPE_CHECKING, Any

import fsspec
import httpx
import pytest
from contentgroove import (
    AsyncContentGroove,
    ContentGroove,
    InvalidInputError,
    UploadError,
    UploadItem,
    WaitTimeoutError,
)
from contentgroove._io import sources
from contentgroove._io.source_checks import SNIFF_BYTES
from fsspec.implementations.memory import MemoryFileSystem
from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from tests.platforms import BYTE_NAMES

from .conftest import BASE, KEY
from .test_upload_sources import zipped
from .test_uploads import MP4, Api, Store, pieces, video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from .conftest import FakeClock, Maker


class Named(io.BytesIO):
    """A file in memory with a name."""

    def __init__(self, name: str, content: bytes = MP4) -> None:
        super().__init__(content)
        self.name = name


class Received:
    """A file that a web framework received, as werkzeug has it."""

    name = "form field"
    filename = "film.mp4"

    def __init__(self) -> None:
        self._file = io.BytesIO(MP4)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def member_of_tar() -> IO[bytes]:
    """Open the film in an archive."""
    content = io.BytesIO()
    with tarfile.TarFile(fileobj=content, mode="w") as archive:
        member = tarfile.TarInfo("film.mp4")
        member.size = len(MP4)
        archive.addfile(member, io.BytesIO(MP4))
    with tarfile.open(fileobj=Named("all.tar", content.getvalue())) as archive:
        opened = archive.extractfile("film.mp4")
        assert opened is not None
        return opened


def halves() -> Iterator[bytes]:
    """Yield the film in two pieces and an empty one."""
    yield MP4[:100]
    yield b""
    yield MP4[100:]


class Once(io.RawIOBase):
    """A stream that cannot be sought in, such as the body of an HTTP response."""

    def __init__(self, content: bytes = MP4) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read at most 1,000 bytes, as sockets return what they have."""
        return self._content.read(min(size, 1000) if size >= 0 else size)


def piped() -> Any:
    """Open a pipe whose other end stays open after the film was written."""
    read, write = os.pipe()
    os.write(write, MP4)
    return os.fdopen(read, "rb"), lambda: os.close(write)


def through_a_socket() -> Any:
    """Open one end of a connection whose other end stays open after the film was sent."""
    ours, theirs = socket.socketpair()
    theirs.sendall(MP4)
    file = ours.makefile("rb")

    def close() -> None:
        ours.close()
        theirs.close()

    return file, close


def tarred() -> Any:
    """Open the film as a member of a compressed archive that is read as a stream."""
    packed, film = io.BytesIO(), tarfile.TarInfo("film.mp4")
    film.size = len(MP4)
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(film, io.BytesIO(MP4))
    archive = tarfile.open(fileobj=Once(packed.getvalue()), mode="r|gz")  # noqa: SIM115 - the member reads from it
    return archive.extractfile(archive.next() or film)


STREAMS: dict[str, Callable[[], Any]] = {
    "generator": halves,
    "list": lambda: [MP4[:7], bytearray(MP4[7:50]), memoryview(MP4)[50:]],
    "stream": Once,
    "pipe": piped,
    "socket": through_a_socket,
    "member of a tar stream": tarred,
    "gzip": lambda: gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(MP4))),
    "zip": zipped,
    "deflated zip": lambda: zipped(compression=zipfile.ZIP_DEFLATED),
}


@pytest.mark.parametrize("case", STREAMS)
def test_streams_of_a_stated_size(make: Maker, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    """Each is read once, without looking for its end first, and sent with an exact length."""
    monkeypatch.setattr(sources, "_read_through", None)
    opened = STREAMS[case]()
    file, close = opened if isinstance(opened, tuple) else (opened, lambda: None)
    store = Store()
    make(Api(), store=store).medias.upload(file, size=len(MP4))
    assert store.bodies == [MP4]
    assert store.requests[0].headers["Content-Length"] == str(len(MP4))
    getattr(file, "close", lambda: None)()
    close()


@pytest.mark.parametrize("build", [halves, Once, zipped], ids=["generator", "stream", "zip"])
@pytest.mark.parametrize(("difference", "says"), [(1, "ended after"), (-1, "yielded more than")])
def test_a_stream_of_another_size(make: Maker, build: Callable[[], Any], difference: int, says: str) -> None:
    """Too few or too many bytes are an error that says so, and create no media."""
    api = Api()
    with pytest.raises(UploadError, match=says) as caught:
        make(api, store=Store()).medias.upload(build(), size=len(MP4) + difference)
    assert (caught.value.reason, api.posts) == ("changed", [])


def test_a_stream_is_sent_once(make: Maker) -> None:
    """It cannot be rewound, so a broken connection is final, and the error says why."""
    store = Store(503, 200)
    with pytest.raises(UploadError):
        make(Api(), store=store).medias.upload(Once(), size=len(MP4))
    with pytest.raises(UploadError, match="cannot be rewound"):
        make(Api(), store=Store(httpx.WriteError)).medias.upload(halves(), size=len(MP4))
    assert len(store.requests) == 1


def test_a_stream_that_fails(make: Maker) -> None:
    """The stream is blamed, not the connection."""

    def burning() -> Iterator[bytes]:
        yield MP4.ljust(SNIFF_BYTES, b"\0")
        raise RuntimeError("on fire")

    api = Api()
    with pytest.raises(UploadError, match=r"could not be read to its end.*on fire") as caught:
        make(api, store=Store()).medias.upload(burning(), size=100_000)
    assert (caught.value.reason, api.posts) == ("unreadable", [])


def burning_at_once(*chunks: bytes) -> Iterator[bytes]:
    """Yield chunks, and fail."""
    yield from chunks
    raise RuntimeError("on fire")


async def burning_at_once_async() -> AsyncIterator[bytes]:
    """Fail at the first chunk."""
    raise RuntimeError("on fire")
    yield b""


PDF = b"%PDF-1.7".ljust(20_000, b"\0")


@pytest.mark.parametrize(
    ("build", "reason", "says"),
    [
        (lambda: iter([PDF]), "not_audio_or_video", "its content is application/pdf"),
        (lambda: [b"", PDF[:3], PDF[3:5], PDF[5:]], "not_audio_or_video", "its content is application/pdf"),
        (lambda: [b"Dear diary, ", memoryview(b"today")], "not_audio_or_video", "its content is text"),
        (burning_at_once, "unreadable", "cannot be read: on fire"),
        (lambda: burning_at_once(MP4[:100]), "unreadable", "cannot be read: on fire"),
    ],
)
def test_the_start_of_a_stream_is_read_before_anything_is_sent(
    make: Maker, build: Callable[[], Any], reason: str, says: str
) -> None:
    """However its pieces are cut, a file that cannot work reserves no upload."""
    api, store = Api(), Store()
    with pytest.raises(UploadError, match=rf"The data .*{says}.* Nothing was sent\.") as caught:
        make(api, store=store).medias.upload(build(), size=20_000)
    assert (caught.value.reason, api.prepared, store.requests) == (reason, 0, [])


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: pieces(PDF[:5], PDF[5:]), "not_audio_or_video"),
        (lambda: Awaited(PDF), "not_audio_or_video"),
        (burning_at_once_async, "unreadable"),
    ],
)
def test_the_start_of_an_async_stream_is_read_before_anything_is_sent(
    make: Maker, build: Callable[[], Any], reason: str
) -> None:
    """As that of a sync one."""
    api, store = Api(), Store()
    with pytest.raises(UploadError, match=r"The data .* Nothing was sent\.") as caught:
        make(api, store=store).medias.upload(build(), size=len(PDF))
    assert (caught.value.reason, api.prepared, store.requests) == (reason, 0, [])


@pytest.mark.parametrize(
    ("build", "arguments", "says"),
    [
        (halves, {}, "only be uploaded with size="),
        (Once, {}, "Pass size="),
        (halves, {"size": -1}, "size must be a whole number"),
        (halves, {"size": True}, "size must be a whole number"),
        (lambda: MP4, {"size": 7}, r"has 5,\d+ bytes, but size=7"),
        (lambda: io.BytesIO(MP4), {"size": 7}, "but size=7"),
        (lambda: ["film.mp4"], {}, "must be a path, bytes or an open binary file, not list"),
        (lambda: [MP4], {"size": 0}, "is empty"),
        (lambda: Once(b"Just a letter to a friend, and no film."), {"size": 39}, "its content is text"),
    ],
)
def test_streams_that_are_refused(make: Maker, build: Callable[[], Any], arguments: Any, says: str) -> None:
    """Before anything is sent, with a sentence that says what is missing."""
    api = Api()
    with pytest.raises((InvalidInputError, UploadError), match=says):
        make(api).medias.upload(build(), **arguments)
    assert api.prepared == 0


@pytest.mark.parametrize("make", ["sync"], indirect=True)
def test_async_streams_need_the_async_client(make: Maker) -> None:
    """The sync client says so."""
    with pytest.raises(InvalidInputError, match="needs an AsyncContentGroove"):
        make(Api()).medias.upload(pieces(MP4), size=len(MP4))


class Awaited:
    """A file as aiofiles and Starlette have them."""

    def __init__(self, content: bytes = MP4) -> None:
        self._content = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        """Read."""
        return self._content.read(size)


class Chunked:
    """An async iterable that is not an iterator, such as a request's body."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield MP4[:9]
        yield MP4[9:]


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("build", [Awaited, Chunked])
def test_async_files_and_iterables(make: Maker, build: Callable[[], Any]) -> None:
    """With a size, the async client reads them."""
    store = Store()
    make(Api(), store=store).medias.upload(build(), size=len(MP4))
    assert store.bodies == [MP4]


def test_the_streams_of_a_batch(make: Maker) -> None:
    """Each item has its own size."""
    store = Store()
    items = [UploadItem(halves(), name="A", size=len(MP4)), UploadItem(halves(), name="B")]
    results = sorted(make(Api(), store=store).medias.upload_many(items), key=lambda result: result.error is not None)
    assert [result.media is not None for result in results] == [True, False]
    assert store.bodies == [MP4]


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("responses", [(200,), (503, 200), (httpx.ReadError, 200)], ids=str)
def test_a_damaged_member_of_a_zip_archive(make: Maker, compression: int, *, stated: bool, responses: Any) -> None:
    """Its checksum is compared however it is sent, also if a first attempt failed: no media is made of it."""
    content = MP4 + os.urandom(3 * 1024 * 1024)
    api = Api()
    with zipped(content, compression=compression, damaged=True) as file, pytest.raises(UploadError) as caught:
        make(api, store=Store(*responses)).medias.upload(file, size=len(content) if stated else None)
    assert (caught.value.reason, api.posts) == ("unreadable", [])


class Remote(AbstractFileSystem):  # type: ignore[misc]
    """A storage whose files are fetched in ranges, and which counts the bytes."""

    protocol = "remote"
    cachable = False

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content
        self.fetched = 0
        self.opened: list[Any] = []

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """Describe the file."""
        if "missing" in path:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.content), "type": "file"}

    def _open(self, path: str, *_arguments: Any, **_options: Any) -> Any:
        file = RemoteFile(self, path, "rb", cache_type="none")
        self.opened.append(file)
        return file


class RemoteFile(AbstractBufferedFile):  # type: ignore[misc]
    """A file of that storage."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        self.fs.fetched += end - start
        content: bytes = self.fs.content[start:end]
        return content


def test_a_file_of_another_storage_is_streamed(make: Maker) -> None:
    """It is fetched once, but for its first bytes, again from its position for a second attempt, and stays open."""
    remote = Remote(b"head" + MP4 + bytes(2 * 1024 * 1024))
    store = Store(503, 200)
    api = Api()
    with remote.open("bucket/folder/film.mp4") as file:
        assert file.read(4) == b"head"
        make(api, store=store).medias.upload(file)
        assert not file.closed
    assert store.bodies == [remote.content[4:]] * 2
    assert remote.fetched <= 2 * len(remote.content) + 2 * SNIFF_BYTES
    assert api.posts == [{"upload_id": "signed-2", "name": "film.mp4"}]


def test_an_unopened_file_of_another_storage(make: Maker) -> None:
    """What `fsspec.open` returns is opened for each attempt and closed after it."""
    remote = Remote(MP4)
    store = Store(503, 200)
    api = Api()
    make(api, store=store).medias.upload(fsspec.core.OpenFile(remote, "bucket/film.mp4"))
    assert store.bodies == [MP4, MP4]
    assert api.posts == [{"upload_id": "signed-2", "name": "film.mp4"}]
    assert all(file.closed for file in remote.opened)
    with pytest.raises(UploadError, match="does not exist") as caught:
        make(api).medias.upload(fsspec.core.OpenFile(remote, "bucket/missing.mp4"))
    assert caught.value.reason == "missing"
    with pytest.raises(InvalidInputError, match="text mode"):
        make(api).medias.upload(fsspec.core.OpenFile(remote, "bucket/film.mp4", mode="r"))


def test_files_that_fsspec_opens(make: Maker, tmp_path: Path) -> None:
    """In memory, on disk, compressed, and members of archives."""
    memory = MemoryFileSystem()
    memory.pipe("/film.mp4", MP4)
    memory.pipe("/film.mp4.gz", gzip.compress(MP4))
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.write(video(tmp_path), "film.mp4")
    urls: list[tuple[str, dict[str, Any]]] = [
        ("memory://film.mp4", {}),
        ("memory://film.mp4.gz", {"compression": "gzip"}),
        (f"file://{tmp_path.as_posix()}/film.mp4", {}),
        (f"zip://film.mp4::file://{tmp_path.as_posix()}/films.zip", {}),
    ]
    store = Store()
    for url, options in urls:
        make(Api(), store=store).medias.upload(fsspec.open(url, **options))
        with fsspec.open(url, **options) as file:
            make(Api(), store=store).medias.upload(file)
    assert store.bodies == [MP4] * 2 * len(urls)


def test_a_damaged_member_that_fsspec_opens(make: Maker, tmp_path: Path) -> None:
    """Fsspec states its size, but it is read through for its checksum."""
    path = tmp_path / "films.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("film.mp4", MP4)
    content = bytearray(path.read_bytes())
    content[content.index(MP4) + 50] ^= 1
    path.write_bytes(content)
    with fsspec.open(f"zip://film.mp4::file://{path.as_posix()}") as file, pytest.raises(UploadError) as caught:
        make(Api(), store=Store(503, 200)).medias.upload(file)
    assert caught.value.reason == "unreadable"


def test_a_local_file_that_fsspec_names_can_have_a_checkpoint(make: Maker, tmp_path: Path) -> None:
    """It is a path."""
    path = video(tmp_path)
    make(Api(), store=Store()).medias.upload(fsspec.open(os.fspath(path)), checkpoint=tmp_path / "c.json")
    assert (tmp_path / "c.json").exists()


def test_files_of_other_storages_have_no_checkpoints(make: Maker, tmp_path: Path) -> None:
    """A batch says so instead of opening them."""
    batch = make(Api(), store=Store()).medias.upload_many(
        [fsspec.core.OpenFile(Remote(MP4), "bucket/film.mp4")], checkpoint_dir=tmp_path
    )
    (result,) = list(batch)
    assert isinstance(result.error, InvalidInputError)
    assert str(result.error).startswith("With checkpoint_dir= all files must be paths")


def test_a_file_of_another_storage_that_would_be_written_is_not_opened(make: Maker) -> None:
    """Opening it would empty it."""
    storage = MemoryFileSystem()
    storage.pipe("/kept.mp4", MP4)
    with pytest.raises(InvalidInputError, match=r"for writing \(mode 'wb'\): use mode 'rb'"):
        make(Api(), store=Store()).medias.upload(fsspec.open("memory://kept.mp4", "wb"))
    assert storage.cat("/kept.mp4") == MP4
    storage.rm("/kept.mp4")


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda folder: video(folder, name="interview.mp4"), "interview.mp4"),
        (lambda folder: str(video(folder, name="Üç film.final.MP4")), "Üç film.final.MP4"),
        (lambda folder: video(folder, name="film"), "film"),
        (lambda folder: video(folder, name="\u202efilm.mp4"), "\u202efilm.mp4"),
        (lambda folder: video(folder, name="a" * 200 + ".mp4"), "a" * 200 + ".mp4"),
        (lambda folder: video(folder).open("rb"), "film.mp4"),
        (lambda _folder: zipped(), "film.mp4"),
        (lambda _folder: MP4, None),
        (lambda _folder: io.BytesIO(MP4), None),
        (lambda _folder: Received(), "film.mp4"),
        (lambda _folder: Named("<stdin>"), None),
        (lambda _folder: Named("<urllib response>"), None),
        (lambda _folder: member_of_tar(), None if sys.version_info < (3, 13) else "film.mp4"),
    ],
)
def test_a_media_is_named_after_its_file(
    make: Maker, tmp_path: Path, build: Callable[[Path], Any], name: str | None
) -> None:
    """By default; what has no name leaves the media's to the service."""
    api = Api()
    file = build(tmp_path)
    make(api, store=Store()).medias.upload(file)
    assert api.posts == [{"upload_id": "signed-1"} | ({} if name is None else {"name": name})]
    getattr(file, "close", lambda: None)()


def test_a_given_name_counts(make: Maker, tmp_path: Path) -> None:
    """Also an empty one."""
    api = Api()
    for name in ("Interview", ""):
        make(api, store=Store()).medias.upload(video(tmp_path), name=name)
    assert [post["name"] for post in api.posts] == ["Interview", ""]


@BYTE_NAMES
def test_a_file_name_that_is_not_text(make: Maker, tmp_path: Path) -> None:
    """Bytes that JSON cannot carry become question marks."""
    api = Api()
    make(api, store=Store()).medias.upload(video(tmp_path, name=os.fsdecode(b"film \xff.mp4")))
    assert api.posts[0]["name"] == "film ?.mp4"


@pytest.mark.parametrize("make", ["async"], indirect=True)
def test_an_async_progress_is_awaited(make: Maker, tmp_path: Path) -> None:
    """Each report ends before more is sent."""
    size = 2 * 1024 * 1024 + 5
    heard: list[tuple[int, int]] = []
    running: list[int] = []

    async def report(sent: int, total: int) -> None:
        assert running == []
        running.append(sent)
        for _ in range(3):
            await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(None, lambda: None), 10)
        running.clear()
        heard.append((sent, total))

    path = video(tmp_path, MP4[:24] + b"\0" * (size - 24))
    make(Api(), store=Store()).medias.upload(path, progress=report)
    assert heard == [(0, size), (1024 * 1024, size), (2 * 1024 * 1024, size), (size, size)]


@pytest.mark.parametrize("make", ["async"], indirect=True)
def test_an_async_progress_that_raises_ends_the_upload(make: Maker, tmp_path: Path) -> None:
    """Its exception is raised unchanged; no media is created."""

    async def stop(_sent: int, _total: int) -> None:
        raise KeyError("enough")

    api = Api()
    with pytest.raises(KeyError, match="enough"):
        make(api, store=Store()).medias.upload(video(tmp_path), progress=stop)
    assert api.posts == []


@pytest.mark.anyio
async def test_an_upload_is_cancelled_in_its_progress(tmp_path: Path) -> None:
    """The task ends while the callback waits."""
    reached = asyncio.Event()

    async def wait(_sent: int, _total: int) -> None:
        reached.set()
        await asyncio.Event().wait()

    api = Api()
    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(api)) as own,
        httpx.AsyncClient(transport=httpx.MockTransport(Store())) as store,
        AsyncContentGroove(KEY, BASE, http_client=own, upload_http_client=store) as client,
    ):
        task = asyncio.create_task(client.medias.upload(video(tmp_path), progress=wait))
        await asyncio.wait_for(reached.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert api.posts == []


async def report_async(_sent: int, _total: int) -> None:
    """Report nothing."""


class AsyncCallable:
    """An object with an async call."""

    async def __call__(self, _sent: int, _total: int) -> None:
        """Report nothing."""


@pytest.mark.parametrize("progress", [report_async, functools.partial(report_async), AsyncCallable(), 5])
def test_a_progress_that_cannot_be_called(tmp_path: Path, progress: Any) -> None:
    """An async one in the sync client, or no function at all, is refused before anything is sent."""
    api = Api()
    with (
        httpx.Client(transport=httpx.MockTransport(api)) as own,
        ContentGroove(KEY, BASE, http_client=own) as client,
        pytest.raises(InvalidInputError, match="progress"),
    ):
        client.medias.upload(video(tmp_path), progress=progress)
    assert api.prepared == 0


@pytest.mark.parametrize("make", ["sync"], indirect=True)
def test_a_function_that_returns_a_coroutine_to_the_sync_client(make: Maker, tmp_path: Path) -> None:
    """It is noticed at the first call, and no coroutine is left that was never awaited."""
    api = Api()
    client = make(api, store=Store())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidInputError, match="needs an AsyncContentGroove"):
            client.medias.upload(video(tmp_path), progress=lambda sent, total: report_async(total, sent))
    assert api.posts == []


def test_the_wait_of_an_upload_has_a_timeout(make: Maker, clock: FakeClock, tmp_path: Path) -> None:
    """`timeout=` limits the wait; the error names the media, which exists."""
    with pytest.raises(WaitTimeoutError, match=r"Media m-1 was not finished after 30 s") as caught:
        make(Api(), store=Store()).medias.upload(video(tmp_path), wait=True, timeout=30)
    assert caught.value.media_id == "m-1"
    assert sum(clock.sleeps) == 30


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"timeout": 5}, "wait=True"),
        ({"timeout": -1, "wait": True}, "timeout must"),
        ({"timeout": "5", "wait": True}, "timeout must"),
    ],
)
def test_a_timeout_that_limits_nothing(make: Maker, tmp_path: Path, arguments: Any, says: str) -> None:
    """Without a wait, or as no number of seconds, it is refused before anything is sent."""
    api = Api()
    with pytest.raises(InvalidInputError, match=says):
        make(api).medias.upload(video(tmp_path), **arguments)
    assert api.prepared == 0


def test_threads_may_read_an_iterator(make: Maker) -> None:
    """An async client reads a sync iterator in threads, so that a slow one does not block other tasks."""
    threads: set[int] = set()

    def watched() -> Iterator[bytes]:
        threads.add(threading.get_ident())
        yield MP4

    make(Api(), store=Store()).medias.upload(watched(), size=len(MP4))
    assert (threading.get_ident() in threads) is (make.kind == "sync")
