"""`contentgroove medias upload`: one file or a night's batch."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contentgroove._io.batches import UploadItem, aupload_batch, checkpoint_path
from contentgroove.errors import (
    AuthenticationError,
    ContentGrooveError,
    NotFoundError,
    WaitTimeoutError,
)

from .displays import UploadDisplay, wait_spinner
from .failures import CommandError, ErrorReport, ExitCode, combined_exit_code, describe_error
from .output import document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from contentgroove import AsyncContentGroove
    from contentgroove.models import Media

    from .output import Output


def expanded(files: Iterable[Path], system: str = os.name) -> Iterator[Path]:
    """Put the files that a pattern such as `*.mp4` means in its place, which shells do everywhere but on Windows.

    Args:
        files: Files and patterns; a pattern that means none stays, and is then told to be missing.
        system: `os.name`.
    """
    for file in files:
        # A file may be called as if it were a pattern: film[1].mp4.
        meant = [] if system != "nt" or file.exists() else sorted(glob(str(file)))  # noqa: PTH207 - a pattern may be absolute
        yield from map(Path, meant) if meant else (file,)


@dataclass(frozen=True)
class UploadPlan:
    """What is to be uploaded.

    Attributes:
        items: The files and what their medias are called.
        concurrency: Uploads at once.
        checkpoint_dir: Where a checkpoint of each file is kept, None without.
        wait: Seconds to wait for processing after the last upload, None not to wait.
    """

    items: list[UploadItem]
    concurrency: int
    checkpoint_dir: Path | None
    wait: float | None


@dataclass
class BatchUpload:
    """The uploads of one run and what became of them.

    Attributes:
        plan: What is to be uploaded.
        out: Where results go.
        medias: The medias that were created, by file.
        exits: How each file ended, by file.
    """

    plan: UploadPlan
    out: Output
    medias: dict[str, Media] = field(default_factory=dict[str, "Media"])
    exits: dict[str, ExitCode] = field(default_factory=dict[str, ExitCode])

    def run(self, client: AsyncContentGroove) -> ExitCode:
        """Upload, wait if wanted, and say what came of it; gives the exit code.

        Raises:
            CommandError: It was interrupted.
        """
        try:
            asyncio.run(self._run(client))
        except KeyboardInterrupt as error:
            raise self._interrupted() from error
        files = len(self.plan.items)
        if files > 1:
            self.out.summary(self.summary())
        code = combined_exit_code(self.exits.values())
        return code if len(self.exits) == files or code is not ExitCode.OK else ExitCode.PARTIAL

    def summary(self) -> str:
        """Say in a line what became of all files."""
        total = len(self.plan.items)
        good = sum(code is ExitCode.OK for code in self.exits.values())
        failed = len(self.exits) - good
        parts = [f"{good} of {total} files {'processed' if self.plan.wait is not None else 'uploaded'}"]
        if failed:
            parts.append(f"{failed} failed")
        if left := total - len(self.exits):
            parts.append(f"{left} not begun or not finished")
        return ", ".join(parts) + "."

    async def _run(self, client: AsyncContentGroove) -> None:
        async with client:
            await self._upload(client)
            if self.plan.wait is not None and self.medias:
                await self._wait(client, self.plan.wait)

    async def _upload(self, client: AsyncContentGroove) -> None:
        sizes = {_path(item.file): _size(_path(item.file)) for item in self.plan.items}
        with UploadDisplay(self.out, sizes) as display:

            async def upload_one(item: UploadItem, _progress: object) -> Media:
                return await client.medias.upload(
                    item.file,
                    name=item.name,
                    description=item.description,
                    progress=display.callback(_path(item.file)),
                    checkpoint=checkpoint_path(self.plan.checkpoint_dir, item),
                )

            results: Any = aupload_batch(upload_one, self.plan.items, self.plan.concurrency)
            async with contextlib.aclosing(results):
                async for result in results:
                    file = _path(result.file)
                    display.end(file)
                    if result.media is None:
                        self._fail(file, describe_error(result.error))
                    else:
                        self.medias[file] = result.media
                        if self.plan.wait is None:
                            self._succeed(file, result.media)
                    if isinstance(result.error, AuthenticationError):
                        # No file after it would fare better.
                        break

    async def _wait(self, client: AsyncContentGroove, seconds: float) -> None:
        files = {media.id: file for file, media in self.medias.items()}

        def update(media: Media) -> None:
            if media.has_fetch_error:
                message = "The service could not process it."
                self._fail(files[media.id], ErrorReport(ExitCode.PROCESSING_FAILED, message), media)
            elif media.is_finished:
                self._succeed(files[media.id], media)
            show(self._processing())

        def record_failure(media_ids: Iterable[str], error: ContentGrooveError) -> None:
            for media_id in media_ids:
                mine = WaitTimeoutError("", media_id=media_id) if isinstance(error, WaitTimeoutError) else error
                self._fail(files[media_id], describe_error(mine), self.medias[files[media_id]])

        clock = asyncio.get_running_loop().time
        end = clock() + seconds
        with wait_spinner(self.out, self._processing(), seconds) as show:
            while left := [media_id for media_id, file in files.items() if file not in self.exits]:
                try:
                    await client.medias.wait_many(left, timeout=max(0.0, end - clock()), on_update=update)
                except NotFoundError as error:
                    # Somebody deleted one; the others are waited for.
                    gone = [media_id for media_id in left if error.request and error.request.url.endswith(media_id)]
                    record_failure(gone or left, error)
                except ContentGrooveError as error:
                    record_failure([media_id for media_id in left if files[media_id] not in self.exits], error)

    def _succeed(self, file: str, media: Media) -> None:
        self.exits[file] = ExitCode.OK
        self.out.line({"file": file, "media": document(media), "error": None}, (media.id, file))

    def _fail(self, file: str, failure: ErrorReport, media: Media | None = None) -> None:
        self.exits[file] = failure.exit
        if self.out.json:
            error = {"kind": failure.exit.kind, "message": failure.message, "hint": failure.hint}
            self.out.line({"file": file, "media": media and document(media), "error": error}, ())
        where = file if media is None else f"{file} (media {media.id})"
        named = failure.message if file in failure.message else f"{where}: {failure.message}"
        self.out.failure(failure._replace(message=named))

    def _processing(self) -> str:
        count = len(self.medias)
        done = sum(file in self.exits for file in self.medias)
        return f"Processing {count} medias, {done} done" if count > 1 else "Processing"

    def _interrupted(self) -> CommandError:
        created = [media.id for file, media in self.medias.items() if file not in self.exits]
        if self.plan.checkpoint_dir is not None:
            hint = f"The same command goes on where it was; {self.plan.checkpoint_dir} remembers it."
        elif created:
            # Their ids are printed when they are processed, and would be lost now.
            hint = f"What is uploaded is processed all the same: contentgroove medias wait {' '.join(created)}"
        else:
            hint = "With --checkpoint-dir DIR the same command would go on where it was."
        return CommandError(ExitCode.INTERRUPTED, f"Interrupted: {self.summary()}", hint)


def _path(file: object) -> str:
    return str(file)


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
