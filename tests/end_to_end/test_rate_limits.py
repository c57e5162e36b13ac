"""A limit of the simulator met by many threads and tasks at once, in real time and over real sockets."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from contentgroove import AsyncContentGroove, ContentGroove
from contentgroove_mock import Simulator, serve

pytestmark = pytest.mark.slow

CALLS = 20


def with_threads(base_url: str) -> list[str]:
    """Create webhook subscriptions from as many threads as there are calls."""
    with ContentGroove("limit-key", base_url) as client, ThreadPoolExecutor(CALLS) as pool:
        urls = [f"https://app.example/{number}" for number in range(CALLS)]
        return [item.url for item in pool.map(lambda url: client.webhook_subscriptions.create(url=url), urls)]


def with_tasks(base_url: str) -> list[str]:
    """Create webhook subscriptions from as many tasks as there are calls."""

    async def run() -> list[str]:
        async with AsyncContentGroove("limit-key", base_url) as client:
            urls = [f"https://app.example/{number}" for number in range(CALLS)]
            created = await asyncio.gather(*[client.webhook_subscriptions.create(url=url) for url in urls])
            return [item.url for item in created]

    return asyncio.run(run())


@pytest.mark.parametrize("create_all", [with_threads, with_tasks])
def test_all_calls_at_once_succeed(create_all: object) -> None:
    """At a limit of 10 in half a second all calls succeed, each once, and hardly one is refused twice."""
    assert callable(create_all)
    simulator = Simulator()
    simulator.set_rate_limit(10, 0.5)
    with serve(simulator) as server:
        urls = create_all(server.base_url)
        assert urls == [f"https://app.example/{number}" for number in range(CALLS)]
        simulator.set_rate_limit(None)
        statuses = [record.status for record in simulator.requests]
        assert statuses.count(200) == CALLS
        assert statuses.count(429) <= 10 + 10
