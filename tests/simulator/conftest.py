"""A simulator on a manual clock, its driver and its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import ManualClock, Simulator, serve

from tests.simulator.driver import Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from contentgroove_mock import Server


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=ManualClock(), seed=1, control=True)


@pytest.fixture
async def driver(simulator: Simulator, contract: Contract) -> AsyncGenerator[Driver]:
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()


@pytest.fixture
def server(simulator: Simulator) -> Generator[Server]:
    with serve(simulator) as running:
        yield running
