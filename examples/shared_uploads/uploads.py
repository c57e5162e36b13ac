"""A job of uploads that Celery's workers on several machines share: each file is uploaded by one of them.

    celery -A uploads worker                # on each machine
    python uploads.py summer films/*.mp4    # once: starts the job
    python uploads.py summer                # prints what became of each file

All machines need the same files under the same paths, and the same database. Celery only starts the workers' parts; the
checkpoints in PostgreSQL decide who uploads what, so a part that Celery runs twice, or loses, changes nothing. If a
machine dies, the others take its file over once its claim has ended.
"""

from __future__ import annotations

import os
import sys

from celery import Celery, group
from contentgroove import ContentGroove
from contentgroove.checkpoints import PostgresCheckpoints

queue = Celery("uploads", broker=os.environ.get("UPLOADS_BROKER", "amqp://127.0.0.1"))
# A part that a dead machine had taken goes to another worker, which finds nothing left to do, or continues.
queue.conf.task_acks_late = True
queue.conf.worker_prefetch_multiplier = 1


def open_job(name: str) -> PostgresCheckpoints:
    """Open the checkpoints of a job; the conninfo's password may be in PGPASSWORD or ~/.pgpass."""
    return PostgresCheckpoints(
        os.environ["UPLOADS_DATABASE"], job=name, lease=float(os.environ.get("UPLOADS_LEASE", "60"))
    )


@queue.task(name="uploads.take_part", ignore_result=True)
def take_part(job: str, files: list[str]) -> None:
    """Upload the files of a job that no other machine has uploaded, until all have ended."""
    with ContentGroove() as client, open_job(job) as checkpoints:
        for result in client.medias.upload_many(files, checkpoints=checkpoints, identify="description"):
            print(result.file, result.media or result.error)


def start(job: str, files: list[str], machines: int = 2) -> None:
    """Start a part of the job for each machine."""
    group(take_part.s(job, files) for _ in range(machines)).delay()


def show(job: str) -> None:
    """Print what is known of each file: its media, who uploads it, or its last error."""
    with open_job(job) as checkpoints:
        for result in checkpoints.results():
            print(result.key, result.media_id or result.holder or result.error)


if __name__ == "__main__":
    name, *paths = sys.argv[1:]
    if paths:
        start(name, paths)
    show(name)
