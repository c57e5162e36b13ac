"""Upload many files, several at the same time; yield a result for each."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_futures
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove._core.inputs import check_count
from contentgroove.errors import ConfigurationError, ContentGrooveError, InvalidInputError, QuotaExceededError

from .interruptible import wait_for
from .stopping import BatchStop, current_batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from contentgroove._core.io import Progress
    from contentgroove.models import Media

    from .sources import File


class UploadItem(Struct, frozen=True):
    """A file of a batch, with the name and description of its media.

    Attributes:
        file: The file, as for `upload`.
        name: The media's name, by default that of the file.
        description: Free text.
        size: The number of bytes of a stream, as for `upload`.
    """

    file: File
    name: str | None = None
    description: str | None = None
    size: int | None = None


class UploadResult(Struct, frozen=True):
    """The outcome of one file of a batch.

    Attributes:
        file: The file, as passed.
        media: The new media; None if the upload failed.
        error: The error; None if the upload succeeded.
    """

    file: File
    media: Media | None
    error: ContentGrooveError | None


def checkpoint_path(folder: str | PathLike[str] | None, item: UploadItem) -> Path | None:
    """Return the path of the checkpoint of one file of a batch: the same in each run, unique per path and name.

    Raises:
        InvalidInputError: The file is not a path, or the folder cannot be created.
    """
    if folder is None:
        return None
    is_elsewhere = hasattr(item.file, "fs") and not isinstance(item.file, Path)
    if not isinstance(item.file, (str, PathLike)) or is_elsewhere:
        raise InvalidInputError(
            "With checkpoint_dir= all files must be paths, because data in memory is lost with the process. "
            "Nothing was sent."
        )
    try:
        path = Path(os.fsdecode(item.file)).absolute()
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"Cannot create checkpoint_dir {folder}: {error}. Nothing was sent.") from error
    identity = repr((str(path), item.name, item.description)).encode("utf-8", "surrogateescape")
    # The name helps people, and is shortened to what every file system accepts.
    return Path(folder) / f"{path.name[:50]}.{hashlib.sha256(identity).hexdigest()[:16]}.json"


class _UploadQueue:
    """The files whose upload has not started."""

    def __init__(self, files: Iterable[File | UploadItem], concurrency: int) -> None:
        if check_count(concurrency, "concurrency") is None:
            raise InvalidInputError("concurrency must be a whole number from 1, not None. Nothing was sent.")
        if isinstance(files, (str, bytes, bytearray, memoryview)) or not isinstance(files, Iterable):
            raise InvalidInputError(
                f"files must be an iterable of files, such as a list, not {type(files).__name__}. Nothing was sent."
            )
        self._files = iter(files)
        self._quota: QuotaExceededError | None = None

    def next(self) -> UploadItem | None:
        """Return the next file; None at the end."""
        for item in self._files:
            return item if isinstance(item, UploadItem) else UploadItem(item)
        return None

    def quota_result(self, item: UploadItem) -> UploadResult | None:
        """Return the result of a file whose upload is not started because the quota is used up; None otherwise."""
        return None if self._quota is None else UploadResult(item.file, None, self._quota)

    def result(self, item: UploadItem, outcome: Media | ContentGrooveError) -> UploadResult:
        """Return the result of a file whose upload has ended."""
        if isinstance(outcome, ContentGrooveError):
            if isinstance(outcome, QuotaExceededError):
                self._quota = outcome
            return UploadResult(item.file, None, outcome)
        return UploadResult(item.file, outcome, None)


CALL_SECONDS = 1.0
"""Seconds that the running calls of a batch may still take when it is left: each may be about to create a media."""

LEAVE_SECONDS = 0.5
"""Seconds after that in which the threads of a batch end. One that reads from a silent disk is left to itself."""


def upload_batch(
    upload_one: Callable[[UploadItem, Progress | None], Media], files: Iterable[File | UploadItem], concurrency: int
) -> Iterator[UploadResult]:
    """Upload files in threads, with `upload_one(item, progress)`; see `Medias.upload_many`."""
    queue = _UploadQueue(files, concurrency)
    batch = BatchStop()

    def check_stopped(_sent: int, _total: int) -> None:
        batch.require_running()

    def work(item: UploadItem, future: Future[Media | ContentGrooveError]) -> None:
        current_batch.set(batch)
        try:
            future.set_result(upload_one(item, check_stopped))
        except ContentGrooveError as error:
            future.set_result(error)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that iterates
            future.set_exception(error)

    def start(item: UploadItem) -> Future[Media | ContentGrooveError]:
        future: Future[Media | ContentGrooveError] = Future()
        # A thread that cannot end must not keep the program from ending.
        threading.Thread(target=work, args=(item, future), name="contentgroove-upload", daemon=True).start()
        return future

    def results() -> Iterator[UploadResult]:
        pid = os.getpid()
        running: dict[Future[Media | ContentGrooveError], UploadItem] = {}
        item = queue.next()
        try:
            while item is not None or running:
                if os.getpid() != pid:
                    raise ConfigurationError(
                        "This upload_many belongs to another process, which goes on with it: call upload_many in each "
                        "process, with its own files."
                    )
                if item is not None and len(running) < concurrency:
                    skipped = queue.quota_result(item)
                    if skipped is None:
                        running[start(item)] = item
                    else:
                        yield skipped
                    item = queue.next()
                    continue
                for future in wait_for(lambda seconds: wait_futures(running, seconds, FIRST_COMPLETED).done):
                    yield queue.result(running.pop(future), future.result())
        finally:
            # A child process has only a copy of this, without its threads.
            if os.getpid() == pid:
                _leave(batch, running)

    return results()


def _leave(batch: BatchStop, running: Iterable[Future[Media | ContentGrooveError]]) -> None:
    try:
        batch.end_transfers()
        wait_for(lambda seconds: not wait_futures(running, seconds).not_done, CALL_SECONDS)
    finally:
        # Also if Ctrl-C is pressed again.
        batch.end_calls()
    wait_for(lambda seconds: not wait_futures(running, seconds).not_done, LEAVE_SECONDS)


def aupload_batch(
    upload_one: Callable[[UploadItem, Progress | None], Awaitable[Media]],
    files: Iterable[File | UploadItem],
    concurrency: int,
) -> AsyncIterator[UploadResult]:
    """Upload files in tasks, with `upload_one(item, progress)`; see `AsyncMedias.upload_many`."""
    queue = _UploadQueue(files, concurrency)

    async def outcome_of(item: UploadItem) -> Media | ContentGrooveError:
        # No progress callback is needed to stop an upload: its task is cancelled.
        try:
            return await upload_one(item, None)
        except ContentGrooveError as error:
            return error

    async def results() -> AsyncIterator[UploadResult]:
        _require_asyncio()
        running: dict[asyncio.Task[Media | ContentGrooveError], UploadItem] = {}
        item = queue.next()
        try:
            while item is not None or running:
                if item is not None and len(running) < concurrency:
                    skipped = queue.quota_result(item)
                    if skipped is None:
                        running[asyncio.create_task(outcome_of(item))] = item
                    else:
                        yield skipped
                    item = queue.next()
                    continue
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield queue.result(running.pop(task), task.result())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    return results()


def _require_asyncio() -> None:
    # Trio forbids a generator that outlives its nursery. Everything else in this library runs on trio.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "upload_many needs asyncio. With another async library, start a task with medias.upload for each file. "
            "Nothing was sent."
        ) from None
