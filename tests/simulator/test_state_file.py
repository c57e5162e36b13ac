"""The state file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import ManualClock, Simulator, sample_video
from contentgroove_mock.simulator.core.records import State
from contentgroove_mock.simulator.storage import StateFile

from tests.platforms import WINDOWS
from tests.simulator.driver import KEY, ORIGIN, Contract, Driver

if TYPE_CHECKING:
    from pathlib import Path


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


@pytest.mark.anyio
async def test_state_file_is_private_and_holds_no_key(tmp_path: Path, contract: Contract) -> None:
    """Only its owner can read the file, and the key is not in it."""
    driver = Driver(Simulator(clock=ManualClock(), state_file=tmp_path / "state.json"), contract)
    await driver.media()
    await driver.aclose()
    (written,) = tmp_path.iterdir()  # noqa: ASYNC240  # nothing else runs
    # On Windows the folder says who may read it.
    assert WINDOWS or written.stat().st_mode & 0o077 == 0
    assert KEY not in written.read_text("utf-8")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"secret": 1}', '{"medias": {}}'])
def test_other_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    """A file that is no state is an error that names it, and stays as it is."""
    path = tmp_path / "other.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"other\.json"):
        Simulator(state_file=path)
    assert path.read_text("utf-8") == content


@pytest.mark.parametrize(("name", "words"), [("missing/state.json", "cannot be written"), (".", "cannot be read")])
def test_a_place_that_cannot_hold_it_is_told_at_the_start(tmp_path: Path, name: str, words: str) -> None:
    """Nobody works with a simulator first and learns then that nothing was kept."""
    path = tmp_path / name
    with pytest.raises(OSError, match=f"{re.escape(str(path))} {words}"):
        Simulator(state_file=path)
    assert not list(tmp_path.iterdir())


def test_state_is_written_when_it_changes(tmp_path: Path) -> None:
    """The file is replaced when the state differs from what it holds, and left alone otherwise."""
    file = StateFile(tmp_path / "state.json")
    state = State(secret="one")
    file.save(state)
    written = (tmp_path / "state.json").stat().st_ino
    file.save(state)
    assert (tmp_path / "state.json").stat().st_ino == written
    state.secret = "two"
    file.save(state)
    assert file.load() == state


def test_seed_and_state_file_do_not_go_together(tmp_path: Path) -> None:
    """A seed would give the ids of the first run again."""
    with pytest.raises(ValueError, match="seed"):
        Simulator(seed=1, state_file=tmp_path / "state.json")


@pytest.mark.anyio
async def test_seed_repeats_ids(contract: Contract) -> None:
    """Two simulators of one seed answer alike; without a seed ids differ."""
    ids: list[str] = []
    for seed in (7, 7, 8, None, None):
        driver = Driver(Simulator(clock=ManualClock(), seed=seed), contract)
        ids.append((await driver.media())["id"])
        await driver.aclose()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4
