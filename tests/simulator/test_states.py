"""Seed data, reset, snapshot and restore, in Python and over HTTP."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from contentgroove_mock import Fault, ManualClock, Policy, Simulator
from contentgroove_mock.simulator.core.snapshots import VERSION, Snapshot

from tests.simulator.driver import KEY, ORIGIN, Contract, Driver

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

pytestmark = pytest.mark.anyio

CONTROL = "http://127.0.0.1:8080/_mock"
HOOK = "http://127.0.0.1/hook"

DATA: dict[str, Any] = {
    "accounts": [{"key": KEY, "name": "demo", "quota": {"medias": 1}}],
    "medias": [
        {
            "id": "film",
            "name": "Film",
            "duration": 60,
            "created_at": "2025-12-24T18:00:00Z",
            "transcription": {"id": "words", "text": "Good evening."},
            "clips": [{"id": "opening", "name": "Opening", "start_time": 0, "end_time": 12.5, "text": "Good evening."}],
        },
        {"id": "plain"},
        {"id": "slow", "stage": "processing"},
        {"id": "broken", "stage": "failed", "source_url": "https://films.example/broken.mp4"},
        {"id": "new", "stage": "queued"},
    ],
    "webhook_subscriptions": [{"id": "hook", "url": HOOK, "subscribed_events": ["media.processing_finished"]}],
}


@pytest.fixture
async def driver(contract: Contract) -> AsyncGenerator[Driver]:
    client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    simulator = Simulator(clock=ManualClock(), seed=1, control=True, webhook_client=client, data=DATA)
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()
    await client.aclose()


async def ids(driver: Driver, path: str = "/medias") -> list[str]:
    """Return the ids of a list."""
    return [item["id"] for item in await driver.data(path)]


async def test_seeded_records_are_those_of_the_service(driver: Driver) -> None:
    """They fit the contract, have the chosen ids, times and words, and the rest as the service would make it."""
    assert set(await ids(driver)) == {"film", "plain", "slow", "broken", "new"}
    film = await driver.data("/medias/film")
    assert film["attributes"]["source_file_duration"] == 60
    assert film["attributes"]["created_at"] == "2025-12-24T18:00:00.000Z"
    assert film["relationships"]["transcription"]["data"]["id"] == "words"
    assert [clip["id"] for clip in film["relationships"]["clips"]["data"]] == ["opening"]
    clip = (await driver.data("/clips/opening"))["attributes"]
    assert (clip["text"], clip["end_time"], clip["rank"]) == ("Good evening.", 12.5, None)
    assert len((await driver.data("/medias/plain"))["relationships"]["clips"]["data"]) == 3
    states = {media.id: media.stage for media in driver.simulator.medias}
    assert (states["slow"], states["broken"], states["new"]) == ("processing", "failed", "queued")
    assert (await driver.data("/webhook_subscriptions/hook"))["attributes"]["url"] == HOOK
    assert (await driver.bare.get(f"{ORIGIN}/_files/film")).status_code == 200


async def test_seeded_medias_go_on(driver: Driver) -> None:
    """What is processed finishes by the clock, and its webhook leads to where the simulator was reached."""
    assert driver.simulator.deliveries == []
    await ids(driver)
    driver.simulator.advance(60)
    await driver.simulator.wait_until_idle()
    assert {media.stage for media in driver.simulator.medias} == {"finished", "failed"}
    deliveries = driver.simulator.deliveries
    assert {delivery.payload["data"]["id"] for delivery in deliveries} == {"slow", "new"}
    url = deliveries[0].payload["data"]["attributes"]["source_file_preview_image_url"]
    assert url.startswith(f"{ORIGIN}/_files/")


async def test_seeded_accounts_have_their_limits(driver: Driver) -> None:
    """The quota counts what is created through the API, not the seed data."""
    await driver.media()
    response = await driver.post("/medias", source_url="https://films.example/a.mp4")
    assert response.status_code == 402


async def test_seed_data_of_a_restricted_simulator(contract: Contract) -> None:
    """Its accounts are accepted beside the given keys; with one given key, that is whose the data is."""
    simulator = Simulator(api_keys=["other"], data=DATA)
    driver = Driver(simulator, contract)
    assert len(await ids(driver)) == 5
    assert (await driver.api.get("/medias", headers={"Authorization": "Bearer third"})).status_code == 401
    await driver.aclose()
    only = Driver(Simulator(api_keys=[KEY], data={"medias": [{"id": "mine"}]}), contract)
    assert await ids(only) == ["mine"]
    await only.aclose()


async def test_data_is_added_and_replaced_over_http(driver: Driver) -> None:
    """POST adds to what is there, PUT replaces it; accounts stay."""
    response = await driver.bare.post(f"{CONTROL}/data", json={"medias": [{"id": "more", "account": "demo"}]})
    assert response.status_code == 204, response.text
    assert len(await ids(driver)) == 6
    response = await driver.bare.put(f"{CONTROL}/data", json={"medias": [{"id": "only", "account": KEY}]})
    assert response.status_code == 204, response.text
    assert await ids(driver) == ["only"]
    assert await ids(driver, "/clips") == [clip.id for clip in driver.simulator.clips]
    assert await ids(driver, "/webhook_subscriptions") == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"films": []}, "unknown field `films`"),
    ({"medias": [{}, {"nmae": "x"}]}, r"unknown field `nmae` - at `\$\.medias\[1\]`"),
    ({"medias": [{"duration": "long"}]}, r"\$\.medias\[0\]\.duration"),
    ({"medias": [{"duration": 0}]}, r"\$\.medias\[0\]\.duration must be more than 0"),
    ({"medias": [{"stage": "done"}]}, r"\$\.medias\[0\]\.stage"),
    ({"medias": [{"created_at": "2026-01-01T00:00:00"}]}, "timezone"),
    ({"medias": [{"id": "a"}, {"id": "a"}]}, r"\$\.medias\[0\]\.id: 'a' is the id of another"),
    ({"medias": [{"id": "film"}]}, "'film' is the id of another"),
    ({"medias": [{"id": "a/b"}]}, r"\$\.medias\[0\]\.id must be"),
    ({"medias": [{"account": "nothing"}]}, r"\$\.medias\[0\]\.account: .*no account"),
    ({"medias": [{"source_url": "film.mp4"}]}, r"\$\.medias\[0\]\.source_url must be"),
    ({"medias": [{"stage": "queued", "clips": [{"name": "a", "start_time": 0, "end_time": 1}]}]}, "stage finished"),
    ({"medias": [{"clips": [{"name": "a", "start_time": 0, "end_time": 7}]}]}, r"\$\.medias\[0\]\.clips\[0\] must be"),
    ({"medias": [{"clips": [{"name": "a", "start_time": 2, "end_time": 2}]}]}, "end after its start"),
    ({"medias": [{"clips": [{"id": "opening", "name": "a", "start_time": 0, "end_time": 1}]}]}, "clips.*'opening'"),
    ({"webhook_subscriptions": [{"url": "hook"}]}, r"\$\.webhook_subscriptions\[0\]\.url"),
    ({"webhook_subscriptions": [{}]}, "url"),
    ({"accounts": [{"key": ""}]}, r"\$\.accounts\[0\]\.key"),
    ({"accounts": [{"key": "canary-2", "name": "demo"}]}, r"\$\.accounts\[0\]\.name: .*'demo'"),
    ({"accounts": [{"key": "canary-2", "quota": {"films": 1}}]}, r"\$\.accounts\[0\]\.quota"),
]


@pytest.mark.parametrize(("data", "words"), WRONG)
async def test_wrong_data_is_refused_as_a_whole(driver: Driver, data: dict[str, Any], words: str) -> None:
    """The message has the path to what is wrong, contains no key, and nothing is changed by POST or PUT."""
    # These ids and names are only taken as long as the data of the start is there.
    taken = "'film'" in words or "'opening'" in words
    before = driver.simulator.snapshot()
    with pytest.raises(ValueError, match=words) as caught:
        driver.simulator.add_data(data)
    assert "canary" not in str(caught.value)
    for method in ("POST", "PUT"):
        if method == "PUT" and taken:
            continue
        response = await driver.bare.request(method, f"{CONTROL}/data", json=data)
        assert response.status_code == 400
        assert "canary" not in response.text
    assert driver.simulator.snapshot() == before


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    """JSON and YAML alike; a file that is missing or neither is an error that says so."""
    good = tmp_path / "seed.json"
    good.write_text(json.dumps(DATA), "utf-8")
    assert len(Simulator(data=good).medias) == 5
    lines = [
        "accounts: [{key: a-key}]",
        "medias:",
        "  - id: film",
        "    duration: 90",
        "    created_at: 2026-01-01T00:00:00Z",
    ]
    yaml = tmp_path / "seed.yaml"
    yaml.write_text("\n".join(lines), "utf-8")
    (media,) = Simulator(data=str(yaml)).medias
    assert (media.id, media.created_at) == ("film", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    for name, text, words in (
        ("wrong.json", '{"medias": [{"nmae": 1}]}', r"wrong\.json: .*nmae.*\$\.medias\[0\]"),
        ("cut.json", '{"medias": [', r"cut\.json: .*truncated"),
        ("whose.json", '{"medias": [{}]}', r"whose\.json: \$\.medias\[0\] needs an account"),
        ("wrong.yaml", "medias: [", r"wrong\.yaml: It is not valid YAML.* line 2"),
        ("empty.yml", "", r"empty\.yml: The file is empty"),
        ("other.yml", "- 1", r"other\.yml: The file must be a mapping"),
    ):
        (tmp_path / name).write_text(text, "utf-8")
        with pytest.raises(ValueError, match=words):
            Simulator(data=tmp_path / name)
    with pytest.raises(OSError, match=r"Cannot read the seed data .*missing\.json"):
        Simulator(data=tmp_path / "missing.json")


async def test_a_state_file_gets_the_data_once(tmp_path: Path) -> None:
    """A restart with the same options neither repeats the data nor fails at its ids."""
    for _ in range(2):
        simulator = Simulator(state_file=tmp_path / "state", data=DATA)
        assert len(simulator.medias) == 5
        await simulator.aclose()


async def test_reset_is_as_at_the_start(driver: Driver) -> None:
    """What was made, set and logged is gone, the seed data is as at first, ids repeat, and the clock goes on."""
    simulator = driver.simulator
    start = simulator.snapshot()
    await driver.api.delete("/medias/film")
    made = await driver.media()
    simulator.set_quota(medias=0)
    simulator.set_api_keys([])
    simulator.change_policy(processing_seconds=9)
    simulator.add_fault(Fault(kind="status"))
    simulator.latency = 1
    simulator.pause_webhooks()
    simulator.advance(60)
    now = simulator.clock.now()
    assert (await driver.bare.post(f"{CONTROL}/reset")).status_code == 204
    assert (simulator.clock.now(), simulator.requests) == (now, [])
    again = simulator.snapshot()
    assert (again.policy, again.limits, again.keys, again.latency, again.faults) == (
        start.policy,
        start.limits,
        start.keys,
        start.latency,
        start.faults,
    )
    assert again.state.webhook_hold == start.state.webhook_hold
    assert list(again.state.clips) == list(start.state.clips)
    assert (await driver.media())["id"] == made["id"]


async def test_reset_can_keep_the_settings(driver: Driver) -> None:
    """Keys, names, policy, limits, faults and latency stay; resources and counters do not."""
    simulator = driver.simulator
    simulator.add_api_key("second", name="second")
    simulator.remove_api_key("third")
    simulator.change_policy(processing_seconds=9)
    simulator.set_rate_limit(1000)
    simulator.add_fault(Fault(kind="status", operation="getClips"))
    await driver.media()
    before = simulator.snapshot()
    response = await driver.bare.post(f"{CONTROL}/reset", json={"keep_settings": True})
    assert response.status_code == 204
    after = simulator.snapshot()
    for name in ("policy", "keys", "latency", "faults"):
        assert getattr(after, name) == getattr(before, name)
    assert after.limits.rate_limit.requests == 1000
    assert {account.name for account in simulator.accounts} == {"demo", "second"}
    assert simulator.account("demo").medias_made == 0
    assert len(await ids(driver)) == 5


async def test_a_snapshot_is_restored_with_everything(driver: Driver) -> None:
    """Resources, deliveries, limits, faults, keys, latency, policy and the clock are as they were."""
    simulator = driver.simulator
    simulator.add_fault(Fault(kind="status", operation="getClips", count=2))
    assert (await driver.api.get("/clips")).status_code == 503
    simulator.advance(1)
    await simulator.wait_until_idle()
    snapshot = simulator.snapshot()
    await driver.api.delete("/medias/film")
    await driver.media()
    simulator.advance(100)
    await simulator.wait_until_idle()
    simulator.set_quota(medias=0, account="demo")
    simulator.set_api_keys([])
    simulator.clear_faults()
    simulator.policy = Policy(page_size=1)
    simulator.latency = 3
    assert simulator.snapshot() != snapshot
    assert simulator.restore(snapshot) == []
    assert simulator.snapshot() == snapshot
    assert simulator.clock.now() == snapshot.now
    assert (simulator.requests, simulator.faults_happened()) == ([], {})
    assert (await driver.api.get("/clips")).status_code == 503
    assert "film" in await ids(driver)
    # What is done after a restore does not reach the snapshot.
    await driver.api.delete("/medias/film")
    simulator.restore(snapshot)
    assert "film" in await ids(driver)


async def test_a_snapshot_goes_over_http(driver: Driver) -> None:
    """What GET returns is what PUT takes, and the same as in Python."""
    simulator = driver.simulator
    content = (await driver.bare.get(f"{CONTROL}/snapshot")).content
    assert Snapshot.from_json(content) == simulator.snapshot()
    await driver.api.delete("/medias/film")
    headers = {"Content-Type": "application/json"}
    response = await driver.bare.put(f"{CONTROL}/snapshot", content=content, headers=headers)
    assert (response.status_code, response.json()) == (200, {"missing_files": []})
    assert "film" in await ids(driver)
    assert KEY.encode() not in content
    assert simulator.snapshot().state.secret not in repr(simulator.snapshot())


async def test_snapshots_have_names(driver: Driver) -> None:
    """They are saved, listed, restored and deleted by name, and survive a reset."""
    for name in ("empty", "full"):
        assert (await driver.bare.put(f"{CONTROL}/snapshots/{name}")).status_code == 204
        await driver.api.delete("/medias/film")
    driver.simulator.reset()
    listed = (await driver.bare.get(f"{CONTROL}/snapshots")).json()
    assert [(item["name"], item["medias"]) for item in listed] == [("empty", 5), ("full", 4)]
    response = await driver.bare.post(f"{CONTROL}/snapshots/full/restore")
    assert response.status_code == 200
    assert len(await ids(driver)) == 4
    assert (await driver.bare.delete(f"{CONTROL}/snapshots/full")).status_code == 204
    with pytest.raises(LookupError, match="no saved snapshot 'full'"):
        driver.simulator.restore_snapshot("full")


async def test_other_snapshots_are_refused(driver: Driver) -> None:
    """Another version, and what is not a snapshot, are errors that say so, and nothing changes."""
    simulator = driver.simulator
    snapshot = simulator.snapshot()
    newer = json.loads(snapshot.to_json()) | {"version": VERSION + 1, "state": {"other": 1}}
    for content, words in (
        (json.dumps(newer), f"has version {VERSION + 1}, and this simulator reads version {VERSION}"),
        ("{}", "not a snapshot"),
        ("[1", "not a snapshot"),
    ):
        with pytest.raises(ValueError, match=words):
            Snapshot.from_json(content)
        headers = {"Content-Type": "application/json"}
        response = await driver.bare.put(f"{CONTROL}/snapshot", content=content, headers=headers)
        assert response.status_code == 400
        assert words in response.text
    with pytest.raises(ValueError, match="has version"):
        simulator.restore(msgspec.structs.replace(snapshot, version=VERSION + 1))
    assert simulator.snapshot() == snapshot


async def test_a_deleted_file_is_restored(driver: Driver) -> None:
    """Files of a snapshot are kept; those that came later are deleted; one that is gone is named and is a 404."""
    simulator = driver.simulator
    media = await driver.finished(upload_id=await driver.upload())
    snapshot = simulator.snapshot()
    assert (await driver.api.delete(f"/medias/{media['id']}")).status_code == 204
    simulator.set_quota()
    await driver.upload()
    (newer,) = simulator.snapshot().state.stored_files() - snapshot.state.stored_files()
    assert simulator.restore(snapshot) == []
    assert (await driver.bare.get(f"{ORIGIN}/_files/{media['id']}")).status_code == 200
    del newer
    (path,) = snapshot.state.stored_files()
    simulator._context.storage.delete_file(path)
    assert simulator.restore(snapshot) == [path]
    assert (await driver.bare.get(f"{ORIGIN}/_files/{media['id']}")).status_code == 404


async def test_a_snapshot_reaches_no_files_of_others(driver: Driver, tmp_path: Path) -> None:
    """A path that was written into one is neither served nor deleted."""
    simulator = driver.simulator
    secret = tmp_path / "secret.mp4"
    secret.write_text("canary-content", "utf-8")
    document = json.loads(simulator.snapshot().to_json())
    for path in (str(secret), f"../../../../../../../{secret}", str(tmp_path / "x" / ".." / "secret.mp4")):
        document["state"]["medias"]["film"]["path"] = path
        headers = {"Content-Type": "application/json"}
        response = await driver.bare.put(f"{CONTROL}/snapshot", content=json.dumps(document), headers=headers)
        (missing,) = response.json()["missing_files"]
        assert missing != path
        assert (await driver.bare.get(f"{ORIGIN}/_files/film")).status_code == 404
        await driver.api.delete("/medias/film")
        assert secret.read_text("utf-8") == "canary-content"


async def test_a_snapshot_holds_what_never_ends(driver: Driver) -> None:
    """A media that is processed until it is told goes through JSON."""
    driver.simulator.hold_media("slow")
    driver.simulator.restore(Snapshot.from_json(driver.simulator.snapshot().to_json()))
    driver.simulator.advance(86_400)
    assert driver.simulator.media("slow").stage == "processing"


class _FixedClock:
    def now(self) -> dt.datetime:
        return dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    def advance(self, seconds: float) -> None:
        del seconds

    async def sleep(self, seconds: float) -> None:
        del seconds


def test_a_clock_that_cannot_be_set() -> None:
    """The error names what it lacks, before anything is changed."""
    simulator = Simulator(clock=_FixedClock(), data=DATA)
    snapshot = simulator.snapshot()
    simulator.reset(keep_settings=True)
    with pytest.raises(ValueError, match=r"_FixedClock has no set_time\(\)"):
        simulator.restore(snapshot)


async def test_a_running_clock_is_set_back() -> None:
    """A simulator that runs by itself goes on from the time of the snapshot."""
    simulator = Simulator(data=DATA)
    snapshot = simulator.snapshot()
    simulator.advance(3600)
    simulator.restore(snapshot)
    assert simulator.clock.now() - snapshot.now < dt.timedelta(seconds=600)
