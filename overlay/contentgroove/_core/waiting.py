"""Waiting for the service to finish processing.

Finished means `is_processing` is false. Null, which a fresh resource has, is not finished, and neither is one whose
`is_processing` cannot be read (assumed: processing-null-first, processing-false-last, processing-stays-false,
clip-processing-null-first). Failures that pass do not end a wait; what is fetched at the deadline still counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct, structs

from contentgroove.errors import (
    APIConnectionError,
    APIError,
    ContentGrooveError,
    MediaProcessingError,
    PagingError,
    RateLimitError,
    ResponseDecodeError,
    WaitTimeoutError,
)

from . import operations
from .calls import call
from .inputs import check_seconds, invalid_input
from .paging import ListArguments, fetch_page
from .redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from contentgroove.models import Clip, Media

    from .calls import Operation, Session
    from .paging import ListOperation

T = TypeVar("T", bound="Media | Clip")

# (assumed: processing-minutes)
MIN_POLL_INTERVAL = 1.0
MAX_POLL_INTERVAL = 15.0
"""Seconds between polls by default: they grow from the minimum to the maximum."""

POLL_INTERVAL_WITH_INBOX = 60.0
"""Seconds between polls of the service if an inbox is watched: a webhook may be lost."""

INBOX_CHECK_INTERVAL = 0.5
"""Seconds between checks of an inbox, which are cheap. Forged webhooks cannot cause more polls than that."""

MIN_ALLOWED_INTERVAL = 0.05
"""Seconds; an interval of 0 would be a busy loop against the service."""

MAX_LISTED_IDS = 10
"""Ids that a message contains."""

# (assumed: page-size-capped)
MAX_LIST_PAGES = 34
LIST_PAGE_SIZE = 100
"""How far back a wait for several reads the list of the newest before it requests single ones.

A thousand items, even if the service returns 30 for a page of 100.
"""


class PollOptions(Struct, frozen=True):
    """How long and how often to poll.

    Attributes:
        timeout: Seconds after which the wait ends.
        interval: Seconds between polls, None to let them grow.
        on_update: Called with each state that differs from the previous one.
        webhook_keys: Returns the names of the webhooks that have arrived for the awaited items, None if there is no
            inbox. A new one is a reason to poll, and nothing more: its sender is not verified.
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
        webhook_keys: Callable[[], frozenset[str]] | None = None,
    ) -> PollOptions:
        """Check a wait's arguments."""
        check_seconds(timeout, "timeout")
        if interval is not None:
            interval = max(check_seconds(interval, "poll_interval"), MIN_ALLOWED_INTERVAL)
        callback: object = on_update
        if callback is not None and not callable(callback):
            raise invalid_input("on_update must be callable.")
        return PollOptions(timeout, interval, on_update, webhook_keys)


def upload_poll_options(timeout: float | None, *, default: float, wait: bool) -> PollOptions | None:
    """Check the arguments of an upload that may wait for its media; None if it does not wait."""
    if not wait:
        if timeout is not None:
            raise invalid_input("timeout= limits the wait of wait=True: pass both, or none.")
        return None
    return PollOptions.checked(default if timeout is None else timeout, None, None)


class _ResourceKind(Struct, Generic[T], frozen=True):
    """How to poll items of a kind."""

    name: str
    get: Callable[[str], Operation[T]]
    list: Callable[[ListArguments], ListOperation[T]]
    has_failed: Callable[[T], bool]


# (assumed: fetch-error-flag, not-media-flag)
def _has_fetch_error(media: Media) -> bool:
    # If it cannot be read, the media may still be processed; the log names the field.
    return getattr(media, "has_fetch_error", False)


_MEDIAS = _ResourceKind("medias", operations.get_media, operations.list_medias, _has_fetch_error)
_CLIPS = _ResourceKind("clips", operations.get_clip, operations.list_clips, lambda _: False)


