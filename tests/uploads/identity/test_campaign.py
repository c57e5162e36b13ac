"""A small campaign of uploads whose creations are lost; `python -m tests.uploads.identity` runs larger ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.uploads.identity.campaign import run

if TYPE_CHECKING:
    from pathlib import Path

RUNS = 30

pytestmark = pytest.mark.slow


def test_no_upload_gets_another_media(tmp_path: Path) -> None:
    """Each returns its own media or says that it is unknown, sends nothing twice unasked, and can be settled."""
    report = run(tmp_path, RUNS, "first")
    assert report.wrong == []
    assert report.outcomes.keys() >= {"returned", "returned with a marker", "unknown", "killed", "settled"}
