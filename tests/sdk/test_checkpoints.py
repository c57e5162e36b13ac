"""Crash-safe uploads: after a kill at any point, the same call continues, and sends and creates nothing twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import ContentGroove, InvalidInputError, OutcomeUnknownError, UploadError, UploadItem
from contentgroove._io.checkpoint_store import FileCheckpointStore
from contentgroove_mock import Policy, Simulator, sample_video, serve

from tests.platforms import WINDOWS, was_killed

from .conftest import media_json
from .test_uploads import MP4, Api, Store, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Maker

CHILD = """
import os, sys
from contentgroove import ContentGroove
from contentgroove._io.checkpoint_store import FileCheckpointStore

base_url, film, checkpoint, moment = sys.argv[1:]

def die() -> None:
    os.kill(os.getpid(), 9)

write = FileCheckpointStore.write

def written(self, content):
    if moment == "before " + state(content):
        die()
    problem = write(self, content)
    if moment == "after " + state(content):
        die()
    return problem

def state(content):
    import json
    return json.loads(content)["state"]

def responded(response):
    if moment == "response of " + response.request.method and response.status_code == 200:
        die()

FileCheckpointStore.write = written
with ContentGroove("crash-key", base_url, on_response=responded) as client:
    media = client.medias.upload(film, name="Crash", checkpoint=checkpoint, wait=True)
    print(media.id)
"""

MOMENTS = [
    "after new",
    "after prepared",
    "response of PUT",
    "before sent",
    "after sent",
    "after creating",
    "response of POST",
    "before created",
    "after created",
    "before finished",
    "after finished",
]


def run_child(base_url: str, film: Path, checkpoint: Path, moment: str) -> subprocess.CompletedProcess[str]:
    """Upload in another process, which kills itself at one step."""
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", CHILD, base_url, str(film), str(checkpoint), moment],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step(tmp_path: Path, moment: str) -> None:
    """SIGKILL, then the same call again: one media, and a file that was noted as sent is not sent again."""
    film, checkpoint = tmp_path / "film.mp4", tmp_path / "film.json"
    film.write_bytes(sample_video().read_bytes())
    simulator = Simulator(policy=Policy(queue_seconds=0.01, processing_seconds=0.02))
    with serve(simulator) as server:
        killed = run_child(server.base_url, film, checkpoint, moment)
        assert was_killed(killed.returncode), killed.stderr
        again = run_child(server.base_url, film, checkpoint, "never")
        assert again.returncode == 0, again.stderr
        third = run_child(server.base_url, film, checkpoint, "never")
        with ContentGroove("crash-key", server.base_url) as client:
            medias = list(client.medias.list())
    assert [media.id for media in medias] == [again.stdout.strip()] == [third.stdout.strip()]
    puts = [record for record in simulator.requests if record.method == "PUT"]
    assert len(puts) == (2 if moment in {"response of PUT", "before sent"} else 1)
    assert json.loads(checkpoint.read_bytes())["state"] == "finished"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.json", "film.mp4"]


def test_what_is_written(make: Maker, tmp_path: Path) -> None:
    """Only what is needed, for the owner's eyes only: no key, no presigned URL."""
    checkpoint = tmp_path / "c.json"
    make(Api(), store=Store()).medias.upload(video(tmp_path), name="N", checkpoint=checkpoint)
    # On Windows the folder determines who may read it.
    assert WINDOWS or stat.S_IMODE(checkpoint.stat().st_mode) == 0o600
    content = checkpoint.read_text(encoding="utf-8")
    assert "canary" not in content
    assert "X-Amz" not in content
    written = json.loads(content)
    assert (written["state"], written["media_id"], written["upload_id"]) == ("created", "m-1", "signed-1")


