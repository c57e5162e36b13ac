"""A folder of recordings: reading it, writing it anew, and telling what in it is stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove_mock.recording.exchange import Recording, RecordingError, read, write

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from contentgroove_mock.recording.contract_parts import PackagedContract
    from contentgroove_mock.recording.exchange import Origin

_SUFFIX = ".json"


def load(folder: Path) -> dict[str, Recording]:
    """Read all recordings, by the names of their files.

    Raises:
        RecordingError: A file is no recording.
    """
    return {path.stem: _load(path) for path in sorted(folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stem)}


def save(folder: Path, recordings: Iterable[Recording], *, replacing: Collection[Origin]) -> int:
    """Write recordings, and delete those of the same origins that are not among them.

    Args:
        folder: Where they lie; made if it does not exist.
        recordings: What is written.
        replacing: The origins that were recorded; files of others stay. With none, nothing is deleted.

    Returns:
        How many files are different from before, those that went included.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {recording.name: write(recording) for recording in recordings}
    changed = 0
    for path in folder.glob(f"*{_SUFFIX}"):
        if replacing and path.stem not in texts and _is_of(path, replacing):
            path.unlink()
            changed += 1
    for name, text in texts.items():
        path = folder / (name + _SUFFIX)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed += 1
    return changed


def stale(recordings: Mapping[str, Recording], contract: PackagedContract) -> list[str]:
    """Tell what does not belong to the contract any more, or is missing; a sentence each, with what to do.

    Args:
        recordings: By the names of their files.
        contract: The one they should belong to.
    """
    shown = {(recording.operation, recording.status) for recording in recordings.values()}
    found = [
        f"{operation}-{status}: the contract documents this answer, and no recording shows it. Run make record."
        for operation, status in sorted(contract.response_specs() - shown)
    ]
    for name, recording in recordings.items():
        again = "Run LIVE=1 make record, or delete the file." if recording.origin == "live" else "Run make record."
        if name != recording.name:
            found.append(f"{name}: the file holds {recording.name}. {again}")
        if (recording.operation, recording.status) not in contract.response_specs():
            found.append(f"{name}: the contract does not document this answer any more. {again}")
            continue
        changes = _changes(recording.contract, contract.parts(recording.operation, recording.status))
        if changes:
            found.append(f"{name}: the contract has changed since it was recorded: {'; '.join(changes)}. {again}")
    return found


def _changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        *(f"{part} is new" for part in now if part not in then),
        *(f"{part} is gone" for part in then if part not in now),
        *(f"{part} is different" for part in now if part in then and now[part] != then[part]),
    ]


def _is_of(path: Path, origins: Collection[Origin]) -> bool:
    try:
        return _load(path).origin in origins
    except RecordingError:
        # What cannot be read is no recording of anybody's, and would only stay to be stumbled over.
        return True


def _load(path: Path) -> Recording:
    try:
        return read(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError as error:
        raise RecordingError(f"{path.name} is not UTF-8. Make it again: make record.") from error
