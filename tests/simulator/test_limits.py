"""Quotas and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.simulator.driver import Contract, Driver

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

pytestmark = pytest.mark.anyio


async def test_quota_of_medias_is_402(driver: Driver, simulator: Simulator, contract: Contract) -> None:
    """Above the quota a creation is a 402 as documented and creates nothing; a deletion does not raise the quota."""
    simulator.set_quota(medias=1)
    made = await driver.media()
    response = await driver.post("/medias", source_url="https://films.example/b.mp4")
    assert response.status_code == 402
    (error,) = response.json()["errors"]
    assert (error["code"], error["status"], error["source"]) == ("exceeded_quota_count", "422", {"pointer": ""})
    assert "number of medias" in error["detail"]
    await driver.api.delete(f"/medias/{made['id']}")
    assert (await driver.post("/medias", source_url="https://films.example/b.mp4")).status_code == 402
    other = Driver(simulator, contract, "another key")
    await other.media()
    await other.aclose()
    simulator.set_quota()
    await driver.media()


async def test_quota_keeps_the_upload(driver: Driver, simulator: Simulator) -> None:
    """A creation that the quota rejects does not use its upload."""
    upload_id = await driver.upload()
    simulator.set_quota(medias=0)
    assert (await driver.post("/medias", upload_id=upload_id)).status_code == 402
    simulator.set_quota(medias=1)
    await driver.media(upload_id=upload_id)


async def test_quota_of_clips_counts_those_of_users(driver: Driver, simulator: Simulator) -> None:
    """Suggested clips do not count; a user's own clips do."""
    simulator.set_quota(clips=1)
    media = await driver.finished()
    attributes = {"media_id": media["id"], "name": "Mine", "start_time": 0, "end_time": 1}
    assert (await driver.post("/clips", **attributes)).status_code == 200
    response = await driver.post("/clips", **attributes)
    assert response.status_code == 402
    assert "number of clips" in response.json()["errors"][0]["detail"]


async def test_rate_is_limited_by_window(driver: Driver, simulator: Simulator, contract: Contract) -> None:
    """In a full window the status is 429 with the remaining seconds; the next window and other accounts are free."""
    simulator.set_rate_limit(2, window_seconds=30)
    statuses = [(await driver.api.get("/medias")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    simulator.advance(10.5)
    response = await driver.post("/medias", source_url="https://films.example/a.mp4")
    assert (response.status_code, response.headers["Retry-After"]) == (429, "20")
    assert response.json()["errors"][0]["title"] == "Too Many Requests"
    other = Driver(simulator, contract, "another key")
    assert (await other.api.get("/medias")).status_code == 200
    await other.aclose()
    simulator.advance(19.5)
    assert await driver.data("/medias") == []
    simulator.set_rate_limit(None)
    assert [(await driver.api.get("/clips")).status_code for _ in range(5)] == [200] * 5


async def test_quota_starts_again_each_month(driver: Driver, simulator: Simulator) -> None:
    """With a new calendar month the counts of medias and of clips start at 0."""
    simulator.set_quota(medias=1, clips=1)
    media = await driver.finished()
    clip = {"media_id": media["id"], "name": "Mine", "start_time": 0, "end_time": 1}
    film = {"source_url": "https://films.example/b.mp4"}
    statuses: list[int] = []
    for days in (0, 30, 1):  # the clock starts on January 1
        simulator.advance(days * 86_400)
        statuses += [
            (await driver.post("/clips", **clip)).status_code,
            (await driver.post("/medias", **film)).status_code,
        ]
        statuses += [
            (await driver.post("/clips", **clip)).status_code,
            (await driver.post("/medias", **film)).status_code,
        ]
    assert statuses == [200, 402, 402, 402, 402, 402, 402, 402, 200, 200, 402, 402]
