"""The states of a recorded event and the transitions between them.

    pending ──claim──► claimed ──done──► done ──replay──► pending
       ▲                │  │
       └──release───────┘  └──release for good──► dead ──replay──► pending

A claim is a lease: when it expires, the event is due again, so another worker takes over from a killed one. Inboxes
store these records and change them only by these methods.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from contentgroove.errors import InvalidInputError

State: TypeAlias = Literal["pending", "claimed", "done", "dead"]

MAX_ERROR_TEXT = 500
"""In characters: how much of a handler's exception is stored."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event that a worker has claimed.

    Attributes:
        key: The event's dedupe key.
        body: Its body as received.
        number: How often the event was claimed so far; distinguishes this claim from others of the event.
        attempt: The number of this attempt, from 1; a replay resets it.
        handled: The names of the handlers that have succeeded in earlier attempts.
    """

    key: str
    body: bytes = field(repr=False)
    number: int
    attempt: int
    handled: frozenset[str]


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
        error: The exception of the last failed attempt.
        recorded_at: When it was received.
        changed_at: When its state last changed.
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

    @classmethod
    def new(cls, key: str, body: bytes, now: float) -> StoredEvent:
        """Return the record of an event that was just received."""
        return cls(key=key, body=body, due=now, recorded_at=now, changed_at=now)

    @property
    def is_open(self) -> bool:
        """Whether it must still be handled."""
        return self.state in {"pending", "claimed"}

    def is_due(self, now: float) -> bool:
        """Whether a worker may claim it: no worker has claimed it, or the claim has expired."""
        return self.is_open and self.due <= now

    def is_claimed_by(self, claim: Claim) -> bool:
        """Whether a claim is the current one: it may have expired and been followed by another."""
        return self.state == "claimed" and self.claims == claim.number

    def claimed(self, now: float, lease: float) -> StoredEvent:
        """Return the record after a claim for `lease` seconds."""
        return replace(
            self,
            state="claimed",
            due=now + lease,
            claims=self.claims + 1,
            attempts=self.attempts + 1,
            changed_at=now,
        )

    def claim(self) -> Claim:
        """Return the claim for the worker."""
        return Claim(self.key, self.body, self.claims, self.attempts, self.handled)

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
            error=error[:MAX_ERROR_TEXT].replace("\0", ""),
            changed_at=now,
        )

    def replayed(self, now: float) -> StoredEvent | None:
        """Return the record to be handled again; None if it is still open."""
        if self.is_open:
            return None
        return replace(self, state="pending", due=now, attempts=0, changed_at=now)


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
