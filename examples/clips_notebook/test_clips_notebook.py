"""The notebook of clips.ipynb runs from the first cell to the last, and what it writes is what others read."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imageio_ffmpeg
import nbformat
import pysrt
import pytest
from contentgroove_mock import Policy, SystemClock
from nbclient import NotebookClient

if TYPE_CHECKING:
    from contentgroove_mock import Simulator

# These packages have no types.
READ_NOTEBOOK: Any = nbformat.read
READ_CAPTIONS: Any = pysrt.open
NOTEBOOK = Path(__file__).with_name("clips.ipynb")


def run(folder: Path) -> list[Any]:
    """Run the notebook in a folder and return the outputs of its cells."""
    notebook = READ_NOTEBOOK(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(folder)}}).execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.fixture
def contentgroove_options() -> dict[str, Any]:
    """A service whose clock runs by itself, because the notebook waits in a process of its own."""
    policy = Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01)
    return {"clock": SystemClock(), "policy": policy}


@pytest.fixture
def outputs(contentgroove_simulator: Simulator, tmp_path: Path) -> list[Any]:
    """What it shows; the fixture's variables lead it to the simulator."""
    found = run(tmp_path)
    assert {request.operation for request in contentgroove_simulator.requests} >= {"upload", "createMedia", "getClips"}
    return found


def test_it_shows_tables_and_a_timeline(outputs: list[Any]) -> None:
    """Two tables, a picture, and no credential."""
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert kinds.count("text/html") == 2
    assert kinds.count("image/png") == 1
    assert "X-Amz" not in str(outputs)


@pytest.mark.usefixtures("outputs")
def test_others_read_its_files(tmp_path: Path) -> None:
    """A reader of captions finds each clip's times; ffmpeg joins as many seconds as the cut list has."""
    captions: Any = READ_CAPTIONS(str(tmp_path / "clips.srt"))
    starts = [caption.start.ordinal for caption in captions]
    assert starts
    assert starts == sorted(starts)
    cuts = (tmp_path / "cuts.txt").read_text(encoding="utf-8")
    points = [tuple(map(float, pair)) for pair in re.findall(r"inpoint ([\d.]+)\noutpoint ([\d.]+)", cuts)]
    assert len(points) == 2
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    arguments = ["-v", "error", "-f", "concat", "-safe", "0", "-i", "cuts.txt", "-f", "null", "-progress", "-", "-"]
    done = subprocess.run(  # noqa: S603  # a fixed command
        [ffmpeg, *arguments], cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    played = int(re.findall(r"out_time_us=(\d+)", done.stdout)[-1]) / 1e6
    assert played == pytest.approx(
        sum(end - start for start, end in points), abs=0.5
    )  # ffmpeg begins at the picture that is complete by itself


def test_it_needs_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own simulator plays the service."""
    monkeypatch.delenv("CONTENTGROOVE_API_KEY", raising=False)
    monkeypatch.delenv("CONTENTGROOVE_BASE_URL", raising=False)
    assert run(tmp_path)
    assert (tmp_path / "clips.srt").stat().st_size