def test_the_states_in_order(make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is written before the next one starts."""
    states: list[str] = []
    original = FileCheckpointStore.write

    def write(self: FileCheckpointStore, content: bytes) -> OSError | None:
        states.append(json.loads(content)["state"])
        return original(self, content)

    monkeypatch.setattr(FileCheckpointStore, "write", write)
    make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=tmp_path / "c.json")
    assert states == ["new", "prepared", "sent", "creating", "created"]


def test_a_sent_file_is_not_sent_again(make: Maker, tmp_path: Path) -> None:
    """After a failed creation the same call only creates."""
    api, store = Api(402), Store()
    client = make(api, store=store)
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    with pytest.raises(Exception, match="402"):
        client.medias.upload(path, checkpoint=checkpoint)
    assert client.medias.upload(path, checkpoint=checkpoint).id == "m-2"
    assert len(store.requests) == 1
    assert api.posts == [{"upload_id": "signed-1", "name": "film.mp4"}] * 2


def test_another_upload_is_refused(make: Maker, tmp_path: Path) -> None:
    """A checkpoint belongs to one file with one name; a changed file is an error."""
    client = make(Api(), store=Store())
    path, checkpoint = video(tmp_path), tmp_path / "c.json"
    client.medias.upload(path, name="N", checkpoint=checkpoint)
    with pytest.raises(InvalidInputError, match=r"belongs to the upload of film\.mp4"):
        client.medias.upload(path, name="M", checkpoint=checkpoint)
    with pytest.raises(InvalidInputError, match="one checkpoint for each"):
        client.medias.upload(video(tmp_path, name="other.mp4"), name="N", checkpoint=checkpoint)
    os.utime(path, ns=(1, 1))
    with pytest.raises(UploadError, match="has changed") as caught:
        client.medias.upload(path, name="N", checkpoint=checkpoint)
    assert caught.value.reason == "changed"


@pytest.mark.parametrize("content", [b"", b"{}", b"not json", b'{"version": 1}', b"\xff", b"[" * 100_000])
def test_invalid_checkpoints_are_refused(make: Maker, tmp_path: Path, content: bytes) -> None:
    """A file with other content is never overwritten."""
    checkpoint = tmp_path / "c.json"
    checkpoint.write_bytes(content)
    api = Api()
    with pytest.raises(InvalidInputError, match=r"c\.json is not an upload checkpoint"):
        make(api, store=Store()).medias.upload(video(tmp_path), checkpoint=checkpoint)
    assert checkpoint.read_bytes() == content
    assert api.prepared == 0


def test_memory_has_no_checkpoint(make: Maker, tmp_path: Path) -> None:
    """Bytes are lost with the process, so a checkpoint of them would be useless."""
    with pytest.raises(InvalidInputError, match="Only the upload of a path"):
        make(Api()).medias.upload(MP4, checkpoint=tmp_path / "c.json")


def test_a_folder_that_is_not_there(make: Maker, tmp_path: Path) -> None:
    """A checkpoint that cannot be written is found out before anything is sent."""
    with pytest.raises(InvalidInputError, match="cannot be written"):
        make(Api()).medias.upload(video(tmp_path), checkpoint=tmp_path / "missing" / "c.json")


def _hold(path: Path, held: Any, leave: Any) -> None:
    with FileCheckpointStore(path).lock():
        held.set()
        leave.wait(30)


@pytest.mark.process
def test_one_process_at_a_time(make: Maker, tmp_path: Path) -> None:
    """Two processes with one checkpoint would create two medias; the second is refused."""
    context = multiprocessing.get_context("spawn")
    held, leave = context.Event(), context.Event()
    checkpoint = tmp_path / "c.json"
    process = context.Process(target=_hold, args=(checkpoint, held, leave))
    process.start()
    assert held.wait(30)
    with pytest.raises(InvalidInputError, match="another process"):
        make(Api()).medias.upload(video(tmp_path), checkpoint=checkpoint)
    leave.set()
    process.join(30)
    make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=checkpoint)


def test_a_stopped_batch_continues(make: Maker, tmp_path: Path) -> None:
    """With `checkpoint_dir` a second run sends only what the first did not."""
    files = [video(tmp_path, name=f"{index}.mp4") for index in range(4)]
    store = Store(200, 200, httpx.ReadError, httpx.ReadError, httpx.ReadError)
    client = make(Api(), store=store, max_retries=0)
    folder = tmp_path / "checkpoints"
    first = list(client.medias.upload_many(files, concurrency=1, checkpoint_dir=folder))
    assert [result.error is None for result in first] == [True, True, False, False]
    sent = len(store.requests)
    store.responses = []
    second = list(client.medias.upload_many(files, concurrency=1, checkpoint_dir=folder))
    assert all(result.media is not None for result in second)
    assert len(store.requests) - sent == 2
    assert len(list(folder.iterdir())) == 4


def leave_in_doubt(points: Path) -> None:
    """Leave the checkpoints of files that were sent as a kill at their POST does."""
    for path in points.iterdir():
        written = json.loads(path.read_bytes())
        if written["state"] == "sent":
            path.write_text(json.dumps({**written, "state": "creating"}), encoding="utf-8")


@pytest.mark.parametrize("names", [("A", "B"), ("", "")], ids=["named", "nameless"])
def test_one_media_for_several_lost_ones(make: Maker, tmp_path: Path, names: tuple[str | None, ...]) -> None:
    """Without names it is unknown whose media it is: no upload gets it, and nothing is created again."""
    files = [UploadItem(video(tmp_path, name=f"{index}.mp4"), name=name) for index, name in enumerate(names)]
    points = tmp_path / "points"
    api, store = Api(422, 422), Store()
    client = make(api, store=store)
    list(client.medias.upload_many(files, concurrency=1, checkpoint_dir=points))
    leave_in_doubt(points)
    api.listed = [media_json("lost", name=names[1] or "", created_at="2025-10-15T13:51:05Z")]
    results = list(client.medias.upload_many(files, concurrency=2, checkpoint_dir=points))
    if names[1]:
        assert {result.media and result.media.id for result in results} == {"m-3", "lost"}
    else:
        assert [type(result.error) for result in results] == [OutcomeUnknownError] * 2
        assert "lost" in str(results[0].error)
        assert len(api.posts) == 2
    assert len(store.requests) == 2


@pytest.mark.parametrize("resumed", [["a.mp4", "b.mp4"], ["b.mp4"]], ids=["all", "the rest"])
def test_another_files_media_is_not_taken_for_a_lost_one(make: Maker, tmp_path: Path, resumed: list[str]) -> None:
    """After a kill, a nameless media that the checkpoint of another file knows is that file's."""
    files = {name: video(tmp_path, name=name) for name in ("a.mp4", "b.mp4")}
    points = tmp_path / "points"
    api, store = Api(None, 402), Store()
    list(make(api, store=store).medias.upload_many(files.values(), concurrency=1, checkpoint_dir=points))
    leave_in_doubt(points)
    assert sorted(json.loads(path.read_bytes())["state"] for path in points.iterdir()) == ["created", "creating"]
    (points / "notes.json").write_text("no checkpoint", encoding="utf-8")
    api.listed = [media_json("m-1", name="", created_at="2025-10-15T13:51:05Z")]
    again = make(api, store=store).medias.upload_many(
        [files[name] for name in resumed], concurrency=1, checkpoint_dir=points
    )
    assert {result.file.name: result.media and result.media.id for result in again}["b.mp4"] == "m-3"
    assert len(store.requests) == 2
