"""What Windows and macOS do otherwise with checkpoints, played on this system; no one has run it there."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import CheckpointError, InvalidInputError
from contentgroove._io import checkpoint_store, durable_files
from contentgroove._io.checkpoint_store import FileCheckpointStore
from contentgroove._io.file_locks import FileLock, WindowsLock

from .test_uploads import Api, Store, video
from .windows_files import WindowsFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Maker


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> WindowsFiles:
    """Let this system have Windows' rules for open files, and no time pass while something is tried again."""
    files = WindowsFiles(monkeypatch)

    def lock(path: Path) -> FileLock:
        return WindowsLock(path, files)

    monkeypatch.setattr(checkpoint_store, "file_lock", lock)
    return files


@dataclass
class Pauses:
    """The pauses between two tries, which take no time.

    Attributes:
        taken: Each in seconds.
        then: What happens after how many of them.
    """

    taken: list[float] = field(default_factory=list)
    then: dict[int, Callable[[], object]] = field(default_factory=dict)

    def monotonic(self) -> float:
        """Return the time."""
        return sum(self.taken)

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.taken.append(seconds)
        self.then.get(len(self.taken), lambda: None)()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """Let what is refused be tried again for two seconds, as on Windows."""
    taken = Pauses()
    monkeypatch.setattr(durable_files, "time", taken)
    monkeypatch.setattr(durable_files, "RETRY_SECONDS", 2.0)
    return taken


def holder(location: Path) -> Any:
    """Lock a checkpoint."""
    held = FileCheckpointStore(location).lock()
    held.__enter__()
    return held


@pytest.mark.usefixtures("windows")
def test_one_upload_at_a_time_on_windows(make: Maker, tmp_path: Path) -> None:
    """A second upload with the same checkpoint is refused before anything is sent; after the first one it continues."""
    path, location = video(tmp_path), tmp_path / "c.json"
    api = Api()
    held = holder(location)
    with pytest.raises(InvalidInputError, match=rf"Another upload .*process {os.getpid()} on "):
        make(api, store=Store()).medias.upload(path, checkpoint=location)
    assert api.prepared == 0
    held.__exit__(None, None, None)
    assert make(api, store=Store()).medias.upload(path, checkpoint=location).id == "m-1"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["c.json", "film.mp4"]


def test_the_lock_is_removed_once_it_is_closed(windows: WindowsFiles, tmp_path: Path) -> None:
    """Windows removes nothing that is open."""
    holder(tmp_path / "c.json").__exit__(None, None, None)
    assert windows.refusals == 0
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_is_taken_between_close_and_removal_stays(windows: WindowsFiles, tmp_path: Path) -> None:
    """A process that opens the file in between has the lock; the removal by the first is refused, and so is a third."""
    location = tmp_path / "c.json"
    first, later = holder(location), list[Any]()
    windows.when_closed.append(lambda: later.append(holder(location)))
    first.__exit__(None, None, None)
    assert (windows.refusals, len(later)) == (1, 1)
    with pytest.raises(InvalidInputError, match="Another upload"), FileCheckpointStore(location).lock():
        raise AssertionError("two uploads hold one checkpoint")
    later[0].__exit__(None, None, None)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_cannot_be_had_for_another_reason(windows: WindowsFiles, tmp_path: Path) -> None:
    """The error is not reported as another upload."""

    def full(*_arguments: int) -> None:
        raise OSError(errno.ENOSPC, "No space left")

    lock = WindowsLock(tmp_path / "c.json.lock", SimpleNamespace(locking=full, LK_NBLCK=2))
    with pytest.raises(OSError, match="No space left") as caught:
        lock.take()
    assert not isinstance(caught.value, BlockingIOError)
    # No process has its file open.
    (tmp_path / "c.json.lock").unlink()
    assert windows.refusals == 0


