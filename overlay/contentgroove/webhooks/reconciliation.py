"""Find events that were never delivered, by listing the finished medias of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from contentgroove._core.moments import moment
from contentgroove.errors import InvalidInputError

from .dedupe import dedupe_key
from .events import PROCESSING_FINISHED

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from contentgroove.models import Clip, Media

    from .protocols import Inbox


OLDEST_FIRST = "created_at"


def medias_filter(since: dt.datetime, inbox: Inbox) -> dict[str, dt.datetime]:
    """Return the filter for medias whose processing started at `since` or later.

    Raises:
        InvalidInputError: `since` has no time zone, or handled events since then may have been pruned.
    """
    if since.tzinfo is None:
        raise InvalidInputError(f"since= must have a time zone, such as tzinfo=datetime.UTC, not {since!r}.")
    pruned_until = inbox.pruned_until()
    if since.timestamp() < pruned_until:
        horizon = moment(pruned_until)
        raise InvalidInputError(
            f"Events before {horizon:%Y-%m-%d %H:%M:%S} UTC may have been pruned and would be handled again. Pass that "
            f"time or a later one as since=, not {since}."
        )
    return {"processing_started_at_gteq": since}


def clips_filter(media: Media) -> dict[str, str]:
    """Return the filter for the clips of a media."""
    return {"media_id_eq": media.id}


def is_missing(media: Media, inbox: Inbox) -> bool:
    """Whether a finished media has no event in the inbox. The service sends none if it could not fetch the media."""
    return media.is_finished and not media.has_fetch_error and not inbox.has(event_key_for(media))


def event_key_for(media: Media) -> str:
    """Return the dedupe key of the event that a media has finished."""
    return dedupe_key(PROCESSING_FINISHED, "medias", media.id, media.processing_started_at)


def finished_event_body(media: Media, clips: Iterable[Clip]) -> bytes:
    """Write the body of the webhook from the resources of the API."""
    included = [_as_sent(clip) for clip in clips]
    return msgspec.json.encode(
        {"event": PROCESSING_FINISHED, "payload": {"data": _as_sent(media), "included": included}}
    )


def _as_sent(resource: Media | Clip) -> dict[str, Any]:
    # As the service sent it, with the fields that this version of the library does not know.
    return resource._source.read(resource._index)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
