"""The public simulator: an ASGI application, with methods that control it."""

from __future__ import annotations

import asyncio
import copy
import datetime as dt
import random
from concurrent.futures import wait
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from contentgroove._core.redaction import redact_url
from contentgroove._io.interruptible import wait_for
from starlette.applications import Starlette
from starlette.exceptions import HTTPException

from contentgroove_mock.simulator.clock import Clock, SystemClock, check_seconds
from contentgroove_mock.simulator.context import SimulatorContext
from contentgroove_mock.simulator.core import lifecycle
from contentgroove_mock.simulator.core.errors import method_not_allowed, not_found, server_error
from contentgroove_mock.simulator.core.faults import Fault
from contentgroove_mock.simulator.core.records import Policy
from contentgroove_mock.simulator.core.service import Service
from contentgroove_mock.simulator.files import Storage
from contentgroove_mock.simulator.web.api import api_routes
from contentgroove_mock.simulator.web.control import control_route, control_routes
from contentgroove_mock.simulator.web.file_store import store_routes
from contentgroove_mock.simulator.web.responses import error_response

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import httpx
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Message, Receive, Scope, Send

    from contentgroove_mock.simulator.context import RequestRecord
    from contentgroove_mock.simulator.core.faults import Kind
    from contentgroove_mock.simulator.core.records import Delivery
    from contentgroove_mock.simulator.webhook_sender import WebhookSender

Record = TypeVar("Record")

_DELIVERY_TIMEOUT = 60.0
_SHOWN = 3


def _list_counts(happened: dict[tuple[Kind, str], int]) -> list[dict[str, object]]:
    return [{"kind": kind, "operation": operation, "count": count} for (kind, operation), count in happened.items()]


