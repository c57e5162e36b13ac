"""A small campaign of jobs that processes share; `python -m tests.uploads.machines` runs larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.uploads.machines.campaign import run
from tests.webhooks.postgres_server import restartable_server

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 8

pytestmark = [pytest.mark.slow, pytest.mark.process]


def test_each_file_has_one_media(tmp_path: Path) -> None:
    """Whatever happens to its machines and its database, and each machine that lives returns it."""
    with restartable_server() as server:
        report = run(tmp_path, server, RUNS, "b")
    assert report.wrong == []
    assert report.outcomes.keys() >= {"returned", "killed", "suspended"}
