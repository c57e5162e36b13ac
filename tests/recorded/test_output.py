"""The recorder's output if the system's encoding lacks characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_mock.recording import __main__ as recording

from tests.cli.test_streams import use_pipe, written

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_recorder_prepares_its_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Violations are printed with characters that cp1252 lacks."""
    pipe = use_pipe(monkeypatch)

    def record(*_arguments: object, **_options: object) -> list[object]:
        pipe.write("old → new")
        return []

    monkeypatch.setattr(recording, "record", record)
    assert recording.main([str(tmp_path), "--without-prism"]) == 0
    assert written(pipe).startswith("old → new".encode())
