"""Recorded exchanges: their text format, which people review in diffs, and their folder.

Recordings can be checked against the contract, and against the parts of it that they were made with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from urllib.parse import quote, urlencode

import msgspec
from msgspec import UNSET, Struct, UnsetType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from contentgroove_mock.contract import Checker, Violation
    from contentgroove_mock.recording.contract import PackagedContract

Origin: TypeAlias = Literal["simulator", "spec example", "live"]

_INDENT = 2
_SUFFIX = ".json"
# Recordings contain no credentials; the recorded request had some.
_KEY = {"authorization": "Bearer scrubbed"}


class RecordingError(Exception):
    """Something cannot be recorded, or a recording cannot be read; the message states the reason and what to do."""


class Request(Struct, frozen=True, kw_only=True):
    """A recorded request.

    Attributes:
        method: In upper case.
        path: The path below the API's base path; for a webhook the path of the subscribed URL.
        query: Names and values, decoded, in the order sent.
        headers: The relevant headers by lower-case name; never credentials.
        body: The JSON that was sent; unset if there was none.
        text: The text that was sent instead of JSON, if the exchange is about malformed JSON.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return self.text.encode() if self.text is not UNSET else _content(self.body)


class RecordedResponse(Struct, frozen=True, kw_only=True):
    """A recorded response.

    Attributes:
        headers: The relevant headers by lower-case name.
        body: The JSON that was received; unset if there was none.
    """

    headers: dict[str, str] = {}
    body: Any = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return _content(self.body)


class Recording(Struct, frozen=True, kw_only=True):
    """One exchange.

    Attributes:
        operation: The operationId; for a webhook the event's name.
        status: The response's HTTP status.
        variant: What distinguishes it from other exchanges with the same operation and status; None for the usual one.
        origin: Where the response comes from.
        request_fault: How the request violates the contract on purpose; None if it does not.
        contract: Digests of the parts of the contract that the exchange depends on, by their names.
    """

    operation: str
    status: int
    variant: str | None = None
    origin: Origin
    request_fault: str | None = None
    contract: dict[str, str]
    request: Request
    response: RecordedResponse

    @property
    def name(self) -> str:
        """The name of its file, without `.json`."""
        return "-".join((self.operation, str(self.status), *([self.variant] if self.variant else [])))


def write(recording: Recording) -> str:
    """Return a recording as text: equal recordings as equal texts, with the keys of bodies in alphabetical order."""
    return json.dumps(_to_json(recording), indent=_INDENT, ensure_ascii=False, allow_nan=False) + "\n"


def read(text: str, name: str) -> Recording:
    """Return the recording in a text.

    Args:
        text: The text that `write` returned.
        name: The file's name, for the message.

    Raises:
        RecordingError: The text is not a recording.
    """
    try:
        return msgspec.json.decode(text, type=Recording)
    except msgspec.DecodeError as error:
        raise RecordingError(f"{name} is not a recording: {error}. Record it again: make record.") from error


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


def violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording, including those that its request makes on purpose."""
    # Imported here, because reading recordings needs no checker.
    from contentgroove_mock.contract import CheckedRequest, CheckedResponse

    request, response = recording.request, recording.response
    if recording.operation not in checker.operations:
        return checker.check_webhook(request.content, request.headers)
    target = checker.base_path + quote(request.path)
    if request.query:
        target = f"{target}?{urlencode(request.query)}"
    checked = CheckedRequest(request.method, target, {**request.headers, **_KEY}, request.content)
    return checker.check_exchange(checked, CheckedResponse(recording.status, response.headers, response.content))


def unexpected_violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording that are not on purpose."""
    found = violations(recording, checker)
    if recording.request_fault is None:
        return found
    return [violation for violation in found if not violation.location.startswith("request.")]


def _to_json(value: object) -> object:
    if isinstance(value, Struct):
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _to_json(field) for name, field in fields if field is not UNSET}
    if isinstance(value, dict):
        members = sorted(cast("dict[str, object]", value).items())
        return {name: _to_json(member) for name, member in members}
    if isinstance(value, (list, tuple)):
        return [_to_json(item) for item in cast("list[object]", value)]
    # JSON has one kind of number: a proxy that rewrites it turns 6.0 into 6.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _content(body: object) -> bytes:
    return b"" if body is UNSET else msgspec.json.encode(body)


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
