"""Find events that were never delivered, by asking the API which medias have finished."""

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

    from .inbox import Inbox


OLDEST_FIRST = "created_at"


def medias_filter(since: dt.datetime, inbox: Inbox) -> dict[str, dt.datetime]:
    """Make the filter that finds the medias whose processing began at a moment or later.

    Raises:
        InvalidInputError: The moment has no zone, or handled events since then may have been forgotten.
    """
    if since.tzinfo is None:
        raise InvalidInputError(f"`since` needs a zone, such as datetime.timezone.utc; {since} has none.")
    pruned_until = inbox.pruned_until()
    if since.timestamp() < pruned_until:
        horizon = moment(pruned_until)
        raise InvalidInputError(
            f"Events that were done before {horizon:%Y-%m-%d %H:%M:%S} UTC may have been pruned, and would be handled "
            f"again; ask since then, not since {since}."
        )
    return {"processing_started_at_gteq": since}


def clips_filter(media: Media) -> dict[str, str]:
    """Make the filter that finds a media's clips."""
    return {"media_id_eq": media.id}


def is_missing(media: Media, inbox: Inbox) -> bool:
    """Whether a media has finished and no event of it is kept. The service sends none of what it could not fetch."""
    return media.is_finished and not media.has_fetch_error and not inbox.has(event_key_for(media))


def event_key_for(media: Media) -> str:
    """Name the event that tells that a media has finished."""
    return dedupe_key(PROCESSING_FINISHED, "medias", media.id, media.processing_started_at)


def finished_event_body(media: Media, clips: Iterable[Clip]) -> bytes:
    """Write the webhook's body of what the API says."""
    included = [_as_sent(clip) for clip in clips]
    return msgspec.json.encode(
        {"event": PROCESSING_FINISHED, "payload": {"data": _as_sent(media), "included": included}}
    )


def _as_sent(resource: Media | Clip) -> dict[str, Any]:
    # As the service sent it, with what this version of the library does not know.
    return resource._source.read(resource._index)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
