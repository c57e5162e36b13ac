"""What is written to the state file, when, and what one simulator leaves for the next."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import sqlite3
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from contentgroove_mock import Fault, ManualClock, Policy, Simulator
from contentgroove_mock.simulator.core.accounts import account_id
from contentgroove_mock.simulator.core.records import Media, State
from contentgroove_mock.simulator.files import Storage
from contentgroove_mock.simulator.state_file import StateFile

from tests.platforms import WINDOWS
from tests.simulator.driver import KEY, ORIGIN, Contract, Driver

if TYPE_CHECKING:
    from pathlib import Path


def read_rows(path: Path) -> dict[str, Any]:
    """Read a state file without the simulator, in the form of the JSON files of earlier versions."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT kind, id, content FROM record ORDER BY position").fetchall()
    found: dict[str, Any] = {}
    for kind, identifier, content in rows:
        if kind == "value":
            found[identifier] = json.loads(content)
        else:
            found.setdefault(kind, {})[identifier] = json.loads(content)
    assert found.pop("opened") >= 1
    return found


def finished_media(identifier: str, account: str) -> Media:
    """Return a finished media."""
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return Media(
        id=identifier,
        account=account,
        origin=ORIGIN,
        name="Film",
        description=None,
        source_url="https://films.example/a.mp4",
        path=None,
        file=None,
        created_at=at,
        starts_at=at,
        finishes_at=at,
        stage="failed",
    )


@pytest.mark.anyio
async def test_state_file_is_private_and_contains_no_key(tmp_path: Path, contract: Contract) -> None:
    """Only its owner can read the file and what SQLite keeps next to it, and the key is in neither."""
    driver = Driver(Simulator(clock=ManualClock(), state_file=tmp_path / "state.json"), contract)
    await driver.media()
    written = list(tmp_path.iterdir())  # noqa: ASYNC240  # nothing else runs
    assert {path.name for path in written} == {"state.json", "state.json-wal"}
    # On Windows the folder determines who may read it.
    assert WINDOWS or {path.stat().st_mode & 0o077 for path in written} == {0}
    assert [path for path in written if KEY.encode() in path.read_bytes()] == []
    await driver.aclose()
    await driver.simulator.aclose()
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]  # noqa: ASYNC240  # nothing else runs


