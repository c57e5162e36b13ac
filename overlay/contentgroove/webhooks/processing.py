"""Process due events: claim, confirm, call the handlers, complete or release.

The steps are written once, as coroutines that call inboxes and handlers only through `HandlerIO`.
"""

from __future__ import annotations

import dataclasses
import inspect
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from contentgroove._core.redaction import redact_text
from contentgroove.errors import ConfigurationError, InvalidInputError, WebhookPayloadError
from contentgroove.models import Media

from .events import MediaProcessingFinished, event_key_for, finished_event_body, parse_event

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from .events import Event
    from .inbox import Backoff, Claim, Inbox, TransactionalInbox

logger = logging.getLogger("contentgroove")

ANY_EVENT = "*"

T = TypeVar("T")


class HandlerIO(Protocol):
    """How inboxes and handlers are called."""

    async def call(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool = True) -> T:
        """Call a function; if its result is awaitable, await it. An event loop calls blocking functions in threads."""
        ...


class SyncHandlerIO:
    """Calls functions in this thread; awaitables run in one private event loop."""

    def __init__(self, *, needs_loop: bool) -> None:
        self._runner: asyncio.Runner | None = None
        if not needs_loop:
            return
        # Imported here because its import takes long, and apps without async handlers do not need it.
        import asyncio

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return
        raise ConfigurationError(
            "process_pending() cannot run async handlers inside an event loop: await aprocess_pending()."
        )

    async def call(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool = True) -> T:
        """Call a function, and run an awaitable result to its end."""
        del blocking
        result: Any = function()
        if inspect.isawaitable(result):
            if self._runner is None:
                # Created for the first awaitable, because sync handlers must also run inside an event loop.
                import asyncio

                self._runner = asyncio.Runner()
            result = self._runner.run(_as_coroutine(result))
        value: T = result
        return value

    def close(self) -> None:
        """Close the event loop."""
        if self._runner is not None:
            self._runner.close()


class AsyncHandlerIO:
    """Calls functions in the running event loop; those that may block in threads."""

    async def call(self, function: Callable[[], Awaitable[T] | T], *, blocking: bool = True) -> T:
        """Call a function, and await an awaitable result."""
        from anyio import to_thread

        result: Any = await to_thread.run_sync(function) if blocking else function()
        value: T = await result if inspect.isawaitable(result) else result
        return value


