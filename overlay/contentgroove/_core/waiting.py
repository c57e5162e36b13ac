"""Waiting for the service to finish processing.

Finished means `is_processing` is false. Null, which a fresh resource has, is not finished. Failures that pass do
not end a wait; what is fetched at the deadline still counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, structs

from contentgroove.errors import (
    APIConnectionError,
    APIError,
    ContentGrooveError,
    InvalidInputError,
    MediaProcessingError,
    WaitTimeoutError,
)

from . import clips, medias
from .calls import call
from .inputs import check_seconds
from .listing import ListArguments, fetch_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contentgroove.models import Clip, Media

    from .calls import Operation, Session
    from .listing import ListOperation

T = TypeVar("T", bound="Media | Clip")

MIN_POLL_INTERVAL = 1.0
MAX_POLL_INTERVAL = 15.0
"""Seconds between looks when the caller names no interval: they grow from the first to the longest."""

POLL_INTERVAL_WITH_INBOX = 60.0
"""Seconds between looks at the service for who is woken by a webhook: it may be lost."""

INBOX_CHECK_INTERVAL = 0.5
"""Seconds between looks at an inbox, which are cheap; also keeps whoever forges webhooks from more calls than that."""

SHORTEST_ALLOWED_INTERVAL = 0.05
"""Seconds; an interval of 0 would be a busy loop against the service."""

MAX_LISTED_IDS = 10
"""How many ids an error names."""

MAX_LIST_PAGES = 10
LIST_PAGE_SIZE = 100
"""How far back a wait for several reads the list of the newest before it asks for single ones."""


class PollOptions(Struct, frozen=True):
    """How long and how often to look.

    Attributes:
        timeout: Seconds after which the wait gives up.
        interval: Seconds between looks, None to let them grow.
        on_update: Called with each state that differs from the one before.
        webhook_keys: Returns the names of the webhooks that have arrived about what is waited for, None if there is no
            way to know. One that is new is a reason to look, and nothing more: anybody might have sent it.
    """

    timeout: float
    interval: float | None
    on_update: Callable[[Any], object] | None
    webhook_keys: Callable[[], frozenset[str]] | None = None

    @staticmethod
    def checked(
        timeout: float,
        interval: float | None,
        on_update: Callable[[Any], object] | None,
        arrived: Callable[[], frozenset[str]] | None = None,
    ) -> PollOptions:
        """Check a wait's arguments.

        Raises:
            InvalidInputError: One of them is wrong.
        """
        check_seconds(timeout, "timeout")
        if interval is not None:
            interval = max(check_seconds(interval, "poll_interval"), SHORTEST_ALLOWED_INTERVAL)
        called: object = on_update
        if called is not None and not callable(called):
            raise InvalidInputError("on_update must be callable. Nothing was sent.")
        return PollOptions(timeout, interval, on_update, arrived)


async def wait_for_media(media_id: str, options: PollOptions, session: Session) -> Media:
    """Wait for one media.

    Raises:
        MediaProcessingError: The service could not fetch its file.
        WaitTimeoutError: It was not finished in time.
    """
    operation = medias.get_media(media_id)
    media = await _poll(operation, options, session, lambda item: item.has_fetch_error)
    if media is None:
        raise WaitTimeoutError(
            f"Media {media_id} was not finished after {options.timeout:g} s. Processing goes on: call "
            f"medias.wait({media_id!r}) again, with a longer timeout= if need be.",
            media_id=media_id,
        )
    if media.has_fetch_error:
        raise MediaProcessingError(
            f"Media {media_id} failed: the service could not fetch its file from {media.source_url}. Check that "
            "the URL can be reached from outside and leads to a video or audio file, then create a new media.",
            media_id=media_id,
        )
    return media


async def wait_for_clip(clip_id: str, media_id: str | None, options: PollOptions, session: Session) -> Clip:
    """Wait for one clip.

    Raises:
        WaitTimeoutError: It was not finished in time.
    """
    clip = await _poll(clips.get_clip(clip_id), options, session, lambda _: False)
    if clip is None:
        raise WaitTimeoutError(
            f"Clip {clip_id} was not finished after {options.timeout:g} s. Processing goes on: call "
            f"clips.wait({clip_id!r}) again, with a longer timeout= if need be.",
            media_id=media_id,
            clip_id=clip_id,
        )
    return clip


async def _poll(
    operation: Operation[T], options: PollOptions, session: Session, failed: Callable[[T], bool]
) -> T | None:
    schedule = PollSchedule(options, session)
    seen: T | None = None
    await schedule.check_inbox()
    while True:
        try:
            _, item = await call(operation, schedule.limited_session())
        except ContentGrooveError as error:
            if not _is_temporary(error):
                raise
        else:
            if item != seen and options.on_update is not None:
                await session.io.notify(options.on_update, item)
            seen = item
            if item.is_finished or failed(item):
                return item
        if not (await schedule.wait_for_next_poll()):
            return None


async def wait_for_medias(media_ids: Iterable[str], options: PollOptions, session: Session) -> tuple[Media, ...]:
    """Wait for several medias by reading the list of the newest instead of each one.

    Returns:
        The finished medias, in the order given; those that could not be fetched are among them.

    Raises:
        WaitTimeoutError: Some were not finished in time.
    """
    wanted = list(dict.fromkeys(media_ids))
    several = _ResourceKind(medias.get_media, medias.list_medias, lambda media: media.has_fetch_error)
    done = await _poll_many(several, wanted, options, session)
    if missing := [media_id for media_id in wanted if media_id not in done]:
        raise WaitTimeoutError(_timeout_message("medias", missing, len(wanted), options), media_id=missing[0])
    return tuple(done[media_id] for media_id in wanted)


async def wait_for_clips(clip_ids: Iterable[str], options: PollOptions, session: Session) -> tuple[Clip, ...]:
    """Wait for several clips, as `wait_for_medias` does for medias.

    Raises:
        WaitTimeoutError: Some were not finished in time.
    """
    wanted = list(dict.fromkeys(clip_ids))
    several = _ResourceKind(clips.get_clip, clips.list_clips, lambda _: False)
    done = await _poll_many(several, wanted, options, session)
    if missing := [clip_id for clip_id in wanted if clip_id not in done]:
        message = _timeout_message("clips", missing, len(wanted), options)
        raise WaitTimeoutError(message, media_id=None, clip_id=missing[0])
    return tuple(done[clip_id] for clip_id in wanted)


class _ResourceKind(Struct, Generic[T], frozen=True):
    """How to look for several of a kind."""

    get: Callable[[str], Operation[T]]
    walk: Callable[[ListArguments], ListOperation[T]]
    failed: Callable[[T], bool]


async def _poll_many(
    several: _ResourceKind[T], wanted: list[str], options: PollOptions, session: Session
) -> dict[str, T]:
    """Give those that have finished or failed: all, unless the time is over."""
    for id_ in wanted:
        several.get(id_)
    done: dict[str, T] = {}
    seen: dict[str, T] = {}
    schedule = PollSchedule(options, session)
    await schedule.check_inbox()
    while len(done) < len(wanted):
        try:
            found = await _fetch_wanted(several, {id_ for id_ in wanted if id_ not in done}, schedule.limited_session())
        except ContentGrooveError as error:
            if not _is_temporary(error):
                raise
            found = []
        for item in found:
            if seen.get(item.id) != item and options.on_update is not None:
                await session.io.notify(options.on_update, item)
            seen[item.id] = item
            if item.is_finished or several.failed(item):
                done[item.id] = item
        if len(done) < len(wanted) and not (await schedule.wait_for_next_poll()):
            break
    return done


def _timeout_message(kind: str, missing: list[str], wanted: int, options: PollOptions) -> str:
    return (
        f"{len(missing)} of {wanted} {kind} were not finished after {options.timeout:g} s: "
        f"{', '.join(missing[:MAX_LISTED_IDS])}{' …' if len(missing) > MAX_LISTED_IDS else ''}. "
        "Processing goes on: wait for them again."
    )


async def _fetch_wanted(several: _ResourceKind[T], wanted: set[str], session: Session) -> list[T]:
    found: dict[str, T] = {}
    if len(wanted) > 1:
        query = ListArguments(filter=None, sort="-created_at", page_number=None, page_size=LIST_PAGE_SIZE, limit=None)
        newest = several.walk(query)
        cursor = newest.cursor()
        for _ in range(MAX_LIST_PAGES):
            page = await fetch_page(newest, cursor, session)
            if page is None:
                break
            found.update((item.id, item) for item in page if item.id in wanted)
            if len(found) == len(wanted):
                return list(found.values())
    for id_ in sorted(wanted - found.keys()):
        _, found[id_] = await call(several.get(id_), session)
    return list(found.values())


def _is_temporary(error: ContentGrooveError) -> bool:
    if isinstance(error, APIError):
        return error.retryable
    return isinstance(error, APIConnectionError)


class PollSchedule:
    """When to look next, and how long a look may take."""

    def __init__(self, options: PollOptions, session: Session) -> None:
        self._session = session
        self._arrived = options.webhook_keys
        self._known_keys: frozenset[str] = frozenset()
        self._max_interval = options.interval or (
            MAX_POLL_INTERVAL if options.webhook_keys is None else POLL_INTERVAL_WITH_INBOX
        )
        grows = options.interval is None and options.webhook_keys is None
        self._interval = MIN_POLL_INTERVAL if grows else self._max_interval
        self._deadline = self._now() + options.timeout

    def _now(self) -> float:
        return self._session.clock.monotonic()

    def limited_session(self) -> Session:
        """Give the session with retries and timeouts that end with the wait."""
        remaining = max(self._deadline - self._now(), MIN_POLL_INTERVAL)
        policy = self._session.policy
        limited = structs.replace(policy, deadline=min(policy.deadline, remaining))
        return structs.replace(self._session, policy=limited, time_limit=remaining)

    async def check_inbox(self) -> bool:
        """Notice which webhooks have arrived; gives whether one is new."""
        if self._arrived is None:
            return False
        arrived = await self._session.io.call_blocking(self._arrived)
        is_news = not arrived <= self._known_keys
        self._known_keys = arrived
        return is_news

    async def wait_for_next_poll(self) -> bool:
        """Let time pass until the next look; False if the time is over."""
        now = self._now()
        if now >= self._deadline:
            return False
        end = min(now + self._interval, self._deadline)
        self._interval = min(self._interval * 1.5, self._max_interval)
        while (left := end - self._now()) > 0:
            if self._arrived is None:
                await self._session.io.sleep(left)
                break
            await self._session.io.sleep(min(left, INBOX_CHECK_INTERVAL))
            if await self.check_inbox():
                # The service may tell of it a little earlier than its API does.
                self._interval = min(MIN_POLL_INTERVAL, self._max_interval)
                break
        return True
