"""Checkpoints of the application's own, and what a batch does with files that another process holds."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import (
    CheckpointError,
    CheckpointInUseError,
    InvalidInputError,
    OutcomeUnknownError,
    QuotaExceededError,
    UploadItem,
)
from contentgroove.checkpoints import CheckpointWriteError, FileCheckpoints

from .test_uploads import MP4, Api, Store, video

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from contentgroove.types import Checkpoints, CheckpointStore

    from .conftest import Maker


class OwnStore:
    """A checkpoint store in memory, as an application could write one."""

    shared = True

    def __init__(self, own: OwnCheckpoints, key: str) -> None:
        self.path = key
        self._own = own

    def __repr__(self) -> str:
        return f"mine[{self.path!r}]"

    @contextmanager
    def lock(self) -> Generator[None]:
        """Refuse as often as another holder would."""
        self._own.before_lock(self.path)
        if self._own.refusals.get(self.path, 0):
            self._own.refusals[self.path] -= 1
            raise CheckpointInUseError("Another machine uploads it.", holder="machine 7")
        yield

    def read(self) -> bytes | None:
        """Return the content."""
        return self._own.contents.get(self.path)

    def write(self, content: bytes) -> OSError | None:
        """Replace the content, unless it was taken over."""
        problem = self._own.problem(content)
        if problem is None:
            self._own.contents[self.path] = content
        return problem


class OwnCheckpoints:
    """Checkpoints in memory."""

    def __init__(self, recheck: float | None = 0.001) -> None:
        self.recheck = recheck
        self.contents: dict[str, bytes] = {}
        self.refusals: dict[str, int] = {}
        self.before_lock: Callable[[str], object] = lambda _key: None
        self.problem: Callable[[bytes], OSError | None] = lambda _content: None

    def store(self, upload: UploadItem | str) -> OwnStore:
        """Return a store by key, or by path."""
        key = upload if isinstance(upload, str) else upload.key or str(upload.file)
        return OwnStore(self, key)


def test_an_own_store_is_enough(make: Maker, tmp_path: Path) -> None:
    """With the documented methods it continues an upload, settles it, and serves a batch."""
    own: Checkpoints = OwnCheckpoints()
    mine: CheckpointStore = own.store("film")
    api, store = Api(httpx.ReadError), Store()
    client = make(api, store=store)
    with pytest.raises(OutcomeUnknownError, match=r"client\.medias\.resolve\(mine\['film'\], media_id=…\)"):
        client.medias.upload(video(tmp_path), checkpoint=mine)
    client.medias.resolve(mine, media_id=None)
    media = client.medias.upload(video(tmp_path), checkpoint=mine)
    (result,) = client.medias.upload_many([UploadItem(tmp_path / "film.mp4", key="film")], checkpoints=own)
    assert result.media is not None
    assert result.media.id == media.id
    assert (len(store.bodies), len(api.posts)) == (1, 2)


def test_files_held_elsewhere_are_tried_again(make: Maker, tmp_path: Path) -> None:
    """The others go first, and each file has one result at the end."""
    own = OwnCheckpoints(recheck=0.3)
    files = [video(tmp_path, name=f"{letter}.mp4") for letter in "abc"]
    own.refusals = {str(files[0]): 2, str(files[1]): 1}
    results = list(make(Api(), store=Store()).medias.upload_many(files, concurrency=1, checkpoints=own))
    assert results[0].file == files[2]
    assert sorted(str(result.file) for result in results) == [str(file) for file in files]
    assert all(result.media is not None for result in results)
    assert set(own.refusals.values()) == {0}


def test_a_file_that_another_machine_finishes(make: Maker, tmp_path: Path) -> None:
    """It is yielded with its media and not sent here."""
    there, own, api, store = OwnCheckpoints(), OwnCheckpoints(), Api(), Store()
    film = video(tmp_path)
    client = make(api, store=store)
    (elsewhere,) = client.medias.upload_many([film], checkpoints=there)
    own.refusals = {str(film): 2}

    def finish(key: str) -> None:
        if own.refusals[key] == 0:
            own.contents = there.contents

    own.before_lock = finish
    (result,) = client.medias.upload_many([film], checkpoints=own)
    assert result.media is not None
    assert elsewhere.media is not None
    assert result.media.id == elsewhere.media.id
    assert (len(api.posts), len(store.bodies)) == (1, 1)


def test_without_recheck_a_held_file_is_reported(make: Maker, tmp_path: Path) -> None:
    """At once, with who holds it."""
    own = OwnCheckpoints(recheck=None)
    film = video(tmp_path)
    own.refusals = {str(film): 1}
    (result,) = make(Api()).medias.upload_many([film], checkpoints=own)
    assert isinstance(result.error, CheckpointInUseError)
    assert result.error.holder == "machine 7"


@pytest.mark.parametrize("state", ["new", "prepared", "sent", "creating"])
def test_a_file_that_was_taken_over_is_tried_again(make: Maker, tmp_path: Path, state: str) -> None:
    """Nothing is created by the process that lost it; the same batch then returns the media."""
    own, api = OwnCheckpoints(), Api()
    lost = threading.Event()

    def lose(content: bytes) -> OSError | None:
        if f'"state":"{state}"'.encode() not in content or lost.is_set():
            return None
        lost.set()
        assert api.posts == []
        return CheckpointWriteError("machine 8 has taken it over", "Let it finish", taken_over=True)

    own.problem = lose
    (result,) = make(api, store=Store()).medias.upload_many([video(tmp_path)], checkpoints=own)
    assert lost.is_set()
    assert result.media is not None
    assert len(api.posts) == 1


def test_a_single_upload_that_was_taken_over(make: Maker, tmp_path: Path) -> None:
    """The error says so, and what to do."""
    own = OwnCheckpoints()
    own.problem = lambda _content: CheckpointWriteError("machine 8 has it", "Let that one finish", taken_over=True)
    with pytest.raises(
        CheckpointError, match=r"film cannot be written: machine 8 has it\..*Let that one finish"
    ) as caught:
        make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=own.store("film"))
    assert caught.value.taken_over


def test_after_a_402_no_held_file_is_tried(make: Maker, tmp_path: Path) -> None:
    """It is yielded with the same error."""
    own = OwnCheckpoints()
    files = [video(tmp_path, name=f"{letter}.mp4") for letter in "ab"]
    own.refusals = {str(files[0]): 1_000_000}
    results = list(make(Api(402), store=Store()).medias.upload_many(files, concurrency=1, checkpoints=own))
    assert [type(result.error) for result in results] == [QuotaExceededError, QuotaExceededError]


def test_other_times_of_change_do_not_matter_to_a_shared_checkpoint(make: Maker, tmp_path: Path) -> None:
    """Each machine has its own copy; another size is another file."""
    own, api, store = OwnCheckpoints(), Api(403), Store()
    for folder in ("here", "there", "else"):
        (tmp_path / folder).mkdir()
    client = make(api, store=store)
    first = client.medias.upload_many([UploadItem(video(tmp_path / "here"), key="k")], checkpoints=own)
    assert next(iter(first)).error is not None
    there = video(tmp_path / "there")
    os.utime(there, (1, 1))
    (second,) = client.medias.upload_many([UploadItem(there, key="k")], checkpoints=own)
    assert second.media is not None
    assert len(store.bodies) == 1
    longer = video(tmp_path / "else", MP4 + b"more")
    (third,) = client.medias.upload_many([UploadItem(longer, key="k")], checkpoints=own)
    assert "has changed since k was written" in str(third.error)


@pytest.mark.parametrize("wrong", [b"c.json", 3, object()])
def test_what_is_no_checkpoint(make: Maker, tmp_path: Path, wrong: Any) -> None:
    """Nothing is sent with it."""
    api = Api()
    with pytest.raises(InvalidInputError, match="checkpoint must be"):
        make(api).medias.upload(video(tmp_path), checkpoint=wrong)
    with pytest.raises(InvalidInputError, match="checkpoint must be"):
        make(api).medias.resolve(wrong, media_id=None)
    assert api.prepared == 0


def test_a_folder_by_either_name(make: Maker, tmp_path: Path) -> None:
    """`FileCheckpoints` continues what `checkpoint_dir` has begun."""
    api, store = Api(), Store()
    client = make(api, store=store)
    items = [UploadItem(video(tmp_path), name="Film", description="It")]
    folder = tmp_path / "points"
    (first,) = client.medias.upload_many(items, checkpoint_dir=folder)
    (second,) = client.medias.upload_many(items, checkpoints=FileCheckpoints(folder))
    assert first.media is not None
    assert second.media is not None
    assert first.media.id == second.media.id
    assert len(api.posts) == 1
    with pytest.raises(InvalidInputError, match="either checkpoint_dir or checkpoints"):
        client.medias.upload_many(items, checkpoint_dir=folder, checkpoints=FileCheckpoints(folder))


@pytest.mark.parametrize("key", ["a", "../../etc/passwd", "a/b", "a\\b", "ü" * 300, "CON", " "])
def test_any_key_names_a_file_in_the_folder(tmp_path: Path, key: str) -> None:
    """And no other key names the same."""
    folder = FileCheckpoints(tmp_path / "points")
    path = folder.store(key).path
    assert (tmp_path / "points" / path).parent == tmp_path / "points"
    assert path != folder.store(key + "-").path
    assert path == folder.store(UploadItem(b"", key=key)).path
