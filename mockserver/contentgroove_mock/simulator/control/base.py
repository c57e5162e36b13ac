"""What all controls share: the context, the clock, and webhooks that are sent before a call returns."""

from __future__ import annotations

import asyncio
import datetime as dt
from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

from contentgroove._core.redaction import redact_url
from contentgroove._io.interruptible import wait_for

from contentgroove_mock.simulator.clock import Clock, check_seconds
from contentgroove_mock.simulator.core import lifecycle
from contentgroove_mock.simulator.web.control import control_route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_mock.simulator.context import SimulatorContext
    from contentgroove_mock.simulator.webhook_sender import WebhookSender

Record = TypeVar("Record")

_DELIVERY_TIMEOUT = 60.0
_SHOWN = 3


class Controls:
    """The clock, and what happens when it moves."""

    _context: SimulatorContext

    @property
    @control_route("GET", "/clock", lambda clock: {"now": clock.now()})
    def clock(self) -> Clock:
        """The clock that everything runs by."""
        return self._context.clock

    @property
    def webhook_sender(self) -> WebhookSender:
        """What sends the webhooks."""
        return self._context.sender

    @control_route("POST", "/advance")
    def advance(self, seconds: float) -> None:
        """Move the clock forward, and everything with it: each thing happens at its own time.

        Raises:
            ValueError: `seconds` is negative.
            TimeoutError: Webhooks were still being sent after a minute; the clock stays where it was then.
        """
        check_seconds(seconds)
        clock = self._context.clock
        end = clock.now() + dt.timedelta(seconds=seconds)
        before = None
        while _can_wait() and (due := self._next_change()) is not None and due < end and due != before:
            clock.advance(max(0.0, (due - clock.now()).total_seconds()))
            self._catch_up()
            before = due
        clock.advance(max(0.0, (end - clock.now()).total_seconds()))
        self._catch_up()

    async def wait_until_idle(self) -> None:
        """Wait until every webhook that is due was attempted."""
        await self._context.sender.send_due()

    async def aclose(self) -> None:
        """Stop sending webhooks from the running loop, and close the state file; the next request opens it again."""
        await self._context.sender.stop()
        self._context.close_state_file()

    def start(self) -> None:
        """Start to send webhooks from the running loop; the first request does that, too."""
        self._context.sender.ensure_running()

    def _catch_up(self) -> None:
        sender = self._context.sender
        loop = sender.loop
        try:
            running_loop = asyncio.get_running_loop()
        except RuntimeError:
            running_loop = None
        if sender.next_due() is None or (loop is not None and loop is running_loop):
            # The next change may be due earlier than what the sender waits for.
            sender.wake_up()
        elif loop is not None:
            sending = asyncio.run_coroutine_threadsafe(sender.send_due(), loop)
            if not wait_for(lambda seconds: wait([sending], seconds).done, _DELIVERY_TIMEOUT):
                raise TimeoutError(self._still_sending())
            sending.result(0)
        elif running_loop is None:
            asyncio.run(sender.send_due())
        else:
            sender.ensure_running()

    def _next_change(self) -> dt.datetime | None:
        with self._context.locked_service() as service:
            return lifecycle.next_change(service.state)

    def _still_sending(self) -> str:
        with self._context.locked_service() as service:
            waiting = [item for item in service.state.deliveries.view.values() if item.state == "pending"]
        urls = ", ".join(sorted({redact_url(item.url) for item in waiting})[:_SHOWN])
        them = "1 webhook" if len(waiting) == 1 else f"{len(waiting)} webhooks"
        return (
            f"{them} could not be delivered within {_DELIVERY_TIMEOUT:.0f} seconds, to {urls}: end the receiver that "
            "does not respond, or choose a shorter Policy.webhook_timeout."
        )


def find(records: Mapping[str, Record], identifier: str, kind: str) -> Record:
    """Return a record by its id.

    Raises:
        LookupError: There is none; the message says how many others there are.
    """
    if identifier not in records:
        raise LookupError(f"The simulator has no {kind} {identifier!r}; it has {len(records)} of them")
    return records[identifier]


def _can_wait() -> bool:
    """Return whether webhooks can be waited for here: not inside an event loop, which may be what sends them."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False
