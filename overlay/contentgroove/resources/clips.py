"""Clips: parts of medias, suggested by the service or made by a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove._core import clips
from contentgroove._core.inputs import check_id, check_iterable
from contentgroove._core.listing import ListArguments
from contentgroove._io.calls import AsyncPager, AsyncRawResource, Pager, RawResource
from contentgroove.models import Clip

from .raw import araw, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contentgroove._core.filters import Filter
    from contentgroove._io.calls import AsyncResource, Resource

WAIT_TIMEOUT = 900.0
"""Seconds: a clip is cut from a file that is processed already."""


def _media_ids(clip: Clip | str) -> tuple[str, str | None]:
    if isinstance(clip, Clip):
        return check_id(clip.id, "clip"), clip.media_id
    return check_id(clip, "clip"), None


def _clip_ids(clips: Iterable[Clip | str]) -> list[str]:
    check_iterable(clips, "clips")
    return [_media_ids(clip)[0] for clip in clips]


class Clips:
    """Calls on clips; reach it as `client.clips`."""

    def __init__(self, calls: Resource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> RawClips:
        """The same calls, giving `RawResponse`s."""
        return RawClips(Clips(RawResource(self._calls.session)))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> Pager[Clip]:
        """List clips, lazily: iterating fetches page after page, `.pages()` gives whole pages.

        Args:
            filter: Ransack matchers, such as `{"text_cont": "moon"}`.
            sort: `created_at` or `name`, with a minus for descending order.
            page_number: The page to begin with, from 1.
            page_size: Clips in a page at most.
            limit: Clips in all at most.

        Raises:
            InvalidInputError: An argument is wrong; nothing was sent.
            ContentGrooveError: While iterating, a call failed.
        """
        return Pager(clips.list_clips(ListArguments(filter, sort, page_number, page_size, limit)), self._calls)

    def get(self, id: str) -> Clip:  # noqa: A002 - the API's name
        """Fetch one clip.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(clips.get_clip(id))

    def create(self, *, media_id: str, name: str, start_time: float, end_time: float) -> Clip:
        """Cut a clip out of a media.

        Args:
            media_id: The media's id.
            name: The clip's name.
            start_time: Where the clip begins in the media, in seconds.
            end_time: Where it ends, in seconds.

        Raises:
            NotFoundError: There is no such media.
            UnprocessableEntityError: The service refuses the times or the name.
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: Whether it was created is not known; it was not tried again.
        """
        operation = clips.create_clip(media_id=media_id, name=name, start_time=start_time, end_time=end_time)
        return self._calls.call(operation)

    def update(
        self,
        id: str,  # noqa: A002 - the API's name
        *,
        name: str | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> Clip:
        """Change a clip's name or times, in seconds; what is not given stays.

        Raises:
            NotFoundError: There is none of this id.
            UnprocessableEntityError: The service refuses the values.
        """
        return self._calls.call(clips.update_clip(id, name=name, start_time=start_time, end_time=end_time))

    def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Delete a clip.

        Raises:
            NotFoundError: There is none of this id.
        """
        return self._calls.call(clips.delete_clip(id))

    def wait(
        self,
        clip: Clip | str,
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Clip], object] | None = None,
    ) -> Clip:
        """Wait until a clip's file is ready.

        Args:
            clip: The clip or its id.
            timeout: Seconds to wait; processing goes on after them.
            poll_interval: Seconds between looks; without it they grow from 1 to 15.
            on_update: Called with the clip whenever it differs from before.

        Raises:
            WaitTimeoutError: It was not finished in time; `.clip_id` names it.
        """
        from contentgroove._core import waiting

        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        return self._calls.run(waiting.wait_for_clip(*_media_ids(clip), patience, self._calls.session))

    def wait_many(
        self,
        clips: Iterable[Clip | str],
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Clip], object] | None = None,
    ) -> tuple[Clip, ...]:
        """Wait until the files of several clips are ready, looking at the list of the newest instead of at each.

        Args:
            clips: The clips or their ids.
            timeout: Seconds to wait for all of them; processing goes on after them.
            poll_interval: As that of `wait`.
            on_update: Called with each clip whenever it differs from before.

        Returns:
            The clips in the order given.

        Raises:
            WaitTimeoutError: Some were not finished in time.
        """
        from contentgroove._core import waiting

        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        return self._calls.run(waiting.wait_for_clips(_clip_ids(clips), patience, self._calls.session))


class AsyncClips:
    """As `Clips`, awaited; reach it as `client.clips`."""

    def __init__(self, calls: AsyncResource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> AsyncRawClips:
        """The same calls, giving `RawResponse`s."""
        calls = AsyncRawResource(self._calls.session)
        return AsyncRawClips(AsyncClips(calls))

    def list(
        self,
        *,
        filter: Filter | None = None,  # noqa: A002 - the API's name
        sort: str | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> AsyncPager[Clip]:
        """As `Clips.list`, iterated with `async for`."""
        return AsyncPager(clips.list_clips(ListArguments(filter, sort, page_number, page_size, limit)), self._calls)

    async def get(self, id: str) -> Clip:  # noqa: A002 - the API's name
        """As `Clips.get`."""
        return await self._calls.call(clips.get_clip(id))

    async def create(self, *, media_id: str, name: str, start_time: float, end_time: float) -> Clip:
        """As `Clips.create`."""
        operation = clips.create_clip(media_id=media_id, name=name, start_time=start_time, end_time=end_time)
        return await self._calls.call(operation)

    async def update(
        self,
        id: str,  # noqa: A002 - the API's name
        *,
        name: str | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> Clip:
        """As `Clips.update`."""
        return await self._calls.call(clips.update_clip(id, name=name, start_time=start_time, end_time=end_time))

    async def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """As `Clips.delete`."""
        return await self._calls.call(clips.delete_clip(id))

    async def wait(
        self,
        clip: Clip | str,
        *,
        timeout: float = WAIT_TIMEOUT,  # noqa: ASYNC109 - the wait's own deadline; nothing is cancelled
        poll_interval: float | None = None,
        on_update: Callable[[Clip], Any] | None = None,
    ) -> Clip:
        """As `Clips.wait`; `on_update` may be async."""
        from contentgroove._core import waiting

        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        return await self._calls.run(waiting.wait_for_clip(*_media_ids(clip), patience, self._calls.session))

    async def wait_many(
        self,
        clips: Iterable[Clip | str],
        *,
        timeout: float = WAIT_TIMEOUT,  # noqa: ASYNC109 - the wait's own deadline; nothing is cancelled
        poll_interval: float | None = None,
        on_update: Callable[[Clip], Any] | None = None,
    ) -> tuple[Clip, ...]:
        """As `Clips.wait_many`; `on_update` may be async."""
        from contentgroove._core import waiting

        patience = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        return await self._calls.run(waiting.wait_for_clips(_clip_ids(clips), patience, self._calls.session))


class RawClips:
    """Calls on clips that give `RawResponse`s."""

    def __init__(self, clips: Clips) -> None:
        self.get = raw(clips.get)
        self.create = raw(clips.create)
        self.update = raw(clips.update)
        self.delete = raw(clips.delete)


class AsyncRawClips:
    """Calls on clips that give `RawResponse`s, awaited."""

    def __init__(self, clips: AsyncClips) -> None:
        self.get = araw(clips.get)
        self.create = araw(clips.create)
        self.update = araw(clips.update)
        self.delete = araw(clips.delete)
