"""Clips that users create."""

from __future__ import annotations

import pytest

from tests.simulator.driver import Driver, pointers

pytestmark = pytest.mark.anyio


async def test_clip_is_processed_like_a_media(driver: Driver) -> None:
    """is_processing goes from null to true to false, and only a finished clip has a text and a file."""
    media = await driver.finished()
    made = await driver.post("/clips", media_id=media["id"], name="Mine", start_time=1.5, end_time=3.25)
    clip = made.json()["data"]
    path = f"/clips/{clip['id']}"
    assert clip["attributes"]["is_processing"] is None
    assert (clip["attributes"]["text"], clip["attributes"]["start_char"]) == (None, 0)
    driver.simulator.advance(0.5)
    assert (await driver.data(path))["attributes"]["is_processing"] is True
    driver.simulator.advance(1)
    attributes = (await driver.data(path))["attributes"]
    assert attributes["is_processing"] is False
    assert (attributes["rank"], attributes["media_file_duration"], attributes["media_file_width"]) == (None, 1.75, 320)
    assert attributes["media_file_url"].endswith("#t=1.5,3.25")
    suggested = await driver.data(f"/clips/{media['relationships']['clips']['data'][0]['id']}")
    assert attributes["text"].startswith(suggested["attributes"]["text"])
    assert clip["id"] in {
        item["id"] for item in (await driver.data(f"/medias/{media['id']}"))["relationships"]["clips"]["data"]
    }


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"end_time": 1}, {"/data/attributes/end_time"}),
        ({"end_time": 0.5}, {"/data/attributes/end_time"}),
        ({"end_time": 6.01}, {"/data/attributes/end_time"}),
        ({"start_time": -0.1}, {"/data/attributes/start_time"}),
        ({"start_time": "1", "end_time": True}, {"/data/attributes/start_time", "/data/attributes/end_time"}),
        ({"name": "  "}, {"/data/attributes/name"}),
        ({"name": None, "end_time": None}, {"/data/attributes/name", "/data/attributes/end_time"}),
    ],
)
async def test_wrong_clip_is_rejected(driver: Driver, changed: dict[str, object], wrong: set[str]) -> None:
    """A clip must have a name, and lie within its media in the right order."""
    media = await driver.finished()
    before = await driver.data("/clips")
    attributes = {"media_id": media["id"], "name": "Mine", "start_time": 1, "end_time": 6} | changed
    assert pointers(await driver.post("/clips", **attributes)) == wrong
    assert await driver.data("/clips") == before


async def test_clip_needs_a_finished_media(driver: Driver) -> None:
    """An unknown media is a 404, one that is still processed a 422."""
    attributes: dict[str, object] = {"name": "Mine", "start_time": 1, "end_time": 2}
    assert (await driver.post("/clips", media_id="unknown", **attributes)).status_code == 404
    media = await driver.media()
    assert pointers(await driver.post("/clips", media_id=media["id"], **attributes)) == {"/data/attributes/media_id"}
    assert pointers(await driver.post("/clips", **attributes)) == {"/data/attributes/media_id"}


async def test_update_processes_a_clip_again_if_its_times_change(driver: Driver) -> None:
    """A new name does not change the file; new times are checked together and processed."""
    await driver.finished()
    path = f"/clips/{(await driver.data('/clips'))[0]['id']}"
    renamed = (await driver.put(path, name="Best part")).json()["data"]["attributes"]
    assert (renamed["name"], renamed["is_processing"]) == ("Best part", False)
    assert pointers(await driver.put(path, start_time=5)) == {"/data/attributes/end_time"}
    assert pointers(await driver.put(path, name="")) == {"/data/attributes/name"}
    cut = (await driver.put(path, start_time=1, end_time=5.5)).json()["data"]["attributes"]
    assert (cut["is_processing"], cut["media_file_url"]) == (None, None)
    driver.simulator.advance(60)
    assert (await driver.data(path))["attributes"]["media_file_duration"] == 4.5


async def test_deleted_clip_is_gone_from_its_media(driver: Driver) -> None:
    """A deleted clip is a 404 and no longer among its media's."""
    media = await driver.finished()
    gone = media["relationships"]["clips"]["data"][0]["id"]
    assert (await driver.api.delete(f"/clips/{gone}")).status_code == 204
    assert (await driver.api.get(f"/clips/{gone}")).status_code == 404
    left = (await driver.data(f"/medias/{media['id']}"))["relationships"]["clips"]["data"]
    assert gone not in {item["id"] for item in left}
    assert len(left) == 2


async def test_clip_being_processed_can_be_deleted_with_its_media(driver: Driver) -> None:
    """After a media is deleted while its clip is processed, time can advance."""
    media = await driver.finished()
    await driver.post("/clips", media_id=media["id"], name="Mine", start_time=1, end_time=2)
    await driver.api.delete(f"/medias/{media['id']}")
    driver.simulator.advance(60)
    assert await driver.data("/clips") == []