class Simulator:
    """An ASGI application that behaves like the ContentGroove service.

    Serve it with `serve`, or pass it to `httpx.ASGITransport`. Every API key has its own account. Where the
    provider's documentation leaves something open, this package refers to entries of the ledger of assumptions.

    Methods that change something may be called from any thread. `advance`, `finish_media` and `redeliver` return
    after the webhooks that became due were attempted, except inside the event loop that sends them: there, await
    `wait_until_idle` afterwards.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        policy: Policy | None = None,
        api_keys: Collection[str] | None = None,
        control: bool = False,
        webhook_client: httpx.AsyncClient | None = None,
        allow_remote_webhooks: bool = False,
        seed: int | None = None,
        state_file: Path | str | None = None,
    ) -> None:
        """Create a service without any resources, or with those of a state file.

        Args:
            clock: The clock to run by; by default one that runs by itself.
            policy: Delays, sizes and limits.
            api_keys: The keys to accept; by default any non-empty key.
            control: Whether to serve the control interface, below `/_mock`.
            webhook_client: The client to send webhooks with; by default its own client, which uses no proxy.
            allow_remote_webhooks: Whether webhooks may leave this machine; by default only loopback URLs receive any.
            seed: Makes ids repeatable.
            state_file: The file that keeps everything across restarts, an SQLite database; uploaded files are kept
                next to it. One simulator at a time can use it.

        Raises:
            ValueError: The state file is not a simulator's state, or a seed is passed with it, which would repeat ids.
            OSError: The state file cannot be read or written, or another simulator uses it.
        """
        if seed is not None and state_file is not None:
            raise ValueError("Pass either seed or state_file: with both, ids would repeat after a restart")
        storage = Storage(None if state_file is None else Path(state_file))
        source = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311  # requested
        service = Service(policy or Policy(), source, storage.load())
        # Written now, so that a file that cannot be written is an error here and not in the first request.
        storage.save(service.state)
        self._context = SimulatorContext(
            service,
            clock or SystemClock(),
            storage,
            api_keys=None if api_keys is None else frozenset(api_keys),
            webhook_client=webhook_client,
            allow_remote_webhooks=allow_remote_webhooks,
        )
        routes = [*api_routes(self._context), *store_routes(self._context)]
        if control:
            routes += control_routes(self, Simulator)
        self._app = Starlette(routes=routes, exception_handlers=dict.fromkeys((HTTPException, Exception), _on_error))
        self._app.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""

        async def send_with_date(message: Message) -> None:
            # (assumed: date-header)
            # An origin server dates its responses (RFC 9110, 6.6.1); here by the simulator's clock.
            if message["type"] == "http.response.start":
                date = format_datetime(self._context.clock.now(), usegmt=True).encode()
                message = {**message, "headers": [*message["headers"], (b"date", date)]}
            await send(message)

        self._context.sender.ensure_running()
        await self._app(scope, receive, send_with_date)

    @property
    def clock(self) -> Clock:
        """The clock that everything runs by."""
        return self._context.clock

    @property
    def webhook_sender(self) -> WebhookSender:
        """What sends the webhooks."""
        return self._context.sender

    @property
    @control_route("GET", "/requests")
    def requests(self) -> list[RequestRecord]:
        """The last 10,000 requests, oldest first, without credentials."""
        return list(self._context.requests)

    @property
    @control_route("GET", "/deliveries")
    def deliveries(self) -> list[Delivery]:
        """All webhooks, oldest first, with the attempts to deliver them."""
        with self._context.locked_service() as service:
            return copy.deepcopy(list(service.state.deliveries.view.values()))

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

    @control_route("POST", "/medias/{id}/finish")
    def finish_media(self, media_id: str) -> None:
        """Finish a media's processing now.

        Raises:
            LookupError: There is no such media.
        """
        with self._context.locked_service() as service:
            media = _find(service.state.medias, media_id, "media")
            if media.id in service.state.unsettled:
                now = self._context.clock.now()
                lifecycle.end_media(service.state, media, service.ids, service.faults, now)
        self._catch_up()

    @control_route("POST", "/medias/{id}/fail")
    def fail_media(self, media_id: str) -> None:
        """End a media's processing now, with a fetch error.

        Raises:
            LookupError: There is no such media.
        """
        with self._context.locked_service() as service:
            lifecycle.fail_media(service.state, _find(service.state.medias, media_id, "media"))

    @control_route("POST", "/deliveries/{id}/redeliver")
    def redeliver(self, delivery_id: str) -> None:
        """Send a webhook again, whatever its state.

        Raises:
            LookupError: There is no such delivery.
        """
        with self._context.locked_service() as service:
            delivery = _find(service.state.deliveries, delivery_id, "delivery")
            lifecycle.redeliver(delivery, self._context.clock.now())
        self._catch_up()

    @control_route("POST", "/webhooks/drop_next")
    def drop_next_webhook(self) -> None:
        """Lose the next webhook."""
        self.add_fault(Fault(kind="lost", operation="webhook"))

    @control_route("POST", "/faults")
    def add_fault(self, fault: Fault) -> None:
        """Add a fault: something that goes wrong on purpose."""
        with self._context.locked_service() as service:
            service.faults.add(fault)

    @control_route("DELETE", "/faults")
    def clear_faults(self) -> None:
        """Remove all faults that have not happened."""
        with self._context.locked_service() as service:
            service.faults.clear()

    @control_route("GET", "/faults", _list_counts)
    def faults_happened(self) -> dict[tuple[Kind, str], int]:
        """Return how many faults have happened, by kind and operation."""
        with self._context.locked_service() as service:
            return dict(service.faults.happened)

    @control_route("DELETE", "/requests")
    def clear_requests(self) -> None:
        """Empty the request log."""
        self._context.requests.clear()

    @control_route("PUT", "/quota")
    def set_quota(self, *, medias: int | None = None, clips: int | None = None) -> None:
        """Limit how many medias and clips an account can create in a month, including those of the current one.

        Args:
            medias: How many medias; None means without limit.
            clips: How many clips in addition to the suggested ones; None means without limit.
        """
        with self._context.locked_service() as service:
            service.limits.medias, service.limits.clips = medias, clips

    @control_route("PUT", "/rate_limit")
    def set_rate_limit(self, requests: int | None, window_seconds: float = 60.0) -> None:
        """Limit how many requests an account can send in a window; None means without limit."""
        with self._context.locked_service() as service:
            service.limits.requests, service.limits.window_seconds = requests, window_seconds

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
        waiting = [item for item in self.deliveries if item.state == "pending"]
        urls = ", ".join(sorted({redact_url(item.url) for item in waiting})[:_SHOWN])
        them = "1 webhook" if len(waiting) == 1 else f"{len(waiting)} webhooks"
        return (
            f"{them} could not be delivered within {_DELIVERY_TIMEOUT:.0f} seconds, to {urls}: end the receiver that "
            "does not respond, or choose a shorter Policy.webhook_timeout."
        )


def _can_wait() -> bool:
    """Return whether webhooks can be waited for here: not inside an event loop, which may be what sends them."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return True
    return False


def _find(records: Mapping[str, Record], identifier: str, kind: str) -> Record:
    if identifier not in records:
        raise LookupError(f"The simulator has no {kind} {identifier!r}; it has {len(records)} of them")
    return records[identifier]


async def _on_error(request: Request, error: Exception) -> Response:
    del request
    if not isinstance(error, HTTPException):
        return error_response(server_error(500))
    if error.status_code == 405:  # noqa: PLR2004  # method not allowed
        allowed = sorted(set((error.headers or {}).get("Allow", "").split(", ")) - {"HEAD"})
        return error_response(method_not_allowed(allowed))
    return error_response(not_found())
