"""Uploads every video of a folder, once each, on one machine or on several.

    python ingest.py FOLDER                      # one process; run it again after a crash, or every minute
    python ingest.py FOLDER --job summer         # the same on each machine; DATABASE_URL names a PostgreSQL database

Each file has a checkpoint: how far it is. A file that is done is not sent again; one that was being sent
when its process died continues. `celery_tasks.py` starts the same function from a queue.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove import ContentGroove, QuotaExceededError
from contentgroove.checkpoints import PostgresCheckpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from contentgroove import UploadResult

VIDEOS = frozenset({".mp4", ".mov", ".mkv", ".webm", ".mp3", ".wav", ".m4a"})


def files_of(folder: Path) -> list[Path]:
    """Return the videos below a folder, in a stable order; what begins with a dot is being copied or hidden."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in VIDEOS and not path.name.startswith("."))
    return sorted(path for path in found if path.is_file())


def ingest(client: ContentGroove, folder: Path, job: str | None = None, database: str | None = None) -> int:
    """Upload what is in the folder, and return how many files are not done.

    Args:
        client: The client.
        folder: The folder; on several machines the same one, under the same path.
        job: The job that several machines share; None for one machine, whose checkpoints are in the folder.
        database: The connection string of the job's database.
    """
    files = files_of(folder)
    with contextlib.ExitStack() as stack:
        if job is None:
            results = client.medias.upload_many(files, checkpoint_dir=folder / ".uploads", identify="description")
        else:
            shared = stack.enter_context(PostgresCheckpoints(database or os.environ["DATABASE_URL"], job=job))
            results = client.medias.upload_many(files, checkpoints=shared, identify="description")
        return sum(not report(result) for result in results)


def report(result: UploadResult) -> bool:
    """Print one result, and return whether the file is done."""
    name = Path(str(result.file)).name
    if result.media is not None:
        print(f"done    {name}  {result.media.id}")
        return True
    todo = "  Upload more next month." if isinstance(result.error, QuotaExceededError) else ""
    print(f"failed  {name}  {result.error}{todo}", file=sys.stderr)
    return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit status is 1 if a file is not done."""
    parser = argparse.ArgumentParser(description="Upload every video of a folder, once each.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--job", help="share the work with other machines under this name (needs DATABASE_URL)")
    options = parser.parse_args(arguments)
    if not options.folder.is_dir():
        parser.error(f"{options.folder} is not a folder")
    with ContentGroove() as client:
        return int(ingest(client, options.folder, options.job) > 0)


if __name__ == "__main__":
    sys.exit(main())
