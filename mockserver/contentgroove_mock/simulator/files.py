"""Files: the sample, the facts about uploaded files, and the folder and state file in which they are stored."""

from __future__ import annotations

import contextlib
import datetime as dt
import filecmp
import os
import platform
import shutil
import sys
import tempfile
import weakref
from pathlib import Path
from typing import IO, Any, cast

import msgspec
from contentgroove._extras import advice, find_trouble
from contentgroove._io.durable_files import retry_while_open
from contentgroove_api.types import check_levels

from contentgroove_mock.simulator.core.records import SAMPLE, SourceFile, State

_PACKAGE = Path(__file__).parents[1]
_MILLISECONDS = 1000


def sample_video() -> Path:
    """Return the path of a real video of 6 seconds (H.264 and AAC in MP4, 320 by 180 pixels, below 150 KB)."""
    return _PACKAGE / "sample.mp4"


def sample_thumbnail() -> Path:
    """Return the path of a JPEG picture from that video."""
    return _PACKAGE / "sample.jpg"


class Storage:
    """The state file and a folder of uploaded files next to it; without a path only a temporary folder.

    The state is JSON, replaced as a whole so that a crash of this process never leaves half of it; it is not synced.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._folder = None if path is None else path.with_name(path.name + ".files")
        self._written: bytes | None = None

    def load(self) -> State | None:
        """Read the state; None if it is not stored yet.

        Raises:
            ValueError: The file is not a simulator's state.
            OSError: The file cannot be read.
        """
        if self._path is None:
            return None
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise OSError(error.errno, f"Cannot read {self._path}: {error.strerror}") from error
        try:
            check_levels(content)
            return msgspec.json.decode(content, type=State)
        except msgspec.DecodeError as error:
            message = f"{self._path} is not a simulator's state ({error}): pass another file, or delete this one"
            raise ValueError(message) from error

    def save(self, state: State) -> None:
        """Write the state if it has changed since it was last written.

        Raises:
            OSError: The file cannot be written.
        """
        if self._path is None or (content := msgspec.json.encode(state)) == self._written:
            return
        target = self._path
        try:
            # The file contains the secret that signs upload URLs, so only its owner may read it.
            descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
            draft = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                retry_while_open(lambda: draft.replace(target))
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise OSError(error.errno, f"Cannot write {target}: {error.strerror}") from error
        self._written = content

    def _made_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="contentgroove-mock-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def open_file(self) -> IO[bytes]:
        """Create a new file for an upload and open it for writing; its `name` is its path."""
        return tempfile.NamedTemporaryFile(dir=self._made_folder(), prefix="upload-", delete=False)  # returned

    def own_path(self, path: str) -> str:
        """Return the path of a stored file with that name in this folder.

        States come from elsewhere in snapshots, and must not make this process serve or delete files of others.
        """
        folder = self._made_folder()
        return str(folder / Path(path.replace("\\", "/")).name)

    def delete_file(self, path: str) -> None:
        """Delete an uploaded file."""
        # Windows refuses this while the file is being sent; it then stays until its folder is deleted.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            Path(path).unlink()


class NoMediaInfoError(RuntimeError):
    """MediaInfo is missing, so that only the sample is known; the message says what to do."""


# (assumed: media-formats)
def inspect_file(path: Path) -> SourceFile | None:
    """Read a file.

    Returns:
        Its facts; None if it is neither video nor audio.

    Raises:
        NoMediaInfoError: The file is not the sample, and MediaInfo is missing.
    """
    try:
        tracks = _tracks(path)
    except NoMediaInfoError:
        if filecmp.cmp(path, sample_video(), shallow=False):
            return SAMPLE
        raise
    general = next((track for track in tracks if track.track_type == "General"), None)
    video = next((track for track in tracks if track.track_type == "Video"), None)
    audio = next((track for track in tracks if track.track_type == "Audio"), None)
    duration = _milliseconds(general, video, audio)
    if (video is None and audio is None) or not duration:
        return None
    kind = "audio" if video is None else "video"
    return SourceFile(
        content_type=getattr(general, "internet_media_type", None) or f"{kind}/octet-stream",
        duration=round(duration / _MILLISECONDS, 6),
        width=video.width if video is not None else None,
        height=video.height if video is not None else None,
        made_at=_parse_time(getattr(general, "encoded_date", None)),
    )


def _tracks(path: Path) -> list[Any]:
    try:
        # Its library takes longer to load than the whole simulator, and most tests upload no file.
        from pymediainfo import MediaInfo
    except Exception as error:
        trouble = find_trouble(error)
        if trouble is None:
            raise
        raise NoMediaInfoError(f"The mock cannot inspect uploaded files: it needs {advice(trouble, 'mock')}") from error
    try:
        return cast("list[Any]", cast("Any", MediaInfo.parse(path)).tracks)
    except OSError as error:
        if MediaInfo.can_parse():
            raise
        raise NoMediaInfoError(missing_library(sys.platform, platform.machine())) from error


def missing_library(system: str, machine: str) -> str:
    """Return where to get MediaInfo's library, for `sys.platform` and `platform.machine()`."""
    problem = "The mock cannot inspect uploaded files: pymediainfo has no MediaInfo library for"
    # pip installs a build without the library if there is none with it: on Linux with musl, and on Windows on ARM.
    if system == "win32":
        return f"{problem} Windows on {machine}: use Python for x86-64, or put MediaInfo.dll on PATH."
    if system == "darwin":
        return f"{problem} this macOS on {machine}: brew install media-info"
    return f"{problem} this {system} on {machine}: apk add libmediainfo (Alpine), or apt install libmediainfo0v5."


def _milliseconds(*tracks: Any) -> float | None:  # the library has no types
    for track in tracks:
        try:
            return float(track.duration)
        except (AttributeError, TypeError, ValueError):
            continue
    return None


def _parse_time(text: str | None) -> dt.datetime | None:
    # MediaInfo writes "2024-05-01 10:00:00 UTC", older versions "UTC 2024-05-01 10:00:00".
    try:
        return dt.datetime.fromisoformat((text or "").replace("UTC", "").strip()).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
