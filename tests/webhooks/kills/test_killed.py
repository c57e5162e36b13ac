"""Processes that are killed at a named step or at random points; every guarantee of the inbox holds."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.platforms import FORK, was_killed
from tests.webhooks.kills.killed_app import STEPS, Killer, run_app
from tests.webhooks.payloads import finished

if TYPE_CHECKING:
    from tests.webhooks.conftest import Store

pytestmark = pytest.mark.process

APP = Path(__file__).with_name("killed_app.py")
NEVER = "never"

KILLS = 120
"""For each store. `python -m tests.webhooks.kills --store sqlite --kills 500` kills more; `--seed` repeats a run."""


@pytest.fixture
def webhooks(tmp_path: Path, database: Store) -> Path:
    """The file with the webhooks of the apps, and an empty table for their effects."""
    connection = database.connect()
    connection.execute("CREATE TABLE effects (text TEXT)")
    connection.close()
    return tmp_path / "webhooks.json"


def start(database: Store, step: str, webhooks: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(APP), database.kind, database.location, step, str(webhooks)]
    return subprocess.Popen(command, stderr=subprocess.PIPE)  # noqa: S603 - the file next to this one


def effects(database: Store) -> Counter[str]:
    connection = database.connect()
    found = Counter(text for (text,) in connection.execute("SELECT text FROM effects").fetchall())
    connection.close()
    return found


def wait_until_unlocked(database: Store) -> None:
    """PostgreSQL needs some time to notice that a client has ended, and releases its locks last."""
    if database.kind == "postgres":
        connection = database.connect()
        connection.execute("BEGIN")
        connection.execute("LOCK TABLE contentgroove_events, effects IN ACCESS EXCLUSIVE MODE")
        connection.execute("COMMIT")
        connection.close()


@pytest.mark.parametrize("step", STEPS)
def test_the_next_process_completes_the_work_of_a_killed_one(database: Store, webhooks: Path, step: str) -> None:
    """Writes in the transaction exist once; those of the other handler twice only if it was killed in between."""
    sent: list[Any] = [finished("m-1")]
    webhooks.write_text(json.dumps(sent), encoding="utf-8")
    app = start(database, step, webhooks)
    _, errors = app.communicate(timeout=60)
    assert was_killed(app.returncode), errors.decode()
    wait_until_unlocked(database)
    database.clock.now = time.time() + 1_000  # after the lease
    with database.open() as inbox:
        # The service sends it again, because it got no 200 from a dead process.
        run_app(inbox, Killer(NEVER), database.kind, database.location, sent)
        assert [event.state for event in inbox.events()] == ["done"]
    assert effects(database) == {"exact m-1": 1, "plain m-1": 2 if step == "in handler" else 1}


def test_processes_share_the_work(database: Store, webhooks: Path) -> None:
    """Three that start at once and all receive every webhook handle each event once."""
    sent = [finished(f"m-{number}") for number in range(12)]
    webhooks.write_text(json.dumps(sent), encoding="utf-8")
    apps = [start(database, NEVER, webhooks) for _ in range(3)]
    for app in apps:
        _, errors = app.communicate(timeout=60)
        assert app.returncode == 0, errors.decode()
    assert effects(database) == {f"{name} m-{number}": 1 for name in ("exact", "plain") for number in range(12)}


@FORK
@pytest.mark.timeout(300)
def test_killed_processes_lose_nothing_and_do_nothing_twice(database: Store) -> None:
    """While webhooks are delivered twice, late, out of order or never; the seed differs each time."""
    command = [sys.executable, "-m", "tests.webhooks.kills", "--store", database.kind, "--kills", f"{KILLS}"]
    done = subprocess.run(  # noqa: S603 - the program next to this file
        [*command, "--location", database.location],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all handled, none done unhandled, none run after done" in done.stdout