@pytest.mark.anyio
async def test_every_change_is_stored(tmp_path: Path, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    """After each change of any operation, webhook and control method, the file has the state of the memory."""
    path = tmp_path / "state"
    stored: list[dict[str, Any]] = []
    save = StateFile.save

    def save_and_compare(state_file: StateFile, state: State) -> None:
        save(state_file, state)
        state_file.close()
        memory = {name: dict(table.view) for name, table in state.tables().items()}
        expected = json.loads(msgspec.json.encode({name: records for name, records in memory.items() if records}))
        stored.append(read_rows(path))
        values = {name: getattr(state, name) for name in state.__struct_fields__ if name not in memory}
        single = json.loads(msgspec.json.encode(values))
        assert stored[-1] == expected | single

    monkeypatch.setattr(StateFile, "save", save_and_compare)
    receiver = httpx.MockTransport(lambda request: httpx.Response(500 if request.url.path == "/fails" else 200))
    client = httpx.AsyncClient(transport=receiver)
    policy = Policy(processing_seconds=9, webhook_attempts=2)
    simulator = Simulator(clock=ManualClock(), state_file=path, webhook_client=client, policy=policy)
    driver = Driver(simulator, contract)
    takes = await driver.subscribe("http://127.0.0.1:9/takes")
    for url in ("http://127.0.0.1:9/fails", "https://receiver.example/"):
        await driver.subscribe(url)
    for kind in ("out_of_order", "duplicate", "late", "lost"):
        simulator.add_fault(Fault(kind=kind, operation="webhook", seconds=5 if kind == "late" else 0))
    finished = await driver.finished(upload_id=await driver.upload(), name="Film")
    await simulator.wait_until_idle()
    await driver.put(f"/medias/{finished['id']}", name="Other", description="New")
    clip = await driver.post("/clips", media_id=finished["id"], name="Clip", start_time=0, end_time=2)
    await driver.put(f"/clips/{clip.json()['data']['id']}", end_time=3)
    for name in ("Loses a webhook", "Releases the one that is held"):
        await driver.finished(name=name)
        await simulator.wait_until_idle()
    failed = await driver.media(name="Fails")
    simulator.fail_media(failed["id"])
    await driver.media(source_url="https://films.invalid/a.mp4")
    simulator.advance(60)
    await simulator.wait_until_idle()
    simulator.redeliver(simulator.deliveries[0].id)
    await simulator.wait_until_idle()
    for path_of in (f"/clips/{clip.json()['data']['id']}", f"/medias/{finished['id']}"):
        assert (await driver.api.delete(path_of)).status_code == 204
    simulator.add_fault(Fault(kind="late", operation="webhook", seconds=5))
    await driver.finished(name="Has a late webhook")
    assert (await driver.api.delete(f"/webhook_subscriptions/{takes['id']}")).status_code == 204
    states = {item["state"] for each in stored for item in each.get("deliveries", {}).values()}
    assert states == {"pending", "delivered", "failed", "refused", "lost"}
    assert len(stored) > 50
    await driver.aclose()
    await client.aclose()
    await simulator.aclose()


@pytest.mark.anyio
async def test_a_change_writes_its_rows_and_not_the_state(tmp_path: Path, contract: Contract) -> None:
    """Beside a thousand medias, reading writes the account's count of requests, and changing one its own row."""
    path = tmp_path / "state"
    storage = Storage(path)
    storage.load()
    state = State(secret="s")
    account = account_id(KEY)
    for number in range(1000):
        identifier = str(uuid.UUID(int=number))
        state.medias[identifier] = finished_media(identifier, account)
    storage.save(state)
    storage.close()
    simulator = Simulator(clock=ManualClock(), state_file=path)
    connection = simulator._context.storage._state_file._connection  # type: ignore[union-attr]  # no public path
    assert connection is not None
    driver = Driver(simulator, contract)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    target = f"/medias/{uuid.UUID(int=7)}"
    for kinds, request in (
        (["accounts"], driver.api.get(target)),
        (["accounts"], driver.api.get("/medias")),
        (["accounts", "medias"], driver.put(target, name="New")),
    ):
        statements.clear()
        assert (await request).status_code == 200
        written = [re.search(r"VALUES \('(\w+)'", text) for text in statements if "INSERT" in text]
        # Values that are not in a table, and the count of openings.
        values = len(State.__struct_fields__) - len(state.tables()) + 1
        assert [found[1] for found in written if found] == [*kinds, *["value"] * values]
    await driver.aclose()
    await simulator.aclose()


@pytest.mark.anyio
async def test_two_simulators_cannot_use_one_file(tmp_path: Path) -> None:
    """The second is an error that says what to do, until the first is closed; the first then notices."""
    path = tmp_path / "state"
    first = Simulator(state_file=path)
    link = tmp_path / "link"
    link.symlink_to(path)
    for each in (path, link):
        with pytest.raises(OSError, match="is in use by another simulator: end that one, or pass another file"):
            Simulator(state_file=each)
    await first.aclose()
    # The first can go on while no other has used the file.
    first.requests.clear()
    first.set_quota(medias=1)
    second = Simulator(state_file=path)
    await second.aclose()
    with first._context.locked_service() as service:
        service.account("key")
        with pytest.raises(OSError, match="another simulator has used it meanwhile; create a new one"):
            first._context.storage.save(service.state)
        service.state.accounts.touched.clear()


@pytest.mark.anyio
async def test_a_closed_simulator_goes_on(tmp_path: Path, contract: Contract) -> None:
    """The next request opens the file again, or makes another if that was deleted, with everything."""
    path = tmp_path / "state"
    simulator = Simulator(clock=ManualClock(), state_file=path)
    driver = Driver(simulator, contract)
    names: list[str] = []
    for name in ("first", "second", "third"):
        await driver.media(name=name)
        await simulator.aclose()
        names.append(name)
        assert [media["name"] for media in read_rows(path)["medias"].values()] == names
        if name == "second":
            path.unlink()
    await driver.aclose()


def test_state_is_written_when_it_changes(tmp_path: Path) -> None:
    """Values besides the records are written as well."""
    storage = Storage(tmp_path / "state.json")
    state = State(secret="one")
    storage.save(state)
    state.secret = "two"
    state.next_external_id()
    storage.save(state)
    storage.close()
    assert read_rows(tmp_path / "state.json") == {"secret": "two", "last_external_id": 468, "webhook_hold": {}}


ENDLESS = """
import asyncio, sys
import httpx
from contentgroove_mock import Simulator

async def main():
    transport = httpx.ASGITransport(app=Simulator(state_file=sys.argv[1]))
    base_url = "http://simulator.example/api/v1"
    async with httpx.AsyncClient(transport=transport, base_url=base_url, headers={"X-API-KEY": "any"}) as client:
        while True:
            attributes = {"source_url": "https://films.example/a.mp4", "name": "Film"}
            response = await client.post("/medias", json={"data": {"attributes": attributes}})
            print(response.json()["data"]["id"], flush=True)

print("started", flush=True)
asyncio.run(main())
"""
"""A process that creates medias until it is killed, and prints the id of each after its response."""


@pytest.mark.process
@pytest.mark.slow
def test_every_response_survives_kills(tmp_path: Path) -> None:
    """Processes are killed while they open the file and while they write; each goes on with what the last has left."""
    path = tmp_path / "state"
    confirmed: list[str] = []
    kills = (0, 1, 30)
    for lines in kills:
        with subprocess.Popen(  # noqa: S603  # this interpreter, fixed code
            [sys.executable, "-c", ENDLESS, str(path)],
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as process:
            assert process.stdout is not None
            output = [process.stdout.readline() for _ in range(lines + 1)]
            if lines:
                with pytest.raises(OSError, match="in use by another simulator"):
                    Simulator(state_file=path)
            process.kill()
            # The last line may be incomplete.
            output += process.stdout.readlines()
        confirmed += [line.strip() for line in output[1:] if line.endswith("\n")]
    storage = Storage(path)
    state = storage.load()
    storage.close()
    assert state is not None
    stored = list(state.medias)
    assert [identifier for identifier in stored if identifier in set(confirmed)] == confirmed
    # Each kill may have come between a change and the end of its response.
    assert len(stored) - len(confirmed) <= len(kills)
    assert len(confirmed) >= sum(kills)
    assert all(media.name == "Film" for media in state.medias.values())
