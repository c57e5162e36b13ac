"""What the sync and the async calls on medias make of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core.inputs import check_id, check_iterable
from contentgroove.models import Media

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove._core.waiting import PollOptions
    from contentgroove.webhooks import Inbox
    from contentgroove.webhooks.arrivals import ArrivalWatcher

WAIT_TIMEOUT = 3600.0
"""Seconds: the service says of processing only that it takes some time, depending on size and duration."""

CONCURRENCY = 4
"""Uploads at once: enough to fill a line, few enough for a rate limit."""


def media_id_of(media: Media | str) -> str:
    """Give the id of a media or of what is one already, checked."""
    return check_id(media.id if isinstance(media, Media) else media, "media")


def media_ids_of(medias: Iterable[Media | str]) -> list[str]:
    """Give the ids of several medias or of what are ids already, checked.

    Raises:
        InvalidInputError: It is one media or id, or nothing to iterate.
    """
    check_iterable(medias, "medias")
    return [media_id_of(media) for media in medias]


def poll_options(*, wait: bool) -> PollOptions | None:
    """How an upload waits for its media to be processed, None if it does not."""
    if not wait:
        return None
    from contentgroove._core.waiting import PollOptions

    return PollOptions.checked(WAIT_TIMEOUT, None, None)


def webhook_keys_for(inbox: Inbox | None, media_ids: Iterable[str]) -> ArrivalWatcher | None:
    """How a wait learns of medias' webhooks, None if it has no inbox."""
    if inbox is None:
        return None
    from contentgroove.webhooks.arrivals import ArrivalWatcher

    return ArrivalWatcher(inbox, media_ids)
