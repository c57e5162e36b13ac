"""Lets the SDK's clients that a test makes live on a simulator's clock."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, Any

from contentgroove import AsyncContentGroove, ContentGroove

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from contentgroove.errors import RequestInfo

    from contentgroove_mock.simulator.simulator import Simulator


class ClientClock:
    """A simulator's time, as the SDK asks for it."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return self.time()

    def time(self) -> float:
        """Seconds since 1970."""
        return self._simulator.clock.now().timestamp()


@contextlib.contextmanager
def use_simulated_time(simulator: Simulator, on_request: Callable[[RequestInfo], object]) -> Generator[None]:
    """Give every client that is made in this context the simulator's time, unless it is given another.

    Waiting then moves the simulator's clock instead of taking time.

    Args:
        simulator: Whose time it is.
        on_request: Told of each request before it is sent, beside the client's own `on_request`.
    """

    async def sleep(seconds: float) -> None:
        # Webhooks that become due are tried before this ends, and the loop must be free to receive them.
        await asyncio.to_thread(simulator.advance, seconds)

    with contextlib.ExitStack() as undo:
        for client, sleeping in ((ContentGroove, simulator.advance), (AsyncContentGroove, sleep)):
            defaults = {"clock": ClientClock(simulator), "sleep": sleeping}
            undo.callback(setattr, client, "__init__", client.__init__)
            replacement: Any = _with_defaults(client.__init__, defaults, on_request)
            client.__init__ = replacement  # type: ignore[method-assign]  # undone above
        yield


def _with_defaults(
    initialize: Callable[..., None], defaults: dict[str, Any], on_request: Callable[[RequestInfo], object]
) -> Callable[..., None]:
    @functools.wraps(initialize)
    def initialized(self: object, *arguments: Any, **named: Any) -> None:
        theirs: Callable[[RequestInfo], object] | None = named.pop("on_request", None)

        def call_both(info: RequestInfo) -> object:
            on_request(info)
            # What it gives, a client that awaits hooks awaits.
            return None if theirs is None else theirs(info)

        given = {name: value for name, value in named.items() if value is not None}
        initialize(self, *arguments, **(defaults | given), on_request=call_both)

    return initialized
