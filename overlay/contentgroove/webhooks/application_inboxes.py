"""What workers need of an inbox, with a substitute where an application's own inbox was written before it existed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove.errors import ConfigurationError

from .inbox import STATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inbox import Claim, Inbox, State

MAX_COUNTED = 10_000
"""How many events of a state are counted where the inbox cannot count."""


def record(inbox: Inbox, key: str, body: bytes, trace: str | None) -> bool:
    """Record an event, with its trace if there is one."""
    return inbox.record(key, body) if trace is None else inbox.record(key, body, trace=trace)


def record_dead(inbox: Inbox, key: str, body: bytes, error: str) -> bool:
    """Record a body that cannot be read; where the inbox cannot do that, a worker finds out that it cannot be read."""
    if not hasattr(inbox, "record_dead"):
        return inbox.record(key, body)
    return inbox.record_dead(key, body, error)


def unclaim(inbox: Inbox, claim: Claim, *, delay: float, error: str, handled: frozenset[str]) -> bool:
    """Release a claim without counting the attempt, or release it."""
    if not hasattr(inbox, "unclaim"):
        return inbox.release(claim, delay=delay, error=error, handled=handled)
    return inbox.unclaim(claim, delay=delay, error=error, handled=handled)


def claim_key(inbox: Inbox, key: str, lease: float) -> Claim | None:
    """Claim an event by its key.

    Raises:
        ConfigurationError: The inbox cannot do that.
    """
    if not hasattr(inbox, "claim_key"):
        raise ConfigurationError(f"{type(inbox).__name__} has no method claim_key, which handle() needs: add it.")
    return inbox.claim_key(key, lease)


def overdue(inbox: Inbox, seconds: float, limit: int) -> list[str]:
    """Return the keys of events that have been due for some time.

    Raises:
        ConfigurationError: The inbox cannot do that.
    """
    if hasattr(inbox, "overdue"):
        return inbox.overdue(seconds, limit)
    raise ConfigurationError(f"{type(inbox).__name__} has no method overdue, which dispatch_pending() needs: add it.")


def counts(inbox: Inbox) -> Mapping[State, int]:
    """Return the number of events in each state, up to a limit where the inbox cannot count."""
    if hasattr(inbox, "counts"):
        return inbox.counts()
    return {state: len(inbox.events(state, MAX_COUNTED)) for state in STATES}


def oldest_pending(inbox: Inbox) -> float | None:
    """When the first pending event was recorded."""
    if hasattr(inbox, "oldest_pending"):
        return inbox.oldest_pending()
    return min((event.recorded_at for event in inbox.events("pending", MAX_COUNTED)), default=None)


def last_done(inbox: Inbox) -> float | None:
    """When an event was last completed."""
    if hasattr(inbox, "last_done"):
        return inbox.last_done()
    return max((event.changed_at for event in inbox.events("done", MAX_COUNTED)), default=None)


def is_overdue(inbox: Inbox, seconds: float) -> bool:
    """Whether an event has been due for some time; unknown, and so False, where the inbox cannot tell."""
    return hasattr(inbox, "overdue") and bool(inbox.overdue(seconds, 1))


def beat(inbox: Inbox, pause: float) -> None:
    """Store that a worker lives, where the inbox can."""
    if hasattr(inbox, "beat"):
        inbox.beat(pause)


def last_beat(inbox: Inbox) -> tuple[float, float] | None:
    """Return the time and the pause of the last beat."""
    return inbox.last_beat() if hasattr(inbox, "last_beat") else None
