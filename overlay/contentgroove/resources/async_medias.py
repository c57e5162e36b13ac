"""Medias, awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._core import medias
from contentgroove._io.calls import AsyncPager, AsyncRawResource

from .media_arguments import (
    CONCURRENCY,
    WAIT_TIMEOUT,
    media_id_of,
    media_ids_of,
    poll_options,
    webhook_keys_for,
)
from .raw import araw

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from os import PathLike

    from contentgroove._core.filters import Filter
    from contentgroove._core.io import Progress
    from contentgroove._io.calls import AsyncResource
    from contentgroove._io.sources import File
    from contentgroove.models import Media
    from contentgroove.webhooks import Inbox

    from .batches import UploadItem, UploadResult


class AsyncMedias:
    """As `Medias`, awaited; reach it as `client.medias`."""

    def __init__(self, calls: AsyncResource, claimed: dict[str, str]) -> None:
        self._calls = calls
        self._claimed = claimed

    @property
    def with_raw_response(self) -> AsyncRawMedias:
        """The same calls, giving `RawResponse`s."""
        calls = AsyncRawResource(self._calls.session)
        return AsyncRawMedias(AsyncMedias(calls, self._claimed))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> AsyncPager[Media]:
        """As `Medias.list`, iterated with `async for`."""
        from contentgroove._core.listing import ListArguments

        return AsyncPager(medias.list_medias(ListArguments(filter, sort, page_number, page_size, limit)), self._calls)

    async def get(self, id: str) -> Media:  # noqa: A002 - the API's name
        """As `Medias.get`."""
        return await self._calls.call(medias.get_media(id))

    async def create(
        self,
        *,
        source_url: str | None = None,
        upload_id: str | None = None,
        name: str | None = None,
        description: str | None = None,
    ) -> Media:
        """As `Medias.create`."""
        return await self._calls.call(
            medias.create_media(source_url=source_url, upload_id=upload_id, name=name, description=description)
        )

    async def update(
        self,
        id: str,  # noqa: A002 - the API's name
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> Media:
        """As `Medias.update`."""
        return await self._calls.call(medias.update_media(id, name=name, description=description))

    async def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """As `Medias.delete`."""
        return await self._calls.call(medias.delete_media(id))

    async def upload(
        self,
        file: File | AsyncIterator[bytes],
        *,
        name: str | None = None,
        description: str | None = None,
        progress: Progress | None = None,
        checkpoint: str | PathLike[str] | None = None,
        wait: bool = False,
        size: int | None = None,
    ) -> Media:
        """As `Medias.upload`; also takes an async iterator of bytes, whose total `size` must be given.

        Files are read in a thread, so that other tasks go on. An iterator is sent once and never again.
        """
        from contentgroove._core.uploads import plan_upload, upload
        from contentgroove._io.checkpoint_file import open_store
        from contentgroove._io.sources import open_async_source

        source = await open_async_source(file, size)
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
            return await self._calls.run(upload(plan, session, poll_options(wait=wait)))

    def upload_many(
        self,
        files: Iterable[File | UploadItem],
        *,
        concurrency: int = CONCURRENCY,
        checkpoint_dir: str | PathLike[str] | None = None,
    ) -> AsyncIterator[UploadResult]:
        """As `Medias.upload_many`, iterated with `async for`."""
        from .batches import aupload_batch, checkpoint_path

        async def one(item: UploadItem) -> Media:
            place = checkpoint_path(checkpoint_dir, item)
            return await self.upload(item.file, name=item.name, description=item.description, checkpoint=place)

        return aupload_batch(one, files, concurrency)

    async def wait(
        self,
        media: Media | str,
        *,
        timeout: float = WAIT_TIMEOUT,  # noqa: ASYNC109 - the wait's own deadline; nothing is cancelled
        poll_interval: float | None = None,
        on_update: Callable[[Media], Any] | None = None,
        inbox: Inbox | None = None,
    ) -> Media:
        """As `Medias.wait`; `on_update` may be async."""
        from contentgroove._core import waiting

        wanted = media_id_of(media)
        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update, webhook_keys_for(inbox, [wanted]))
        return await self._calls.run(waiting.wait_for_media(wanted, patience, self._calls.session))

    async def wait_many(
        self,
        medias: Iterable[Media | str],
        *,
        timeout: float = WAIT_TIMEOUT,  # noqa: ASYNC109 - the wait's own deadline; nothing is cancelled
        poll_interval: float | None = None,
        on_update: Callable[[Media], Any] | None = None,
        inbox: Inbox | None = None,
    ) -> tuple[Media, ...]:
        """As `Medias.wait_many`; `on_update` may be async."""
        from contentgroove._core import waiting

        ids = media_ids_of(medias)
        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update, webhook_keys_for(inbox, ids))
        return await self._calls.run(waiting.wait_for_medias(ids, patience, self._calls.session))


class AsyncRawMedias:
    """Calls on medias that give `RawResponse`s, awaited."""

    def __init__(self, medias: AsyncMedias) -> None:
        self.get = araw(medias.get)
        self.create = araw(medias.create)
        self.update = araw(medias.update)
        self.delete = araw(medias.delete)