async def wait_for_media(media_id: str, options: PollOptions, session: Session) -> Media:
    """Wait for one media; raise MediaProcessingError or WaitTimeoutError."""
    done, seen = await _poll(_MEDIAS, [media_id], options, session)
    media = done.get(media_id)
    if media is None:
        message = _timeout_message("Media", _MEDIAS, media_id, options) + _silence(seen.values())
        raise WaitTimeoutError(message, media_id=media_id)
    if _has_fetch_error(media):
        source = redact_url(getattr(media, "source_url", None) or "its URL")
        raise MediaProcessingError(
            f"Media {media_id} failed: the service could not fetch its file from {source}. Check that the URL is "
            "public and returns a video or audio file, then create a new media.",
            media_id=media_id,
        )
    return media


async def wait_for_clip(clip_id: str, media_id: str | None, options: PollOptions, session: Session) -> Clip:
    """Wait for one clip; raise WaitTimeoutError."""
    done, seen = await _poll(_CLIPS, [clip_id], options, session)
    clip = done.get(clip_id)
    if clip is None:
        message = _timeout_message("Clip", _CLIPS, clip_id, options) + _silence(seen.values())
        raise WaitTimeoutError(message, media_id=media_id, clip_id=clip_id)
    return clip


def _timeout_message(title: str, kind: _ResourceKind[Any], id_: str, options: PollOptions) -> str:
    return (
        f"{title} {id_} was not finished after {options.timeout:g} s. Processing continues: call "
        f"{kind.name}.wait({id_!r}) again. Pass a larger timeout=."
    )


async def wait_for_medias(media_ids: Iterable[str], options: PollOptions, session: Session) -> tuple[Media, ...]:
    """Wait for several medias by reading the list of the newest instead of each one.

    Those that the service could not fetch are returned as well; missing ones are a WaitTimeoutError.
    """
    ids = list(dict.fromkeys(media_ids))
    done, seen = await _poll(_MEDIAS, ids, options, session)
    if late := [media_id for media_id in ids if media_id not in done]:
        message = _late_message(_MEDIAS, late, len(ids), options) + _silence(seen.values())
        raise WaitTimeoutError(message, media_id=late[0])
    return tuple(done[media_id] for media_id in ids)


async def wait_for_clips(clip_ids: Iterable[str], options: PollOptions, session: Session) -> tuple[Clip, ...]:
    """Wait for several clips, like `wait_for_medias`."""
    ids = list(dict.fromkeys(clip_ids))
    done, seen = await _poll(_CLIPS, ids, options, session)
    if late := [clip_id for clip_id in ids if clip_id not in done]:
        message = _late_message(_CLIPS, late, len(ids), options) + _silence(seen.values())
        raise WaitTimeoutError(message, media_id=None, clip_id=late[0])
    return tuple(done[clip_id] for clip_id in ids)


def _late_message(kind: _ResourceKind[Any], late: list[str], total: int, options: PollOptions) -> str:
    return (
        f"{len(late)} of {total} {kind.name} were not finished after {options.timeout:g} s: "
        f"{', '.join(late[:MAX_LISTED_IDS])}{' …' if len(late) > MAX_LISTED_IDS else ''}. "
        "Processing continues: wait for them again."
    )


def _silence(seen: Iterable[Media | Clip]) -> str:
    """Return a sentence on the items of which the service never said whether they are finished; empty without any."""
    silent = [item.id for item in seen if not item.is_finished and not _says_whether_finished(item)]
    if not silent:
        return ""
    ids = ", ".join(silent[:MAX_LISTED_IDS])
    return f" The last responses did not say whether it is finished: is_processing of {ids} is absent or unreadable."


def _says_whether_finished(item: Media | Clip) -> bool:
    return "is_processing" in item.fields_set and "is_processing" not in item.missing


async def _poll(
    kind: _ResourceKind[T], ids: list[str], options: PollOptions, session: Session
) -> tuple[dict[str, T], dict[str, T]]:
    """Return the items that have finished or failed, which are all unless the time is over, and the last seen ones.

    Raises:
        ResponseDecodeError: The items that are not finished cannot be read.
    """
    # Built before anything is sent, because a wrong id is refused.
    remaining = {id_: kind.get(id_) for id_ in ids}
    done: dict[str, T] = {}
    seen: dict[str, T] = {}
    schedule = PollSchedule(options, session)
    await schedule.check_inbox()
    while remaining:
        found: dict[str, T] = {}
        unreadable: dict[str, ResponseDecodeError] = {}
        try:
            found, unreadable = await _fetch(kind, remaining, schedule.limited_session())
        except ContentGrooveError as error:
            if not _is_temporary(error) or schedule.is_over_before(error):
                raise
        for id_, item in found.items():
            if seen.get(id_) != item and options.on_update is not None:
                await session.io.notify(options.on_update, item)
            seen[id_] = item
            if item.is_finished or kind.has_failed(item):
                done[id_] = item
                del remaining[id_]
        if remaining and remaining.keys() <= unreadable.keys():
            raise next(iter(unreadable.values()))
        if remaining and not await schedule.wait_for_next_poll():
            break
    return done, seen


