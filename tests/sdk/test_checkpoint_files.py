"""Checkpoints that cannot be written: reported before anything is sent if possible, and no media is lost."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import CheckpointError, InvalidInputError, OutcomeUnknownError
from contentgroove._io import durable_files
from contentgroove._io.checkpoint_store import FileCheckpointStore

from tests.platforms import BYTE_NAMES, HOLES, LINKS, NAMED_PIPES, make_named_pipe

from .conftest import media_json
from .test_uploads import Api, Store, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Maker


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the disk be full once some checkpoints are written."""
    written: list[int] = []
    sync = durable_files.sync

    def full(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            written.append(descriptor)
            if len(written) > after:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    monkeypatch.setattr(durable_files, "sync", full)


def test_a_full_disk_is_noticed_before_anything_is_sent(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first checkpoint is written before the first request; nothing is left lying about."""
    fill_the_disk(monkeypatch, after=0)
    path, api, store = video(tmp_path), Api(), Store()
    with pytest.raises(InvalidInputError, match=r"c\.json cannot be written: No space left.*Nothing was sent"):
        make(api, store=store).medias.upload(path, checkpoint=tmp_path / "c.json")
    assert (api.prepared, store.requests) == (0, [])
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("after", "sent", "says", "sent_again"),
    [(1, 0, "No media was created", 1), (2, 1, "the file is sent again", 1), (3, 1, "continues from there", 0)],
    ids=["prepared", "sent", "creating"],
)
def test_a_disk_that_fills_up_before_the_media_is_created(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, sent: int, says: str, sent_again: int
) -> None:
    """The step is not started, the error names the checkpoint, and the same call continues once there is space."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    api, store = Api(), Store()
    client = make(api, store=store)
    with monkeypatch.context() as patch:
        fill_the_disk(patch, after)
        with pytest.raises(CheckpointError, match=r"c\.json cannot be written: No space left") as caught:
            client.medias.upload(path, checkpoint=checkpoint)
    assert says in str(caught.value)
    assert (caught.value.checkpoint, caught.value.media_id) == (str(checkpoint), None)
    assert (api.posts, len(store.requests)) == ([], sent)
    assert client.medias.upload(path, checkpoint=checkpoint).id == "m-1"
    assert len(store.requests) == sent + sent_again


def test_a_disk_that_fills_up_once_the_media_is_created(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error contains the media's id, and how to write it down later; the same call creates no other one."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    api, store = Api(), Store()
    client = make(api, store=store)
    with monkeypatch.context() as patch:
        fill_the_disk(patch, after=4)
        with pytest.raises(CheckpointError, match="The media was created: m-1") as caught:
            client.medias.upload(path, name="Film", checkpoint=checkpoint)
    assert caught.value.media_id == "m-1"
    assert f"client.medias.resolve({str(checkpoint)!r}, media_id='m-1')" in caught.value.message
    api.listed = [media_json("m-1", name="Film", created_at="2025-10-15T13:51:05Z")]
    with pytest.raises(OutcomeUnknownError):
        client.medias.upload(path, name="Film", checkpoint=checkpoint)
    client.medias.resolve(checkpoint, media_id="m-1")
    assert client.medias.upload(path, name="Film", checkpoint=checkpoint).id == "m-1"
    assert (len(api.posts), len(store.requests)) == (1, 1)


def test_a_full_disk_in_a_batch(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file has its own result."""
    fill_the_disk(monkeypatch, after=5)
    files = [video(tmp_path, name=f"{index}.mp4") for index in range(3)]
    client = make(Api(), store=Store())
    results = list(client.medias.upload_many(files, concurrency=1, checkpoint_dir=tmp_path / "points"))
    assert [result.error is None for result in results] == [True, False, False]


@pytest.mark.parametrize("location", ["", "/", ".", "folder", "\0", b"c.json", 7, "x" * 300])
def test_paths_that_cannot_be_checkpoints(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: Any
) -> None:
    """A folder, or something that is not a path, is refused before anything is sent, and is not changed."""
    monkeypatch.chdir(tmp_path)
    path = video(tmp_path)
    (tmp_path / "folder").mkdir()
    api = Api()
    with pytest.raises(InvalidInputError, match="Nothing was sent"):
        make(api).medias.upload(path, checkpoint=location)
    assert api.prepared == 0
    assert sorted(found.name for found in tmp_path.iterdir()) == ["film.mp4", "folder"]


@NAMED_PIPES
def test_a_named_pipe_is_not_a_checkpoint(make: Maker, tmp_path: Path) -> None:
    """No one waits for its other end."""
    make_named_pipe(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="not a regular file"):
        make(Api()).medias.upload(video(tmp_path), checkpoint=tmp_path / "pipe")


@HOLES
def test_a_video_is_not_a_checkpoint(make: Maker, tmp_path: Path) -> None:
    """A path that was passed by mistake is neither overwritten nor read completely."""
    path = video(tmp_path)
    os.truncate(path, 4 * 1024**3)
    with pytest.raises(InvalidInputError, match="not an upload checkpoint"):
        make(Api()).medias.upload(path, checkpoint=path)
    assert path.stat().st_size == 4 * 1024**3


@LINKS
def test_a_link_stays_a_link(make: Maker, tmp_path: Path) -> None:
    """What is written goes where it leads."""
    target = tmp_path / "elsewhere.json"
    link = tmp_path / "c.json"
    link.symlink_to(target)
    make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=link)
    assert link.is_symlink()
    assert json.loads(target.read_bytes())["state"] == "created"


@pytest.mark.parametrize("since", [-1, 1e30, "soon"])
def test_a_checkpoint_with_an_impossible_time(make: Maker, tmp_path: Path, since: Any) -> None:
    """It is not a checkpoint, rather than a failure in the middle of looking for a lost media."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    client = make(Api(), store=Store())
    client.medias.upload(path, checkpoint=checkpoint)
    written = json.loads(checkpoint.read_bytes())
    checkpoint.write_text(
        json.dumps({**written, "state": "creating", "media_id": None, "since": since}), encoding="utf-8"
    )
    with pytest.raises(InvalidInputError, match="not an upload checkpoint"):
        client.medias.upload(path, checkpoint=checkpoint)


def test_a_file_that_changed_before_it_was_sent_is_sent_as_it_is(make: Maker, tmp_path: Path) -> None:
    """A recording that was still growing can be uploaded with the same checkpoint once it is complete."""
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    store = Store(400, 200)
    client = make(Api(), store=store)
    with pytest.raises(Exception, match="refused"):
        client.medias.upload(path, checkpoint=checkpoint)
    with path.open("ab") as file:
        file.write(b"more")
    assert client.medias.upload(path, checkpoint=checkpoint).id == "m-1"
    assert store.bodies[1].endswith(b"more")


@BYTE_NAMES
def test_a_file_with_an_undecodable_name(make: Maker, tmp_path: Path) -> None:
    """Its checkpoint contains escapes, alone and in a batch."""
    path = video(tmp_path, name=os.fsdecode(b"film \xff.mp4"))
    store = Store()
    client = make(Api(), store=store)
    for _ in range(2):
        assert client.medias.upload(path, checkpoint=tmp_path / "c.json").id == "m-1"
        (result,) = client.medias.upload_many([path], checkpoint_dir=tmp_path / "points")
        assert result.media is not None
    assert len(store.requests) == 2
    assert json.loads((tmp_path / "c.json").read_bytes())["file"]["name"] == r"film \udcff.mp4"


def test_a_long_name_in_a_batch(make: Maker, tmp_path: Path) -> None:
    """A checkpoint's name is longer than its file's, which may be as long as can be."""
    path = video(tmp_path, name=f"{'ü' * 125}.mp4")
    (result,) = make(Api(), store=Store()).medias.upload_many([path], checkpoint_dir=tmp_path / "points")
    assert result.error is None


@pytest.mark.parametrize("name", [7, "\ud800"])
def test_an_undecodable_name_in_a_batch(make: Maker, tmp_path: Path, name: Any) -> None:
    """It is that file's failure, not the batch's."""
    from contentgroove import UploadItem

    files = [UploadItem(video(tmp_path), name=name), video(tmp_path, name="b.mp4")]
    results = list(make(Api(), store=Store()).medias.upload_many(files, concurrency=1, checkpoint_dir=tmp_path / "p"))
    assert [type(result.error) for result in results] == [InvalidInputError, type(None)]


def test_a_checkpoint_folder_that_can_be_none(make: Maker, tmp_path: Path) -> None:
    """It is named in each result."""
    for folder in (video(tmp_path), "a\0b", 7):
        results = list(make(Api()).medias.upload_many([video(tmp_path)], checkpoint_dir=folder))
        assert [type(result.error) for result in results] == [InvalidInputError]


def test_a_callbacks_error_is_not_taken_for_another_upload(make: Maker, tmp_path: Path) -> None:
    """An application's own BlockingIOError, such as that of a full terminal, is raised unchanged."""

    def full(_sent: int, _total: int) -> None:
        raise BlockingIOError(errno.EAGAIN, "the terminal")

    with pytest.raises(BlockingIOError, match="the terminal"):
        make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=tmp_path / "c.json", progress=full)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["c.json", "film.mp4"]


def test_a_lock_that_its_holder_removed_protects_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that opened the file before and locks it after that takes the new one, so that a third is refused."""
    location = tmp_path / "c.json"
    real = os.open
    first = FileCheckpointStore(location).lock()
    first.__enter__()

    def opened(path: Any, *args: Any) -> int:
        descriptor = real(path, *args)
        if str(path).endswith(".lock"):
            monkeypatch.setattr(os, "open", real)
            first.__exit__(None, None, None)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    with (
        FileCheckpointStore(location).lock(),
        pytest.raises(InvalidInputError, match="Another upload"),
        FileCheckpointStore(location).lock(),
    ):
        raise AssertionError("two uploads hold one checkpoint")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b" ", b" process\n", b" \xff\xfe", b"x"])
def test_a_lock_that_does_not_say_its_holder(tmp_path: Path, content: bytes) -> None:
    """One of an earlier release is empty, and other bytes than text are not shown."""
    location = tmp_path / "c.json"
    with FileCheckpointStore(location).lock():
        (tmp_path / "c.json.lock").write_bytes(content)
        with (
            pytest.raises(InvalidInputError, match="in this process or another"),
            FileCheckpointStore(location).lock(),
        ):
            raise AssertionError("two uploads hold one checkpoint")


def test_a_lock_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it cannot say its holder does not keep it from excluding others."""

    def full(_descriptor: int, _content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    location = tmp_path / "c.json"
    with (
        FileCheckpointStore(location).lock(),
        pytest.raises(InvalidInputError, match="in this process or another"),
        FileCheckpointStore(location).lock(),
    ):
        raise AssertionError("two uploads hold one checkpoint")
