"""One machine of a shared job: a process that uploads, and dies or is suspended at a given step."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from contentgroove import (
    CheckpointError,
    CheckpointInUseError,
    ContentGroove,
    ContentGrooveError,
    OutcomeUnknownError,
    RetryPolicy,
    UploadItem,
)
from contentgroove.checkpoints import PostgresCheckpoints, PostgresCheckpointStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from pathlib import Path

T = TypeVar("T")

KEY = "campaign-key"
LEASE = 0.6
RECHECK = 0.05
PATIENT = RetryPolicy(max_retries=3, initial_delay=0.0, max_delay=0.0)


@dataclass(frozen=True)
class Job:
    """What all machines are told.

    Attributes:
        base_url: The service.
        conninfo: The database.
        name: The job's name.
        files: The files, by the name of their media.
        identify: Whether medias have markers.
    """

    base_url: str
    conninfo: str
    name: str
    files: dict[str, Path]
    identify: bool


@dataclass(frozen=True)
class Fault:
    """What happens to a machine: the signal that it sends itself at a step."""

    step: int
    signal: int


@dataclass
class Outcome:
    """What a machine returned for one file: a media's id, or an error."""

    media_id: str | None
    error: str | None
    unknown: bool


@dataclass
class Steps:
    """The steps of a machine, before and after each of which something can happen to it."""

    fault: Fault | None
    count: int = field(default=0)

    def step(self, _: object = None) -> None:
        """Count a step."""
        self.count += 1
        if self.fault is not None and self.count == self.fault.step:
            os.kill(os.getpid(), self.fault.signal)


def open_checkpoints(job: Job) -> PostgresCheckpoints:
    """Open the checkpoints of a job; another job may be restarting the database."""
    return repeat(
        lambda: PostgresCheckpoints(job.conninfo, job=job.name, lease=LEASE, recheck=RECHECK), CheckpointError
    )


def repeat(call: Callable[[], T], error: type[ContentGrooveError]) -> T:
    """Call again after an error that time mends."""
    for _ in range(100):
        try:
            return call()
        except error:
            threading.Event().wait(RECHECK)
    return call()


def run_machine(job: Job, fault: Fault | None, results: Connection) -> None:
    """Upload the files of a job, and send through a pipe: the outcomes by name, and whether the fault occurred."""
    steps = Steps(fault)
    write = PostgresCheckpointStore.write

    def written(store: PostgresCheckpointStore, content: bytes) -> OSError | None:
        steps.step()
        problem = write(store, content)
        steps.step()
        return problem

    PostgresCheckpointStore.write = written  # type: ignore[method-assign,assignment] # this process ends soon
    outcomes = upload_all(job, steps)
    results.send((outcomes, fault is not None and steps.count >= fault.step))
    results.close()


def upload_all(job: Job, steps: Steps) -> dict[str, Outcome]:
    """Upload the files of a job."""
    found: dict[str, Outcome] = {}
    items = [UploadItem(path, name=name, key=name) for name, path in job.files.items()]
    names = {path: name for name, path in job.files.items()}
    with (
        open_checkpoints(job) as checkpoints,
        ContentGroove(
            KEY,
            job.base_url,
            retry_policy=PATIENT,
            sleep=lambda _seconds: None,
            on_request=steps.step,
            on_response=steps.step,
        ) as client,
    ):
        for result in client.medias.upload_many(
            items, concurrency=2, checkpoints=checkpoints, identify="description" if job.identify else None
        ):
            error = result.error
            found[names[result.file]] = Outcome(  # type: ignore[index] # all files are paths
                None if result.media is None else result.media.id,
                None if error is None else f"{type(error).__name__}: {error}",
                isinstance(error, OutcomeUnknownError),
            )
    return found


def settle(job: Job, truth: dict[str, list[str]]) -> None:
    """State what became of the uploads in doubt, as a person who looked at the list of medias would."""
    with (
        open_checkpoints(job) as checkpoints,
        ContentGroove(KEY, job.base_url) as client,
    ):
        for result in checkpoints.results():
            if result.state == "creating":
                medias = truth.get(result.key, [])
                media_id = medias[0] if medias else None
                # The claim of one that was killed lasts as long as its lease.
                repeat(
                    partial(client.medias.resolve, checkpoints.store(result.key), media_id=media_id),
                    CheckpointInUseError,
                )
