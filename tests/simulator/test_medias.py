"""Medias: creation, processing, changes and deletion."""

from __future__ import annotations

import pytest
from contentgroove_mock import ManualClock, Policy, Simulator, sample_video

from tests.simulator.driver import ORIGIN, Contract, Driver, pointers

pytestmark = pytest.mark.anyio


async def test_new_media_is_as_documented(driver: Driver) -> None:
    """A new media has is_processing null, processing_started_at set and external_id null."""
    media = await driver.media(source_url="https://films.example/a.mp4")
    attributes = media["attributes"]
    assert attributes["is_processing"] is None
    assert attributes["processing_started_at"] == "2026-01-01T00:00:00.000Z"
    assert attributes["source_url"] == "https://films.example/a.mp4"
    assert (attributes["name"], attributes["description"]) == ("", None)
    assert attributes["external_id"] is None
    assert media["relationships"] == {"clips": {"data": []}, "transcription": {"data": None}}


async def test_processing_goes_from_null_over_true_to_false(contract: Contract) -> None:
    """Time alone takes a media through its stages, each at its planned time."""
    policy = Policy(queue_seconds=10, processing_seconds=30)
    driver = Driver(Simulator(clock=ManualClock(), policy=policy), contract)
    path = f"/medias/{(await driver.media())['id']}"
    seen: list[bool | None] = []
    for step in (0, 9.9, 0.1, 29.9, 0.1):
        driver.simulator.advance(step)
        seen.append((await driver.data(path))["attributes"]["is_processing"])
    assert seen == [None, None, True, True, False]
    await driver.aclose()


async def test_media_has_the_facts_of_the_uploaded_file(driver: Driver) -> None:
    """Duration, size and type are those of the uploaded file, known once it is processed."""
    media = await driver.media(upload_id=await driver.upload(), name="Film", description="Moving bars")
    assert media["attributes"]["source_file_duration"] is None
    assert media["attributes"]["source_url"] is None
    driver.simulator.advance(60)
    attributes = (await driver.data(f"/medias/{media['id']}"))["attributes"]
    facts = {name.removeprefix("source_file_"): value for name, value in attributes.items() if "_file_" in name}
    assert facts.pop("preview_image_url").startswith(f"{ORIGIN}/_files/{media['id']}")
    assert facts == {"content_type": "video/mp4", "duration": 6.0, "height": 180, "width": 320}
    assert (attributes["name"], attributes["description"]) == ("Film", "Moving bars")
    assert attributes["has_fetch_error"] is False


async def test_finished_media_has_clips_and_a_transcription(driver: Driver) -> None:
    """Suggested clips are ranked, lie within the video, and quote the transcription at their positions."""
    await driver.subscribe()
    media = await driver.finished()
    text = driver.simulator.deliveries[0].payload["included"][-1]["attributes"]["text"]
    clips = [(await driver.data(f"/clips/{item['id']}")) for item in media["relationships"]["clips"]["data"]]
    assert media["relationships"]["transcription"]["data"]["type"] == "transcriptions"
    assert [clip["attributes"]["rank"] for clip in clips] == [0, 1, 2]
    for clip in clips:
        attributes = clip["attributes"]
        assert 0 <= attributes["start_time"] < attributes["end_time"] <= 6.0
        assert attributes["text"] == text[attributes["start_char"] : attributes["end_char"]]
        assert attributes["is_processing"] is False
        assert clip["relationships"]["media"]["data"]["id"] == media["id"]


async def test_lists_omit_the_transcription(driver: Driver) -> None:
    """A media in a list has no transcription relationship, as in the published examples."""
    await driver.finished()
    assert set((await driver.data("/medias"))[0]["relationships"]) == {"clips"}


@pytest.mark.parametrize("url", ["https://nowhere.invalid/a.mp4", "http://invalid/a.mp4", "https://down.example/a.mp4"])
async def test_file_that_cannot_be_fetched_ends_with_an_error(contract: Contract, url: str) -> None:
    """A media from an unreachable host ends with has_fetch_error, without clips."""
    policy = Policy(unreachable_hosts=frozenset({"down.example"}))
    driver = Driver(Simulator(clock=ManualClock(), policy=policy), contract)
    media = await driver.media(source_url=url)
    assert media["attributes"]["has_fetch_error"] is False
    driver.simulator.advance(60)
    ended = await driver.data(f"/medias/{media['id']}")
    assert (ended["attributes"]["has_fetch_error"], ended["attributes"]["is_processing"]) == (True, False)
    assert ended["relationships"] == {"clips": {"data": []}, "transcription": {"data": None}}
    await driver.aclose()


@pytest.mark.parametrize("content", [b"no film at all", b"", b"\x00" * 4096])
async def test_file_that_is_not_a_video_ends_with_an_error(driver: Driver, content: bytes) -> None:
    """A media from an uploaded file that is neither video nor audio ends with has_fetch_error."""
    media = await driver.finished(upload_id=await driver.upload(content))
    assert media["attributes"]["has_fetch_error"] is True
    assert media["attributes"]["source_file_duration"] is None


