"""What an inbox is, the states of a recorded event and the transitions between them.

    pending ──claim──► claimed ──done──► done ──replay──► pending
       ▲                │  │
       └──release───────┘  └──release for good──► dead ──replay──► pending

A claim is a lease: when it expires, the event is due again, so another worker takes over from a killed one. Inboxes
store these records and change them only by these methods.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, get_args, runtime_checkable

from contentgroove._core.tracebacks import with_safe_repr
from contentgroove.errors import ContentGrooveError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

logger = logging.getLogger("contentgroove")

State: TypeAlias = Literal["pending", "claimed", "done", "dead"]

STATES: tuple[State, ...] = get_args(State)

UNREADABLE = "unreadable:"
"""The start of the keys of bodies that could not be read as events; the rest is a digest."""

MAX_ERROR_TEXT = 4_000
"""In characters: how much of a handler's exception and its traceback is stored."""


class InboxError(ContentGrooveError):
    """The inbox's database failed: it cannot be reached, opened, read or written."""


class HandlerError(ContentGrooveError):
    """Handlers failed; their events stay in the inbox and are handled again.

    Attributes:
        errors: The exceptions of the failed handlers; of any kind, such as `SystemExit`.
    """

    def __init__(self, message: str, errors: tuple[BaseException, ...]) -> None:
        super().__init__(message)
        self.errors = errors


class DispatchError(ContentGrooveError):
    """An event could not be sent to the application's queue; it stays in the inbox."""


def printable(text: str) -> str:
    """Replace what databases and terminals reject: lone surrogates and NUL."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "")


def is_unreadable(key: str) -> bool:
    """Whether a key is that of a body that could not be read. Those of events have more colons, whatever their name."""
    return key.startswith(UNREADABLE) and key.count(":") == 1


@with_safe_repr
@dataclass(frozen=True, slots=True)
class Claim:
    """An event that a worker has claimed.

    Attributes:
        key: The event's dedupe key.
        body: Its body as received.
        number: How often the event was claimed so far; distinguishes this claim from others of the event.
        attempt: The number of this attempt, from 1; a replay resets it.
        handled: The names of the handlers that have succeeded in earlier attempts.
        trace: The context of the trace in which the event was recorded; None if there was none.
    """

    key: str
    body: bytes = field(repr=False)
    number: int
    attempt: int
    handled: frozenset[str]
    trace: str | None = None


@with_safe_repr
@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as stored in an inbox. Times are in seconds since 1970.

    Attributes:
        key: The event's dedupe key.
        body: Its body as received.
        state: `pending` (waits for a worker), `claimed` (a worker has it), `done` (every handler succeeded) or `dead`
            (given up after too many attempts; `replay` it when the cause is fixed).
        due: When a pending event may be handled, or when its claim expires.
        claims: How often it was claimed.
        attempts: How often it was claimed since it was recorded or replayed.
        handled: The names of the handlers that have succeeded.
        error: The exception of the last failed attempt: its type and text, then its traceback on further lines.
        recorded_at: When it was received.
        changed_at: When its state last changed.
        trace: The context of the trace in which it was recorded; None if there was none.
    """

    key: str
    body: bytes = field(repr=False)
    state: State = "pending"
    due: float
    claims: int = 0
    attempts: int = 0
    handled: frozenset[str] = frozenset()
    error: str = ""
    recorded_at: float
    changed_at: float
    trace: str | None = None

    @classmethod
    def new(cls, key: str, body: bytes, now: float, trace: str | None = None) -> StoredEvent:
        """Return the record of an event that was just received."""
        return cls(key=key, body=body, due=now, recorded_at=now, changed_at=now, trace=trace)

    @classmethod
    def new_dead(cls, key: str, body: bytes, now: float, error: str) -> StoredEvent:
        """Return the record of a body that was just received and cannot be handled."""
        return cls.new(key, body, now).released(now, None, error, frozenset())

    @property
    def is_open(self) -> bool:
        """Whether it must still be handled."""
        return self.state in {"pending", "claimed"}

    def is_forgotten(self, horizon: float) -> bool:
        """Whether `prune` deletes it: it was done, or a body is unreadable, since before a time."""
        ended = self.state == "done" or (self.state == "dead" and is_unreadable(self.key))
        return ended and self.changed_at < horizon

    def is_due(self, now: float) -> bool:
        """Whether a worker may claim it: no worker has claimed it, or the claim has expired."""
        return self.is_open and self.due <= now

    def is_claimed_by(self, claim: Claim) -> bool:
        """Whether a claim is the current one: it may have expired and been followed by another."""
        return self.state == "claimed" and self.claims == claim.number

    def claimed(self, now: float, lease: float) -> StoredEvent:
        """Return the record after a claim for `lease` seconds."""
        return replace(
            self, state="claimed", due=now + lease, claims=self.claims + 1, attempts=self.attempts + 1, changed_at=now
        )

    def claim(self) -> Claim:
        """Return the claim for the worker."""
        return Claim(self.key, self.body, self.claims, self.attempts, self.handled, self.trace)

    def with_progress(self, now: float, lease: float, handled: frozenset[str]) -> StoredEvent:
        """Return the record with the handlers that have succeeded so far and an extended claim."""
        return replace(self, due=now + lease, handled=handled)

    def done(self, now: float) -> StoredEvent:
        """Return the completed record. It forgets the handlers, because a replay runs all of them again."""
        return replace(self, state="done", due=now, handled=frozenset(), error="", changed_at=now)

    def released(self, now: float, delay: float | None, error: str, handled: frozenset[str]) -> StoredEvent:
        """Return the record after a failed attempt: due again after `delay` seconds, or dead if that is None."""
        return replace(
            self,
            state="dead" if delay is None else "pending",
            due=now + (delay or 0.0),
            handled=handled,
            error=printable(error[:MAX_ERROR_TEXT]),
            changed_at=now,
        )

    def unclaimed(self, now: float, delay: float, error: str, handled: frozenset[str]) -> StoredEvent:
        """Return the record as if this attempt had not been made, due after `delay` seconds.

        The number of claims stays, so that this claim differs from the next. Without an error, the last one is kept.
        """
        return replace(self.released(now, delay, error or self.error, handled), attempts=max(0, self.attempts - 1))

    def replayed(self, now: float) -> StoredEvent | None:
        """Return the record to be handled again; None if it is still open."""
        if self.is_open:
            return None
        return replace(self, state="pending", due=now, attempts=0, changed_at=now)


