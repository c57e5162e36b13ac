"""The states of a recorded event, and how it passes from one to the next.

    pending ──claim──► claimed ──done──► done ──replay──► pending
       ▲                │  │
       └──release───────┘  └──release for good──► dead ──replay──► pending

A claim is a lease: when it runs out, the event is due again, so what a killed worker held is taken by another.
Inboxes keep these records and change them by these methods alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from contentgroove.errors import InvalidInputError

State: TypeAlias = Literal["pending", "claimed", "done", "dead"]

MAX_ERROR_TEXT = 500
"""Characters kept of what a handler raised."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An event taken out to be handled.

    Attributes:
        key: The event's dedupe key.
        body: Its body as it came.
        number: How often the event was claimed so far; tells this claim from others of the same event.
        attempt: Which attempt this is, from 1, counted anew after a replay.
        handled: The names of the handlers that have succeeded in earlier attempts.
    """

    key: str
    body: bytes = field(repr=False)
    number: int
    attempt: int
    handled: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event as an inbox keeps it. Times are seconds since 1970.

    Attributes:
        key: The event's dedupe key.
        body: Its body as it came.
        state: `pending` (waits for a worker), `claimed` (a worker has it), `done` (every handler succeeded) or `dead`
            (given up after too many attempts; `replay` it once the cause is gone).
        due: When a pending event may be handled, or when a claim runs out.
        claims: How often it was claimed.
        attempts: How often it was claimed since it was recorded or replayed.
        handled: The names of the handlers that have succeeded.
        error: What the last failed attempt raised.
        recorded_at: When it arrived.
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
        """Make the record of an event that has just arrived."""
        return cls(key=key, body=body, due=now, recorded_at=now, changed_at=now)

    @property
    def is_open(self) -> bool:
        """Whether it still has to be handled."""
        return self.state in {"pending", "claimed"}

    def is_due(self, now: float) -> bool:
        """Whether a worker may claim it: nobody has it, or whoever had it let the claim run out."""
        return self.is_open and self.due <= now

    def is_claimed_by(self, claim: Claim) -> bool:
        """Whether a claim is still the current one: it may have run out and been followed by another."""
        return self.state == "claimed" and self.claims == claim.number

    def claimed(self, now: float, lease: float) -> StoredEvent:
        """Give it to a worker for a time, in seconds."""
        return replace(
            self,
            state="claimed",
            due=now + lease,
            claims=self.claims + 1,
            attempts=self.attempts + 1,
            changed_at=now,
        )

    def claim(self) -> Claim:
        """Tell the worker what it has claimed."""
        return Claim(self.key, self.body, self.claims, self.attempts, self.handled)

    def with_progress(self, now: float, lease: float, handled: frozenset[str]) -> StoredEvent:
        """Keep which handlers have succeeded so far, and extend the claim."""
        return replace(self, due=now + lease, handled=handled)

    def done(self, now: float) -> StoredEvent:
        """Close it: every handler has succeeded, and a replay would run all of them again."""
        return replace(self, state="done", due=now, handled=frozenset(), error="", changed_at=now)

    def released(self, now: float, delay: float | None, error: str, handled: frozenset[str]) -> StoredEvent:
        """Give it back after a failure, to be handled again after a delay in seconds; None gives it up."""
        return replace(
            self,
            state="dead" if delay is None else "pending",
            due=now + (delay or 0.0),
            handled=handled,
            error=error[:MAX_ERROR_TEXT].replace("\0", ""),
            changed_at=now,
        )

    def replayed(self, now: float) -> StoredEvent | None:
        """Have it handled once more; None if it is still to be handled anyway."""
        if self.is_open:
            return None
        return replace(self, state="pending", due=now, attempts=0, changed_at=now)


@dataclass(frozen=True, slots=True)
class Backoff:
    """When a failed event is handled again: after delays that double, for a number of attempts.

    The defaults try for about half a day, which bridges an outage over night.

    Attributes:
        first: Seconds after the first failure.
        longest: Seconds between attempts at most.
        attempts: Attempts before an event is given up as dead.
    """

    first: float = 1.0
    longest: float = 3600.0
    attempts: int = 24

    def __post_init__(self) -> None:
        if not (0 <= self.first <= self.longest and self.attempts >= 1):
            raise InvalidInputError(f"A back-off needs 0 <= first <= longest and an attempt at least, not {self}.")

    def delay(self, attempt: int) -> float | None:
        """Seconds to wait after an attempt that failed, counted from 1; None if it was the last."""
        if attempt >= self.attempts:
            return None
        # The exponent is bounded because 2.0 ** 1024 overflows.
        return min(self.longest, self.first * 2.0 ** min(attempt - 1, 64))