@pytest.mark.parametrize(
    ("attributes", "wrong"),
    [
        ({}, {"/data/attributes"}),
        (
            {"source_url": "https://a.example/a.mp4", "upload_id": "x"},
            {"/data/attributes", "/data/attributes/upload_id"},
        ),
        ({"upload_id": "unknown"}, {"/data/attributes/upload_id"}),
        ({"source_url": "not a url"}, {"/data/attributes/source_url"}),
        ({"source_url": "ftp://a.example/a.mp4"}, {"/data/attributes/source_url"}),
        ({"source_url": "https://a.example:0x/a"}, {"/data/attributes/source_url"}),
        ({"source_url": None}, {"/data/attributes/source_url"}),
        (
            {"source_url": "https://a.example/a.mp4", "name": 7, "description": []},
            {"/data/attributes/name", "/data/attributes/description"},
        ),
    ],
)
async def test_wrong_values_are_rejected_and_create_nothing(
    driver: Driver, attributes: dict[str, object], wrong: set[str]
) -> None:
    """A creation with wrong values is a 422 that names each of them, and creates no media."""
    assert pointers(await driver.post("/medias", **attributes)) == wrong
    assert await driver.data("/medias") == []


async def test_upload_makes_one_media_only(driver: Driver) -> None:
    """An upload must have its file, and serves one media."""
    empty, _ = await driver.prepare()
    assert pointers(await driver.post("/medias", upload_id=empty)) == {"/data/attributes/upload_id"}
    stored = await driver.upload()
    assert (await driver.post("/medias", upload_id=stored)).status_code == 200
    assert pointers(await driver.post("/medias", upload_id=stored)) == {"/data/attributes/upload_id"}
    forged = stored[:-1] + ("0" if stored[-1] != "0" else "1")
    assert pointers(await driver.post("/medias", upload_id=forged)) == {"/data/attributes/upload_id"}


async def test_update_only_changes_the_fields_in_it(driver: Driver) -> None:
    """A PUT changes name and description, but not what it omits."""
    path = f"/medias/{(await driver.media(name='Old', description='Kept'))['id']}"
    response = await driver.put(path, name="New", source_url="https://ignored.example/b.mp4")
    assert response.json()["data"]["attributes"]["name"] == "New"
    changed = (await driver.data(path))["attributes"]
    assert (changed["name"], changed["description"]) == ("New", "Kept")
    assert changed["source_url"] == "https://films.example/one.mp4"
    assert pointers(await driver.put(path, name=1)) == {"/data/attributes/name"}


async def test_delete_also_deletes_the_clips(driver: Driver) -> None:
    """A media is deleted with its clips and its file; a second deletion is a 404."""
    media = await driver.finished(upload_id=await driver.upload())
    clip = (await driver.data("/clips"))[0]
    assert (await driver.api.delete(f"/medias/{media['id']}")).status_code == 204
    for path in (f"/medias/{media['id']}", f"/clips/{clip['id']}"):
        assert (await driver.api.get(path)).status_code == 404
        assert (await driver.api.delete(path)).status_code == 404
    assert (await driver.put(f"/medias/{media['id']}", name="x")).status_code == 404
    assert await driver.data("/clips") == []
    assert (await driver.bare.get(f"{ORIGIN}/_files/{media['id']}")).status_code == 404


async def test_stored_file_is_served_whole_and_by_range(driver: Driver) -> None:
    """The clip's URL plays: the stored file is served whole and by range, once it is processed."""
    content = sample_video().read_bytes() + b"\x00" * 8
    media = await driver.media(upload_id=await driver.upload(content))
    url = f"{ORIGIN}/_files/{media['id']}"
    assert (await driver.bare.get(url)).status_code == 404
    driver.simulator.advance(60)
    clip = (await driver.data("/clips"))[0]["attributes"]
    assert clip["media_file_url"] == f"{url}#t={clip['start_time']:g},{clip['end_time']:g}"
    whole = await driver.bare.get(clip["media_file_url"])
    assert (whole.content, whole.headers["content-type"]) == (content, "video/mp4")
    part = await driver.bare.get(url, headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, content[4:8])
    thumbnail = await driver.bare.get(clip["media_file_preview_image_url"])
    assert thumbnail.content.startswith(b"\xff\xd8")


async def test_processing_ends_on_demand(driver: Driver, simulator: Simulator) -> None:
    """finish_media and fail_media end the processing now; an unknown id is an error that names it."""
    failed = await driver.media()
    simulator.fail_media(failed["id"])
    simulator.advance(60)
    assert (await driver.data(f"/medias/{failed['id']}"))["attributes"]["has_fetch_error"] is True
    finished = await driver.finished()
    simulator.finish_media(finished["id"])
    assert await driver.data(f"/medias/{finished['id']}") == finished
    for change in (simulator.finish_media, simulator.fail_media):
        with pytest.raises(LookupError, match="no-such-id"):
            change("no-such-id")
