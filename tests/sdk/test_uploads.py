"""Uploads: exact, without credentials, from the position of the file, and once."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    InvalidInputError,
    QuotaExceededError,
    UploadError,
    UploadItem,
)

from tests.platforms import HOLES

from .conftest import KEY, STORE, many, media_json, one, sent_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from .conftest import FakeClock, Maker

MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 20


class Api:
    """The API's side of an upload: mints numbered URLs and creates medias."""

    def __init__(self, *creations: Any) -> None:
        self.creations = list(creations)
        self.prepared = 0
        self.posts: list[Any] = []
        self.listed: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Return a call."""
        if request.url.path.endswith("/direct_uploads"):
            self.prepared += 1
            attributes = {
                "upload_id": f"signed-{self.prepared}",
                "upload_url": f"{STORE}/{self.prepared}?X-Amz-Signature=s",
            }
            data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
            return httpx.Response(200, json={"data": data}, headers={"Date": "Wed, 15 Oct 2025 13:51:00 GMT"})
        if request.method == "GET" and "/medias/" in request.url.path:
            return one(media_json(request.url.path.rpartition("/")[2]))
        if request.method == "GET":
            return many(self.listed, next=None)
        self.posts.append(sent_json(request)["data"]["attributes"])
        step = self.creations.pop(0) if self.creations else None
        if isinstance(step, int):
            return httpx.Response(step)
        if isinstance(step, type):
            raise step("broken", request=request)
        return one(media_json(f"m-{len(self.posts)}", name=self.posts[-1].get("name", "")))


class Store:
    """The store: remembers what it was sent and responds according to the script."""

    def __init__(self, *responses: Any) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Take a PUT."""
        self.requests.append(request)
        self.bodies.append(request.content)
        http_response = self.responses.pop(0) if self.responses else 200
        if isinstance(http_response, type):
            raise http_response("broken", request=request)
        if isinstance(http_response, httpx.Response):
            return httpx.Response(
                http_response.status_code, content=http_response.content, headers=http_response.headers
            )
        return httpx.Response(http_response)


def s3_error(status: int, code: str, message: str) -> httpx.Response:
    """Return as S3 does."""
    return httpx.Response(status, text=f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


def video(folder: Path, content: bytes = MP4, name: str = "film.mp4") -> Path:
    """Write a file."""
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "source",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: path.open("rb"),
    ],
    ids=["path", "str", "bytes", "bytearray", "memoryview", "BytesIO", "file"],
)
def test_every_kind_of_source(make: Maker, tmp_path: Path, source: Callable[[Path], Any]) -> None:
    """A path, bytes or a file arrive byte for byte, with an exact length and nothing that was not signed."""
    api, store = Api(), Store()
    file = source(video(tmp_path))
    media = make(api, store=store).medias.upload(file, name="N", description="D")
    assert media.id == "m-1"
    assert api.posts == [{"upload_id": "signed-1", "name": "N", "description": "D"}]
    (request,) = store.requests
    assert store.bodies == [MP4]
    assert request.method == "PUT"
    assert str(request.url) == f"{STORE}/1?X-Amz-Signature=s"
    assert request.headers["Content-Length"] == str(len(MP4))
    sent = {name.lower() for name in request.headers}
    assert not sent & {"authorization", "x-api-key", "cookie", "content-type", "transfer-encoding", "user-agent"}
    assert KEY not in repr(request.headers.raw)
    if hasattr(file, "close"):
        assert not file.closed
        file.close()


def test_a_file_is_sent_from_its_position(make: Maker) -> None:
    """A file that is passed at an offset is sent from there, on every attempt."""
    api, store = Api(), Store(503, 200)
    file = io.BytesIO(b"header--" + MP4)
    file.seek(8)
    make(api, store=store).medias.upload(file)
    assert store.bodies == [MP4, MP4]
    assert store.requests[0].headers["Content-Length"] == str(len(MP4))


def test_progress(make: Maker, tmp_path: Path) -> None:
    """The callback hears of nothing, of each piece, and of all, with the same total."""
    size = 2 * 1024 * 1024 + 5
    heard: list[tuple[int, int]] = []
    path = video(tmp_path, MP4[:24] + b"\0" * (size - 24))
    make(Api(), store=Store()).medias.upload(path, progress=lambda sent, total: heard.append((sent, total)))
    assert heard == [(0, size), (1024 * 1024, size), (2 * 1024 * 1024, size), (size, size)]