@with_safe_repr
@dataclass(frozen=True, slots=True)
class Backoff:
    """When a failed event is handled again: after delays that double, for a number of attempts.

    The defaults retry for about half a day, which is enough for an outage overnight.

    Attributes:
        first: Seconds after the first failure.
        longest: The maximum number of seconds between attempts.
        attempts: Attempts before an event is dead.
    """

    first: float = 1.0
    longest: float = 3600.0
    attempts: int = 24

    def __post_init__(self) -> None:
        if not (0 <= self.first <= self.longest and self.attempts >= 1):
            raise InvalidInputError(f"A back-off must have 0 <= first <= longest and attempts >= 1, not {self}.")

    def delay(self, attempt: int) -> float | None:
        """Seconds to wait after a failed attempt, counted from 1; None if it was the last."""
        if attempt >= self.attempts:
            return None
        # 2.0 ** 1024 overflows, so the exponent is limited.
        return min(self.longest, self.first * 2.0 ** min(attempt - 1, 64))


class Inbox(Protocol):
    """Records each event once, and lets one worker at a time claim it.

    The methods may be called from any thread. They raise `InboxError` if the database fails. Methods with a claim
    return False and change nothing if the claim has expired and another worker has claimed the event.
    """

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event; False if its key is already recorded. When this returns, the event is stored safely.

        `trace` is the context of the current trace; it is stored unchanged and returned with claims.
        """
        ...

    def record_dead(self, key: str, body: bytes, error: str) -> bool:
        """Record a body that cannot be read, as a dead event; False if its key is already recorded."""
        ...

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        ...

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        ...

    def claim(self, lease: float) -> Claim | None:
        """Claim the event that is due for longest, for `lease` seconds; None if no event is due."""
        ...

    def claim_key(self, key: str, lease: float) -> Claim | None:
        """Claim the event with this key for `lease` seconds; None if it does not exist or is not due."""
        ...

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Store the names of the handlers that have succeeded so far, and extend the claim."""
        ...

    def done(self, claim: Claim) -> bool:
        """Complete a claimed event."""
        ...

    def release(self, claim: Claim, *, delay: float | None, error: str, handled: frozenset[str]) -> bool:
        """Release a claimed event; it is due again after `delay` seconds, or dead if that is None."""
        ...

    def unclaim(self, claim: Claim, *, delay: float, error: str, handled: frozenset[str]) -> bool:
        """Release a claimed event without counting the attempt; an empty error leaves the last one."""
        ...

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        ...

    def overdue(self, seconds: float, limit: int = 1_000) -> list[str]:
        """Return the keys of the events that have been due for at least `seconds` seconds, the longest due first."""
        ...

    def last_done(self) -> float | None:
        """When an event was last completed, in seconds since 1970; None if none is done."""
        ...

    def beat(self, pause: float) -> None:
        """Store that a worker lives now, and for how many seconds it pauses; 0 if it does not."""
        ...

    def last_beat(self) -> tuple[float, float] | None:
        """Return the time of the last `beat`, in seconds since 1970, and its pause; None if there was none."""
        ...

    def counts(self) -> Mapping[State, int]:
        """Return the number of events in each of the four states."""
        ...

    def oldest_pending(self) -> float | None:
        """When the first recorded pending event was recorded, in seconds since 1970; None if none is pending."""
        ...

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        ...

    def replay(self, key: str) -> bool:
        """Make a dead or done event pending again; False if it does not exist or is still open."""
        ...

    def prune(self, older_than: float) -> int:
        """Delete events that were done, and bodies that are unreadable, since more than `older_than` seconds.

        Returns how many. A deleted event is handled again if it is delivered again: keep events longer than the
        service may repeat them.
        """
        ...

    def pruned_until(self) -> float:
        """The time, in seconds since 1970, before which done events may have been deleted; 0 if none were."""
        ...


