"""Upload many files, several at the same time; yield a result for each."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future
from concurrent.futures import wait as wait_futures
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove._core.inputs import check_count
from contentgroove.errors import (
    CheckpointError,
    CheckpointInUseError,
    ConfigurationError,
    ContentGrooveError,
    InvalidInputError,
    QuotaExceededError,
)

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
        key: What names the file among the checkpoints of the batch, the same in each run and on each machine. By
            default it is found by its path.
    """

    file: File
    name: str | None = None
    description: str | None = None
    size: int | None = None
    key: str | None = None


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


class _UploadQueue:
    """The files whose upload has not started, or must start again because another process holds their checkpoint.

    Args:
        files: The files.
        concurrency: The maximum number of uploads at the same time.
        recheck: Seconds until a file that another process holds is tried again; None to report it instead.
    """

    def __init__(self, files: Iterable[File | UploadItem], concurrency: int, recheck: float | None) -> None:
        if check_count(concurrency, "concurrency") is None:
            raise InvalidInputError("concurrency must be a whole number from 1, not None. Nothing was sent.")
        if isinstance(files, (str, bytes, bytearray, memoryview)) or not isinstance(files, Iterable):
            raise InvalidInputError(
                f"files must be an iterable of files, such as a list, not {type(files).__name__}. Nothing was sent."
            )
        self._files = iter(files)
        self._recheck = recheck
        self._held: deque[tuple[float, UploadItem]] = deque()
        self._quota: QuotaExceededError | None = None

    def next(self) -> UploadItem | None:
        """Return the next file; None if there is none now."""
        if self._held and self._held[0][0] <= time.monotonic():
            return self._held.popleft()[1]
        for item in self._files:
            return item if isinstance(item, UploadItem) else UploadItem(item)
        return None

    def pause(self) -> float | None:
        """Return the seconds until a file that another process held is tried again; None if there is none."""
        return max(0.0, self._held[0][0] - time.monotonic()) if self._held else None

    def quota_result(self, item: UploadItem) -> UploadResult | None:
        """Return the result of a file whose upload is not started because the quota is used up; None otherwise."""
        return None if self._quota is None else UploadResult(item.file, None, self._quota)

    def result(self, item: UploadItem, outcome: Media | ContentGrooveError) -> UploadResult | None:
        """Return the result of a file whose upload has ended; None if it is tried again later."""
        if not isinstance(outcome, ContentGrooveError):
            return UploadResult(item.file, outcome, None)
        held = isinstance(outcome, CheckpointInUseError) or (
            isinstance(outcome, CheckpointError) and outcome.taken_over
        )
        if held and self._recheck is not None:
            self._held.append((time.monotonic() + self._recheck, item))
            return None
        if isinstance(outcome, QuotaExceededError):
            self._quota = outcome
        return UploadResult(item.file, None, outcome)


CALL_SECONDS = 1.0
"""Seconds that the running calls of a batch may still take when it is left: each may be about to create a media."""

LEAVE_SECONDS = 0.5
"""Seconds after that in which the threads of a batch end. One that reads from a silent disk is left to itself."""


def upload_batch(
    upload_one: Callable[[UploadItem, Progress | None], Media],
    files: Iterable[File | UploadItem],
    concurrency: int,
    recheck: float | None = None,
) -> Iterator[UploadResult]:
    """Upload files in threads, with `upload_one(item, progress)`; see `Medias.upload_many`."""
    queue = _UploadQueue(files, concurrency, recheck)
    batch = BatchStop()

    def results() -> Iterator[UploadResult]:
        pid = os.getpid()
        running: dict[Future[Media | ContentGrooveError], UploadItem] = {}
        try:
            while True:
                _require_process(pid)
                while len(running) < concurrency and (item := queue.next()) is not None:
                    skipped = queue.quota_result(item)
                    if skipped is None:
                        running[_start(upload_one, item, batch)] = item
                    else:
                        yield skipped
                pause = queue.pause() if len(running) < concurrency else None
                if running:
                    done = wait_for(lambda seconds: wait_futures(running, seconds, FIRST_COMPLETED).done, pause)
                    for future in done:
                        if (result := queue.result(running.pop(future), future.result())) is not None:
                            yield result
                elif pause is not None:
                    time.sleep(pause)
                else:
                    return
        finally:
            # A child process has only a copy of this, without its threads.
            if os.getpid() == pid:
                _leave(batch, running)

    return results()


def _start(
    upload_one: Callable[[UploadItem, Progress | None], Media], item: UploadItem, batch: BatchStop
) -> Future[Media | ContentGrooveError]:
    future: Future[Media | ContentGrooveError] = Future()

    def check_stopped(_sent: int, _total: int) -> None:
        batch.require_running()

    def work() -> None:
        current_batch.set(batch)
        try:
            future.set_result(upload_one(item, check_stopped))
        except ContentGrooveError as error:
            future.set_result(error)
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that iterates
            future.set_exception(error)

    # A thread that cannot end must not keep the program from ending.
    threading.Thread(target=work, name="contentgroove-upload", daemon=True).start()
    return future


def _require_process(pid: int) -> None:
    if os.getpid() != pid:
        raise ConfigurationError(
            "This upload_many belongs to another process, which goes on with it: call upload_many in each process, "
            "with its own files."
        )


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
    recheck: float | None = None,
) -> AsyncIterator[UploadResult]:
    """Upload files in tasks, with `upload_one(item, progress)`; see `AsyncMedias.upload_many`."""
    queue = _UploadQueue(files, concurrency, recheck)

    async def outcome_of(item: UploadItem) -> Media | ContentGrooveError:
        # No progress callback is needed to stop an upload: its task is cancelled.
        try:
            return await upload_one(item, None)
        except ContentGrooveError as error:
            return error

    async def results() -> AsyncIterator[UploadResult]:
        _require_asyncio()
        running: dict[asyncio.Task[Media | ContentGrooveError], UploadItem] = {}
        try:
            while True:
                while len(running) < concurrency and (item := queue.next()) is not None:
                    skipped = queue.quota_result(item)
                    if skipped is None:
                        running[asyncio.create_task(outcome_of(item))] = item
                    else:
                        yield skipped
                pause = queue.pause() if len(running) < concurrency else None
                if running:
                    done, _ = await asyncio.wait(running, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                    for task in done:
                        if (result := queue.result(running.pop(task), task.result())) is not None:
                            yield result
                elif pause is not None:
                    await asyncio.sleep(pause)
                else:
                    return
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
