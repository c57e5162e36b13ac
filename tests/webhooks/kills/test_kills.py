"""Processes are killed at random points, and every guarantee of the inbox holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.platforms import FORK

if TYPE_CHECKING:
    from tests.webhooks.conftest import Store

pytestmark = pytest.mark.process

KILLS = 120
"""For each store. `python -m tests.webhooks.kills --store sqlite --kills 500` kills more; `--seed` repeats a run."""


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
