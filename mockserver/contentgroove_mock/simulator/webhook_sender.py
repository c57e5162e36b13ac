"""Sends webhooks when they are due."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from contentgroove._core.settings import is_loopback

from contentgroove_mock.simulator.core import deliveries, lifecycle
from contentgroove_mock.simulator.core.records import DeliveryAttempt
from contentgroove_mock.simulator.webhook_client import describe_failure, open_client, trust

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    import httpx

    from contentgroove_mock.simulator.clock import Clock
    from contentgroove_mock.simulator.core.records import Delivery
    from contentgroove_mock.simulator.core.service import Service

# (assumed: webhook-content-type, webhook-unsigned)
HEADERS = {"content-type": "application/json", "user-agent": "ContentGroove-Simulator"}
"""The headers of webhooks, by lower-case name."""

_GRACE = 1.0


class WebhookSender:
    """Delivers webhooks one after the other, in the event loop that `ensure_running` or `send_due` is called in.

    Attributes:
        on_attempt: Called in that loop after each attempt to deliver a webhook, unless it is None.
    """

    def __init__(
        self,
        locked_service: Callable[[], AbstractContextManager[Service]],
        clock: Clock,
        *,
        client: httpx.AsyncClient | None,
        context: ssl.SSLContext | None,
        allow_remote: bool,
    ) -> None:
        self._locked_service = locked_service
        self._clock = clock
        self._client = client
        self._context = context
        self._allow_remote = allow_remote
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.on_attempt: Callable[[Delivery, DeliveryAttempt], object] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no webhook is being sent, nor due."""
        return not self._turn.locked() and self.next_due() is None

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The running loop that webhooks are sent from, or None."""
        loop = None if self._task is None or self._task.done() else self._task.get_loop()
        return loop if loop is not None and loop.is_running() else None

    def ensure_running(self) -> None:
        """Start to send from the running loop, unless another loop already does."""
        if self.loop is None:
            self._use_running_loop()
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stop what `ensure_running` has started; a webhook that is being sent has one second to arrive."""
        if self._task is None or self._task.get_loop() is not asyncio.get_running_loop():
            return
        self._stopping = True
        self._changed.set()
        await asyncio.wait({self._task}, timeout=_GRACE)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task, self._stopping = None, False

    def wake_up(self) -> None:
        """Check again what is due; may be called from any thread."""
        if (loop := self.loop) is not None:
            loop.call_soon_threadsafe(self._changed.set)

    async def send_due(self) -> None:
        """Send every webhook that is due now."""
        if self.loop is None:
            self._use_running_loop()
        async with self._turn:
            if self.next_due() is None:
                return
            async with self._open_client() as client:
                while not self._stopping and (delivery := self.next_due()) is not None:
                    await self._attempt(delivery, client)

    def next_due(self) -> Delivery | None:
        """Return the webhook that has been due for longest, or None."""
        with self._locked_service() as service:
            now = self._clock.now()
            service.catch_up(now)
            return deliveries.next_due_delivery(service.state, now)

    def _use_running_loop(self) -> None:
        # asyncio's locks and events belong to one loop, and a simulator may be used in several, one after the other.
        if self._loop is not (loop := asyncio.get_running_loop()):
            self._loop, self._turn, self._changed = loop, asyncio.Lock(), asyncio.Event()

    async def _run(self) -> None:
        while not self._stopping:
            self._changed.clear()
            await self.send_due()
            if not self._stopping:
                await self._wait()

    async def _wait(self) -> None:
        with self._locked_service() as service:
            next_time = lifecycle.next_change(service.state)
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if next_time is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep((next_time - self._clock.now()).total_seconds())))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _open_client(self) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        if self._client is not None:
            return contextlib.nullcontext(self._client)
        # Made when the first webhook is sent, and once: reading the public authorities takes longer than a webhook.
        self._context = self._context or trust(None)
        return open_client(self._context)

    async def _attempt(self, delivery: Delivery, client: httpx.AsyncClient) -> None:
        if not (self._allow_remote or is_loopback(urlsplit(delivery.url).hostname or "")):
            with self._locked_service() as service:
                deliveries.reject_remote_url(service.state, delivery, self._clock.now())
            return
        with self._locked_service() as service:
            policy = service.policy
        status: int | None = None
        error: str | None = None
        # (assumed: webhook-keeps-query, webhook-timeout, webhook-redirects)
        try:
            # One limit for the whole attempt: httpx's own starts again with each byte of a slow response.
            async with (
                asyncio.timeout(policy.webhook_timeout),
                client.stream("POST", delivery.url, content=delivery.body(), headers=HEADERS) as response,
            ):
                status = response.status_code
        except TimeoutError:
            status, error = None, "no response in time"
        except Exception as failure:  # noqa: BLE001  # a receiver in this process may raise anything
            status, error = None, describe_failure(failure)
        with self._locked_service() as service:
            attempt = DeliveryAttempt(at=self._clock.now(), status=status, error=error)
            deliveries.record_attempt(service.state, delivery, attempt, policy)
        if self.on_attempt is not None:
            self.on_attempt(delivery, attempt)
