"""A simulator with its inspector, a driver of its API, and what reads the inspector's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove_mock import ManualClock, Simulator

from tests.inspector.reader import ORIGIN, Reader
from tests.simulator.driver import Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture
async def driver(contract: Contract) -> AsyncGenerator[Driver]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    simulator = Simulator(clock=ManualClock(), seed=1, control=True, webhook_client=client)
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()
    await client.aclose()


@pytest.fixture
async def reader(driver: Driver) -> AsyncGenerator[Reader]:
    transport = httpx.ASGITransport(app=driver.simulator)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
        yield Reader(client)
