"""The mock on systems without MediaInfo's library: Linux with musl, Windows on ARM."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NoReturn

import pymediainfo
import pytest
from contentgroove import ContentGroove, UploadError
from contentgroove_mock import ManualClock, Simulator, sample_video, serve
from contentgroove_mock.simulator.files import inspect_file, missing_library

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def other_film(tmp_path: Path) -> Path:
    """A video that is not the sample."""
    path = tmp_path / "film.mp4"
    path.write_bytes(sample_video().read_bytes() + b"\0")
    return path


@pytest.fixture(params=["no library", "no package"])
def _no_mediainfo(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make MediaInfo unavailable."""

    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise OSError("Failed to load library from libmediainfo.so.0")

    if request.param == "no package":
        monkeypatch.setitem(sys.modules, "pymediainfo", None)
    else:
        monkeypatch.setattr(pymediainfo.MediaInfo, "parse", refuse)
        monkeypatch.setattr(pymediainfo.MediaInfo, "can_parse", lambda: False)


@pytest.mark.usefixtures("_no_mediainfo")
def test_everything_but_other_videos_works(other_film: Path) -> None:
    """The sample works without MediaInfo; the store rejects another video and states what is missing."""
    simulator = Simulator(clock=ManualClock())
    with serve(simulator) as server, ContentGroove("any-key", server.base_url, max_retries=0) as client:
        media = client.medias.upload(sample_video(), name="Sample")
        fetched = client.medias.create(source_url="https://films.example/a.mp4")
        simulator.advance(60)
        for each in (media, fetched):
            found = client.medias.get(each.id)
            assert (found.is_finished, found.source_file_duration, found.source_file_width) == (True, 6.0, 320)
        with pytest.raises(UploadError, match=r"501 NotImplemented \(The mock cannot inspect uploaded files: \w+"):
            client.medias.upload(other_film)


def test_a_file_that_cannot_be_read_is_not_a_missing_library(monkeypatch: pytest.MonkeyPatch, other_film: Path) -> None:
    """If MediaInfo can be loaded, other errors are not changed."""

    def refuse(*_args: object, **_options: object) -> NoReturn:
        raise OSError("Input/output error")

    monkeypatch.setattr(pymediainfo.MediaInfo, "parse", refuse)
    with pytest.raises(OSError, match="Input/output error"):
        inspect_file(other_film)


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", r"linux on x86_64: apk add libmediainfo"),
        ("win32", "ARM64", r"Windows on ARM64: use Python for x86-64, or put MediaInfo\.dll on PATH"),
        ("darwin", "ppc", r"macOS on ppc: brew install media-info"),
    ],
)
def test_message_has_a_solution_for_each_system(system: str, machine: str, expected: str) -> None:
    """The message states what is missing, on which machine, and how to get it; it fits into a store's message."""
    assert re.search(expected, missing_library(system, machine))
    assert len(missing_library(system, machine)) < 300
