"""Process due events: claim, confirm, call the handlers, complete or release.

The steps are written once, as coroutines that call inboxes and handlers only through `HandlerIO`. What a handler raises
is a failure of its event, whatever it is; only the end of the process or of the worker ends processing.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from contentgroove.errors import ConfigurationError, InvalidInputError, WebhookPayloadError
from contentgroove.models import Media

from . import application_inboxes
from .claims import HeldClaim, Renewer
from .events import MediaProcessingFinished, event_key_for, finished_event_body, parse_event
from .failures import describe_error, failure_text
from .handler_io import is_async, without_partial
from .inbox import HandlerError, is_unreadable
from .outages import Circuit, is_outage
from .tracing import NO_SPAN, Span, span
from .unreadable import read_again

if TYPE_CHECKING:
    from collections.abc import Callable

    from .between_events import BetweenEvents
    from .events import Event
    from .handler_io import HandlerIO
    from .inbox import Backoff, Claim, Inbox

logger = logging.getLogger("contentgroove")

ANY_EVENT = "*"

HAND_BACK_TIMEOUT = 10.0
"""Seconds that a worker which stops takes at most to hand back its claim."""


@dataclass(slots=True)
class Outcome:
    """How many events were handled and how many were claimed, and what failed handlers raised."""

    handled: int = 0
    claimed: int = 0
    errors: list[BaseException] = field(default_factory=list[BaseException])

    def count(self) -> int:
        """Return how many events were handled.

        Raises:
            HandlerError: Handlers failed.
        """
        if self.errors:
            raise HandlerError(
                f"{len(self.errors)} handler{'s' * (len(self.errors) > 1)} failed, the first with "
                f"{describe_error(self.errors[0]).rstrip('.')}. Their events stay in the inbox and are handled again.",
                tuple(self.errors),
            )
        return self.handled


@dataclass(frozen=True, slots=True)
class Handler:
    """A registered function, its event (or `*`) and the name under which its success is stored."""

    event: str
    name: str
    call: Callable[..., object]
    is_async: bool
    transaction: bool


@dataclass(slots=True)
class EventProcessor:
    """Claims due events of an inbox and calls their handlers.

    The settings are those of `WebhookReceiver`; `authenticated` means that it has a secret token, so that the
    unconfirmed parts of events are trusted.
    """

    inbox: Inbox
    confirm: Callable[[str], object] | None
    authenticated: bool
    backoff: Backoff
    lease: float
    between: BetweenEvents
    outage_errors: tuple[type[BaseException], ...]
    handlers: list[Handler] = field(default_factory=list["Handler"])
    circuit: Circuit = field(init=False)
    renewer: Renewer = field(init=False)
    last_error: str = ""
    _warned: bool = False

    def __post_init__(self) -> None:
        self.circuit = Circuit(self.backoff)
        self.renewer = Renewer(self.lease)

    def add(self, event: str, call: Callable[..., object], name: str | None, *, transaction: bool) -> None:
        """Register a handler; see `WebhookReceiver.on`."""
        if name is None:
            function = without_partial(call)
            qualified = getattr(function, "__qualname__", type(function).__qualname__)
            name = f"{getattr(function, '__module__', None) or type(function).__module__}.{qualified}"
        if any(handler.name == name for handler in self.handlers):
            raise InvalidInputError(
                f"Two handlers are named {name}, but success is stored by name: pass different names to on(…, name=…)."
            )
        # Since Python 3.12, isinstance would not see methods that an inbox delegates by __getattr__.
        if transaction and not hasattr(self.inbox, "apply"):
            raise ConfigurationError(
                f"{type(self.inbox).__name__} has no transactions: use SQLiteInbox or PostgresInbox for {name}."
            )
        handler = Handler(event, name, call, is_async(call), transaction)
        if transaction and handler.is_async:
            raise InvalidInputError(f"{name} must not be async, because its database connection blocks.")
        self.handlers.append(handler)

    @property
    def any_async(self) -> bool:
        """Whether a handler or `confirm` is async."""
        return is_async(self.confirm) or any(handler.is_async for handler in self.handlers)

    async def process(self, io: HandlerIO, should_stop: Callable[[], bool] | None) -> Outcome:
        """Handle the due events one after the other, until none is left, a stop is requested or the circuit opens."""
        outcome = Outcome()
        if not self.handlers:
            if not self._warned:
                logger.warning("No webhook handler is registered. Recorded events stay pending.")
            self._warned = True
            return outcome
        # If the circuit is open, the first event shows whether the outage is over.
        while should_stop is None or not should_stop():
            claim = await io.call(partial(self.inbox.claim, self.lease))
            if claim is None:
                break
            await self.handle(io, claim, outcome)
            if self.circuit.is_open:
                break
        return outcome

    async def handle(self, io: HandlerIO, claim: Claim, outcome: Outcome, retry_delay: float | None = None) -> None:
        """Handle a claimed event; if it fails, it is due again after `retry_delay`, or when the back-off says so."""
        held = HeldClaim(self.inbox, claim, self.lease)
        outcome.claimed += 1
        try:
            self.renewer.watch(held)
            with span("handle", claim.trace) as started:
                started.set(key=claim.key, attempt=claim.attempt)
                await _EventRun(self, io, held, outcome, started, retry_delay).process()
        except GeneratorExit:
            raise  # this coroutine is being closed, and cannot await
        except BaseException:
            # The worker or the process stops, or the inbox failed: others should not wait until the claim expires.
            await io.write(held.hand_back, HAND_BACK_TIMEOUT)
            raise
        finally:
            self.renewer.forget(held)


@dataclass(slots=True)
class _EventRun:
    """One attempt to handle an event."""

    settings: EventProcessor
    io: HandlerIO
    held: HeldClaim
    outcome: Outcome
    span: Span = NO_SPAN
    retry_delay: float | None = None

    async def process(self) -> None:
        """Confirm the event, call its handlers and complete or release it."""
        claim, backoff = self.held.claim, self.settings.backoff
        if claim.attempt > backoff.attempts:
            # Failed attempts make an event dead at the last one, so the earlier workers were killed.
            error = f"{claim.attempt - 1} attempts were started and none finished."
            logger.error("Webhook %s is dead: %s", claim.key, error)
            await self.io.write(partial(self.held.release, None, error))
            return
        if is_unreadable(claim.key):
            await self._read_again()
            return
        try:
            event = parse_event(claim.body)
            if event.attempt != claim.attempt:
                event = dataclasses.replace(event, attempt=claim.attempt)
            confirmed = await self._confirm(event)
        except Exception as error:  # noqa: BLE001 - of any kind: the event is handled again
            logger.error("Cannot parse or confirm webhook %s: %s", claim.key, failure_text(error))  # noqa: TRY400 - it would log credentials
            await self._fail([error])
            return
        if confirmed is None:
            await self.io.write(self.held.done)
            return
        await self._call_handlers(confirmed)

    async def _read_again(self) -> None:
        """Read a replayed body that could not be read; its event is handled under a key of its own."""
        claim = self.held.claim
        try:
            await self.io.call(partial(read_again, self.settings.inbox, claim))
        except WebhookPayloadError as error:
            logger.error("The body %s still cannot be read: %s", claim.key, error.message)  # noqa: TRY400 - the message has the reason

    async def _confirm(self, event: Event) -> Event | None:
        """Confirm the event; None if another one was recorded instead, for the run that the API names."""
        confirm = self.settings.confirm
        if confirm is None or not isinstance(event, MediaProcessingFinished):
            return event
        attempt = await self.io.attempt(partial(confirm, event.media.id), blocking=not is_async(confirm))
        if attempt.error is not None:
            raise _as_exception(attempt.error)
        confirmed = confirmed_event(event, attempt.value, authenticated=self.settings.authenticated)
        if confirmed.dedupe_key == event.dedupe_key:
            return confirmed
        # A forger could name new runs of processing without limit; the run that the API names is handled once.
        body = finished_event_body(confirmed.media, ())
        await self.io.call(
            partial(application_inboxes.record, self.settings.inbox, confirmed.dedupe_key, body, self.span.trace)
        )
        return None

    async def _call_handlers(self, event: Event) -> None:
        key = self.held.claim.key
        errors: list[BaseException] = []
        handlers = [item for item in self.settings.handlers if item.event in {event.event, ANY_EVENT}]
        for handler in handlers:
            if handler.name in self.held.handled:
                continue
            if self.held.may_be_lost and not await self.io.call(self.held.is_current):
                return
            still_claimed, error = await self._call_handler(handler, event)
            if error is not None:
                logger.error("The handler %s failed on webhook %s: %s", handler.name, key, failure_text(error))
                errors.append(error)
            elif not still_claimed:
                return
        if errors:
            await self._fail(errors)
        elif await self.io.write(self.held.done):
            self.settings.circuit.passed()
            self.outcome.handled += 1
            if not handlers:
                logger.info("Webhook %s has no handler. Replay it when there is one.", key)

    async def _call_handler(self, handler: Handler, event: Event) -> tuple[bool, BaseException | None]:
        """Call a handler and store its success; returns whether the event is still claimed, and what was raised."""
        between = self.settings.between
        if handler.transaction:
            apply = partial(self.held.apply, handler.name, partial(handler.call, event))
            applied = await self.io.attempt(partial(between.around, apply), blocking=True)
            return bool(applied.value), applied.error
        around = between.around_async if handler.is_async else between.around
        called = await self.io.attempt(partial(around, partial(handler.call, event)), blocking=not handler.is_async)
        if called.error is not None:
            return True, called.error
        return bool(await self.io.write(partial(self.held.progress, handler.name))), None

    async def _fail(self, errors: list[BaseException]) -> None:
        settings, claim = self.settings, self.held.claim
        self.outcome.errors.extend(errors)
        text = failure_text(errors[0])
        settings.last_error = describe_error(errors[0])
        self.span.fail(errors[0])
        if all(is_outage(error, settings.outage_errors) for error in errors):
            was_open = settings.circuit.is_open
            settings.circuit.failed(errors[0])
            if settings.circuit.is_open and not was_open:
                logger.error("Several events failed with outages; webhooks pause. The last: %s", settings.last_error)
            delay = settings.circuit.delay(claim.number)
            if delay is not None and hasattr(settings.inbox, "unclaim"):
                await self.io.write(partial(self.held.unclaim, self._delay(delay), text))
                return
        else:
            settings.circuit.passed()
        delay = settings.backoff.delay(claim.attempt)
        if delay is None:
            logger.error("Webhook %s is dead after %d attempts; replay it.", claim.key, claim.attempt)
        else:
            delay = self._delay(delay)
        await self.io.write(partial(self.held.release, delay, text))

    def _delay(self, delay: float) -> float:
        return delay if self.retry_delay is None else self.retry_delay


def _as_exception(error: BaseException) -> Exception:
    """Return what `except Exception` catches, because only an exception of the worker itself may pass it."""
    if isinstance(error, Exception):
        return error
    failure = RuntimeError(f"confirm= raised {describe_error(error)}")
    failure.__cause__ = error
    return failure


def confirmed_event(event: MediaProcessingFinished, media: object, *, authenticated: bool) -> MediaProcessingFinished:
    """Return the event with the media of the API.

    The API has no transcriptions, and each clip would need a call. Both are kept only if the sender has the token, and
    only those that the confirmed media names.
    """
    if not isinstance(media, Media) or media.id != event.media.id:
        raise WebhookPayloadError(f"confirm= did not return media {event.media.id}: pass client.medias.get.")
    if not media.is_finished:
        unknown = "is_processing" in media.missing
        reported = f"does not say whether media {media.id} is" if unknown else f"reports that media {media.id} is not"
        raise WebhookPayloadError(f"The API {reported} finished. The event is handled again later.")
    # What the API does not name, or not readably, does not contradict the webhook.
    transcription, transcription_id = event.transcription, getattr(media, "transcription_id", None)
    if not authenticated or (transcription and transcription_id not in {None, transcription.id}):
        transcription = None
    clip_ids = getattr(media, "clip_ids", None)
    return dataclasses.replace(
        event,
        media=media,
        clips=tuple(clip for clip in event.clips if authenticated and (clip_ids is None or clip.id in clip_ids)),
        transcription=transcription,
        dedupe_key=(
            event.dedupe_key if getattr(media, "processing_started_at", None) is None else event_key_for(media)
        ),
    )