@runtime_checkable
class TransactionalInbox(Protocol):
    """An inbox whose database handlers can write to in the transaction that stores their success."""

    def apply(self, claim: Claim, name: str, effect: Callable[[Any], object], lease: float) -> bool:
        """Call a handler with the database connection, and commit its writes together with its success.

        If the handler raises, nothing is committed. If the claim has expired, returns False without calling it.
        """
        ...


class EventUpdates(ABC):
    """The methods of an inbox that change one event; inboxes define how to load and store it."""

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Store the names of the handlers that have succeeded so far, and extend the claim."""
        return self._update_claimed(claim, lambda event, now: event.with_progress(now, lease, handled))

    def done(self, claim: Claim) -> bool:
        """Complete a claimed event."""
        return self._update_claimed(claim, StoredEvent.done)

    def release(self, claim: Claim, *, delay: float | None, error: str, handled: frozenset[str]) -> bool:
        """Release a claimed event; it is due again after `delay` seconds, or dead if that is None."""
        return self._update_claimed(claim, lambda event, now: event.released(now, delay, error, handled))

    def unclaim(self, claim: Claim, *, delay: float, error: str, handled: frozenset[str]) -> bool:
        """Release a claimed event without counting the attempt; an empty error leaves the last one."""
        return self._update_claimed(claim, lambda event, now: event.unclaimed(now, delay, error, handled))

    def replay(self, key: str) -> bool:
        """Make a dead or done event pending again; False if it does not exist or is still open."""
        return self._update(key, StoredEvent.replayed)

    def _update_claimed(self, claim: Claim, change: Callable[[StoredEvent, float], StoredEvent]) -> bool:
        return self._update(claim.key, lambda event, now: change(event, now) if event.is_claimed_by(claim) else None)

    @abstractmethod
    def _update(self, key: str, change: Callable[[StoredEvent, float], StoredEvent | None]) -> bool:
        """Change an event; False if it does not exist or `change` returns None."""


class ArrivalWatcher:
    """Returns the keys of the recorded events about some medias.

    If the inbox fails, that is logged and the last result is returned: the wait also polls the API.
    """

    def __init__(self, inbox: Inbox, media_ids: Iterable[str]) -> None:
        if not callable(getattr(inbox, "keys_with_prefix", None)):
            raise InvalidInputError(
                f'inbox must be an inbox, such as SQLiteInbox("events.db"), not {type(inbox).__name__}. '
                "Nothing was sent."
            )
        # Imported here because a wait without an inbox does not need the decoders of events.
        from .events import PROCESSING_FINISHED, key_prefix

        self._inbox = inbox
        self._prefixes = {key_prefix(PROCESSING_FINISHED, "medias", media_id) for media_id in media_ids}
        self._last: frozenset[str] = frozenset()
        self._failing = False

    def __call__(self) -> frozenset[str]:
        """Search the inbox."""
        try:
            self._last = frozenset[str]().union(*(self._inbox.keys_with_prefix(prefix) for prefix in self._prefixes))
        except InboxError as error:
            if not self._failing:
                logger.warning("The inbox failed; the wait continues without it: %s", error)
            self._failing = True
        else:
            self._failing = False
        return self._last
