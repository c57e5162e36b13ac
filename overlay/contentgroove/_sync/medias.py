# Generated from _async/medias.py by overlay/make_sync.py: edit that file and run `make sync`.
"""Medias, the videos and audio files that the service processes, and direct uploads, which precede them."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from contentgroove._core import operations
from contentgroove._core.inputs import check_id, check_iterable
from contentgroove._core.io import InOneProcess, run_sync
from contentgroove._core.secret import conceal
from contentgroove.errors import OutcomeUnknownError
from contentgroove.models import Media

from .base import Pager, Resource, raw_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    from contentgroove._core.identity import Identify
    from contentgroove._core.inputs import Filter, Sort
    from contentgroove._core.io import Progress
    from contentgroove._core.names import MediaFilter, MediaSort
    from contentgroove._core.secret import Secret
    from contentgroove._io.batches import UploadItem, UploadResult
    from contentgroove._io.checkpoint_folders import Checkpoints
    from contentgroove._io.checkpoint_store import CheckpointLocation
    from contentgroove._io.sources import File
    from contentgroove.models import DirectUpload
    from contentgroove.webhooks.inbox import ArrivalWatcher, Inbox

WAIT_TIMEOUT = 3600.0
"""Seconds: the service states only that processing takes some time, depending on size and duration."""

CONCURRENCY = 4
"""Uploads at the same time: enough to use the bandwidth, few enough for the rate limit."""


class Medias(Resource):
    """Calls on medias; use it as `client.medias`."""

    @property
    def with_raw_response(self) -> RawMedias:
        """The same calls, returning `RawResponse`s."""
        return RawMedias(Medias(self._session, raw=True))

    def list(
        self,
        *,
        filter: MediaFilter | Filter | None = None,  # noqa: A002 - the API's name
        sort: MediaSort | Sort | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> Pager[Media]:
        """List medias lazily: iterating fetches page after page, `.pages()` yields whole pages.

        Args:
            filter: Ransack matchers, such as `{"name_cont": "chimp", "created_at_gteq": datetime(…)}`.
                The service may ignore a filter whose value is empty, and return everything (assumed:
                filter-blank-dropped): check a variable before it decides what is deleted.
            sort: `created_at`, `original_created_at` or `name`; a leading minus means descending order.
            page_number: The page to start with, from 1.
            page_size: The maximum number of medias in a page.
            limit: The maximum number of medias in total.

        Raises:
            InvalidInputError: An argument is invalid. Nothing was sent.
            ContentGrooveError: A call failed while iterating.
        """
        from contentgroove._core.paging import ListArguments

        arguments = ListArguments(filter, sort, page_number, page_size, limit)
        return Pager(operations.list_medias(arguments), self._session)

    def get(self, id: str) -> Media:  # noqa: A002 - the API's name
        """Fetch one media.

        Raises:
            NotFoundError: There is no media with this id.
        """
        return self._call(operations.get_media(id))

    def create(
        self,
        *,
        source_url: str | Secret | None = None,
        upload_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> Media:
        """Create a media of a file that the service fetches, or of one that was uploaded.

        Args:
            source_url: The URL that the service fetches the file from. Pass either this or `upload_id`.
            upload_id: The `upload_id` of a prepared upload whose file was sent; `upload` does all these steps.
            name: The media's name.
            description: Free text.

        Raises:
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: It is unknown whether the media was created. The request was not retried; `.upload_id`
                is the one that was passed.
        """
        source_url = conceal(source_url)
        operation = operations.create_media(
            source_url=source_url, upload_id=upload_id, name=name, description=description
        )
        try:
            return self._call(operation)
        except OutcomeUnknownError as error:
            error.upload_id = upload_id
            raise

    def update(
        self,
        id: str,  # noqa: A002 - the API's name
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> Media:
        """Change a media's name, description or both; omitted arguments change nothing.

        Raises:
            NotFoundError: There is no media with this id.
        """
        return self._call(operations.update_media(id, name=name, description=description))

    def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Delete a media and its clips.

        Raises:
            NotFoundError: There is no media with this id.
        """
        return self._call(operations.delete_media(id))

    def upload(
        self,
        file: File,
        *,
        name: str | None = None,
        description: str | None = None,
        progress: Progress | None = None,
        checkpoint: CheckpointLocation | None = None,
        identify: Identify | None = None,
        wait: bool = False,
        timeout: float | None = None,
        size: int | None = None,
    ) -> Media:
        """Upload a file and create a media of it: prepare the upload, PUT the file to the store, create the media.

        The file is streamed, never read into memory. If the connection breaks or the upload URL expires, the upload is
        retried from the beginning.

        Args:
            file: A path, bytes, a binary file, which is read from its current position, or, with `size`, an iterable
                of bytes. A file of another storage is streamed without a local copy: pass what
                `fsspec.open("s3://…")` returns, opened or not. A file that is neither on disk nor in memory and states
                no size, such as a member of an archive, is read twice: once to its end before anything is sent.
            name: The media's name. By default that of the file, such as `film.mp4`; bytes and iterables have none.
            description: Free text.
            progress: Called with the number of bytes sent so far and their total, such as
                `contentgroove.progress_bar()`.
            checkpoint: The path of a file that stores how far the upload is. After the process was killed, the same
                call continues from there: a file that was sent is not sent again, a media that was created is not
                created again. It contains the upload's id, is readable by its owner only, and can be deleted once the
                media exists. If it is unknown whether the media was created, `resolve` settles that. A store of
                `contentgroove.checkpoints` keeps it elsewhere, such as `PostgresCheckpoints(…).store("film-1")`.
            identify: "description" to be able to find the media if the response to its creation is lost. A short
                unique marker, such as `[sdk-upload 3f9c0a71d2e84b56a7c1e0f2]`, is appended to the description at the
                creation, and removed by an update as soon as the media is known. Until then the service, its webhooks
                and other users of the account show it. If the removal fails, the log says so, the returned media
                shows the marker in its `description`, and the same call with a checkpoint tries again. A media
                without `description` has an empty one afterwards. If the service
                does not return the marker's 24 digits as they were sent, the outcome stays unknown (assumed:
                description-verbatim).
            wait: True to wait until the media has been processed, as `wait` does.
            timeout: The number of seconds to wait with `wait=True`, 3600 by default; the upload itself takes its time.
            size: The total number of bytes that an iterable, a pipe or another stream still has. It is then read only
                once, so its upload is never retried. A pipe or socket is not read beyond its size.

        Returns:
            The new media. Its `is_processing` is None unless `wait` is True.

        Raises:
            UploadError: The file cannot be uploaded, or the store rejected it; `.reason` is the cause.
            InvalidInputError: An argument is invalid, or the checkpoint belongs to another upload. Nothing was sent.
            CheckpointInUseError: Another upload uses the checkpoint; `.holder` is its process. Nothing was sent.
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: The file was sent, but it is unknown whether its media was created. `.upload_id` is the
                upload, `.candidates` are the medias that it may be; see `resolve`. Without `identify`, this is so
                whenever the response to the creation is lost. Nothing is sent again.
            CheckpointError: The checkpoint could not be written; `.media_id` is the media's id if it was created.
            MediaProcessingError: As for `wait`, with `wait=True`.
            WaitTimeoutError: As for `wait`, with `wait=True`; the media exists.
        """
        import secrets
        from contextlib import nullcontext

        from contentgroove._core.identity import create_marker
        from contentgroove._core.uploads import plan_upload, upload
        from contentgroove._core.waiting import upload_poll_options
        from contentgroove._io.checkpoint_store import open_store
        from contentgroove._io.sources import open_source
        from contentgroove._io.upload_progress import check_progress

        options = upload_poll_options(timeout, default=WAIT_TIMEOUT, wait=wait)
        check_progress(progress)
        marker = create_marker(identify, secrets.token_hex)
        source = open_source(file, size)
        opened = nullcontext() if checkpoint is None else open_store(checkpoint)
        with opened as store:
            plan = run_sync(
                plan_upload(
                    source,
                    name=name,
                    description=description,
                    session=self._session,
                    progress=progress,
                    store=store,
                    marker=marker,
                )
            )
            return run_sync(upload(plan, self._session, options))

    def upload_many(
        self,
        files: Iterable[File | UploadItem],
        *,
        concurrency: int = CONCURRENCY,
        checkpoint_dir: str | PathLike[str] | None = None,
        checkpoints: Checkpoints | None = None,
        identify: Identify | None = None,
    ) -> Iterator[UploadResult]:
        """Upload many files, several at the same time; yields a result for each when it has ended, failed or not.

        A file is taken from the iterable only when its upload starts. After a 402 no further upload is started: the
        remaining files are yielded with a QuotaExceededError.

        Args:
            files: The files, as for `upload`, or `UploadItem`s with names or sizes.
            concurrency: The maximum number of uploads at the same time.
            checkpoint_dir: A folder for a checkpoint of each file, so that the same call continues after the process
                was killed. All files must be paths then. An `OutcomeUnknownError` in a result has the path of its
                file's checkpoint as `.checkpoint`, for `resolve`.
            checkpoints: Where the checkpoints are, if not in a folder: with `PostgresCheckpoints`, calls on several
                machines share one job. Each file is claimed by one of them; if that one dies, another takes it over.
                A file that another one is uploading is tried again until it has ended there, and then yielded with
                its media. A file that failed is tried once by each call.
            identify: As for `upload`, with a marker of its own for each file.

        Raises:
            InvalidInputError: `concurrency` is not a whole number from 1, or there are checkpoints twice.
        """
        from contentgroove._io.batches import upload_batch
        from contentgroove._io.checkpoint_folders import choose_checkpoints

        chosen = choose_checkpoints(checkpoint_dir, checkpoints)

        def upload_one(item: UploadItem, progress: Progress | None) -> Media:
            return self.upload(
                item.file,
                name=item.name,
                description=item.description,
                progress=progress,
                checkpoint=None if chosen is None else chosen.store(item),
                size=item.size,
                identify=identify,
            )

        recheck = None if chosen is None else chosen.recheck
        return upload_batch(upload_one, files, concurrency, recheck)

    @overload
    def resolve(self, checkpoint: CheckpointLocation, *, media_id: str) -> Media: ...
    @overload
    def resolve(self, checkpoint: CheckpointLocation, *, media_id: None) -> None: ...
    @overload
    def resolve(self, checkpoint: CheckpointLocation, *, media_id: str | None) -> Media | None: ...
    def resolve(self, checkpoint: CheckpointLocation, *, media_id: str | None) -> Media | None:
        """Settle an upload whose outcome is unknown, so that the same `upload` call continues from its checkpoint.

        An upload is in doubt after an `OutcomeUnknownError`, and after a kill at the creation. Look at the candidates
        of the error and at the list of medias first: what is stated here is believed.

        Args:
            checkpoint: The path of the upload's checkpoint, or its store.
            media_id: The id of the media that the upload created: the next call returns it. None to state that it
                created none: the next call sends the creation again. If it had succeeded after all, the service
                perhaps creates a second media (assumed: upload-id-once).

        Returns:
            The media; None if none was created.

        Raises:
            InvalidInputError: The checkpoint does not exist, is in use, or is not one of an upload in doubt to this
                service; or the media has a `source_url` or is older than the upload.
            NotFoundError: There is no media with this id.
            CheckpointError: The checkpoint could not be written; nothing was changed.
        """
        from contentgroove._core.creation import resolve_upload
        from contentgroove._io.checkpoint_store import open_store

        with open_store(checkpoint) as store:
            return run_sync(resolve_upload(store, media_id, self._session))

    def wait(
        self,
        media: Media | str,
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Media], object] | None = None,
        inbox: Inbox | None = None,
    ) -> Media:
        """Wait until a media has been processed.

        Args:
            media: The media or its id.
            timeout: The number of seconds to wait; processing continues after that.
            poll_interval: The number of seconds between polls; by default it grows from 1 to 15, and is 60 with an
                inbox.
            on_update: Called with the media each time it has changed.
            inbox: The inbox in which a receiver records the media's webhook, in this process or another. Its arrival
                is noticed within half a second. The inbox is only read, and its events are not trusted: the media
                always comes from the API, which is also polled from time to time because webhooks can be lost.

        Returns:
            The finished media.

        Raises:
            MediaProcessingError: The service could not fetch the media's file.
            WaitTimeoutError: Processing did not finish in time; `.media_id` is the media's id.
        """
        from contentgroove._core import waiting

        media_id = _media_id(media)
        options = waiting.PollOptions.checked(timeout, poll_interval, on_update, _webhook_keys(inbox, [media_id]))
        return run_sync(waiting.wait_for_media(media_id, options, self._session))

    def wait_many(
        self,
        medias: Iterable[Media | str],
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Media], object] | None = None,
        inbox: Inbox | None = None,
    ) -> tuple[Media, ...]:
        """Wait until several medias have been processed. Polls the list of the newest medias instead of each media.

        Args:
            medias: The medias or their ids.
            timeout: The number of seconds to wait for all of them; processing continues after that.
            poll_interval: The number of seconds between polls, as for `wait`.
            on_update: Called with each media each time it has changed.
            inbox: An inbox, as for `wait`; the webhook of any of the medias causes a poll.

        Returns:
            The medias in the given order, including those that the service could not fetch: see `has_fetch_error`.

        Raises:
            WaitTimeoutError: Processing of some medias did not finish in time.
        """
        from contentgroove._core import waiting

        check_iterable(medias, "medias")
        ids = [_media_id(media) for media in medias]
        options = waiting.PollOptions.checked(timeout, poll_interval, on_update, _webhook_keys(inbox, ids))
        return run_sync(waiting.wait_for_medias(ids, options, self._session))


