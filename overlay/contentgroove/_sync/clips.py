# Generated from _async/clips.py by overlay/make_sync.py: edit that file and run `make sync`.
"""Clips: parts of medias, suggested by the service or created by a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core import operations
from contentgroove._core.inputs import check_id, check_iterable
from contentgroove._core.io import InOneProcess, run_sync
from contentgroove._core.paging import ListArguments
from contentgroove.models import Clip

from .base import Pager, Resource, raw_method

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contentgroove._core.inputs import Filter, Sort
    from contentgroove._core.names import ClipFilter, ClipSort

WAIT_TIMEOUT = 900.0
"""Seconds; less than for a media, because a clip is cut from a file that has already been processed."""


class Clips(Resource):
    """Calls on clips; use it as `client.clips`."""

    @property
    def with_raw_response(self) -> RawClips:
        """The same calls, returning `RawResponse`s."""
        return RawClips(Clips(self._session, raw=True))

    def list(
        self,
        *,
        filter: ClipFilter | Filter | None = None,  # noqa: A002 - the API's name
        sort: ClipSort | Sort | None = None,
        page_number: int | None = None,
        page_size: int | None = None,
        limit: int | None = None,
    ) -> Pager[Clip]:
        """List clips lazily: iterating fetches page after page, `.pages()` yields whole pages.

        Args:
            filter: Ransack matchers, such as `{"text_cont": "moon"}`.
                The service may ignore a filter whose value is empty, and return everything (assumed:
                filter-blank-dropped): check a variable before it decides what is deleted.
            sort: `created_at` or `name`; a leading minus means descending order.
            page_number: The page to start with, from 1.
            page_size: The maximum number of clips in a page.
            limit: The maximum number of clips in total.

        Raises:
            InvalidInputError: An argument is invalid. Nothing was sent.
            ContentGrooveError: A call failed while iterating.
        """
        arguments = ListArguments(filter, sort, page_number, page_size, limit)
        return Pager(operations.list_clips(arguments), self._session)

    def get(self, id: str) -> Clip:  # noqa: A002 - the API's name
        """Fetch one clip.

        Raises:
            NotFoundError: There is no clip with this id.
        """
        return self._call(operations.get_clip(id))

    def create(self, *, media_id: str, name: str, start_time: float, end_time: float) -> Clip:
        """Create a clip of a part of a media.

        Args:
            media_id: The media's id.
            name: The clip's name.
            start_time: The clip's start in the media, in seconds.
            end_time: The clip's end in the media, in seconds.

        Raises:
            NotFoundError: There is no media with this id.
            UnprocessableEntityError: The service rejected the times or the name.
            QuotaExceededError: The account's limit is reached.
            OutcomeUnknownError: It is unknown whether the clip was created. The request was not retried.
        """
        operation = operations.create_clip(media_id=media_id, name=name, start_time=start_time, end_time=end_time)
        return self._call(operation)

    def update(
        self,
        id: str,  # noqa: A002 - the API's name
        *,
        name: str | None = None,
        start_time: float | None = None,
        end_time: float | None = None,
    ) -> Clip:
        """Change a clip's name or times (in seconds); omitted arguments change nothing.

        Raises:
            NotFoundError: There is no clip with this id.
            UnprocessableEntityError: The service rejected the values.
        """
        return self._call(operations.update_clip(id, name=name, start_time=start_time, end_time=end_time))

    def delete(self, id: str) -> None:  # noqa: A002 - the API's name
        """Delete a clip.

        Raises:
            NotFoundError: There is no clip with this id.
        """
        return self._call(operations.delete_clip(id))

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
            timeout: The number of seconds to wait; processing continues after that.
            poll_interval: The number of seconds between polls; by default it grows from 1 to 15.
            on_update: Called with the clip each time it has changed.

        Raises:
            WaitTimeoutError: Processing did not finish in time; `.clip_id` is the clip's id.
        """
        from contentgroove._core import waiting

        options = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        media_id = getattr(clip, "media_id", None) if isinstance(clip, Clip) else None
        return run_sync(waiting.wait_for_clip(_clip_id(clip), media_id, options, self._session))

    def wait_many(
        self,
        clips: Iterable[Clip | str],
        *,
        timeout: float = WAIT_TIMEOUT,
        poll_interval: float | None = None,
        on_update: Callable[[Clip], object] | None = None,
    ) -> tuple[Clip, ...]:
        """Wait until the files of several clips are ready. Polls the list of the newest clips instead of each clip.

        Args:
            clips: The clips or their ids.
            timeout: The number of seconds to wait for all of them; processing continues after that.
            poll_interval: The number of seconds between polls; by default it grows from 1 to 15.
            on_update: Called with each clip each time it has changed.

        Returns:
            The clips in the given order.

        Raises:
            WaitTimeoutError: Processing of some clips did not finish in time.
        """
        from contentgroove._core import waiting

        options = waiting.PollOptions.checked(timeout, poll_interval, on_update)
        check_iterable(clips, "clips")
        ids = [_clip_id(clip) for clip in clips]
        return run_sync(waiting.wait_for_clips(ids, options, self._session))


class RawClips(InOneProcess):
    """Calls on clips that return `RawResponse`s."""

    def __init__(self, clips: Clips) -> None:
        self.get = raw_method(clips.get)
        self.create = raw_method(clips.create)
        self.update = raw_method(clips.update)
        self.delete = raw_method(clips.delete)


def _clip_id(clip: Clip | str) -> str:
    return check_id(clip.id if isinstance(clip, Clip) else clip, "clip")
