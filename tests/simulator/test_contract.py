"""The simulator sends each response that the contract documents, in the documented form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault
from contentgroove_mock.simulator.core.faults import API_OPERATIONS

from tests.sdk_calls import CREATIONS, LISTS, SDK_METHODS
from tests.simulator.driver import BASE_URL, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from contentgroove_mock import Simulator

pytestmark = pytest.mark.anyio


@pytest.fixture
async def own(simulator: Simulator) -> AsyncGenerator[Driver]:
    """A driver with its own contract, which has not checked any response yet."""
    driver = Driver(simulator, Contract())
    yield driver
    await driver.aclose()
    await simulator.aclose()


async def create_each(driver: Driver) -> dict[str, str]:
    """Create one resource of each kind, and return an id of each kind by the client's attributes."""
    paths = {operation: path for operation, _, path in driver.contract.operations()}
    ids = {"medias": (await driver.finished())["id"]}
    for operation, made in CREATIONS.items():
        if made.resource not in ids:
            response = await driver.post(paths[operation], **made.attributes(ids))
            ids[made.resource] = response.json()["data"]["id"]
    # A kind that cannot be created exists from the start.
    return {made.resource: (await driver.data(paths[operation]))[0]["id"] for operation, made in LISTS.items()} | ids


async def test_every_documented_response_is_sent(own: Driver, simulator: Simulator) -> None:
    """Each operation responds with each of its documented statuses, in the documented form."""
    for operation, method, path in own.contract.operations():
        made = SDK_METHODS[operation]
        ids = await create_each(own)
        url = path.format(id=ids.get(made.resource))
        body = {"data": {"attributes": made.attributes(ids)}} if made.sent else None
        await own.bare.request(method, BASE_URL + url)
        unknown = made.attributes(dict.fromkeys(ids, "unknown"))
        await own.api.request(method, path.format(id="unknown"), json=body and {"data": {"attributes": unknown}})
        simulator.add_fault(Fault(kind="status", operation=operation, status=500))
        await own.api.request(method, url, json=body)
        simulator.set_rate_limit(0)
        await own.api.request(method, url, json=body)
        simulator.set_rate_limit(None)
        if body:
            await own.api.request(method, url, content=b"{")
            # No attribute is an object.
            await own.api.request(method, url, json={"data": {"attributes": {name: {} for name in made.sent}}})
            simulator.set_quota(medias=0, clips=0)
            await own.api.request(method, url, json=body)
            simulator.set_quota()
        if made.method == "list" and operation in own.contract.documented(400):
            await own.api.request(method, f"{url}?filter[nothing_eq]=1")
        await own.api.request(method, url, json=body)
    missing = {
        (operation, status)
        for status in (200, 204, 400, 401, 402, 404, 422, 429, 500)
        for operation in own.contract.documented(status)
        if (operation, status) not in own.contract.seen
    }
    assert missing == set()


def test_the_contract_names_these_operations_only(contract: Contract) -> None:
    """The simulator's operations are those of the contract, and the SDK has a method for each."""
    documented = contract.operations()
    simulated = {(name, method, path) for path, methods in API_OPERATIONS.items() for method, name in methods.items()}
    assert simulated == set(documented)
    assert {name for name, _, _ in documented} == set(SDK_METHODS)
