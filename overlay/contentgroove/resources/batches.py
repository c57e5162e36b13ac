"""Many uploads, several at once: a result for each, and no more begun than wanted."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_futures
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove._core.inputs import check_count
from contentgroove._io.interruptible import wait_for
from contentgroove.errors import ConfigurationError, ContentGrooveError, InvalidInputError, QuotaExceededError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from contentgroove._core.io import Progress
    from contentgroove._io.sources import File
    from contentgroove.models import Media


class UploadItem(Struct, frozen=True):
    """A file of a batch with what its media is to be called.

    Attributes:
        file: What `upload` takes.
        name: The media's name.
        description: Free text.
    """

    file: File
    name: str | None = None
    description: str | None = None


class UploadResult(Struct, frozen=True):
    """What came of one file of a batch.

    Attributes:
        file: The file as it was given.
        media: The new media, None if the upload failed.
        error: Why it failed, None if it did not.
    """

    file: File
    media: Media | None
    error: ContentGrooveError | None


def checkpoint_path(folder: str | PathLike[str] | None, item: UploadItem) -> Path | None:
    """Name the checkpoint of one file of a batch: the same in each run, another for another file or name.

    Raises:
        InvalidInputError: The file is no path, or the folder cannot be made.
    """
    if folder is None:
        return None
    if not isinstance(item.file, (str, PathLike)):
        raise InvalidInputError(
            "With checkpoint_dir= the files must be paths: what is in memory is gone when the process is. "
            "Nothing was sent."
        )
    try:
        path = Path(os.fsdecode(item.file)).absolute()
        Path(folder).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidInputError(f"checkpoint_dir {folder} cannot be made: {error}. Nothing was sent.") from error
    identity = repr((str(path), item.name, item.description)).encode("utf-8", "surrogateescape")
    # The name is there for people, and cut so that no file system refuses it.
    return Path(folder) / f"{path.name[:50]}.{hashlib.sha256(identity).hexdigest()[:16]}.json"


class BatchCancelledError(Exception):
    """The batch was left before this upload ended."""


class _UploadQueue:
    """What is still to be begun."""

    def __init__(self, files: Iterable[File | UploadItem], concurrency: int) -> None:
        if check_count(concurrency, "concurrency") is None:
            raise InvalidInputError("concurrency must be a whole number from 1, not None. Nothing was sent.")
        self.concurrency = concurrency
        if isinstance(files, (str, bytes, bytearray, memoryview)) or not isinstance(files, Iterable):
            raise InvalidInputError(
                f"files must be an iterable of files, such as a list, not {type(files).__name__}. Nothing was sent."
            )
        self._files = iter(files)
        self._quota: QuotaExceededError | None = None

    def next(self) -> UploadItem | None:
        """Give the next file to begin, None at the end."""
        for item in self._files:
            return item if isinstance(item, UploadItem) else UploadItem(item)
        return None

    def quota_result(self, item: UploadItem) -> UploadResult | None:
        """Give the result of a file that is not begun, because the quota is used up."""
        return None if self._quota is None else UploadResult(item.file, None, self._quota)

    def result(self, item: UploadItem, outcome: Media | ContentGrooveError) -> UploadResult:
        """Give the result of a file that was begun."""
        if isinstance(outcome, ContentGrooveError):
            if isinstance(outcome, QuotaExceededError):
                self._quota = outcome
            return UploadResult(item.file, None, outcome)
        return UploadResult(item.file, outcome, None)


def upload_batch(
    upload: Callable[[UploadItem, Progress], Media], files: Iterable[File | UploadItem], concurrency: int
) -> Iterator[UploadResult]:
    """See `Medias.upload_many`; `upload` uploads one file."""
    batch = _UploadQueue(files, concurrency)
    stop = threading.Event()

    def upload_one(item: UploadItem) -> Media | ContentGrooveError:
        def check_upload_items(_sent: int, _total: int) -> None:
            if stop.is_set():
                raise BatchCancelledError

        try:
            return upload(item, check_upload_items)
        except ContentGrooveError as error:
            return error

    def results() -> Iterator[UploadResult]:
        running: dict[Future[Media | ContentGrooveError], UploadItem] = {}
        item = batch.next()
        pool = ThreadPoolExecutor(concurrency, thread_name_prefix="contentgroove-upload")
        try:
            while item is not None or running:
                if item is not None and len(running) < concurrency:
                    refused = batch.quota_result(item)
                    if refused is None:
                        running[pool.submit(upload_one, item)] = item
                    else:
                        yield refused
                    item = batch.next()
                    continue
                for future in wait_for(lambda seconds: wait_futures(running, seconds, FIRST_COMPLETED).done):
                    yield batch.result(running.pop(future), future.result())
        finally:
            stop.set()
            # The pool's own wait for its threads is one that Ctrl-C does not end on Windows.
            wait_for(lambda seconds: not wait_futures(running, seconds).not_done)
            pool.shutdown()

    return results()


def aupload_batch(
    upload: Callable[[UploadItem], Awaitable[Media]], files: Iterable[File | UploadItem], concurrency: int
) -> AsyncIterator[UploadResult]:
    """See `AsyncMedias.upload_many`; `upload` uploads one file."""
    batch = _UploadQueue(files, concurrency)

    async def upload_one(item: UploadItem) -> Media | ContentGrooveError:
        try:
            return await upload(item)
        except ContentGrooveError as error:
            return error

    async def results() -> AsyncIterator[UploadResult]:
        _require_asyncio()
        running: dict[asyncio.Task[Media | ContentGrooveError], UploadItem] = {}
        item = batch.next()
        try:
            while item is not None or running:
                if item is not None and len(running) < concurrency:
                    refused = batch.quota_result(item)
                    if refused is None:
                        running[asyncio.create_task(upload_one(item))] = item
                    else:
                        yield refused
                    item = batch.next()
                    continue
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield batch.result(running.pop(task), task.result())
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    return results()


def _require_asyncio() -> None:
    # A generator that outlives its nursery is what trio forbids; everything else here runs under it.
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "upload_many needs asyncio: with another async library start medias.upload for each file in a task of "
            "your own. Nothing was sent."
        ) from None
