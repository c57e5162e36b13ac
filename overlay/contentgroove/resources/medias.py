"""Medias: videos and audios that the service processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core import medias
from contentgroove._io.calls import Pager, RawResource

from .media_arguments import (
    CONCURRENCY,
    WAIT_TIMEOUT,
    media_id_of,
    media_ids_of,
    poll_options,
    webhook_keys_for,
)
from .raw import raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    from contentgroove._core.filters import Filter
    from contentgroove._core.io import Progress, Source
    from contentgroove._io.calls import Resource
    from contentgroove._io.sources import File
    from contentgroove.models import Media
    from contentgroove.webhooks import Inbox

    from .batches import UploadItem, UploadResult


class Medias:
    """Calls on medias; reach it as `client.medias`."""

    def __init__(self, calls: Resource, claimed: dict[str, str]) -> None:
        self._calls = calls
        self._claimed = claimed

    @property
    def with_raw_response(self) -> RawMedias:
        """The same calls, giving `RawResponse`s."""
        calls = RawResource(self._calls.session)
        return RawMedias(Medias(calls, self._claimed))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> Pager[Media]:
        """List medias, lazily: iterating fetches page after page, `.pages()` gives whole pages.

        Args:
            filter: Ransack matchers, such as `{"name_cont": "chimp", "created_at_gteq": datetime(…)}`.
            sort: `created_at`, `original_created_at` or `name`, with a minus for descending order.
            page_number: The page to begin with, from 1.
            page_size: Medias in a page at most.
            limit: Medias in all at most.

        Raises:
            InvalidInputError: An argument is wrong; nothing was sent.
            ContentGrooveError: While iterating, a call failed.
        """
        from contentgroove._core.listing import ListArguments

        return Pager(medias.list_medias(ListArguments(filter, sort, page_number, page_size, limit)), self._calls)

    def get(self, id: str) -> Media:  # noqa: A002 - the API's name
        """Fetch one media.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(medias.get_media(id))

    def create(
        self,
        *,
        source_url: str | None = None,
        upload_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> Media:
        """Create a media of a file that the service fetches, or of one that was uploaded.

        Args:
            source_url: Where the service fetches the file. Exactly one of this and `upload_id` is needed.
            upload_id: The `upload_id` of a prepared upload whose file was sent; `upload` does all of it.
            name: The media's name.
            description: Free text.

        Raises:
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: Whether it was created is not known; it was not tried again.
        """
        return self._calls.call(
            medias.create_media(source_url=source_url, upload_id=upload_id, name=name, description=description)
        )

    def update(self, id: str, *, name: str | None = None, description: str | None = None) -> Media:  # noqa: A002 - the API's name
        """Change a media's name, description or both; what is not given stays.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(medias.update_media(id, name=name, description=description))

    def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Delete a media and its clips.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(medias.delete_media(id))

    def upload(
        self,
        file: File,
        *,
        name: str | None = None,
        description: str | None = None,
        progress: Progress | None = None,
        checkpoint: str | PathLike[str] | None = None,
        wait: bool = False,
    ) -> Media:
        """Upload a file and create a media of it: prepare, PUT to the store, create.

        The file is streamed, never read into memory. A connection that breaks or an upload URL that expires is
        answered by another try, from the same start.

        Args:
            file: A path, bytes, or a binary file, which is read from its current position. One that is neither on disk
                nor in memory, such as an archive's member, is read twice: once to the end before anything is sent.
            name: The media's name.
            description: Free text.
            progress: Called with the bytes sent so far and their total; `contentgroove.progress_bar()` is one.
            checkpoint: A file that remembers how far the upload is. The same call after the process was killed goes on
                from there: a file that was sent is not sent again, a media that was created is not created again. It
                holds the upload's id, is readable by its owner only, and can be deleted once the media exists.
            wait: Whether to wait for the media to be processed, as `wait` does.

        Returns:
            The new media. Its `is_processing` is None unless it was waited for.

        Raises:
            UploadError: The file cannot be uploaded or the store did not take it; `.reason` says why.
            InvalidInputError: The checkpoint belongs to another upload, or another process uses it.
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: The file was sent, and whether its media was created is not known.
            CheckpointError: The checkpoint could not be written, such as on a full disk; `.media_id` names the media if
                it was created all the same.
        """
        from contentgroove._io.sources import open_source

        return self._upload(open_source(file), name, description, progress, checkpoint=checkpoint, wait=wait)

    def _upload(
        self,
        source: Source,
        name: str | None,
        description: str | None,
        progress: Progress | None,
        *,
        checkpoint: str | PathLike[str] | None = None,
        wait: bool = False,
    ) -> Media:
        from contentgroove._core.uploads import plan_upload, upload
        from contentgroove._io.checkpoint_file import open_store

        session = self._calls.session
        with open_store(checkpoint) as store:
            plan = plan_upload(
                source,
                name=name,
                description=description,
                session=session,
                progress=progress,
                store=store,
                known_uploads=self._claimed,
            )
            return self._calls.run(upload(plan, session, poll_options(wait=wait)))

    def upload_many(
        self,
        files: Iterable[File | UploadItem],
        *,
        concurrency: int = CONCURRENCY,
        checkpoint_dir: str | PathLike[str] | None = None,
    ) -> Iterator[UploadResult]:
        """Upload many files, several at once; gives a result for each as it ends, failures included.

        Files are taken from the iterable only as they are begun. After a 402 nothing new is begun: the rest comes
        back with a QuotaExceededError.

        Args:
            files: What `upload` takes, or `UploadItem`s with names.
            concurrency: Uploads at once.
            checkpoint_dir: A folder for a checkpoint of each file, so that the same call after the process was killed
                goes on where it was; files must then be paths.

        Raises:
            InvalidInputError: `concurrency` is no whole number from 1.
        """
        from contentgroove._io.sources import open_source

        from .batches import checkpoint_path, upload_batch

        def one(item: UploadItem, progress: Progress) -> Media:
            place = checkpoint_path(checkpoint_dir, item)
            source = open_source(item.file)
            return self._upload(source, item.name, item.description, progress, checkpoint=place)

        return upload_batch(one, files, concurrency)

    def wait(
        self,
        media: Media | str,
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Media], object] | None = None,
        inbox: Inbox | None = None,
    ) -> Media:
        """Wait until a media's processing has finished.

        Args:
            media: The media or its id.
            timeout: Seconds to wait; processing goes on after them.
            poll_interval: Seconds between looks; without it they grow from 1 to 15, and with an inbox they are 60.
            on_update: Called with the media whenever it differs from before.
            inbox: Where a receiver records this media's webhook, in this process or another; its arrival is noticed
                within half a second. It is left as it is, and what it holds is not believed: the media always comes
                from the API, at which the wait looks now and then in any case, because webhooks can be lost.

        Returns:
            The finished media.

        Raises:
            MediaProcessingError: The service could not fetch the media's file.
            WaitTimeoutError: It was not finished in time; `.media_id` names it.
        """
        from contentgroove._core import waiting

        wanted = media_id_of(media)
        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update, webhook_keys_for(inbox, [wanted]))
        return self._calls.run(waiting.wait_for_media(wanted, patience, self._calls.session))

    def wait_many(
        self,
        medias: Iterable[Media | str],
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Media], object] | None = None,
        inbox: Inbox | None = None,
    ) -> tuple[Media, ...]:
        """Wait until several medias have finished, looking at the list of the newest instead of at each.

        Args:
            medias: The medias or their ids.
            timeout: Seconds to wait for all of them; processing goes on after them.
            poll_interval: As that of `wait`.
            on_update: Called with each media whenever it differs from before.
            inbox: As that of `wait`: the webhook of any of them is a reason to look.

        Returns:
            The medias in the order given. Those that the service could not fetch are among them: see
            `has_fetch_error`.

        Raises:
            WaitTimeoutError: Some were not finished in time.
        """
        from contentgroove._core import waiting

        ids = media_ids_of(medias)
        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update, webhook_keys_for(inbox, ids))
        return self._calls.run(waiting.wait_for_medias(ids, patience, self._calls.session))


class RawMedias:
    """Calls on medias that give `RawResponse`s."""

    def __init__(self, medias: Medias) -> None:
        self.get = raw(medias.get)
        self.create = raw(medias.create)
        self.update = raw(medias.update)
        self.delete = raw(medias.delete)
