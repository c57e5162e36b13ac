"""Deliveries and workers have their own threads: neither takes those of the application, nor waits for them."""

from __future__ import annotations

import threading
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread
import httpx
from contentgroove.webhooks import MemoryInbox, WebhookReceiver, receiver

from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    import pytest

SHARED = 40
"""The threads that anyio gives a whole application."""


class Hanging(MemoryInbox):
    """An inbox whose database hangs until `proceed` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.proceed = threading.Event()

    def record(self, key: str, body: bytes, *, trace: str | None = None) -> bool:
        """Record an event, later."""
        assert self.proceed.wait(30)
        return super().record(key, body, trace=trace)


async def deliver(to: WebhookReceiver, media_id: str) -> httpx.Response:
    transport = httpx.ASGITransport(to.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.post("/", content=body(finished(media_id)))


def test_a_delivery_does_not_wait_for_the_applications_threads() -> None:
    """All of them are in use."""

    async def main() -> None:
        proceed = threading.Event()
        async with anyio.create_task_group() as tasks:
            for _ in range(SHARED):
                tasks.start_soon(anyio.to_thread.run_sync, partial(proceed.wait, 30))
            await anyio.wait_all_tasks_blocked()
            try:
                assert anyio.to_thread.current_default_thread_limiter().available_tokens == 0
                with anyio.fail_after(10):
                    assert (await deliver(WebhookReceiver(MemoryInbox()), "m-1")).status_code == 200
            finally:
                proceed.set()

    anyio.run(main)


def test_an_inbox_that_hangs_does_not_stop_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its threads stay free, and further deliveries get 503 instead of a wait without end."""
    monkeypatch.setattr(receiver, "THREAD_TIMEOUT", 0.01)
    inbox = Hanging()
    statuses: list[int] = []

    async def main() -> None:
        to = WebhookReceiver(inbox)

        async def one(number: int) -> None:
            statuses.append((await deliver(to, f"m-{number}")).status_code)

        async with anyio.create_task_group() as tasks:
            for number in range(SHARED):
                tasks.start_soon(one, number)
            await anyio.wait_all_tasks_blocked()
            try:
                assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
                refused = await deliver(to, "m-more")
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
            finally:
                inbox.proceed.set()
        assert (await deliver(to, "m-more")).status_code == 200

    anyio.run(main)
    assert statuses == [200] * SHARED


def test_workers_that_wait_take_no_thread_of_the_application() -> None:
    """More of them than it has threads; their handlers run, too."""
    handled: list[int] = []

    async def main() -> None:
        done = anyio.Event()
        async with AsyncExitStack() as stack:
            for number in range(SHARED + 5):
                to = WebhookReceiver(MemoryInbox())

                @to.on("*")
                async def handle(_: Any, number: int = number) -> None:
                    handled.append(number)
                    if len(handled) == SHARED + 5:
                        done.set()

                await stack.enter_async_context(to.worker(poll_interval=60))
                await to.areceive(body(finished()))
            with anyio.fail_after(30):
                await done.wait()
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0

    anyio.run(main)
    assert sorted(handled) == list(range(SHARED + 5))


def test_a_cancelled_wait_for_a_thread_takes_none() -> None:
    """A client that disconnects leaves its turn to the next."""
    inbox = Hanging()

    async def main() -> None:
        to = WebhookReceiver(inbox)
        async with anyio.create_task_group() as tasks:
            for number in range(SHARED):
                tasks.start_soon(deliver, to, f"m-{number}")
            await anyio.wait_all_tasks_blocked()
            for _ in range(3):
                with anyio.move_on_after(0.01):
                    await deliver(to, "m-cancelled")
            inbox.proceed.set()
        with anyio.fail_after(10):
            assert (await deliver(to, "m-next")).status_code == 200

    anyio.run(main)
    assert not inbox.has("m-cancelled")
