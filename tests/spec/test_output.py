"""The pipeline's output on systems with a limited encoding, such as Windows."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from pipeline import __main__ as pipeline

if TYPE_CHECKING:
    import pytest


def test_reports_are_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """They contain arrows, which cp1252 lacks, and the same newlines on every system."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(pipeline, "_run", lambda *_arguments: stream.write("old → new\n") < 0)
    assert pipeline.main(["verify"]) == 0
    stream.flush()
    assert written.getvalue() == "old → new\n".encode()
