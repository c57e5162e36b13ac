"""Crash-safe uploads: after a kill at any point, the same call continues, and sends and creates nothing twice."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import re
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove import ContentGroove, InvalidInputError, NotFoundError, OutcomeUnknownError, UploadError
from contentgroove._io.checkpoint_store import FileCheckpointStore
from contentgroove_mock import Policy, Simulator, sample_video, serve

from tests.platforms import WINDOWS, was_killed

from .test_uploads import MP4, Api, Store, video

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Maker

CHILD = """
import os, sys
from contentgroove import ContentGroove
from contentgroove._io.checkpoint_store import FileCheckpointStore

base_url, film, checkpoint, moment, identify = sys.argv[1:]

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
    checkpoint = json.loads(content)
    return checkpoint["state"] + " with marker" * (checkpoint["state"] == "created" and "marker" in checkpoint)

def responded(response):
    method = response.request.method
    if "/medias/" in response.request.url and method == "PUT":
        method = "update"
    if moment == "response of " + method and response.status_code == 200:
        die()

FileCheckpointStore.write = written
with ContentGroove("crash-key", base_url, on_response=responded) as client:
    media = client.medias.upload(
        film, name="Crash", checkpoint=checkpoint, wait=True, identify=identify or None
    )
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

IN_DOUBT = {"after creating", "response of POST", "before created"}
"""After these, only a marker can tell whether the media was created."""

WITH_MARKER = [
    "response of POST",
    "before created with marker",
    "after created with marker",
    "response of update",
    "before created",
    "after created",
]


def run_child(
    base_url: str, film: Path, checkpoint: Path, moment: str, identify: str = ""
) -> subprocess.CompletedProcess[str]:
    """Upload in another process, which kills itself at one step."""
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", CHILD, base_url, str(film), str(checkpoint), moment, identify],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@pytest.mark.process
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_any_step(tmp_path: Path, moment: str) -> None:
    """SIGKILL, then the same call again: one media, and a file that was noted as sent is not sent again.

    After a kill at the creation the upload is in doubt, and the application says what became of it.
    """
    film, checkpoint = tmp_path / "film.mp4", tmp_path / "film.json"
    film.write_bytes(sample_video().read_bytes())
    simulator = Simulator(policy=Policy(queue_seconds=0.01, processing_seconds=0.02))
    with serve(simulator) as server:
        killed = run_child(server.base_url, film, checkpoint, moment)
        assert was_killed(killed.returncode), killed.stderr
        with ContentGroove("crash-key", server.base_url, sleep=lambda _seconds: None) as client:
            if moment in IN_DOUBT:
                with pytest.raises(OutcomeUnknownError) as caught:
                    client.medias.upload(film, name="Crash", checkpoint=checkpoint)
                created = [media.id for media in caught.value.candidates]
                assert len(created) == (moment != "after creating")
                client.medias.resolve(checkpoint, media_id=created[0] if created else None)
            again = run_child(server.base_url, film, checkpoint, "never")
            assert again.returncode == 0, again.stderr
            third = run_child(server.base_url, film, checkpoint, "never")
            medias = list(client.medias.list())
    assert [media.id for media in medias] == [again.stdout.strip()] == [third.stdout.strip()]
    puts = [record for record in simulator.requests if record.method == "PUT"]
    assert len(puts) == (2 if moment in {"response of PUT", "before sent"} else 1)
    assert json.loads(checkpoint.read_bytes())["state"] == "finished"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.json", "film.mp4"]


@pytest.mark.process
@pytest.mark.parametrize("moment", WITH_MARKER)
def test_killed_with_a_marker(tmp_path: Path, moment: str) -> None:
    """The same call finds the media by its marker, and the marker is gone at the end."""
    film, checkpoint = tmp_path / "film.mp4", tmp_path / "film.json"
    film.write_bytes(sample_video().read_bytes())
    with serve(Simulator(policy=Policy(queue_seconds=0.01, processing_seconds=0.02))) as server:
        killed = run_child(server.base_url, film, checkpoint, moment, "description")
        assert was_killed(killed.returncode), killed.stderr
        again = run_child(server.base_url, film, checkpoint, "never", "description")
        assert again.returncode == 0, again.stderr
        with ContentGroove("crash-key", server.base_url) as client:
            (media,) = client.medias.list()
    assert (media.id, media.description) == (again.stdout.strip(), "")
    assert "marker" not in json.loads(checkpoint.read_bytes())


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
    with pytest.raises(InvalidInputError, match=r"another upload: its name is 'N', that of this one 'M'\."):
        client.medias.upload(path, name="M", checkpoint=checkpoint)
    with pytest.raises(InvalidInputError, match="its description is None, that of this one 'About'"):
        client.medias.upload(path, name="N", description="About", checkpoint=checkpoint)
    with pytest.raises(
        InvalidInputError, match=r"its file is 'film\.mp4', .* 'other\.mp4'\. Use one checkpoint for each"
    ):
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


def test_a_media_that_was_deleted(make: Maker, tmp_path: Path) -> None:
    """The error names the checkpoint that leads to it, and what to do."""
    api, path, checkpoint = Api(), video(tmp_path), tmp_path / "c.json"
    make(api, store=Store()).medias.upload(path, checkpoint=checkpoint)
    client = make(lambda _request: httpx.Response(404), store=Store())
    with pytest.raises(NotFoundError, match=r"c\.json names this media, .* delete the checkpoint to upload") as caught:
        client.medias.upload(path, checkpoint=checkpoint)
    assert str(caught.value) == caught.value.message


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
    with pytest.raises(InvalidInputError, match=r"Another upload is using the checkpoint .*c\.json: ") as caught:
        make(Api()).medias.upload(video(tmp_path), checkpoint=checkpoint)
    holder = re.search(r"process (\d+) on (\S+) since (\S+)\.", caught.value.message)
    assert holder is not None
    assert (int(holder[1]), holder[2]) == (process.pid, socket.gethostname())
    assert abs(dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(holder[3])) < dt.timedelta(seconds=60)
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
