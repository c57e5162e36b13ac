"""What the sync and the async calls on medias make of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core.inputs import check_id, check_several
from contentgroove.models import Media

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove._core.calls import Session
    from contentgroove._core.uploads import UploadPlan
    from contentgroove._core.waiting import Patience
    from contentgroove._io.checkpoint_file import CheckpointFile
    from contentgroove._io.sources import Source
    from contentgroove.webhooks import Inbox
    from contentgroove.webhooks.arrivals import Arrivals

WAIT_TIMEOUT = 3600.0
"""Seconds: the service says of processing only that it takes some time, depending on size and duration."""

CONCURRENCY = 4
"""Uploads at once: enough to fill a line, few enough for a rate limit."""


def media_id(media: Media | str) -> str:
    """Give the id of a media or of what is one already, checked."""
    return check_id(media.id if isinstance(media, Media) else media, "media")


def media_ids(medias: Iterable[Media | str]) -> list[str]:
    """Give the ids of several medias or of what are ids already, checked.

    Raises:
        InvalidInputError: It is one media or id, or nothing to iterate.
    """
    check_several(medias, "medias")
    return [media_id(media) for media in medias]


def patience_for(*, wait: bool) -> Patience | None:
    """How an upload waits for its media to be processed, None if it does not."""
    if not wait:
        return None
    from contentgroove._core.waiting import Patience

    return Patience.checked(WAIT_TIMEOUT, None, None)


def arrivals(inbox: Inbox | None, media_ids: Iterable[str]) -> Arrivals | None:
    """How a wait learns of medias' webhooks, None if it has no inbox."""
    if inbox is None:
        return None
    from contentgroove.webhooks.arrivals import Arrivals

    return Arrivals(inbox, media_ids)


def plan_for(  # noqa: PLR0917 - two callers, both here
    source: Source,
    name: str | None,
    description: str | None,
    session: Session,
    claimed: dict[str, str],
    held: CheckpointFile | None,
) -> UploadPlan:
    """Plan an upload of a source, from where its checkpoint says."""
    from contentgroove._core.checkpoints import Fingerprint, as_text
    from contentgroove._core.uploads import Kept, make_plan

    return make_plan(
        Fingerprint(as_text(source.name), source.size, source.modified),
        (name, description),
        session,
        rewindable=source.rewindable,
        claimed=claimed,
        kept=None if held is None else Kept(str(held.path), held.read(), held.others),
    )
