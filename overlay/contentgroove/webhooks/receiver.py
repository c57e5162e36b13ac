"""Receive webhooks: record first, respond with 200, then process."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from contentgroove._core.moments import moment
from contentgroove._core.secret import conceal
from contentgroove._io.own_threads import DELIVERIES, UNLIMITED, NoThreadError
from contentgroove.errors import InvalidInputError, WebhookAuthError, WebhookPayloadError

from . import application_inboxes, unreadable
from .apps import AsgiReceiver, Receipt, wsgi_app
from .dispatching import Dispatcher
from .events import event_key_for, finished_event_body, parse_event, to_bytes
from .failures import failure_text
from .handling import GRACE, LEASE, EventHandling
from .inbox import Backoff
from .subscribing import check_token
from .tracing import Span, span

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from contentgroove import AsyncContentGroove, Clip, ContentGroove, Media
    from contentgroove._core.names import MediaFilter
    from contentgroove._core.secret import Secret

    from .apps import AsgiApp, WsgiApp
    from .events import Event
    from .inbox import Inbox
    from .status import ReceiverStatus

logger = logging.getLogger("contentgroove")

# (assumed: webhook-200-only, webhook-retries)
MAX_BODY_BYTES = 10 * 1024 * 1024
"""The event of a media with a thousand clips has about a million bytes."""

THREAD_TIMEOUT = 10.0
"""Seconds for which a delivery waits for a thread. Senders give up after some time, and then send again."""

NOT_RECORDED = "The event was not recorded. Send it again."

OLDEST_FIRST: Final = "created_at"


class WebhookReceiver(EventHandling):
    """Receives webhooks, records them and runs their handlers.

    Args:
        inbox: The inbox that records the events.
        secret_token: The value of `?token=…` in the subscribed URL; `webhook_url` generates one. The service does not
            sign deliveries, so only the token distinguishes them from forged ones.
        confirm: Fetches a media by its id, such as `client.medias.get`, sync or async. Handlers then get the media
            from the API, and only if the API reports that it is finished. Clips and transcription are not fetched, so
            handlers get them only if there is a `secret_token` as well.
        max_body_bytes: The size of the largest accepted body.
        backoff: When a failed event is handled again, and after how many attempts it is dead.
        lease: Seconds for which a worker claims an event. The claim is renewed while a handler runs, however long it
            takes. If the worker's process is killed, the event is handled again after this time.
        grace: Seconds that the current event gets when the process ends or the context of `worker()` is left. Then its
            claim is handed back, so that another worker can handle it at once.
        between_events: Called before and after each handler, in the handler's thread, to renew connections that may
            have been dropped since the last event, such as `Session.remove`. Django's are renewed without it.
        outage_errors: More classes of exceptions that mean that something that handlers need cannot be reached. Those
            of the usual databases, HTTP libraries and queues are known by name. Such a failure does not count as one
            of the event's attempts, until it was claimed 1,000 times; after three in a row the worker pauses, up to
            five minutes at a time, and tries one event.
        dispatch: Called with the key of each event after it is recorded, such as `task.delay` of a queue whose workers
            call `receiver.handle(key)`. It may be async. It can also be set as an attribute.
        on_metrics: Called by the worker with a `ReceiverStatus`, at most once for each `poll_interval`.
        retention: Seconds for which done events are kept; the worker deletes older ones, as `inbox.prune` does. It must
            be longer than the service may repeat an event, such as 90 days (assumed: webhook-retention). By default
            none is deleted.

    Raises:
        InvalidInputError: The token is empty, a number is not greater than 0, or a hook cannot be called.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        secret_token: str | Secret | None = None,
        confirm: Callable[[str], object] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        backoff: Backoff | None = None,
        lease: float = LEASE,
        grace: float = GRACE,
        between_events: Callable[[], object] | None = None,
        outage_errors: tuple[type[BaseException], ...] = (),
        dispatch: Callable[[str], object] | None = None,
        on_metrics: Callable[[ReceiverStatus], object] | None = None,
        retention: float | None = None,
    ) -> None:
        secret_token = conceal(secret_token)
        if secret_token is not None and not (isinstance(secret_token.reveal(), str) and secret_token.reveal()):
            raise InvalidInputError("secret_token must not be empty; generate one with webhook_url().")
        if max_body_bytes < 1:
            raise InvalidInputError("max_body_bytes must be greater than 0.")
        super().__init__(
            inbox,
            confirm=confirm,
            authenticated=secret_token is not None,
            backoff=backoff or Backoff(),
            lease=lease,
            grace=grace,
            between_events=between_events,
            outage_errors=outage_errors,
            on_metrics=on_metrics,
            retention=retention,
        )
        self._token = secret_token
        self._max_body_bytes = max_body_bytes
        self._dispatcher = Dispatcher(inbox, dispatch)

    def check_headers(self, token: str | None, length: int) -> Receipt | None:
        """Check a request before its body is read.

        Args:
            token: The token in the request's URL.
            length: The announced length of the body in bytes; 0 if it was not announced.

        Returns:
            The receipt of a request that is refused; None if its body may be read.
        """
        if self._token is not None:
            try:
                check_token(self._token, token)
            except WebhookAuthError as error:
                return _refuse(401, error.message)
        if length > self._max_body_bytes:
            return _refuse(413, f"The body is larger than {self._max_body_bytes:,} bytes.")
        return None

    @property
    def max_body_bytes(self) -> int:
        """The size of the largest accepted body."""
        return self._max_body_bytes

    def receive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        """Check and record a delivery. The only I/O is that of the inbox.

        Args:
            body: The request's body.
            token: The token in the request's URL.

        Returns:
            The receipt, with status 200 (recorded), 400 (not an event; the body is kept, see `contentgroove webhooks
            replay`), 401 (wrong token), 413 (too large) or 503 (the inbox failed, so the service must send it again).
        """
        event = self._check(body, token)
        if isinstance(event, Receipt):
            return event
        self._serve()
        with span("receive") as started:
            started.set(key=event.dedupe_key, event=event.event)
            try:
                new = self._record(event.dedupe_key, event.body, started)
            except Exception as error:  # noqa: BLE001 - whatever an inbox raises, the service must send the event again
                started.fail(error)
                logger.error("The inbox could not record webhook %s: %s", event.dedupe_key, failure_text(error))  # noqa: TRY400 - it would log credentials
                return Receipt(503, reason=NOT_RECORDED)
        return Receipt(200, duplicate=not new, event=event)

    def _check(self, body: bytes | bytearray | memoryview | str, token: str | None) -> Event | Receipt:
        """Return the event of a delivery, or the receipt of one that is refused."""
        try:
            content = to_bytes(body)
        except WebhookPayloadError as error:
            return self.check_headers(token, 0) or _refuse(400, error.message)
        refused = self.check_headers(token, len(content))
        if refused is not None:
            return refused
        try:
            return parse_event(content)
        except WebhookPayloadError as error:
            return self._keep(content, error.message)

    def _keep(self, content: bytes, reason: str) -> Receipt:
        """Keep a body that a trusted sender sent and this version cannot read."""
        try:
            key = unreadable.keep(self._inbox, content, reason)
        except Exception as error:  # noqa: BLE001 - whatever an inbox raises, the service must send the body again
            logger.error("The inbox could not keep a body that cannot be read: %s", failure_text(error))  # noqa: TRY400 - it would log credentials
            return Receipt(503, reason=NOT_RECORDED)
        return _refuse(400, f"{reason} The body is kept as {key}." if key else reason)

    async def areceive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        """Check and record a delivery in a thread, because the inbox may block.

        Up to 40 deliveries have a thread at the same time; they do not use those of `anyio.to_thread`.

        Args:
            body: The request's body.
            token: The token in the request's URL.

        Returns:
            The receipt, with status 200 (recorded), 400 (not an event; the body is kept, see `contentgroove webhooks
            replay`), 401 (wrong token), 413 (too large) or 503 (the inbox failed, so the service must send it again).
        """
        try:
            return await DELIVERIES.run_within(THREAD_TIMEOUT, partial(self.receive, body, token))
        except NoThreadError:
            logger.error("A webhook was not recorded: all threads stayed in use. The inbox may hang.")  # noqa: TRY400 - nothing was raised by it
            return Receipt(503, reason=NOT_RECORDED)

    def reconcile(self, client: ContentGroove, *, since: dt.datetime) -> int:
        """Record the events that were never delivered, from medias and clips of the API, and return their number.

        A webhook that arrives later is a duplicate. Recorded events have no transcription: the API does not return it.

        Args:
            client: A `ContentGroove` client.
            since: Only medias whose processing started at this time or later are checked.

        Raises:
            InvalidInputError: `since` has no time zone, or is before the time up to which the inbox was pruned.
            InboxError: The inbox failed.
            ContentGrooveError: A call failed; the events found before it are recorded.
        """
        found = 0
        for media in client.medias.list(filter=_medias_filter(since, self._inbox), sort=OLDEST_FIRST):
            if _is_missing(media, self._inbox):
                clips = client.clips.list(filter={"media_id_eq": media.id}, sort=OLDEST_FIRST)
                found += self._record_missing(media, list(clips))
        return found

    async def areconcile(self, client: AsyncContentGroove, *, since: dt.datetime) -> int:
        """Record the events that were never delivered, from medias and clips of the API, and return their number.

        A webhook that arrives later is a duplicate. Recorded events have no transcription: the API does not return it.

        Args:
            client: An `AsyncContentGroove` client.
            since: Only medias whose processing started at this time or later are checked.

        Raises:
            InvalidInputError: `since` has no time zone, or is before the time up to which the inbox was pruned.
            InboxError: The inbox failed.
            ContentGrooveError: A call failed; the events found before it are recorded.
        """
        medias_filter = await UNLIMITED.run(partial(_medias_filter, since, self._inbox))
        found = 0
        async for media in client.medias.list(filter=medias_filter, sort=OLDEST_FIRST):
            if await UNLIMITED.run(partial(_is_missing, media, self._inbox)):
                clips = client.clips.list(filter={"media_id_eq": media.id}, sort=OLDEST_FIRST)
                found += await UNLIMITED.run(partial(self._record_missing, media, [clip async for clip in clips]))
        return found

    @property
    def dispatch(self) -> Callable[[str], object] | None:
        """Called with the key of each event after it is recorded; None if this receiver's own worker handles events.

        If it raises, that is logged, and the service gets its 200 nevertheless: `dispatch_pending` calls it again.
        """
        return self._dispatcher.function

    @dispatch.setter
    def dispatch(self, function: Callable[[str], object] | None) -> None:
        self._dispatcher.function = function

    def dispatch_pending(self, *, older_than: float = 60.0, limit: int = 1_000) -> int:
        """Dispatch the events again that are due and not handled, and return how many were dispatched.

        Call it regularly, such as each minute: it finds what was lost between the inbox and the queue, events whose
        process was killed, and those that wait for another attempt. An event that is still in the queue may be
        dispatched twice; it is handled once.

        Args:
            older_than: Only events that have been due for this number of seconds, so that the queue has had time.
            limit: The maximum number of events.

        Raises:
            ConfigurationError: `dispatch` is not set, or the inbox cannot list such events.
            InboxError: The inbox failed.
            DispatchError: `dispatch` raised; the remaining events were not dispatched.
        """
        return self._dispatcher.dispatch_overdue(older_than, limit)

    async def adispatch_pending(self, *, older_than: float = 60.0, limit: int = 1_000) -> int:
        """Dispatch the events again that are due and not handled, and return how many were dispatched.

        Call it regularly, such as each minute: it finds what was lost between the inbox and the queue, events whose
        process was killed, and those that wait for another attempt. An event that is still in the queue may be
        dispatched twice; it is handled once.

        Args:
            older_than: Only events that have been due for this number of seconds, so that the queue has had time.
            limit: The maximum number of events.

        Raises:
            ConfigurationError: `dispatch` is not set, or the inbox cannot list such events.
            InboxError: The inbox failed.
            DispatchError: `dispatch` raised; the remaining events were not dispatched.
        """
        return await UNLIMITED.run(partial(self._dispatcher.dispatch_overdue, older_than, limit))

    @property
    def asgi(self) -> AsgiApp:
        """A mountable ASGI app, which reads the token from `?token=…`."""
        return AsgiReceiver(self)

    @property
    def wsgi(self) -> WsgiApp:
        """A mountable WSGI app, which reads the token from `?token=…`."""
        return wsgi_app(self)

    def _record_missing(self, media: Media, clips: list[Clip]) -> bool:
        with span("reconcile") as started:
            return self._record(event_key_for(media), finished_event_body(media, clips), started)

    def _record(self, key: str, body: bytes, started: Span) -> bool:
        """Record an event, then wake the worker and dispatch the event: both may fail, because it is recorded."""
        new = application_inboxes.record(self._inbox, key, body, started.trace)
        self._wakeup.notify()
        if new:
            self._dispatcher.dispatch_recorded(key)
        return new


def _medias_filter(since: dt.datetime, inbox: Inbox) -> MediaFilter:
    """Return the filter for medias whose processing started at `since` or later."""
    if since.tzinfo is None:
        raise InvalidInputError(f"since= must have a time zone, such as tzinfo=datetime.UTC, not {since!r}.")
    pruned_until = inbox.pruned_until()
    if since.timestamp() < pruned_until:
        raise InvalidInputError(
            f"Events before {moment(pruned_until):%Y-%m-%d %H:%M:%S} UTC may have been pruned and would be handled "
            f"again. Pass that time or a later one as since=, not {since}."
        )
    return {"processing_started_at_gteq": since}


# (assumed: webhook-none-for-failed)
def _is_missing(media: Media, inbox: Inbox) -> bool:
    """Whether a finished media has no event in the inbox. The service sends none if it could not fetch the media."""
    failed = getattr(media, "has_fetch_error", False)
    return media.is_finished and not failed and not inbox.has(event_key_for(media))


def _refuse(status_code: int, reason: str) -> Receipt:
    logger.warning("A webhook was refused: %s", reason)
    return Receipt(status_code, reason=reason)
