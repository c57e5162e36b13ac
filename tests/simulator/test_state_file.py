"""The state file."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from contentgroove_mock import ManualClock, Policy, Simulator, sample_video
from contentgroove_mock.simulator.core.records import Account, State
from contentgroove_mock.simulator.files import Storage

from tests.platforms import WINDOWS
from tests.simulator.driver import ORIGIN, Contract, Driver
from tests.simulator.test_state_changes import read_rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

STORED_STATE = Path(__file__).with_name("stored_state.json")
"""A state file that an earlier version wrote at `STORED_AT`; FOLDER stands for the folder of its uploaded files."""
STORED_AT = dt.datetime(2026, 1, 1, 0, 9, 30, tzinfo=dt.UTC)
STORED_UPLOAD_URL = (
    f"{ORIGIN}/_uploads/9f1dee66-c15c-4125-a742-1ce9d7a67de1?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Date=20260101T000930Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=00a206b9fc368449f8139b0af38398bae74187485168258fe1e4d3dbbf2409b7"
)
"""The URL that was returned for the upload of the stored state that has no file yet."""


@pytest.fixture
def stored_state(tmp_path: Path) -> Path:
    """A copy of the stored state, with its uploaded files."""
    path = tmp_path / "state.json"
    folder = tmp_path / "state.json.files"
    folder.mkdir()
    text = STORED_STATE.read_text("utf-8")
    for name in set(re.findall(r"FOLDER/([\w-]+)", text)):
        (folder / name).write_bytes(sample_video().read_bytes())
    path.write_text(text.replace("FOLDER/", json.dumps(str(folder / "-"))[1:-2]), "utf-8")
    return path


@pytest.fixture
async def stored_driver(stored_state: Path, contract: Contract) -> AsyncGenerator[Driver]:
    """A simulator that continues with the stored state; webhooks to the path `/fails` fail with 500."""

    def receive(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if request.url.path == "/fails" else 200)

    simulator = Simulator(
        clock=ManualClock(STORED_AT),
        state_file=stored_state,
        webhook_client=httpx.AsyncClient(transport=httpx.MockTransport(receive)),
        policy=Policy(
            queue_seconds=10,
            processing_seconds=100,
            clip_seconds=50,
            webhook_attempts=3,
            webhook_retry_seconds=60,
        ),
    )
    driver = Driver(simulator, contract)
    yield driver
    await driver.aclose()
    await simulator.aclose()


def test_state_of_an_earlier_version_is_converted(stored_state: Path) -> None:
    """Every member of the JSON file is read, and written to a database in the same form and order."""
    before = json.loads(stored_state.read_bytes())
    for _ in range(2):
        storage = Storage(stored_state)
        state = storage.load()
        assert state is not None
        storage.close()
        tables = state.tables()
        after = read_rows(stored_state)
        # What that version did not have is empty, and nothing of a kind that it did not count was made.
        counters = dict.fromkeys((name for name in Account.__struct_fields__ if name.endswith("_made")), 0)
        accounts = {identifier: counters | account for identifier, account in before["accounts"].items()}
        assert after == before | {"webhook_hold": {}, "accounts": accounts}
        assert [list(after.get(kind, {})) for kind in tables] == [list(before.get(kind, {})) for kind in tables]
    # No draft is left.
    assert {item.name for item in stored_state.parent.iterdir()} == {"state.json", "state.json.files"}
    assert WINDOWS or stored_state.stat().st_mode & 0o077 == 0


def test_stored_state_has_records_in_every_stage() -> None:
    """The stored state covers each stage of medias, clips and uploads, and each state of deliveries."""
    state = json.loads(STORED_STATE.read_text("utf-8"))
    assert {media["stage"] for media in state["medias"].values()} == {"queued", "processing", "finished", "failed"}
    assert {clip["stage"] for clip in state["clips"].values()} == {"queued", "processing", "finished"}
    assert {(delivery["state"], delivery["held"]) for delivery in state["deliveries"].values()} == {
        ("delivered", False),
        ("failed", False),
        ("refused", False),
        ("lost", False),
        ("pending", False),
        ("pending", True),
    }
    uploads = {(upload["path"] is None, upload["file"] is None, upload["used"]) for upload in state["uploads"].values()}
    assert uploads == {(False, False, True), (True, True, False), (False, False, False), (False, True, False)}


@pytest.mark.anyio
async def test_stored_processing_continues(stored_driver: Driver) -> None:
    """Medias and clips of a stored state finish at the times that were planned for them."""

    async def processing(path: str) -> dict[str, bool | None]:
        items = [item["attributes"] for item in await stored_driver.data(path)]
        return {item["name"]: item["is_processing"] for item in items if item["name"][0].isupper()}

    ended = {"Delivered": False, "Lost": False, "Late": False, "Failed": False}
    assert await processing("/medias") == ended | {"Unreachable": True, "Processing": True, "Queued": None}
    assert await processing("/clips") == {"Finished clip": False, "Processing clip": True, "Queued clip": None}
    stored_driver.simulator.advance(50)
    assert await processing("/medias") == ended | {"Unreachable": False, "Processing": True, "Queued": True}
    assert await processing("/clips") == {"Finished clip": False, "Processing clip": False, "Queued clip": True}
    stored_driver.simulator.advance(60)
    assert set((await processing("/medias")).values()) == {False}
    assert set((await processing("/clips")).values()) == {False}
    errors = await stored_driver.data("/medias?filter[has_fetch_error_true]=1")
    assert [media["attributes"]["name"] for media in errors] == ["Unreachable", "Failed"]


@pytest.mark.anyio
async def test_stored_uploads_continue(stored_driver: Driver) -> None:
    """A stored upload URL accepts its file, and stored files become medias and are served."""
    content = sample_video().read_bytes()
    assert (await stored_driver.bare.put(STORED_UPLOAD_URL, content=content)).status_code == 200
    results: list[tuple[int, bool | None]] = []
    state = json.loads(STORED_STATE.read_text("utf-8"))
    for upload in state["uploads"].values():
        response = await stored_driver.post("/medias", upload_id=upload["upload_id"], name="Made of an upload")
        failed = None
        if response.status_code == 200:
            stored_driver.simulator.finish_media(response.json()["data"]["id"])
            made = await stored_driver.data(f"/medias/{response.json()['data']['id']}")
            failed = made["attributes"]["has_fetch_error"]
        results.append((response.status_code, failed))
    # The first has been used, and the file of the last is not a video.
    assert results == [(422, None), (200, False), (200, False), (200, True)]
    (media,) = await stored_driver.data("/medias?filter[name_eq]=Delivered")
    assert (await stored_driver.bare.get(f"{ORIGIN}/_files/{media['id']}")).content == content


@pytest.mark.anyio
async def test_stored_deliveries_continue(stored_driver: Driver) -> None:
    """Stored webhooks are sent when they are due, those that are settled can be sent again, and quotas count on."""
    simulator = stored_driver.simulator

    def deliveries() -> list[tuple[str, bool, int]]:
        return [(delivery.state, delivery.held, len(delivery.attempts)) for delivery in simulator.deliveries]

    settled = [("delivered", False, 1), ("failed", False, 3), ("refused", False, 1), ("lost", False, 0)]
    assert deliveries() == [*settled, ("pending", False, 2), ("pending", False, 0), ("pending", True, 0)]
    simulator.advance(60)
    await simulator.wait_until_idle()
    assert deliveries()[4:7] == [("failed", False, 3), ("pending", False, 0), ("pending", True, 0)]
    simulator.advance(5000)
    await simulator.wait_until_idle()
    assert deliveries()[5:7] == [("delivered", False, 1), ("pending", True, 0)]
    simulator.redeliver(simulator.deliveries[3].id)
    await simulator.wait_until_idle()
    assert deliveries()[:4] == [*settled[:3], ("delivered", False, 1)]
    simulator.set_quota(medias=8)
    # Seven medias of this account are in the state, and its month is not over.
    await stored_driver.media()
    assert (await stored_driver.post("/medias", source_url="https://films.example/b.mp4")).status_code == 402


@pytest.mark.anyio
async def test_everything_survives_a_restart(tmp_path: Path, contract: Contract) -> None:
    """Medias, clips, subscriptions, stored files and prepared uploads are as before."""
    path = tmp_path / "state.json"
    clock = ManualClock()
    first = Driver(Simulator(clock=clock, state_file=path), contract)
    await first.subscribe()
    finished = await first.finished(upload_id=await first.upload(), name="Film")
    waiting = await first.media(name="Waiting")
    upload_id, url = await first.prepare()
    clips = await first.data("/clips")
    await first.aclose()
    await first.simulator.aclose()

    second = Driver(Simulator(clock=clock, state_file=path), contract)
    assert await second.data(f"/medias/{finished['id']}") == finished
    assert await second.data("/clips") == clips
    assert len(await second.data("/webhook_subscriptions")) == 1
    film = await second.bare.get(f"{ORIGIN}/_files/{finished['id']}")
    assert film.content == sample_video().read_bytes()
    assert (await second.bare.put(url, content=film.content)).status_code == 200
    await second.media(upload_id=upload_id)
    second.simulator.advance(60)
    assert (await second.data(f"/medias/{waiting['id']}"))["attributes"]["is_processing"] is False
    assert len(second.simulator.deliveries) == 3
    await second.api.delete(f"/medias/{finished['id']}")
    await second.aclose()
    await second.simulator.aclose()

    third = Driver(Simulator(clock=clock, state_file=path), contract)
    assert (await third.api.get(f"/medias/{finished['id']}")).status_code == 404
    assert len(list((tmp_path / "state.json.files").iterdir())) == 1
    await third.aclose()
    await third.simulator.aclose()


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"secret": 1}', b'{"medias": {}}', b"text", b"\x00\xff\x00", b'{"secret": "\xff"}']
)
def test_other_file_is_an_error_and_not_changed(tmp_path: Path, content: bytes) -> None:
    """A file with other content is an error that says what to do, and is not changed."""
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=r"other\.json is not a simulator's state \(.*\): pass another file, or delete"
    ):
        Simulator(state_file=path)
    assert path.read_bytes() == content
    assert [item.name for item in tmp_path.iterdir()] == ["other.json"]


@pytest.mark.parametrize("statement", ["CREATE TABLE a (b)", "PRAGMA journal_mode = WAL"])
def test_database_of_another_program_is_not_changed(tmp_path: Path, statement: str) -> None:
    """Such as an inbox of webhooks."""
    path = tmp_path / "events.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
    content = path.read_bytes()
    with pytest.raises(ValueError, match="database of another program"):
        Simulator(state_file=path)
    assert path.read_bytes() == content


def test_damaged_state_is_an_error(stored_state: Path) -> None:
    """Rows that are not JSON."""
    Storage(stored_state).load()
    with contextlib.closing(sqlite3.connect(stored_state)) as connection, connection:
        connection.execute("UPDATE record SET content = '{'")
    with pytest.raises(ValueError, match=r"state\.json is not a simulator's state"):
        Simulator(state_file=stored_state)


def test_truncated_database_is_an_error(stored_state: Path) -> None:
    """A file of which the end is missing."""
    storage = Storage(stored_state)
    storage.load()
    storage.close()
    stored_state.write_bytes(stored_state.read_bytes()[:5000])
    with pytest.raises(ValueError, match=r"state\.json is not a simulator's state"):
        Simulator(state_file=stored_state)


def test_state_of_a_newer_version_is_an_error(tmp_path: Path) -> None:
    """The message says to update, and does not suggest to delete the file."""
    path = tmp_path / "state"
    storage = Storage(path)
    storage.save(State(secret="s"))
    storage.close()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(ValueError, match="newer version of this package: update it"):
        Simulator(state_file=path)


def test_empty_file_is_a_new_state(tmp_path: Path) -> None:
    """A start that was killed leaves one, and `mktemp` makes one."""
    path = tmp_path / "state"
    path.touch(0o644)
    Simulator(state_file=path)
    assert WINDOWS or path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("name", "words"), [("missing/state.json", "Cannot write"), (".", "Cannot read")])
def test_a_path_that_cannot_be_used_is_an_error_at_the_start(tmp_path: Path, name: str, words: str) -> None:
    """A state file that cannot be used is an error before the first request."""
    path = tmp_path / name
    with pytest.raises(OSError, match=f"{words} {re.escape(str(path))}:"):
        Simulator(state_file=path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", [".", "..", "/"])
def test_folder_instead_of_a_file_is_an_error(path: str) -> None:
    """Paths that have no name of their own are named as well."""
    with pytest.raises(OSError, match=f"Cannot read {re.escape(str(Path(path)))}: "):
        Simulator(state_file=path)


def test_seed_and_state_file_cannot_be_combined(tmp_path: Path) -> None:
    """A seed would repeat the ids of the first run."""
    with pytest.raises(ValueError, match="seed"):
        Simulator(seed=1, state_file=tmp_path / "state.json")


@pytest.mark.anyio
async def test_seed_repeats_ids(contract: Contract) -> None:
    """Two simulators with the same seed make the same ids; without a seed ids differ."""
    ids: list[str] = []
    for seed in (7, 7, 8, None, None):
        driver = Driver(Simulator(clock=ManualClock(), seed=seed), contract)
        ids.append((await driver.media())["id"])
        await driver.aclose()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
