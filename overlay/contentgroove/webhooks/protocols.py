"""Protocols of inboxes, in which events are recorded until they are handled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inbox import Claim, State, StoredEvent


class Inbox(Protocol):
    """Records each event once, and lets one worker at a time claim it.

    The methods may be called from any thread. They raise `InboxError` if the database fails. Methods with a claim
    return False and change nothing if the claim has expired and another worker has claimed the event.
    """

    def record(self, key: str, body: bytes) -> bool:
        """Record an event; False if its key is already recorded. When this returns, the event is stored safely."""
        ...

    def has(self, key: str) -> bool:
        """Whether an event with this key is recorded."""
        ...

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Return the keys of all events that start with a prefix. Claims nothing."""
        ...

    def claim(self, lease: float) -> Claim | None:
        """Claim the oldest due event for `lease` seconds; None if no event is due."""
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

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is due now; None if no event is open."""
        ...

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List the recorded events, the newest first."""
        ...

    def replay(self, key: str) -> bool:
        """Make a dead or done event pending again; False if it does not exist or is still open."""
        ...

    def prune(self, older_than: float) -> int:
        """Delete events that were done more than `older_than` seconds ago; returns how many.

        A deleted event is handled again if it is delivered again: keep events for longer than the service may repeat
        deliveries.
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
