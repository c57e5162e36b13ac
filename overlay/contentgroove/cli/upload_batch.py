"""`contentgroove medias upload`: one file or a batch."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from contentgroove._core.redaction import redact_text
from contentgroove._io.batches import UploadItem, aupload_batch
from contentgroove._io.checkpoint_folders import FileCheckpoints, choose_checkpoints
from contentgroove.errors import AuthenticationError, ContentGrooveError, NotFoundError, WaitTimeoutError

from .exit_codes import CommandError, ErrorReport, ExitCode, combined_exit_code, describe_error
from .output import Column, document
from .progress_display import UploadDisplay, wait_spinner

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from contentgroove import AsyncContentGroove
    from contentgroove._core.identity import Identify
    from contentgroove.checkpoints import JobResult, PostgresCheckpoints
    from contentgroove.models import Media

    from .output import Output


CHECKPOINTS_VARIABLE = "CONTENTGROOVE_CHECKPOINTS"


@contextlib.contextmanager
def open_job(name: str) -> Generator[PostgresCheckpoints]:
    """Open the checkpoints of a job in the database that the environment names.

    The conninfo may contain a password, so it is never an argument, which other users of the machine could read.
    """
    from contentgroove.checkpoints import PostgresCheckpoints

    conninfo = os.environ.get(CHECKPOINTS_VARIABLE)
    if not conninfo:
        hint = f"Set {CHECKPOINTS_VARIABLE} to a conninfo such as postgresql://host/name."
        raise CommandError(ExitCode.USAGE, "--job needs a PostgreSQL database.", hint)
    with PostgresCheckpoints(conninfo, job=name) as checkpoints:
        yield checkpoints


RESULT_COLUMNS: list[Column[JobResult]] = [
    Column("file", lambda result: result.key),
    Column("state", lambda result: result.state, 8),
    Column("media", lambda result: result.media_id, 36),
    Column("error", lambda result: result.error or (f"uploaded by {result.holder}" if result.holder else None)),
]


def result_json(result: JobResult) -> dict[str, Any]:
    """Return the JSON document of a file of a job."""
    return {
        "file": result.key,
        "state": result.state,
        "media_id": result.media_id,
        "error": result.error,
        "holder": result.holder,
    }


def expand_patterns(files: Iterable[Path]) -> Iterator[Path]:
    """Replace patterns such as `*.mp4` by the files that they match, as shells do, except those of Windows."""
    for file in files:
        # The name of a file may look like a pattern: film[1].mp4.
        if not has_magic(str(file)) or os.path.lexists(file):
            yield file
            continue
        matches = sorted(glob(str(file)))  # noqa: PTH207 - a pattern may be absolute
        if not matches:
            raise CommandError(ExitCode.USAGE, f"No file matches {file}.", "Nothing was sent.")
        yield from map(Path, matches)


def refuse_urls(files: Iterable[Path]) -> None:
    """Raise a CommandError for a URL among the files: another command lets the service fetch it."""
    for file in files:
        # A path has lost one of the two slashes.
        found = re.match(r"(https?):/+", str(file), re.IGNORECASE)
        if found is not None and not os.path.exists(file):  # noqa: PTH110 - Path.exists raises for a name that is too long
            url = redact_text(f"{found[1]}://{str(file)[found.end() :]}")
            hint = "Let the service fetch it: contentgroove medias create SOURCE-URL"
            raise CommandError(ExitCode.USAGE, f"{url} is a URL, not a file.", hint)


def item_of(file: Path, name: str | None, description: str | None, checkpoint_dir: Path | None) -> UploadItem:
    """Return what is uploaded of a file, whose name is by default that of the media."""
    item = UploadItem(str(file), name, description)
    if name is None and checkpoint_dir is not None:
        # The first release named medias without the suffix: a checkpoint of it continues with that name.
        earlier = structs.replace(item, name=file.stem.encode(errors="replace").decode())
        if Path(FileCheckpoints(checkpoint_dir).store(earlier).path).exists():
            return earlier
    return item


@dataclass
class BatchUpload:
    """The uploads of one run, and their outcomes by file.

    `wait` is the number of seconds to wait for processing after the last upload; None not to wait. `identify` is that
    of `upload`. `job` has the checkpoints of a job that several machines share.
    """

    out: Output
    items: list[UploadItem]
    concurrency: int
    checkpoint_dir: Path | None
    job: PostgresCheckpoints | None
    wait: float | None
    identify: Identify | None
    medias: dict[str, Media] = field(default_factory=dict[str, "Media"])
    exits: dict[str, ExitCode] = field(default_factory=dict[str, ExitCode])

    def run(self, client: AsyncContentGroove) -> ExitCode:
        """Upload, wait if that is requested, and return the exit code."""
        try:
            asyncio.run(self._run(client))
        except KeyboardInterrupt as error:
            raise self._interrupted() from error
        files = len(self.items)
        if files > 1:
            self.out.summary(self.summary())
        code = combined_exit_code(self.exits.values())
        return code if len(self.exits) == files or code is not ExitCode.OK else ExitCode.PARTIAL

    def summary(self) -> str:
        """Return the outcome of all files in one line."""
        total = len(self.items)
        succeeded = sum(code is ExitCode.OK for code in self.exits.values())
        failed = len(self.exits) - succeeded
        parts = [f"{succeeded} of {total} files {'processed' if self.wait is not None else 'uploaded'}"]
        if failed:
            parts.append(f"{failed} failed")
        if remaining := total - len(self.exits):
            parts.append(f"{remaining} not started or not finished")
        return ", ".join(parts) + "."

    async def _run(self, client: AsyncContentGroove) -> None:
        async with client:
            await self._upload(client)
            if self.wait is not None and self.medias:
                await self._wait(client, self.wait)

    async def _upload(self, client: AsyncContentGroove) -> None:
        checkpoints = choose_checkpoints(self.checkpoint_dir, self.job)
        sizes = {str(item.file): _size(str(item.file)) for item in self.items}
        with UploadDisplay(self.out, sizes) as display:

            async def upload_one(item: UploadItem, _progress: object) -> Media:
                return await client.medias.upload(
                    item.file,
                    name=item.name,
                    description=item.description,
                    progress=display.callback(str(item.file)),
                    checkpoint=None if checkpoints is None else checkpoints.store(item),
                    identify=self.identify,
                )

            recheck = None if checkpoints is None else checkpoints.recheck
            results: Any = aupload_batch(upload_one, self.items, self.concurrency, recheck)
            async with contextlib.aclosing(results):
                async for result in results:
                    file = str(result.file)
                    display.end(file)
                    if result.media is None:
                        self._fail(file, describe_error(result.error, None if self.job is None else self.job.job))
                    else:
                        self.medias[file] = result.media
                        if self.wait is None:
                            self._succeed(file, result.media)
                    if isinstance(result.error, AuthenticationError):
                        # Every other file would fail, too.
                        break

    async def _wait(self, client: AsyncContentGroove, seconds: float) -> None:
        files = {media.id: file for file, media in self.medias.items()}

        def update(media: Media) -> None:
            if getattr(media, "has_fetch_error", False):
                message = "The service could not process it."
                self._fail(files[media.id], ErrorReport(ExitCode.PROCESSING_FAILED, message), media)
            elif media.is_finished:
                self._succeed(files[media.id], media)
            show(self._processing())

        def record_failure(media_ids: Iterable[str], error: ContentGrooveError) -> None:
            for media_id in media_ids:
                own = WaitTimeoutError("", media_id=media_id) if isinstance(error, WaitTimeoutError) else error
                self._fail(files[media_id], describe_error(own), self.medias[files[media_id]])

        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        with wait_spinner(self.out, self._processing(), seconds) as show:
            while remaining := [media_id for media_id, file in files.items() if file not in self.exits]:
                try:
                    await client.medias.wait_many(remaining, timeout=max(0.0, end - clock()), on_update=update)
                except NotFoundError as error:
                    # One media was deleted; wait for the others.
                    deleted = [
                        media_id for media_id in remaining if error.request and error.request.url.endswith(media_id)
                    ]
                    record_failure(deleted or remaining, error)
                except ContentGrooveError as error:
                    record_failure([media_id for media_id in remaining if files[media_id] not in self.exits], error)

    def _succeed(self, file: str, media: Media) -> None:
        self.exits[file] = ExitCode.OK
        self.out.line({"file": file, "media": document(media), "error": None}, (media.id, file))

    def _fail(self, file: str, failure: ErrorReport, media: Media | None = None) -> None:
        self.exits[file] = failure.exit
        if self.out.json:
            error = {"kind": failure.exit.kind, "message": failure.message, "hint": failure.hint}
            self.out.line({"file": file, "media": media and document(media), "error": error}, ())
        subject = file if media is None else f"{file} (media {media.id})"
        message = failure.message if file in failure.message else f"{subject}: {failure.message}"
        self.out.failure(failure._replace(message=message))

    def _processing(self) -> str:
        count = len(self.medias)
        done = sum(file in self.exits for file in self.medias)
        return f"Processing {count} medias, {done} done" if count > 1 else "Processing"

    def _interrupted(self) -> CommandError:
        created = [media.id for file, media in self.medias.items() if file not in self.exits]
        if self.checkpoint_dir is not None:
            hint = f"Run the same command again: it continues from the checkpoints in {self.checkpoint_dir}."
        elif self.job is not None:
            hint = f"Run the same command again: it continues the job {self.job.job}."
        elif created:
            # Their ids are printed after processing, and would be lost now.
            hint = f"Processing continues. Wait for it: contentgroove medias wait {' '.join(created)}"
        else:
            hint = "Pass --checkpoint-dir FOLDER to be able to continue interrupted uploads."
        return CommandError(ExitCode.INTERRUPTED, f"Interrupted: {self.summary()}", hint)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
