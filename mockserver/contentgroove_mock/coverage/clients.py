"""Run the SDK's clients that a test makes on a simulator's clock."""

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
    """A simulator's time as the clock of a client."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def monotonic(self) -> float:
        """Return seconds on a clock that never goes back."""
        return self.time()

    def time(self) -> float:
        """Return seconds since 1970."""
        return self._simulator.clock.now().timestamp()


@contextlib.contextmanager
def use_simulated_time(simulator: Simulator, on_request: Callable[[RequestInfo], object]) -> Generator[None]:
    """Make every client that is created in this context use the simulator's time, unless it has its own clock.

    Waiting then moves the simulator's clock instead of taking time.

    Args:
        simulator: The simulator.
        on_request: Called with each request before it is sent, in addition to the client's own `on_request`.
    """

    async def sleep(seconds: float) -> None:
        # Due webhooks are delivered before this ends, and the loop must be free to receive them.
        await asyncio.to_thread(simulator.advance, seconds)

    with contextlib.ExitStack() as undo:
        for client, sleep_function in ((ContentGroove, simulator.advance), (AsyncContentGroove, sleep)):
            defaults = {"clock": ClientClock(simulator), "sleep": sleep_function}
            undo.callback(setattr, client, "__init__", client.__init__)
            replacement: Any = _with_defaults(client.__init__, defaults, on_request)
            client.__init__ = replacement  # type: ignore[method-assign]  # undone above
        yield


def _with_defaults(
    initialize: Callable[..., None], defaults: dict[str, Any], on_request: Callable[[RequestInfo], object]
) -> Callable[..., None]:
    @functools.wraps(initialize)
    def initialized(self: object, *positional: Any, **options: Any) -> None:
        own_hook: Callable[[RequestInfo], object] | None = options.pop("on_request", None)

        def call_both(info: RequestInfo) -> object:
            on_request(info)
            # An async client awaits the returned value.
            return None if own_hook is None else own_hook(info)

        arguments = {name: value for name, value in options.items() if value is not None}
        initialize(self, *positional, **(defaults | arguments), on_request=call_both)

    return initialized
