"""Find events that were never delivered, by asking the API which medias have finished."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from contentgroove.errors import InvalidInputError

from .dedupe import dedupe_key
from .events import PROCESSING_FINISHED

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable

    from contentgroove.models import Clip, Media

    from .inbox import Inbox


class _Medias(Protocol):
    def list(self, *, filter: Any, sort: str) -> Iterable[Media]: ...  # noqa: A002 - the API's name


class _Clips(Protocol):
    def list(self, *, filter: Any, sort: str) -> Iterable[Clip]: ...  # noqa: A002 - the API's name


class Client(Protocol):
    """What is asked of a client; `ContentGroove` is one."""

    @property
    def medias(self) -> _Medias:
        """The calls on medias."""
        ...

    @property
    def clips(self) -> _Clips:
        """The calls on clips."""
        ...


class _AsyncMedias(Protocol):
    def list(self, *, filter: Any, sort: str) -> AsyncIterable[Media]: ...  # noqa: A002 - the API's name


class _AsyncClips(Protocol):
    def list(self, *, filter: Any, sort: str) -> AsyncIterable[Clip]: ...  # noqa: A002 - the API's name


class AsyncClient(Protocol):
    """What is asked of an async client; `AsyncContentGroove` is one."""

    @property
    def medias(self) -> _AsyncMedias:
        """The calls on medias."""
        ...

    @property
    def clips(self) -> _AsyncClips:
        """The calls on clips."""
        ...


OLDEST_FIRST = "created_at"


def medias_since(since: dt.datetime, inbox: Inbox) -> dict[str, dt.datetime]:
    """Make the filter that finds the medias whose processing began at a moment or later.

    Raises:
        InvalidInputError: The moment has no zone, or handled events since then may have been forgotten.
    """
    if since.tzinfo is None:
        raise InvalidInputError(f"`since` needs a zone, such as datetime.timezone.utc; {since} has none.")
    pruned_until = inbox.pruned_until()
    if since.timestamp() < pruned_until:
        horizon = dt.datetime.fromtimestamp(pruned_until, dt.UTC)
        raise InvalidInputError(
            f"Events that were done before {horizon:%Y-%m-%d %H:%M:%S} UTC may have been pruned, and would be handled "
            f"again; ask since then, not since {since}."
        )
    return {"processing_started_at_gteq": since}


def clips_of(media: Media) -> dict[str, str]:
    """Make the filter that finds a media's clips."""
    return {"media_id_eq": media.id}


def is_missing(media: Media, inbox: Inbox) -> bool:
    """Whether a media has finished and no event of it is kept. The service sends none of what it could not fetch."""
    return media.is_finished and not media.has_fetch_error and not inbox.has(key_of(media))


def key_of(media: Media) -> str:
    """Name the event that tells that a media has finished."""
    return dedupe_key(PROCESSING_FINISHED, "medias", media.id, media.processing_started_at)


def finished_body(media: Media, clips: Iterable[Clip]) -> bytes:
    """Write the webhook's body of what the API says."""
    included = [clip._wire for clip in clips]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as sent
    data = media._wire  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as above
    return msgspec.json.encode({"event": PROCESSING_FINISHED, "payload": {"data": data, "included": included}})
