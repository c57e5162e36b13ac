"""What an inbox is: where events wait between their arrival and their handling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable

    from .lifecycle import Claim, State, StoredEvent


class Inbox(Protocol):
    """Records events once, and hands each to one worker at a time.

    Methods of an inbox may be called from any thread. A store that fails raises `InboxError`. Methods that take a
    claim give False, and change nothing, if the claim has run out and another worker has the event.
    """

    def record(self, key: str, body: bytes) -> bool:
        """Keep an event; False if one with the same key was kept before. Once this returns, the event is safe."""
        ...

    def has(self, key: str) -> bool:
        """Whether an event with this key is kept."""
        ...

    def keys_with_prefix(self, prefix: str) -> frozenset[str]:
        """Give the keys of kept events that begin so; claims nothing."""
        ...

    def claim(self, lease: float) -> Claim | None:
        """Take the oldest event that is due, for a time in seconds; None if there is none."""
        ...

    def progress(self, claim: Claim, handled: frozenset[str], lease: float) -> bool:
        """Keep the names of the handlers that have succeeded so far, and extend the claim."""
        ...

    def done(self, claim: Claim) -> bool:
        """Mark a claimed event as handled."""
        ...

    def release(self, claim: Claim, *, delay: float | None, error: str, handled: frozenset[str]) -> bool:
        """Give a claimed event back, to be handled again after a delay in seconds; None gives it up as dead."""
        ...

    def next_due(self) -> float | None:
        """Seconds until an event is due, 0 if one is; None if no event waits."""
        ...

    def events(self, state: State | None = None, limit: int = 100) -> list[StoredEvent]:
        """List what is kept, the newest first."""
        ...

    def replay(self, key: str) -> bool:
        """Have a dead or done event handled once more; False if there is no such event, or it waits already."""
        ...

    def prune(self, older_than: float) -> int:
        """Forget events that were done more than some seconds ago; gives how many.

        An event that is forgotten would be handled again if it were delivered again: keep events for longer than the
        service may repeat itself.
        """
        ...

    def pruned_until(self) -> float:
        """Up to which moment, in seconds since 1970, done events may have been forgotten; 0 if none were."""
        ...


@runtime_checkable
class TransactionalInbox(Protocol):
    """An inbox in a database that handlers can write to in the transaction that keeps their success."""

    def apply(self, claim: Claim, name: str, effect: Callable[[Any], object], lease: float) -> bool:
        """Call a handler with the database's connection, and commit its writes together with its success.

        Nothing is committed if it raises. False if the claim has run out; the handler is not called then.
        """
        ...
