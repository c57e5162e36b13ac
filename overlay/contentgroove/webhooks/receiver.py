"""Receive webhooks: record first, respond with 200, then process."""

from __future__ import annotations

import logging
import sys
from contextlib import closing
from typing import TYPE_CHECKING, TypeVar

from contentgroove._core.io import run_sync
from contentgroove._core.moments import moment
from contentgroove._core.secret import conceal
from contentgroove._core.tracebacks import drop_frames
from contentgroove.errors import ConfigurationError, InvalidInputError, WebhookAuthError, WebhookPayloadError

from .apps import AsgiReceiver, Receipt, wsgi_app
from .events import event_key_for, finished_event_body, parse_event, to_bytes
from .inbox import Backoff, HandlerError
from .processing import AsyncHandlerIO, EventProcessor, Outcome, SyncHandlerIO, describe_error
from .subscribing import check_token
from .worker import POLL_INTERVAL, Wakeup, Worker

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from contentgroove import AsyncContentGroove, Clip, ContentGroove, Media
    from contentgroove._core.secret import Secret

    from .apps import AsgiApp, WsgiApp
    from .events import Event
    from .inbox import Inbox

logger = logging.getLogger("contentgroove")

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The event of a media with a thousand clips has about a million bytes."""

LEASE = 900.0
"""Seconds: longer than handlers should take, and short enough that events of a killed worker do not wait for long."""

OLDEST_FIRST = "created_at"

Handler = TypeVar("Handler", bound="Callable[..., object]")


class WebhookReceiver:
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
        lease: Seconds for which a worker claims an event, extended after each handler. It must be longer than the
            slowest handler takes. If the worker dies, the event is handled again after this time.

    Raises:
        InvalidInputError: The token is empty, or a number is not greater than 0.
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
    ) -> None:
        secret_token = conceal(secret_token)
        if secret_token is not None and not (isinstance(secret_token.reveal(), str) and secret_token.reveal()):
            raise InvalidInputError("secret_token must not be empty; generate one with webhook_url().")
        if max_body_bytes < 1 or lease <= 0:
            raise InvalidInputError("max_body_bytes and lease must be greater than 0.")
        self._inbox = inbox
        self._token = secret_token
        self._max_body_bytes = max_body_bytes
        self._processor = EventProcessor(
            inbox, confirm=confirm, authenticated=secret_token is not None, backoff=backoff or Backoff(), lease=lease
        )
        self._wakeup = Wakeup()
        self._worker: Worker | None = None

    def on(self, event: str, *, name: str | None = None, transaction: bool = False) -> Callable[[Handler], Handler]:
        """Register a handler of an event, or of all events with `"*"`. Handlers run in the order of registration.

        A handler takes the event and may be async. If it raises, the other handlers still run, and it is called again
        later with a higher `event.attempt`; handlers that succeeded are not. A process may be killed after a handler
        has finished and before that is recorded, so handlers run at least once; with transaction=True exactly once.

        Args:
            event: The event's name, or `*`.
            name: The name of its stored success; by default the qualified name. Keep it when you rename the function.
            transaction: Call it with a second argument, the inbox's database connection. Its writes there are
                committed together with its success. It must be sync and must not commit.

        Raises:
            InvalidInputError: The name is already used, or an async handler has transaction=True.
            ConfigurationError: The inbox has no transactions.
        """

        def register(handler: Handler) -> Handler:
            self._processor.add(event, handler, name, transaction=transaction)
            return handler

        return register

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
    def inbox(self) -> Inbox:
        """The inbox that records the events."""
        return self._inbox

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
            The receipt, with status 200 (recorded), 400 (not an event), 401 (wrong token), 413 (too large) or 503 (the
            inbox failed, so the service must send the event again).
        """
        event = self._check(body, token)
        if isinstance(event, Receipt):
            return event
        outer = sys.exception()
        try:
            new = self._inbox.record(event.dedupe_key, event.body)
        except Exception as error:
            # Whatever an inbox raises, the service must be told to send the event again.
            drop_frames(error, outer)
            logger.exception("The inbox could not record webhook %s", event.dedupe_key)
            return Receipt(503, reason="The event was not recorded. Send it again.")
        self._wakeup.notify()
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
            return _refuse(400, error.message)

    async def areceive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        """Check and record a delivery in a thread, because the inbox may block.

        Args:
            body: The request's body.
            token: The token in the request's URL.

        Returns:
            The receipt, with status 200 (recorded), 400 (not an event), 401 (wrong token), 413 (too large) or 503 (the
            inbox failed, so the service must send the event again).
        """
        from anyio import to_thread

        return await to_thread.run_sync(self.receive, body, token)

    def process_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """Handle all due events and return how many were handled. Async handlers run in a private event loop.

        Does nothing if no handler is registered. An event without a matching handler is completed.

        Args:
            should_stop: Called before each event; if it returns True, the remaining events stay pending.

        Raises:
            HandlerError: Handlers failed. It is raised after all events; the failed ones are handled again later.
            InboxError: The inbox failed.
            ConfigurationError: A handler is async and an event loop is running; await `aprocess_pending` instead.
        """
        with closing(SyncHandlerIO(needs_loop=self._processor.any_async)) as io:
            return _handled_count(run_sync(self._processor.process(io, should_stop)))

    async def aprocess_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """Handle all due events and return how many were handled. Async handlers run in this loop, others in threads.

        Does nothing if no handler is registered. An event without a matching handler is completed.

        Args:
            should_stop: Called before each event; if it returns True, the remaining events stay pending.

        Raises:
            HandlerError: Handlers failed. It is raised after all events; the failed ones are handled again later.
            InboxError: The inbox failed.
        """
        return _handled_count(await self._processor.process(AsyncHandlerIO(), should_stop))

    def work(self, *, poll_interval: float = POLL_INTERVAL, should_stop: Callable[[], bool] | None = None) -> None:
        """Handle events in this thread, as soon as they arrive or are due again, until `stop_worker` is called.

        It is for a process that does nothing else; a signal handler may call `stop_worker`. A `KeyboardInterrupt` or
        `SystemExit` ends it and releases the current event.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.
            should_stop: Called before each event and between checks; if it returns True, this method returns.

        Raises:
            ConfigurationError: A worker is already running.
        """
        self._worker = Worker(self._require_no_worker(), self._wakeup, poll_interval, should_stop)
        try:
            self._worker.work(lambda stop: self.process_pending(should_stop=stop))
        finally:
            self._worker = None

    def start_worker(self, *, poll_interval: float = POLL_INTERVAL) -> None:
        """Handle events in a thread, as soon as they arrive or are due again. Start it in the serving process.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.

        Raises:
            ConfigurationError: A worker is already running.
        """
        self._worker = Worker(self._require_no_worker(), self._wakeup, poll_interval)
        self._worker.start_thread(lambda stop: self.process_pending(should_stop=stop))

    def stop_worker(self, timeout: float | None = None) -> bool:
        """Stop the worker after the current event; False if its thread has not ended after `timeout` seconds."""
        if self._worker is None:
            return True
        stopped = self._worker.join(timeout)
        if stopped:
            self._worker = None
        return stopped

    def worker(self, *, poll_interval: float = POLL_INTERVAL) -> AbstractAsyncContextManager[None]:
        """Handle events in a task while `async with receiver.worker():` is entered, such as in an app's lifespan.

        Leaving it waits for the current event.

        Args:
            poll_interval: Seconds between checks for events that other processes have recorded.
        """
        worker = Worker(self._inbox, self._wakeup, poll_interval)
        return worker.run_in_task(lambda stop: self.aprocess_pending(should_stop=stop))

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
        from anyio import to_thread

        medias_filter = await to_thread.run_sync(_medias_filter, since, self._inbox)
        found = 0
        async for media in client.medias.list(filter=medias_filter, sort=OLDEST_FIRST):
            if await to_thread.run_sync(_is_missing, media, self._inbox):
                clips = client.clips.list(filter={"media_id_eq": media.id}, sort=OLDEST_FIRST)
                found += await to_thread.run_sync(self._record_missing, media, [clip async for clip in clips])
        return found

    @property
    def asgi(self) -> AsgiApp:
        """A mountable ASGI app, which reads the token from `?token=…`."""
        return AsgiReceiver(self)

    @property
    def wsgi(self) -> WsgiApp:
        """A mountable WSGI app, which reads the token from `?token=…`."""
        return wsgi_app(self)

    def _record_missing(self, media: Media, clips: list[Clip]) -> bool:
        recorded = self._inbox.record(event_key_for(media), finished_event_body(media, clips))
        self._wakeup.notify()
        return recorded

    def _require_no_worker(self) -> Inbox:
        if self._worker is not None:
            raise ConfigurationError("A webhook worker is already running: call stop_worker() first.")
        return self._inbox


def _medias_filter(since: dt.datetime, inbox: Inbox) -> dict[str, dt.datetime]:
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


def _is_missing(media: Media, inbox: Inbox) -> bool:
    """Whether a finished media has no event in the inbox. The service sends none if it could not fetch the media."""
    failed = getattr(media, "has_fetch_error", False)
    return media.is_finished and not failed and not inbox.has(event_key_for(media))


def _refuse(status_code: int, reason: str) -> Receipt:
    logger.warning("A webhook was refused: %s", reason)
    return Receipt(status_code, reason=reason)


def _handled_count(outcome: Outcome) -> int:
    if outcome.errors:
        first = outcome.errors[0]
        raise HandlerError(
            f"{len(outcome.errors)} handler{'s' * (len(outcome.errors) > 1)} failed, the first with "
            f"{describe_error(first)}. Their events stay in the inbox and are handled again.",
            tuple(outcome.errors),
        )
    return outcome.handled