def test_a_callback_that_raises_ends_the_upload(make: Maker, tmp_path: Path) -> None:
    """An application's own exception is raised unchanged; no media is created."""

    def stop(_sent: int, _total: int) -> None:
        raise KeyError("enough")

    api = Api()
    with pytest.raises(KeyError, match="enough"):
        make(api, store=Store()).medias.upload(video(tmp_path), progress=stop)
    assert api.posts == []


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda folder: folder / "missing.mp4", "missing"),
        (lambda folder: folder, "not_a_file"),
        (lambda folder: video(folder, b""), "empty"),
        (lambda _folder: b"", "empty"),
        (lambda folder: video(folder, b"%PDF-1.7 text"), "not_audio_or_video"),
        (lambda folder: video(folder, b"hello", "notes.txt"), "not_audio_or_video"),
        (lambda _folder: b"\x89PNG\r\n\x1a\n" + bytes(60), "not_audio_or_video"),
        (lambda _folder: os.devnull, "not_a_file"),
    ],
)
def test_invalid_uploads_are_refused_before_sending(
    make: Maker, tmp_path: Path, build: Callable[[Path], Any], reason: str
) -> None:
    """A missing, empty or wrong file is an error before an upload is even prepared."""
    api, store = Api(), Store()
    with pytest.raises(UploadError) as caught:
        make(api, store=store).medias.upload(build(tmp_path))
    assert caught.value.reason == reason
    assert api.prepared == 0
    assert store.requests == []


@HOLES
def test_a_file_over_the_limit_is_refused(make: Maker, tmp_path: Path) -> None:
    """One byte over 5 GiB is too large; a sparse file shows it without filling a disk."""
    path = video(tmp_path)
    os.truncate(path, 5 * 1024**3 + 1)
    with pytest.raises(UploadError, match="5 GiB") as caught:
        make(Api()).medias.upload(path)
    assert caught.value.reason == "too_large"


@pytest.mark.parametrize("file", [None, 5, ["a.mp4"], io.StringIO("text")])
def test_invalid_files_are_refused(make: Maker, file: Any) -> None:
    """Something that can be no file is named for what it is."""
    with pytest.raises(InvalidInputError):
        make(Api()).medias.upload(file)


def test_a_pipe_is_refused(make: Maker) -> None:
    """A stream of unknown length cannot be PUT to a store that wants an exact one."""
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as pipe, pytest.raises(UploadError, match="exact length"):
        make(Api()).medias.upload(pipe)


@pytest.mark.parametrize("change", ["shrinks", "grows", "is replaced"])
def test_a_file_that_changes_during_the_upload(make: Maker, tmp_path: Path, change: str) -> None:
    """A file that changes while it is sent is an error, and no media is created."""
    path = video(tmp_path, MP4[:24] + b"\0" * (3 * 1024 * 1024))

    def meddle(sent: int, _total: int) -> None:
        if sent != 1024 * 1024:
            return
        if change == "shrinks":
            os.truncate(path, 2 * 1024 * 1024)
        elif change == "grows":
            with path.open("ab") as file:
                file.write(b"more")
        else:
            content = path.read_bytes()
            path.write_bytes(content)
            os.utime(path, ns=(1, 1))

    api, store = Api(), Store()
    with pytest.raises(UploadError, match="changed while it was sent") as caught:
        make(api, store=store).medias.upload(path, progress=meddle)
    assert caught.value.reason == "changed"
    assert api.posts == []


def test_an_expired_url_is_replaced(make: Maker, clock: FakeClock, tmp_path: Path) -> None:
    """After a 403 with "expired", the file is sent again from its start to a new URL at once."""
    api, store = Api(), Store(s3_error(403, "AccessDenied", "Request has expired"), 200)
    assert make(api, store=store).medias.upload(video(tmp_path)).id == "m-1"
    assert [request.url.path for request in store.requests] == ["/1", "/2"]
    assert store.bodies == [MP4, MP4]
    assert api.posts == [{"upload_id": "signed-2", "name": "film.mp4"}]
    assert clock.sleeps == []


@pytest.mark.parametrize(
    "trouble", [500, 503, httpx.WriteError, httpx.ReadError, httpx.ConnectError, httpx.WriteTimeout]
)
def test_a_broken_connection_gets_another_try(make: Maker, tmp_path: Path, trouble: Any) -> None:
    """If the store fails or the connection breaks, the upload is retried with a new URL."""
    api, store = Api(), Store(trouble, 200)
    assert make(api, store=store).medias.upload(video(tmp_path)).id == "m-1"
    assert [request.url.path for request in store.requests] == ["/1", "/2"]


