"""The simulator sends each response that the contract documents, in the documented form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Fault

from tests.simulator.driver import BASE_URL, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from contentgroove_mock import Simulator

pytestmark = pytest.mark.anyio

OPERATIONS = {
    "getMedias": ("GET", "/medias"),
    "createMedia": ("POST", "/medias"),
    "getMediaById": ("GET", "/medias/{medias}"),
    "updateMediaById": ("PUT", "/medias/{medias}"),
    "deleteMediaById": ("DELETE", "/medias/{medias}"),
    "getClips": ("GET", "/clips"),
    "createClip": ("POST", "/clips"),
    "getClipById": ("GET", "/clips/{clips}"),
    "updateClipById": ("PUT", "/clips/{clips}"),
    "deleteClipById": ("DELETE", "/clips/{clips}"),
    "getWebhookSubscriptions": ("GET", "/webhook_subscriptions"),
    "createWebhookSubscription": ("POST", "/webhook_subscriptions"),
    "getWebhookSubscriptionById": ("GET", "/webhook_subscriptions/{webhook_subscriptions}"),
    "deleteWebhookSubscriptionById": ("DELETE", "/webhook_subscriptions/{webhook_subscriptions}"),
    "getUploadUrl": ("GET", "/direct_uploads"),
}
BODIES: dict[str, dict[str, object]] = {
    "createMedia": {"source_url": "https://films.example/a.mp4"},
    "updateMediaById": {"name": "New"},
    "createClip": {"name": "Mine", "start_time": 0, "end_time": 1},
    "updateClipById": {"name": "New"},
    "createWebhookSubscription": {"url": "http://receiver.example/hook"},
}
WRONG: dict[str, object] = {"name": 7, "url": "no url"}


@pytest.fixture
async def own(simulator: Simulator) -> AsyncGenerator[Driver]:
    """A driver with its own contract, which has not checked any response yet."""
    driver = Driver(simulator, Contract())
    yield driver
    await driver.aclose()
    await simulator.aclose()


async def call(driver: Driver, operation: str, ids: dict[str, str], attributes: object) -> int:
    """Call an operation and return the status of its response, which the driver has checked."""
    method, path = OPERATIONS[operation]
    body = {"data": {"attributes": attributes}} if operation in BODIES else None
    return (await driver.api.request(method, path.format(**ids), json=body)).status_code


async def test_every_documented_response_is_sent(own: Driver, simulator: Simulator) -> None:
    """Each operation responds with each of its documented statuses, in the documented form."""
    for operation, (method, path) in OPERATIONS.items():
        media = await own.finished()
        ids = {
            "medias": media["id"],
            "clips": media["relationships"]["clips"]["data"][0]["id"],
            "webhook_subscriptions": (await own.subscribe())["id"],
        }
        body = BODIES.get(operation, {}) | ({"media_id": media["id"]} if operation == "createClip" else {})
        await own.bare.request(method, BASE_URL + path.format(**ids))
        await call(own, operation, dict.fromkeys(ids, "unknown"), body | {"media_id": "unknown"})
        simulator.add_fault(Fault(kind="status", operation=operation, status=500))
        await call(own, operation, ids, body)
        simulator.set_rate_limit(0)
        await call(own, operation, ids, body)
        simulator.set_rate_limit(None)
        if operation in BODIES:
            await own.api.request(method, path.format(**ids), content=b"{")
            await call(own, operation, ids, body | WRONG)
            simulator.set_quota(medias=0, clips=0)
            await call(own, operation, ids, body)
            simulator.set_quota()
        if method == "GET" and "{id}" not in path and path != "/direct_uploads":
            await own.api.request(method, f"{path}?filter[nothing_eq]=1")
        await call(own, operation, ids, body)
    missing = {
        (operation, status)
        for status in (200, 204, 400, 401, 402, 404, 422, 429, 500)
        for operation in own.contract.documented(status)
        if (operation, status) not in own.contract.seen
    }
    assert missing == set()


def test_the_contract_names_these_operations_only(contract: Contract) -> None:
    """The simulator's operations are those of the contract."""
    assert contract.documented(401) == set(OPERATIONS)
