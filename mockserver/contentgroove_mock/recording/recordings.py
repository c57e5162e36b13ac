"""Recorded exchanges: their text format, which people review in diffs, and their folder.

Recordings can be checked against the contract, and against the parts of it that they were made with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from urllib.parse import quote, urlencode

import msgspec
from contentgroove_api.types import check_levels
from msgspec import UNSET, Struct, UnsetType

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from contentgroove_mock.contract import Checker, Violation
    from contentgroove_mock.recording.contract import PackagedContract

Origin: TypeAlias = Literal["simulator", "spec example", "live", "proxy"]

SERVICE = "service.example"
"""The host of the service in recordings."""

# The recorder's own requests are saved without the header of their key.
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
        text: The text that was sent instead of JSON, such as malformed JSON.
        data: The bytes that were sent instead of text.
        size: The number of bytes of an uploaded file, whose content is not recorded.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET
    data: bytes | UnsetType = UNSET
    size: int | UnsetType = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return _content(self)


class RecordedResponse(Struct, frozen=True, kw_only=True):
    """A recorded response; the attributes are like those of `Request`."""

    headers: dict[str, str] = {}
    body: Any = UNSET
    text: str | UnsetType = UNSET
    data: bytes | UnsetType = UNSET

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        return _content(self)


class Recording(Struct, frozen=True, kw_only=True):
    """One exchange.

    Attributes:
        operation: The operationId; for a webhook the event's name; empty if the contract has no such operation.
        status: The response's HTTP status.
        variant: What distinguishes it from other exchanges with the same operation and status; None for the usual one.
        origin: Where the response comes from.
        request_fault: How the request violates the contract on purpose; None if it does not.
        contract: Digests of the parts of the contract that the exchange depends on, by their names.
        violations: What in the exchange violates the contract; unset if it was not checked.
    """

    operation: str
    status: int
    variant: str | None = None
    origin: Origin
    request_fault: str | None = None
    contract: dict[str, str] = {}
    request: Request
    response: RecordedResponse
    violations: tuple[str, ...] | UnsetType = UNSET

    @property
    def name(self) -> str:
        """The name of its file, without `.json`."""
        return f"{self.operation}-{self.status}{f'-{self.variant}' if self.variant else ''}"

    @property
    def key(self) -> tuple[str, int]:
        """Its operation and status."""
        return self.operation, self.status


def make_recording(
    contract: PackagedContract, operation: str, status: int, exchange: tuple[Request, RecordedResponse], **fields: Any
) -> Recording:
    """Return a recording with the digests of the parts of the contract that it depends on."""
    request, response = exchange
    parts = contract.parts(operation, status)
    return Recording(operation=operation, status=status, contract=parts, request=request, response=response, **fields)


def write(recording: Recording) -> str:
    """Return a recording as text: equal recordings as equal texts, with the keys of bodies in alphabetical order."""
    value = with_integers(msgspec.to_builtins(recording, order="deterministic"))
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(text: str | bytes, name: str) -> Recording:
    """Return the recording in the text of a file with this name; raise `RecordingError` if there is none."""
    try:
        check_levels(text.encode() if isinstance(text, str) else text)
        return msgspec.json.decode(text, type=Recording)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RecordingError(f"{name} is not a recording: {error}. Record it again: make record.") from error


def load(folder: Path) -> dict[str, Recording]:
    """Return all recordings by the names of their files; raise `RecordingError` if a file is not a recording."""
    paths = sorted(folder.glob("*.json"), key=lambda path: path.stem)
    return {path.stem: read(path.read_bytes(), path.name) for path in paths}


def save(folder: Path, recordings: Iterable[Recording], *, replacing: Collection[Origin]) -> int:
    """Write recordings, and delete files of the origins in `replacing` that are not among them.

    Returns:
        The number of files that were changed, added or deleted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {recording.name: write(recording) for recording in recordings}
    changed = 0
    for path in folder.glob("*.json"):
        if replacing and path.stem not in texts and _has_origin(path, replacing):
            path.unlink()
            changed += 1
    for name, text in texts.items():
        path = folder / f"{name}.json"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            changed += 1
    return changed


def stale(recordings: Mapping[str, Recording], contract: PackagedContract) -> list[str]:
    """Return what is outdated, unexpected or missing in files by their names: a sentence each, with what to do."""
    documented = contract.response_specs()
    found = [
        f"{operation}-{status}: the contract documents this response, but it is not recorded. Run make record."
        for operation, status in sorted(documented - {recording.key for recording in recordings.values()})
    ]
    for name, recording in recordings.items():
        again = "Run LIVE=1 make record, or delete the file." if recording.origin == "live" else "Run make record."
        if name != recording.name:
            found.append(f"{name}: the file contains {recording.name}. {again}")
        if recording.key not in documented:
            found.append(f"{name}: the contract no longer documents this response. {again}")
            continue
        old, new = recording.contract, contract.parts(*recording.key)
        changes = [f"{part} is new" for part in new if part not in old]
        changes += [f"{part} is gone" for part in old if part not in new]
        changes += [f"{part} is different" for part in new if part in old and new[part] != old[part]]
        if changes:
            found.append(f"{name}: the contract has changed since it was recorded: {'; '.join(changes)}. {again}")
    return found


def violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording, including those that its request makes on purpose."""
    # Imported here, because reading recordings needs no checker.
    from contentgroove_mock.contract import CheckedRequest, CheckedResponse

    request, response = recording.request, recording.response
    if recording.origin == "proxy":
        # Its path is as it was sent, and so are its headers, except that credentials were replaced.
        path, headers = request.path, {**request.headers, "host": SERVICE}
    elif recording.operation in checker.operations:
        path, headers = quote(request.path), {**request.headers, **_KEY}
    else:
        return checker.check_webhook(request.content, request.headers, event=recording.operation)
    target = checker.base_path + path + (f"?{urlencode(request.query)}" if request.query else "")
    checked = CheckedRequest(request.method, target, headers, request.content)
    return checker.check_exchange(checked, CheckedResponse(recording.status, response.headers, response.content))


def unexpected_violations(recording: Recording, checker: Checker) -> list[Violation]:
    """Return the violations in a recording that are not on purpose."""
    found = violations(recording, checker)
    return [item for item in found if recording.request_fault is None or not item.location.startswith("request.")]


def with_integers(value: object) -> object:
    """Return JSON with 6 for 6.0: JSON has one kind of number, and a proxy that rewrites it turns 6.0 into 6."""
    if isinstance(value, dict):
        return {name: with_integers(member) for name, member in cast("dict[str, object]", value).items()}
    if isinstance(value, (list, tuple)):
        return [with_integers(item) for item in cast("list[object]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _content(message: Request | RecordedResponse) -> bytes:
    if message.data is not UNSET:
        return message.data
    if message.text is not UNSET:
        return message.text.encode()
    return b"" if message.body is UNSET else msgspec.json.encode(message.body)


def _has_origin(path: Path, origins: Collection[Origin]) -> bool:
    try:
        return read(path.read_bytes(), path.name).origin in origins
    except RecordingError:
        # An unreadable file is not a recording, and would only be an obstacle later.
        return True
