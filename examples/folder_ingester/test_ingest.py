"""The ingester with the simulator; every exchange is checked against the contract.

The tests of a shared job need a PostgreSQL server: DATABASE_URL names a database that they may fill.
"""

from __future__ import annotations

import os
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import ingest
import pytest
import tasks
from contentgroove_mock import Fault, sample_video

if TYPE_CHECKING:
    from pathlib import Path

    from contentgroove import ContentGroove
    from contentgroove_mock import Simulator

NAMES = ("a.mp4", "b.mp4", "deep/c.MP4")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder with three videos, a text, and a video that is still being copied."""
    folder = tmp_path / "films"
    for name in (*NAMES, ".d.mp4", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample_video(), folder / name)
    return folder


def sent(simulator: Simulator) -> int:
    """Return how many files reached the store."""
    return sum(request.operation == "upload" and request.status == 200 for request in simulator.requests)


def names(client: ContentGroove) -> list[str | None]:
    """Return the names of all medias."""
    return sorted((media.name for media in client.medias.list()), key=str)


def test_each_video_is_uploaded_once(
    contentgroove_simulator: Simulator, contentgroove_client: ContentGroove, films: Path
) -> None:
    """A second run has nothing to do; a new file is found by the next."""
    assert ingest.main([str(films)]) == 0
    assert names(contentgroove_client) == ["a.mp4", "b.mp4", "c.MP4"]
    assert ingest.main([str(films)]) == 0
    assert sent(contentgroove_simulator) == 3
    shutil.copy(sample_video(), films / "e.mp4")
    assert ingest.main([str(films)]) == 0
    assert sent(contentgroove_simulator) == 4


def test_a_failure_is_continued(
    contentgroove_simulator: Simulator,
    contentgroove_client: ContentGroove,
    films: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One file fails, the others do not; the next run sends what is missing and creates nothing twice."""
    contentgroove_simulator.add_fault(Fault(kind="status", operation="createMedia", status=422))
    assert ingest.main([str(films)]) == 1
    assert "failed" in capsys.readouterr().err
    assert len(names(contentgroove_client)) == 2
    assert ingest.main([str(films)]) == 0
    assert names(contentgroove_client) == ["a.mp4", "b.mp4", "c.MP4"]


def test_a_used_up_quota_says_when_to_go_on(
    contentgroove_simulator: Simulator, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What does not fit into this month is a failure that the next run tries again."""
    contentgroove_simulator.set_quota(medias=2)
    assert ingest.main([str(films)]) == 1
    assert "Upload more next month." in capsys.readouterr().err
    contentgroove_simulator.set_quota(medias=None)
    assert ingest.main([str(films)]) == 0


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent."""
    with pytest.raises(SystemExit) as error:
        ingest.main([str(tmp_path / "flims")])
    assert error.value.code == 2
    assert "flims is not a folder" in capsys.readouterr().err


@pytest.fixture
def job() -> str:
    """A job of this test alone."""
    assert os.environ.get("DATABASE_URL"), "set DATABASE_URL to a PostgreSQL database that this test may fill"
    return f"test-{uuid.uuid4()}"


def test_machines_share_a_job(
    contentgroove_simulator: Simulator, contentgroove_client: ContentGroove, films: Path, job: str
) -> None:
    """Each file is uploaded by one of them, and both report all files."""

    def machine(_: int) -> int:
        return ingest.main([str(films), "--job", job])

    with ThreadPoolExecutor(2) as machines:
        assert list(machines.map(machine, range(2))) == [0, 0]
    assert sent(contentgroove_simulator) == 3
    assert names(contentgroove_client) == ["a.mp4", "b.mp4", "c.MP4"]


def test_a_task_engine_starts_the_parts(contentgroove_simulator: Simulator, films: Path, job: str) -> None:
    """A part that runs twice changes nothing; Celery runs them here, instead of a worker."""
    tasks.queue.conf.update(task_always_eager=True, task_eager_propagates=True)
    tasks.start(str(films), job, machines=2)
    assert sent(contentgroove_simulator) == 3
