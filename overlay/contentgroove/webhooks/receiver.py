"""Receive webhooks: record first, answer 200, then handle."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hmac
import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove.errors import ContentGrooveError, WebhookPayloadError

from .events import Event, parse_event

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from .asgi import AsgiApp
    from .inbox import Claim, Inbox
    from .wsgi import WsgiApp

logger = logging.getLogger("contentgroove")

MAX_BODY = 10 * 1024 * 1024
"""Bytes; the event of a media with a thousand clips has about one million."""

FIRST_RETRY = 1.0
LAST_RETRY = 300.0
"""Seconds before a failed event is handled again: doubled with each attempt, from the first to the last."""

Handler = TypeVar("Handler", bound="Callable[[Any], object]")


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


class HandlerError(ContentGrooveError):
    """Handlers failed; the events stay in the inbox and are handled again.

    Attributes:
        errors: What each failed handler raised.
    """

    def __init__(self, message: str, errors: tuple[Exception, ...]) -> None:
        super().__init__(message)
        self.errors = errors


class WebhookReceiver:
    """Takes webhooks in and has them handled.

    Args:
        inbox: Where events are recorded.
        secret_token: What the subscribed URL carries as `?token=…`. The service signs nothing, so this is what
            tells its deliveries from forged ones.
        confirm: Fetches a media again by its id, such as `client.medias.get`: handlers then get what the API says
            instead of what was posted.
        max_body: Bytes that a body may have.
        monotonic: Another clock, for tests.
    """

    def __init__(
        self,
        inbox: Inbox,
        *,
        secret_token: str | None = None,
        confirm: Callable[[str], Any] | None = None,
        max_body: int = MAX_BODY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._token = secret_token
        self._confirm = confirm
        self.max_body = max_body
        self._monotonic = monotonic
        self._handlers: list[tuple[str, str, Callable[[Any], object]]] = []

    def on(self, event: str) -> Callable[[Handler], Handler]:
        """Register a handler of an event, or of all with `"*"`; handlers run in the order they were registered.

        A handler takes the event and may be async. One that raises does not keep the others from running, and is
        called again later; those that succeeded are not.
        """

        def register(handler: Handler) -> Handler:
            name = f"{len(self._handlers)}:{getattr(handler, '__qualname__', type(handler).__name__)}"
            self._handlers.append((event, name, handler))
            return handler

        return register

    def receive(self, body: bytes, token: str | None = None) -> Receipt:
        """Check and record a delivery. Does no I/O but the inbox's.

        Args:
            body: The request's body.
            token: The token that came with it.

        Returns:
            What to answer: 200 recorded, 400 no event, 401 wrong token, 413 too large, 503 the inbox failed.
        """
        if self._token is not None and not hmac.compare_digest(self._token.encode(), (token or "").encode()):
            return Receipt(401, reason="The token of the subscribed URL is missing or wrong.")
        if len(body) > self.max_body:
            return Receipt(413, reason=f"The body has more than {self.max_body:,} bytes.")
        try:
            event = parse_event(body)
        except WebhookPayloadError as error:
            return Receipt(400, reason=error.message)
        try:
            new = self._inbox.record(event.dedupe_key, event.body)
        except Exception:
            logger.exception("The inbox could not record %s", event.dedupe_key)
            return Receipt(503, reason="The event could not be recorded; send it again.")
        return Receipt(200, duplicate=not new, event=event)

    def process_pending(self) -> int:
        """Handle all events that are due; gives how many were handled.

        Raises:
            HandlerError: Handlers failed, after all events had their turn; those are handled again later.
        """
        steps = self._steps()
        try:
            call = next(steps)
            while True:
                try:
                    result = call()
                    if inspect.iscoroutine(result):
                        result = asyncio.run(result)
                except Exception as error:  # noqa: BLE001 - a handler may raise anything
                    call = steps.throw(error)
                else:
                    call = steps.send(result)
        except StopIteration as stop:
            handled: int = stop.value
            return handled

    async def aprocess_pending(self) -> int:
        """As `process_pending`; async handlers run in the running event loop."""
        steps = self._steps()
        try:
            call = next(steps)
            while True:
                try:
                    result = call()
                    if inspect.isawaitable(result):
                        result = await result
                except Exception as error:  # noqa: BLE001 - a handler may raise anything
                    call = steps.throw(error)
                else:
                    call = steps.send(result)
        except StopIteration as stop:
            handled: int = stop.value
            return handled

    def _steps(self) -> Generator[Callable[[], object], Any, int]:
        handled = 0
        errors: list[Exception] = []
        while (claim := self._inbox.claim(self._monotonic())) is not None:
            failed = yield from self._handle(claim)
            if failed:
                errors.extend(failed)
            else:
                handled += 1
        if errors:
            raise HandlerError(
                f"{len(errors)} handlers failed, the first with {type(errors[0]).__name__}: {errors[0]}. Their events "
                "stay in the inbox and are handled again.",
                tuple(errors),
            )
        return handled

    def _handle(self, claim: Claim) -> Generator[Callable[[], object], Any, list[Exception]]:
        event = parse_event(claim.body)
        succeeded = set(claim.handled)
        errors: list[Exception] = []
        confirmed = event
        if self._confirm is not None and hasattr(event, "media"):
            confirmed = yield from self._confirmed(event, errors)
        if not errors:
            for wanted, name, handler in self._handlers:
                if wanted not in {event.event, "*"} or name in succeeded:
                    continue
                try:
                    yield functools.partial(handler, confirmed)
                except Exception as error:
                    logger.exception("The handler %s failed on %s", name, claim.key)
                    errors.append(error)
                else:
                    succeeded.add(name)
        if errors:
            delay = min(LAST_RETRY, FIRST_RETRY * 2.0 ** min(claim.attempt - 1, 30))
            text = f"{type(errors[0]).__name__}: {errors[0]}"
            self._inbox.release(
                claim.key, due=self._monotonic() + delay, error=text[:500], handled=frozenset(succeeded)
            )
        else:
            self._inbox.done(claim.key)
        return errors

    def _confirmed(self, event: Any, errors: list[Exception]) -> Generator[Callable[[], object], Any, Event]:
        try:
            media = yield lambda: self._confirm(event.media.id) if self._confirm else None
        except Exception as error:
            logger.exception("Media %s could not be confirmed", event.media.id)
            errors.append(error)
            return event  # type: ignore[no-any-return]  # the caller checked what it is
        return dataclasses.replace(event, media=media)  # type: ignore[no-any-return]  # as above

    @property
    def asgi(self) -> AsgiApp:
        """A mountable ASGI app; the token comes as `?token=…`."""
        from .asgi import asgi_app

        return asgi_app(self)

    @property
    def wsgi(self) -> WsgiApp:
        """A mountable WSGI app; the token comes as `?token=…`."""
        from .wsgi import wsgi_app

        return wsgi_app(self)
