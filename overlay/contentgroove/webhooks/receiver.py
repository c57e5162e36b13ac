"""Receive webhooks: record first, answer 200, then handle."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from contentgroove.errors import ConfigurationError, InvalidInputError, WebhookAuthError, WebhookPayloadError

from . import reconciliation
from .errors import HandlerError
from .events import parse_event, to_bytes
from .handling import EventProcessor, Outcome, describe_error
from .lifecycle import Backoff
from .tokens import check_token
from .worker import POLL_INTERVAL, Wakeup, Worker

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from contentgroove import AsyncContentGroove, ContentGroove

    from .asgi import AsgiApp
    from .events import Event
    from .inbox import Inbox
    from .wsgi import WsgiApp

logger = logging.getLogger("contentgroove")

MAX_BODY_BYTES = 10 * 1024 * 1024
"""The event of a media with a thousand clips has about one million."""

LEASE = 900.0
"""Seconds: longer than handlers should take, short enough that a killed worker's events do not wait for long."""

Handler = TypeVar("Handler", bound="Callable[..., object]")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What to answer to a delivery.

    Attributes:
        status_code: 200 once the event is recorded; the service takes nothing else for delivered.
        duplicate: Whether the event had been recorded before.
        event: The event, None if the delivery was refused.
        reason: Why it was refused, empty if it was not.
    """

    status_code: int
    duplicate: bool = False
    event: Event | None = None
    reason: str = ""


class WebhookReceiver:
    """Takes webhooks in and has them handled.

    Args:
        inbox: Where events are recorded.
        secret_token: What the subscribed URL carries as `?token=…`; `webhook_url` makes one. The service signs
            nothing, so this is what tells its deliveries from forged ones.
        confirm: Fetches a media again by its id, such as `client.medias.get`, sync or async. Handlers then get the
            media as the API has it, and only if the API says that it is finished. Clips and transcription, which are
            not fetched, reach handlers only if there is a `secret_token` as well.
        max_body_bytes: The largest body that is taken in.
        backoff: When a failed event is handled again, and when it is given up.
        lease: Seconds for which a worker has an event, extended after each handler: longer than the slowest one. If
            the worker dies, the event is handled again after them.

    Raises:
        InvalidInputError: The token is empty, or a number is not above 0.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        secret_token: str | None = None,
        confirm: Callable[[str], object] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        backoff: Backoff | None = None,
        lease: float = LEASE,
    ) -> None:
        if secret_token is not None and not (isinstance(secret_token, str) and secret_token):
            raise InvalidInputError("secret_token is empty, so everybody would have it; use webhook_url() to make one.")
        if max_body_bytes < 1 or lease <= 0:
            raise InvalidInputError("max_body_bytes and lease must be above 0.")
        self._inbox = inbox
        self._token = secret_token
        self._max_body_bytes = max_body_bytes
        self._handlers = EventProcessor(
            inbox, confirm=confirm, authenticated=secret_token is not None, backoff=backoff or Backoff(), lease=lease
        )
        self._wakeup = Wakeup()
        self._worker: Worker | None = None

    def on(self, event: str, *, name: str | None = None, transaction: bool = False) -> Callable[[Handler], Handler]:
        """Register a handler of an event, or of all with `"*"`; handlers run in the order they were registered.

        A handler takes the event and may be async. One that raises does not keep the others from running, and is
        called again later, with a higher `event.attempt`; those that succeeded are not. A process may be killed
        between a handler's end and the note of it, so handlers run at least once, and in a transaction exactly once.

        Args:
            event: The event's name, or `*`.
            name: What its success is kept under, by default its qualified name. Keep it when you rename the function.
            transaction: Call it with a second argument, the inbox's database connection: what it writes there is
                committed together with the note that it has succeeded. It must be sync and must not commit.

        Raises:
            InvalidInputError: The name is taken, or an async handler wants the transaction.
            ConfigurationError: The inbox has no transactions.
        """

        def register(handler: Handler) -> Handler:
            self._handlers.add(event, handler, name, transaction=transaction)
            return handler

        return register

    def check_headers(self, token: str | None, length: int) -> Receipt | None:
        """Tell what to answer before a body is read; None if it may be read.

        Args:
            token: The token that came with the request.
            length: The body's length in bytes as announced, 0 if it was not.
        """
        if self._token is not None:
            try:
                check_token(self._token, token)
            except WebhookAuthError as error:
                logger.warning("A webhook was refused: %s", error)
                return Receipt(401, reason=error.message)
        if length > self._max_body_bytes:
            logger.warning("A webhook was refused: it has more than %d bytes.", self._max_body_bytes)
            return Receipt(413, reason=f"The body has more than {self._max_body_bytes:,} bytes.")
        return None

    @property
    def inbox(self) -> Inbox:
        """Where events are recorded."""
        return self._inbox

    @property
    def max_body_bytes(self) -> int:
        """The largest body that is taken in."""
        return self._max_body_bytes

    def receive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        """Check and record a delivery. Does no I/O but the inbox's.

        Args:
            body: The request's body.
            token: The token that came with it.

        Returns:
            What to answer: 200 recorded, 400 no event, 401 wrong token, 413 too large, 503 the inbox failed, which
            makes the service send it again.
        """
        try:
            content = to_bytes(body)
        except WebhookPayloadError as error:
            return self.check_headers(token, 0) or Receipt(400, reason=error.message)
        refused = self.check_headers(token, len(content))
        if refused is not None:
            return refused
        try:
            event = parse_event(content)
        except WebhookPayloadError as error:
            logger.warning("A webhook was refused: %s", error)
            return Receipt(400, reason=error.message)
        try:
            new = self._inbox.record(event.dedupe_key, event.body)
        except Exception:
            # Whatever an inbox raises, the service must hear that it has to send the event again.
            logger.exception("The inbox could not record webhook %s", event.dedupe_key)
            return Receipt(503, reason="The event could not be recorded; send it again.")
        self._wakeup.notify()
        return Receipt(200, duplicate=not new, event=event)

    async def areceive(self, body: bytes | bytearray | memoryview | str, token: str | None = None) -> Receipt:
        """As `receive`, in a thread, because an inbox may be a database."""
        from anyio import to_thread

        return await to_thread.run_sync(self.receive, body, token)

    def process_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """Handle all events that are due; gives how many were handled. Async handlers run in a loop of its own.

        Does nothing while no handler is registered; an event that none of the registered handlers wants is done.

        Args:
            should_stop: Asked before each event; once it says yes, the others wait for the next time.

        Raises:
            HandlerError: Handlers failed, after all events had their turn; those are handled again later.
            InboxError: The inbox failed.
            ConfigurationError: A handler is async and an event loop is running; await `aprocess_pending` instead.
        """
        return self._process(should_stop or _never)

    async def aprocess_pending(self, *, should_stop: Callable[[], bool] | None = None) -> int:
        """As `process_pending`: async handlers run in the running event loop, the others in threads.

        Raises:
            HandlerError: Handlers failed, after all events had their turn; those are handled again later.
            InboxError: The inbox failed.
        """
        return await self._aprocess(should_stop or _never)

    def work(self, *, poll_interval: float = POLL_INTERVAL, should_stop: Callable[[], bool] | None = None) -> None:
        """Handle events in this thread, as `start_worker` does in another, until `stop_worker` is called.

        For a process that does nothing else; a signal handler may call `stop_worker`. What is raised that is no
        `Exception`, such as a KeyboardInterrupt, ends it, and gives the event in hand back.

        Args:
            poll_interval: Seconds between looks for what other processes have recorded.
            should_stop: Asked before each event and between looks; once it says yes, this returns.

        Raises:
            ConfigurationError: A worker runs already.
        """
        self._worker = Worker(self._require_no_worker(), self._wakeup, poll_interval, should_stop or _never)
        try:
            self._worker.work(self._process)
        finally:
            self._worker = None

    def start_worker(self, *, poll_interval: float = POLL_INTERVAL) -> None:
        """Handle events in a thread, as soon as they arrive or are due again. Start it in the process that serves.

        Args:
            poll_interval: Seconds between looks for what other processes have recorded.

        Raises:
            ConfigurationError: It runs already.
        """
        self._worker = Worker(self._require_no_worker(), self._wakeup, poll_interval)
        self._worker.start_thread(self._process)

    def stop_worker(self, timeout: float | None = None) -> bool:
        """Stop the worker, after the event that it has begun; False if its thread has not ended after some seconds."""
        if self._worker is None:
            return True
        stopped = self._worker.join(timeout)
        if stopped:
            self._worker = None
        return stopped

    def worker(self, *, poll_interval: float = POLL_INTERVAL) -> AbstractAsyncContextManager[None]:
        """Handle events in a task while `async with receiver.worker():` is entered, such as in an app's lifespan.

        Leaving it waits for the event that is being handled.

        Args:
            poll_interval: Seconds between looks for what other processes have recorded.
        """
        return Worker(self._inbox, self._wakeup, poll_interval).run_in_task(self._aprocess)

    def reconcile(self, client: ContentGroove, *, since: dt.datetime) -> int:
        """Record the events that were never delivered, from what the API says; gives how many.

        A webhook that arrives later is a duplicate of it. The events made have no transcription, which the API does
        not give.

        Args:
            client: A `ContentGroove` client.
            since: Medias are looked at whose processing began then or later.

        Raises:
            InvalidInputError: `since` has no zone, or lies before what the inbox was pruned of.
            InboxError: The inbox failed.
            ContentGrooveError: A call failed; what was found before it is recorded.
        """
        wanted = reconciliation.medias_filter(since, self._inbox)
        found = 0
        for media in client.medias.list(filter=wanted, sort=reconciliation.OLDEST_FIRST):
            if reconciliation.is_missing(media, self._inbox):
                clips = list(
                    client.clips.list(filter=reconciliation.clips_filter(media), sort=reconciliation.OLDEST_FIRST)
                )
                found += self._inbox.record(
                    reconciliation.event_key_for(media), reconciliation.finished_event_body(media, clips)
                )
                self._wakeup.notify()
        return found

    async def areconcile(self, client: AsyncContentGroove, *, since: dt.datetime) -> int:
        """As `reconcile`, with an `AsyncContentGroove` client."""
        from anyio.to_thread import run_sync

        wanted = await run_sync(reconciliation.medias_filter, since, self._inbox)
        found = 0
        async for media in client.medias.list(filter=wanted, sort=reconciliation.OLDEST_FIRST):
            if await run_sync(reconciliation.is_missing, media, self._inbox):
                listed = client.clips.list(filter=reconciliation.clips_filter(media), sort=reconciliation.OLDEST_FIRST)
                body = reconciliation.finished_event_body(media, [clip async for clip in listed])
                found += await run_sync(self._inbox.record, reconciliation.event_key_for(media), body)
                self._wakeup.notify()
        return found

    @property
    def asgi(self) -> AsgiApp:
        """A mountable ASGI app; the token comes as `?token=…`."""
        from .asgi import ReceiverApp

        return ReceiverApp(self)

    @property
    def wsgi(self) -> WsgiApp:
        """A mountable WSGI app; the token comes as `?token=…`."""
        from .wsgi import wsgi_app

        return wsgi_app(self)

    def _require_no_worker(self) -> Inbox:
        if self._worker is not None:
            raise ConfigurationError("The webhook worker runs already; stop_worker() first.")
        return self._inbox

    def _process(self, should_stop: Callable[[], bool]) -> int:
        from .shells import run

        return _handled_count(run(self._handlers.process(should_stop), needs_loop=self._handlers.any_async))

    async def _aprocess(self, should_stop: Callable[[], bool]) -> int:
        from .shells import arun

        return _handled_count(await arun(self._handlers.process(should_stop)))


def _never() -> bool:
    return False


def _handled_count(outcome: Outcome) -> int:
    if outcome.errors:
        first = outcome.errors[0]
        raise HandlerError(
            f"{len(outcome.errors)} handler{'s' * (len(outcome.errors) > 1)} failed, the first with "
            f"{describe_error(first)}. Their events stay in the inbox and are handled again.",
            tuple(outcome.errors),
        )
    return outcome.handled