@pytest.mark.parametrize(
    ("http_response", "reason"),
    [
        (s3_error(403, "SignatureDoesNotMatch", "no"), "signature"),
        (s3_error(400, "EntityTooLarge", "no"), "too_large"),
        (httpx.Response(413), "too_large"),
        (s3_error(403, "AccessDenied", "Access Denied"), "refused"),
        (httpx.Response(400, text="<html>"), "refused"),
        (httpx.Response(302, headers={"Location": "https://evil.test/"}), "refused"),
    ],
)
def test_a_refusal_keeps_its_reason(make: Maker, tmp_path: Path, http_response: httpx.Response, reason: str) -> None:
    """What the store will refuse again is raised at once, with its status and code, without the URL's signature."""
    api, store = Api(), Store(http_response)
    with pytest.raises(UploadError) as caught:
        make(api, store=store).medias.upload(video(tmp_path))
    assert caught.value.reason == reason
    assert caught.value.status_code == http_response.status_code
    assert len(store.requests) == 1
    assert api.posts == []
    assert "film.mp4" in str(caught.value)
    assert "X-Amz" not in str(caught.value)


def test_a_quota_error_is_final(make: Maker, tmp_path: Path) -> None:
    """A 402 is raised unchanged."""
    with pytest.raises(QuotaExceededError):
        make(Api(402), store=Store()).medias.upload(video(tmp_path))


def test_a_bad_name_costs_no_upload(make: Maker, tmp_path: Path) -> None:
    """Arguments of the creation are checked before the file is sent."""
    api, store = Api(), Store()
    with pytest.raises(InvalidInputError):
        make(api, store=store).medias.upload(video(tmp_path), name=7)
    assert (api.prepared, store.requests) == (0, [])


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    """Yield chunks asynchronously."""
    for chunk in chunks:
        yield chunk


@pytest.mark.parametrize("make", ["async"], indirect=True)
def test_an_async_iterator(make: Maker) -> None:
    """An async client also takes an iterator with its size, and sends it once."""
    api, store = Api(), Store()
    make(api, store=store).medias.upload(pieces(MP4[:100], MP4[100:]), size=len(MP4))
    assert store.bodies == [MP4]
    assert store.requests[0].headers["Content-Length"] == str(len(MP4))
    with pytest.raises(InvalidInputError, match="size="):
        make(Api()).medias.upload(pieces(MP4))
    failing = Store(503, 200)
    with pytest.raises(UploadError):
        make(Api(), store=failing).medias.upload(pieces(MP4), size=len(MP4))
    assert len(failing.requests) == 1


@pytest.mark.parametrize("make", ["async"], indirect=True)
@pytest.mark.parametrize("size", [len(MP4) - 1, len(MP4) + 1])
def test_an_async_iterator_of_another_size(make: Maker, size: int) -> None:
    """An iterator that yields more or less than announced is an error."""
    with pytest.raises(UploadError, match="changed while it was sent"):
        make(Api(), store=Store()).medias.upload(pieces(MP4), size=size)


def test_many(make: Maker, tmp_path: Path) -> None:
    """A batch yields a result for each file, failures included."""
    files = [video(tmp_path, name=f"{index}.mp4") for index in range(6)]
    batch = [*files, UploadItem(files[0], name="Named"), tmp_path / "missing.mp4", None]
    results = list(make(Api(), store=Store()).medias.upload_many(batch, concurrency=3))
    assert len(results) == len(batch)
    failed = {result.file: type(result.error) for result in results if result.error is not None}
    assert failed == {tmp_path / "missing.mp4": UploadError, None: InvalidInputError}
    assert sorted(str(result.file) for result in results if result.media) == sorted(map(str, [*files, files[0]]))


def test_many_begin_nothing_after_a_quota_error(make: Maker, tmp_path: Path) -> None:
    """After a 402 the remaining files are returned with it, unsent."""
    files = [video(tmp_path, name=f"{index}.mp4") for index in range(8)]
    api = Api(None, 402, 402)
    results = list(make(api, store=Store()).medias.upload_many(files, concurrency=1))
    assert [result.file for result in results] == files
    assert results[0].media is not None
    assert all(isinstance(result.error, QuotaExceededError) for result in results[1:])
    assert api.prepared == 2


def test_many_take_files_only_as_they_begin(make: Maker, tmp_path: Path) -> None:
    """An endless iterable of files is not a problem: only those that are being sent are taken."""
    path = video(tmp_path)
    taken: list[int] = []

    def endless() -> Any:
        while True:
            taken.append(1)
            yield path
            if len(taken) > 50:
                return

    results = make(Api(), store=Store()).medias.upload_many(endless(), concurrency=2)
    for _ in range(3):
        next(results)
    if make.kind == "sync":
        assert len(taken) <= 7


@pytest.mark.parametrize("concurrency", [0, -1, None, 1.5])
def test_many_with_bad_concurrency(make: Maker, concurrency: Any) -> None:
    """A batch that cannot start is refused."""
    with pytest.raises(InvalidInputError):
        make(Api()).medias.upload_many([], concurrency=concurrency)