async def _fetch(
    kind: _ResourceKind[T], wanted: dict[str, Operation[T]], session: Session
) -> tuple[dict[str, T], dict[str, ResponseDecodeError]]:
    """Fetch items, several of them from the list of the newest as far as they are in it.

    Returns:
        The items, and the errors of those that cannot be read.
    """
    found = await _fetch_newest(kind, wanted.keys(), session) if len(wanted) > 1 else {}
    unreadable: dict[str, ResponseDecodeError] = {}
    for id_ in sorted(wanted.keys() - found.keys()):
        try:
            found[id_] = await call(wanted[id_], session)
        except ResponseDecodeError as error:
            unreadable[id_] = error
    return found, unreadable


async def _fetch_newest(kind: _ResourceKind[T], ids: AbstractSet[str], session: Session) -> dict[str, T]:
    """Fetch the items with these ids that are on the first pages of the list of the newest."""
    query = ListArguments(filter=None, sort="-created_at", page_number=None, page_size=LIST_PAGE_SIZE, limit=None)
    newest = kind.list(query)
    cursor = newest.cursor()
    found: dict[str, T] = {}
    # The list costs no more requests than the items would.
    for _ in range(min(MAX_LIST_PAGES, len(ids))):
        try:
            page = await fetch_page(newest, cursor, session)
        except (ResponseDecodeError, PagingError):
            # Each of the others can still be fetched by itself.
            break
        if page is None:
            break
        found.update((item.id, item) for item in page if item.id in ids)
        if len(found) == len(ids):
            break
    return found


def _is_temporary(error: ContentGrooveError) -> bool:
    if isinstance(error, APIError):
        return error.retryable
    return isinstance(error, APIConnectionError)


class PollSchedule:
    """When to poll next, and how long a poll may take."""

    def __init__(self, options: PollOptions, session: Session) -> None:
        self._session = session
        self._webhook_keys = options.webhook_keys
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
        """Return the session with retries and timeouts that end with the wait."""
        remaining = max(self._deadline - self._now(), MIN_POLL_INTERVAL)
        policy = self._session.policy
        limited = structs.replace(policy, deadline=min(policy.deadline, remaining))
        return structs.replace(self._session, policy=limited, time_limit=remaining)

    def is_over_before(self, error: ContentGrooveError) -> bool:
        """Return whether the service requested a pause that no call waits for and that the wait does not outlast."""
        if not isinstance(error, RateLimitError) or error.retry_after is None:
            return False
        return error.retry_after > max(self._deadline - self._now(), self._session.policy.max_retry_after)

    async def check_inbox(self) -> bool:
        """Check which webhooks have arrived; return whether one is new."""
        if self._webhook_keys is None:
            return False
        keys = await self._session.io.call_blocking(self._webhook_keys)
        is_new = not keys <= self._known_keys
        self._known_keys = keys
        return is_new

    async def wait_for_next_poll(self) -> bool:
        """Wait until the next poll; return False if the time is over."""
        now = self._now()
        if now >= self._deadline:
            return False
        end = min(now + self._interval, self._deadline)
        self._interval = min(self._interval * 1.5, self._max_interval)
        while (remaining := end - self._now()) > 0:
            if self._webhook_keys is None:
                await self._session.io.sleep(remaining)
                break
            await self._session.io.sleep(min(remaining, INBOX_CHECK_INTERVAL))
            if await self.check_inbox():
                # The webhook may arrive shortly before the API returns the new state.
                self._interval = min(MIN_POLL_INTERVAL, self._max_interval)
                break
        return True