@dataclass(slots=True)
class Outcome:
    """How many events were handled, and the exceptions of failed handlers."""

    handled: int = 0
    errors: list[Exception] = field(default_factory=list[Exception])


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
    handlers: list[Handler] = field(default_factory=list[Handler])

    def add(self, event: str, call: Callable[..., object], name: str | None, *, transaction: bool) -> None:
        """Register a handler; see `WebhookReceiver.on`."""
        if name is None:
            function = _without_partial(call)
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
        """Handle the due events one after the other, until none is left or a stop is requested."""
        outcome = Outcome()
        if not self.handlers:
            logger.warning("No webhook handler is registered. Recorded events stay pending.")
            return outcome
        while should_stop is None or not should_stop():
            claim = await io.call(partial(self.inbox.claim, self.lease))
            if claim is None:
                break
            await self._process_event(io, claim, outcome)
        return outcome

    async def _process_event(self, io: HandlerIO, claim: Claim, outcome: Outcome) -> None:
        if claim.attempt > self.backoff.attempts:
            # Failed attempts make an event dead at the last one, so the earlier workers were killed.
            error = f"{claim.attempt - 1} attempts were started and none finished."
            logger.error("Webhook %s is dead: %s", claim.key, error)
            await io.call(partial(self.inbox.release, claim, delay=None, error=error, handled=claim.handled))
            return
        try:
            event = await self._load_event(io, claim)
        except Exception as error:
            logger.exception("Cannot parse or confirm webhook %s", claim.key)
            await self._record_failure(io, claim, [error], claim.handled, outcome)
            return
        if event is None:
            await io.call(partial(self.inbox.done, claim))
            return
        await self._call_handlers(io, claim, event, outcome)

    async def _load_event(self, io: HandlerIO, claim: Claim) -> Event | None:
        """Parse and confirm the event; None if another one was recorded instead, for the run that the API names."""
        event = dataclasses.replace(parse_event(claim.body), attempt=claim.attempt)
        if self.confirm is None or not isinstance(event, MediaProcessingFinished):
            return event
        media = await io.call(partial(self.confirm, event.media.id), blocking=not is_async(self.confirm))
        confirmed = confirmed_event(event, media, authenticated=self.authenticated)
        if confirmed.dedupe_key == event.dedupe_key:
            return confirmed
        # A forger could name new runs of processing without limit; the run that the API names is handled once.
        await io.call(partial(self.inbox.record, confirmed.dedupe_key, finished_event_body(confirmed.media, ())))
        return None

    async def _call_handlers(self, io: HandlerIO, claim: Claim, event: Event, outcome: Outcome) -> None:
        handled = claim.handled
        errors: list[Exception] = []
        handlers = [item for item in self.handlers if item.event in {event.event, ANY_EVENT}]
        for handler in handlers:
            if handler.name in handled:
                continue
            try:
                still_claimed = await self._call_handler(io, claim, handler, event, handled)
            except Exception as error:
                logger.exception("The handler %s failed on webhook %s", handler.name, claim.key)
                errors.append(error)
            except (KeyboardInterrupt, SystemExit) as error:
                # The process must end, and the next one should not wait until the claim expires.
                text = describe_error(error)
                await io.call(partial(self.inbox.release, claim, delay=0.0, error=text, handled=handled))
                raise
            else:
                handled |= {handler.name}
                if not still_claimed:
                    _warn_lease_expired(claim)
                    return
        if errors:
            await self._record_failure(io, claim, errors, handled, outcome)
        elif await io.call(partial(self.inbox.done, claim)):
            outcome.handled += 1
            if not handlers:
                logger.info("Webhook %s has no handler. Replay it when there is one.", claim.key)
        else:
            _warn_lease_expired(claim)

    async def _call_handler(
        self, io: HandlerIO, claim: Claim, handler: Handler, event: Event, handled: frozenset[str]
    ) -> bool:
        call = partial(handler.call, event)
        if handler.transaction:
            inbox = cast("TransactionalInbox", self.inbox)
            return await io.call(partial(inbox.apply, claim, handler.name, call, self.lease))
        await io.call(call, blocking=not handler.is_async)
        return await io.call(partial(self.inbox.progress, claim, handled | {handler.name}, self.lease))

    async def _record_failure(
        self, io: HandlerIO, claim: Claim, errors: list[Exception], handled: frozenset[str], outcome: Outcome
    ) -> None:
        outcome.errors.extend(errors)
        delay = self.backoff.delay(claim.attempt)
        if delay is None:
            logger.error("Webhook %s is dead after %d attempts; replay it.", claim.key, claim.attempt)
        text = describe_error(errors[0])
        if not await io.call(partial(self.inbox.release, claim, delay=delay, error=text, handled=handled)):
            _warn_lease_expired(claim)


def is_async(call: object) -> bool:
    """Whether an object is an async callable: a coroutine function, or an object whose `__call__` is one."""
    call = _without_partial(call)
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def describe_error(error: BaseException) -> str:
    """Describe an exception without credentials in URLs, because the inbox stores and shows it."""
    return redact_text(f"{type(error).__name__}: {error}")


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


def _without_partial(call: object) -> object:
    while isinstance(call, partial):
        call = cast("object", call.func)  # pyright: ignore[reportUnknownMemberType] - of any type
    return call


def _warn_lease_expired(claim: Claim) -> None:
    logger.warning("The claim on webhook %s expired while it was handled. Another worker has claimed it.", claim.key)


async def _as_coroutine(awaitable: Awaitable[object]) -> object:
    return await awaitable