class DirectUploads(Resource):
    """Calls on direct uploads; `client.medias.upload` does all their steps."""

    @property
    def with_raw_response(self) -> RawDirectUploads:
        """The same call, returning a `RawResponse`."""
        return RawDirectUploads(DirectUploads(self._session, raw=True))

    def prepare(self) -> DirectUpload:
        """Prepare an upload: returns a URL to PUT one file to, and the id to pass to `medias.create` afterwards."""
        from contentgroove._core.operations import prepare_upload

        return self._call(prepare_upload())


class RawMedias(InOneProcess):
    """Calls on medias that return `RawResponse`s."""

    def __init__(self, medias: Medias) -> None:
        self.get = raw_method(medias.get)
        self.create = raw_method(medias.create)
        self.update = raw_method(medias.update)
        self.delete = raw_method(medias.delete)


class RawDirectUploads(InOneProcess):
    """The call on direct uploads that returns a `RawResponse`."""

    def __init__(self, uploads: DirectUploads) -> None:
        self.prepare = raw_method(uploads.prepare)


def _media_id(media: Media | str) -> str:
    return check_id(media.id if isinstance(media, Media) else media, "media")


def _webhook_keys(inbox: Inbox | None, media_ids: Iterable[str]) -> ArrivalWatcher | None:
    if inbox is None:
        return None
    from contentgroove.webhooks.inbox import ArrivalWatcher

    return ArrivalWatcher(inbox, media_ids)
