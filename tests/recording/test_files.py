"""The file of a session: whole lines, for its owner only, and errors that say what to do."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, RecordingError, Request
from contentgroove_mock.recording.sessions import FORMAT, SessionHeader, SessionWriter, read_session

from tests.platforms import WINDOWS

if TYPE_CHECKING:
    from pathlib import Path

HEADER = SessionHeader(format=FORMAT, target="https://api.contentgroove.test/v9", contract="c" * 64)


def exchange(path: str = "/medias", body: object = None) -> Recording:
    """Return a recording of a GET."""
    response = RecordedResponse(headers={"content-type": "application/json"}, body=body)
    request = Request(method="GET", path=path)
    return Recording(operation="getMedias", status=200, origin="proxy", request=request, response=response)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Each exchange is in the file as soon as it was added, in a line of its own."""
    file = tmp_path / "s.jsonl"
    recordings = [exchange(f"/medias/{n}", {"text": "a\nb\u2028c", "numbers": [1.0, 2**70]}) for n in range(3)]
    with SessionWriter(file, HEADER) as writer:
        for count, recording in enumerate(recordings, 1):
            writer.add(recording)
            assert read_session(file).recordings == tuple(recordings[:count])
            assert file.read_bytes().count(b"\n") == count + 1
    session = read_session(file)
    assert (session.header, session.name, session.incomplete) == (HEADER, "s.jsonl", False)
    writer.close()


@pytest.mark.skipif(WINDOWS, reason="Windows has no permissions of this kind")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    """Whatever the process's mask is."""
    before = os.umask(0)
    try:
        with SessionWriter(tmp_path / "s.jsonl", HEADER) as writer:
            writer.add(exchange())
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "s.jsonl").stat().st_mode) == 0o600


@pytest.mark.skipif(WINDOWS, reason="links need a privilege there")
def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link that someone else made does not lead to a new file."""
    (tmp_path / "s.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordingError, match="exists"):
        SessionWriter(tmp_path / "s.jsonl", HEADER)
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    """The error names the file and the reason."""
    with pytest.raises(RecordingError, match=r"Cannot create .*s\.jsonl: No such file or directory\."):
        SessionWriter(tmp_path / "none" / "s.jsonl", HEADER)


def test_an_incomplete_last_line_is_ignored(tmp_path: Path) -> None:
    """A writer that was killed in the middle of a line leaves the exchanges before it, wherever it was."""
    file = tmp_path / "s.jsonl"
    with SessionWriter(file, HEADER) as writer:
        writer.add(exchange("/medias/1"))
        writer.add(exchange("/medias/2"))
    content = file.read_bytes()
    start = content.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(start, len(content), 9):
        file.write_bytes(content[:end])
        session = read_session(file)
        assert [item.request.path for item in session.recordings] == ["/medias/1"]
        assert session.incomplete is (end > start)


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written of a line is removed again, and later exchanges are added."""
    file = tmp_path / "s.jsonl"
    write = os.write
    free = [10]

    def write_some(descriptor: int, data: bytes) -> int:
        if free[0] <= 0:
            raise OSError(28, "No space left on device")
        count = write(descriptor, data[: free[0]])
        free[0] -= count
        return count

    with SessionWriter(file, HEADER) as writer:
        writer.add(exchange("/medias/1"))
        monkeypatch.setattr(os, "write", write_some)
        with pytest.raises(RecordingError, match=r"Cannot write to .*: No space left on device"):
            writer.add(exchange("/medias/2"))
        free[0] = 10_000
        writer.add(exchange("/medias/3"))
    assert [item.request.path for item in read_session(file).recordings] == ["/medias/1", "/medias/3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"line 1: Input data was truncated"),
        (b"hello\n", r"line 1: "),
        (b"[]\n", r"line 1: Expected `object`, got `array`"),
        (b'{"format":"contentgroove-session/9","target":"","contract":""}\n', r"has the format '[a-z-]+/9'"),
        (b"HEADER\n{}\n", r"line 2: Object missing required field"),
        (b"HEADER\n" + b"[" * 100_000 + b"\n", r"line 2: "),
        (b"HEADER\n\xff\n", r"line 2: "),
    ],
)  # fmt: skip
def test_what_is_not_a_recording(content: bytes, message: str, tmp_path: Path) -> None:
    """The error names the file, the line, and how to make a recording."""
    file = tmp_path / "s.jsonl"
    header = f'{{"format":"{FORMAT}","target":"","contract":""}}'.encode()
    file.write_bytes(content.replace(b"HEADER", header))
    with pytest.raises(RecordingError, match=rf"s\.jsonl.*{message}.*contentgroove mock --record FILE\.$"):
        read_session(file)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """One that does not exist, and a folder."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(RecordingError, match="Cannot read"):
            read_session(path)
