"""The same work under a task engine: each machine runs a worker, and the checkpoints decide who uploads what.

celery -A tasks worker                                                  # on each machine
python -c "from tasks import start; start('/films', 'summer', machines=3)"    # once, or from a timer
"""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery, group
from contentgroove import ContentGroove
from ingest import ingest

queue = Celery("tasks", broker=os.environ.get("INGEST_BROKER", "amqp://127.0.0.1"))
# The part of a dead machine goes to another worker, which continues it, or finds nothing left to do.
queue.conf.task_acks_late = True
queue.conf.worker_prefetch_multiplier = 1


@queue.task(name="ingest.take_part", ignore_result=True)
def take_part(folder: str, job: str) -> None:
    """Upload what no other machine has uploaded, until all files have ended."""
    with ContentGroove() as client:
        ingest(client, Path(folder), job)


def start(folder: str, job: str, machines: int = 2) -> None:
    """Start a part for each machine. One that is started twice, or lost, changes nothing."""
    group(take_part.s(folder, job) for _ in range(machines)).delay()
