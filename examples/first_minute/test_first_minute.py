"""The first minute, with the simulator of pytest's fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import first_minute
from contentgroove import ContentGroove

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from contentgroove_mock import Simulator


def test_clips_are_printed(contentgroove_simulator: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    """With a key in the environment, which the fixture sets, the file goes to the service that it belongs to."""
    first_minute.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Uploaded sample.mp4; the service processes it."
    assert lines[1] == "It has 6 seconds, and these clips:"
    with ContentGroove() as client:
        assert len(lines) - 2 == len(list(client.clips.list()))
    assert "upload" in {request.operation for request in contentgroove_simulator.requests}


def test_it_needs_no_key(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The simulator plays the service, and a file of the user's is refused or taken by what is in it."""
    monkeypatch.delenv("CONTENTGROOVE_API_KEY", raising=False)
    monkeypatch.delenv("CONTENTGROOVE_BASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    first_minute.main()
    assert "the simulator plays the service" in capsys.readouterr().out