def test_a_checkpoint_that_is_being_read_is_replaced_later(
    make: Maker, windows: WindowsFiles, tmp_path: Path, pauses: Pauses
) -> None:
    """A virus scanner, or an upload that reads it, delays a checkpoint, and no media is lost."""
    path, location = video(tmp_path), tmp_path / "c.json"
    held: list[int] = []

    def progress(_sent: int, _total: int) -> None:
        if not held:
            held.append(windows.hold(location))
            pauses.then[3] = lambda: os.close(held[0])

    assert make(Api(), store=Store()).medias.upload(path, checkpoint=location, progress=progress).id == "m-1"
    assert (windows.refusals, pauses.taken) == (3, [durable_files.PAUSE] * 3)
    assert sorted(found.name for found in tmp_path.iterdir()) == ["c.json", "film.mp4"]


def test_a_checkpoint_that_stays_open(make: Maker, windows: WindowsFiles, tmp_path: Path, pauses: Pauses) -> None:
    """The wait ends, the error says what was done, and the old checkpoint is complete."""
    path, location = video(tmp_path), tmp_path / "c.json"
    held: list[int] = []

    def progress(_sent: int, _total: int) -> None:
        if not held:
            held.append(windows.hold(location))

    client = make(Api(), store=Store())
    with pytest.raises(CheckpointError, match=r"c\.json cannot be written: The process cannot access"):
        client.medias.upload(path, checkpoint=location, progress=progress)
    assert sum(pauses.taken) == pytest.approx(2.0, abs=durable_files.PAUSE)
    os.close(held[0])
    assert client.medias.upload(path, checkpoint=location).id == "m-1"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["c.json", "film.mp4"]


def test_a_lack_of_permission_is_reported_at_once_elsewhere(tmp_path: Path) -> None:
    """Where open files do not prevent anything, a refusal does not pass."""
    tries: list[int] = []

    def refuse() -> None:
        tries.append(1)
        raise PermissionError(errno.EACCES, "no")

    assert os.name == "nt" or durable_files.RETRY_SECONDS == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable_files, "RETRY_SECONDS", 0.0)
        with pytest.raises(PermissionError, match="no"):
            durable_files.retry_while_open(refuse)
    assert len(tries) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("supported", [True, False], ids=["full", "a network's file system"])
def test_macos_empties_the_drives_memory(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, supported: bool
) -> None:
    """Each checkpoint and its folder is synced with F_FULLFSYNC, and as elsewhere where that is not supported."""
    full: list[bool] = []
    plain: list[bool] = []
    fsync = os.fsync

    def control(descriptor: int, command: int) -> int:
        assert command == 51
        full.append(stat.S_ISREG(os.fstat(descriptor).st_mode))
        if not supported:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        return 0

    def synced(descriptor: int) -> None:
        plain.append(stat.S_ISREG(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(durable_files, "_fcntl", SimpleNamespace(F_FULLFSYNC=51, fcntl=control))
    monkeypatch.setattr(os, "fsync", synced)
    make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=tmp_path / "c.json")
    # new, prepared, sent, creating, created: a file and its folder each.
    assert full == [True, False] * 5
    assert plain == ([] if supported else full)


def test_windows_syncs_a_file_once_more_under_its_name(
    make: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens no folder; what is synced last is the checkpoint itself, open for writing as `fsync` wants it there."""
    synced: list[tuple[str, bool]] = []
    opened: dict[int, str] = {}
    real_open, fsync = os.open, os.fsync

    def open_file(path: Any, flags: int, *mode: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        descriptor = real_open(path, flags, *mode)
        opened[descriptor] = Path(path).name
        return descriptor

    def note(descriptor: int) -> None:
        synced.append((opened[descriptor], os.write(descriptor, b"") == 0))
        fsync(descriptor)

    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "fsync", note)
    make(Api(), store=Store()).medias.upload(video(tmp_path), checkpoint=tmp_path / "c.json")
    assert synced == [(".c.json.new", True), ("c.json", True)] * 5
