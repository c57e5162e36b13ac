"""The tools with a simulated service, on a clock that advances when a client sleeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import AsyncContentGroove
from contentgroove.tools import Access, NetworkPolicy, ToolRegistry, open_tools
from contentgroove_mock import ManualClock, Simulator, serve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

KEY = "canary-key-0f5c1e7d"


@dataclass
class Time:
    """A client's clock, which advances the service's clock too."""

    simulator: Simulator
    now: float = 1_000.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def time(self) -> float:
        """Return the time since 1970."""
        return 1_780_000_000.0 + self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += seconds
        self.simulator.advance(seconds)


@dataclass
class Service:
    """A service, a client of it, and tools on the client."""

    simulator: Simulator
    base_url: str
    client: AsyncContentGroove
    reports: list[tuple[float, float | None, str]] = field(default_factory=list)

    def tools(self, **options: Any) -> ToolRegistry:
        """Open tools that may do everything by default."""
        options.setdefault("access", Access(allow_destructive=True))
        return open_tools(lambda: self.client, secret=lambda: KEY, **options)

    async def report(self, done: float, total: float | None, message: str) -> None:
        """Record what a tool reports."""
        self.reports.append((done, total, message))

    async def new_media(self, name: str = "Film") -> str:
        """Create a media that is processed; return its id."""
        media = await self.client.medias.create(source_url="https://example.com/film.mp4", name=name)
        self.simulator.finish_media(media.id)
        return media.id


@pytest.fixture
async def service() -> AsyncGenerator[Service]:
    """Serve a simulator that accepts only the canary key."""
    simulator = Simulator(clock=ManualClock(), api_keys=[KEY], seed=1)
    time = Time(simulator)
    with serve(simulator) as server:
        async with AsyncContentGroove(KEY, server.base_url, clock=time, sleep=time.sleep, random=lambda: 0.5) as client:
            yield Service(simulator, server.base_url, client)


@pytest.fixture
def contract() -> str:
    """Return the API's contract as text."""
    return (Path(__file__).parents[2] / "spec" / "contract.yaml").read_text("utf-8")


@pytest.fixture
def policy() -> NetworkPolicy:
    """Return the default policy."""
    return NetworkPolicy()
