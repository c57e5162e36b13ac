"""The example with Celery: two worker processes share a job, one is killed in the middle, and nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove.checkpoints import PostgresCheckpoints
from contentgroove_mock import Fault, ManualClock, Policy, Simulator, sample_video, serve

from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EXAMPLE = Path(__file__).parents[3] / "examples" / "shared_uploads"
LONG = 40.0
FILES = 4

pytestmark = [pytest.mark.process, pytest.mark.slow]

# Celery's broker in a folder, so that the test needs no further server.
CONFIGURED = """
import sys
from uploads import queue, start
folder = sys.argv[1]
queue.conf.broker_transport_options = {
    "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder + "/control", "polling_interval": 0.1
}
"""
WORKER = (
    CONFIGURED
    + "queue.worker_main(['worker', '--pool=solo', '--without-gossip', '--without-mingle', '-n', sys.argv[2]])"
)
START = CONFIGURED + "start('summer', sys.argv[2:])"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something is so that another process does."""
    pause = threading.Event()
    for _ in range(int(LONG / 0.05)):
        if condition():
            return
        pause.wait(0.05)
    raise TimeoutError("it does not happen")


@contextmanager
def worker(environment: dict[str, str], folder: Path, name: str) -> Generator[subprocess.Popen[bytes]]:
    """Run a worker; it is killed at the end."""
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the example
            [sys.executable, "-c", WORKER, str(folder / "broker"), name],
            cwd=EXAMPLE,
            env=environment,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(LONG)


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """The files that it had claimed are uploaded by the other one: each file has one media, and each result is kept."""
    clock = ManualClock()
    simulator = Simulator(policy=Policy(queue_seconds=3600), clock=clock)
    # The store stops reading the first upload, so that its worker is killed in the middle of it.
    simulator.add_fault(Fault(kind="stall", operation="upload", seconds=60))
    (tmp_path / "broker" / "control").mkdir(parents=True)
    files = [tmp_path / f"film-{number}.mp4" for number in range(FILES)]
    for file in files:
        file.write_bytes(sample_video().read_bytes())
    with ExitStack() as stack:
        conninfo = stack.enter_context(postgres_server())
        server = stack.enter_context(serve(simulator))
        checkpoints = stack.enter_context(PostgresCheckpoints(conninfo, job="summer"))
        environment = {
            **os.environ,
            "UPLOADS_BROKER": "filesystem://",
            "UPLOADS_DATABASE": conninfo,
            "UPLOADS_LEASE": "2",
            "CONTENTGROOVE_BASE_URL": server.base_url,
            "CONTENTGROOVE_API_KEY": "engine-key",
        }
        subprocess.run(  # noqa: S603 - as above
            [sys.executable, "-c", START, str(tmp_path / "broker"), *map(str, files)],
            cwd=EXAMPLE,
            env=environment,
            check=True,
            timeout=LONG,
        )
        workers = [stack.enter_context(worker(environment, tmp_path, name)) for name in ("one", "two")]
        # The one whose upload hangs: all other files have their media.
        wait_until(lambda: sum(result.media_id is not None for result in checkpoints.results()) == FILES - 1)
        (hanging,) = (result for result in checkpoints.results() if result.media_id is None)
        victim = next(process for process in workers if f"process {process.pid} " in (hanging.holder or ""))
        victim.send_signal(signal.SIGKILL)
        assert victim.wait(LONG) == -signal.SIGKILL
        wait_until(lambda: all(result.media_id is not None for result in checkpoints.results()))
        results = list(checkpoints.results())
        with simulator._context.locked_service() as service:
            medias = {media.id: media.name for media in service.state.medias.values()}
        # The server ends only when its requests have.
        clock.advance(60)
    assert [result.key for result in results] == [str(file) for file in files]
    assert [result.error for result in results] == [None] * FILES
    assert {result.media_id: Path(result.key).name for result in results} == medias
