"""A folder of recordings: load it, save it, and find stale recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_mock.recording.recordings import Recording, RecordingError, read, write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from contentgroove_mock.recording.contract import PackagedContract
    from contentgroove_mock.recording.recordings import Origin

_SUFFIX = ".json"


def load(folder: Path) -> dict[str, Recording]:
    """Return all recordings by the names of their files.

    Raises:
        RecordingError: A file is not a recording.
    """
    return {path.stem: _load(path) for path in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stem)}


def save(folder: Path, recordings: Iterable[Recording], *, replacing: Collection[Origin]) -> int:
    """Write recordings, and delete those of the same origins that are not among them.

    Args:
        folder: Their folder; it is created if it does not exist.
        recordings: The recordings to write.
        replacing: The origins that were recorded; files of other origins stay. If it is empty, nothing is deleted.

    Returns:
        The number of files that were changed, added or deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {recording.name: write(recording) for recording in recordings}
    changed = 0
    for path in folder.glob(f"*{_SUFFIX}"):
        if replacing and path.stem not in texts and _has_origin(path, replacing):
            path.unlink()
            changed += 1
    for name, text in texts.items():
        path = folder / (name + _SUFFIX)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed += 1
    return changed


def stale(recordings: Mapping[str, Recording], contract: PackagedContract) -> list[str]:
    """Return what is outdated, unexpected or missing: a sentence each, with what to do.

    Args:
        recordings: The recordings by the names of their files.
        contract: The contract that they should match.
    """
    recorded = {(recording.operation, recording.status) for recording in recordings.values()}
    found = [
        f"{operation}-{status}: the contract documents this response, but it is not recorded. Run make record."
        for operation, status in sorted(contract.response_specs() - recorded)
    ]
    for name, recording in recordings.items():
        again = "Run LIVE=1 make record, or delete the file." if recording.origin == "live" else "Run make record."
        if name != recording.name:
            found.append(f"{name}: the file contains {recording.name}. {again}")
        if (recording.operation, recording.status) not in contract.response_specs():
            found.append(f"{name}: the contract no longer documents this response. {again}")
            continue
        changes = _changes(recording.contract, contract.parts(recording.operation, recording.status))
        if changes:
            found.append(f"{name}: the contract has changed since it was recorded: {'; '.join(changes)}. {again}")
    return found


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [
        *(f"{part} is new" for part in new if part not in old),
        *(f"{part} is gone" for part in old if part not in new),
        *(f"{part} is different" for part in new if part in old and new[part] != old[part]),
    ]


def _has_origin(path: Path, origins: Collection[Origin]) -> bool:
    try:
        return _load(path).origin in origins
    except RecordingError:
        # An unreadable file is not a recording, and would only be an obstacle later.
        return True


def _load(path: Path) -> Recording:
    try:
        return read(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path.name} is not UTF-8. Record it again: make record.") from error
