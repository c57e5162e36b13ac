"""The file of a recorded session: a line of JSON about the session, then one for each exchange, in their order.

A line is written at once, when its exchange ends, so a program that is killed leaves only whole exchanges; at most the
last line is incomplete, and is ignored. Only the file's owner can read it.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlencode

import msgspec
from contentgroove_api.types import check_levels
from msgspec import UNSET, Struct

from contentgroove_mock.recording.recordings import Recording, RecordingError, Request, with_integers

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path
    from typing import Self

FORMAT = "contentgroove-session/1"
UPLOADS = "/_uploads/"
"""The path of uploads at a proxy, which forwards them to the file store, and at a replay."""

Line = TypeVar("Line", bound=Struct)

_ADVICE = "Record one: contentgroove mock --record FILE."


class SessionHeader(Struct, frozen=True, kw_only=True):
    """What a session was recorded with.

    Attributes:
        format: The format of the file.
        target: The base URL of the recorded service.
        contract: The SHA-256 of the contract that the exchanges were checked against.
    """

    format: str
    target: str
    contract: str


class Session(Struct, frozen=True):
    """A recorded session.

    Attributes:
        name: The name of its file.
        header: What it was recorded with.
        recordings: Its exchanges, in the order in which their responses ended.
        incomplete: True if the last line is not complete, because recording was killed.
    """

    name: str
    header: SessionHeader
    recordings: tuple[Recording, ...]
    incomplete: bool = False


def request_key(request: Request) -> Hashable:
    """Return what equal requests have in common: the order of a query and of a body's members does not matter.

    Credentials do not matter either: they have the same placeholder in all recordings, and one in the query is ignored.
    """
    query = tuple(sorted(pair for pair in request.query if pair[0].lower() != "api_key"))
    body = None if request.body is UNSET else json.dumps(with_integers(request.body), sort_keys=True)
    return request.method, request.path, query, body, request.text, request.data, request.size


def describe(request: Request) -> str:
    """Return the method, path and query of a recorded request."""
    return f"{request.method} {request.path}{query_text(request)}"


def query_text(request: Request) -> str:
    """Return the query of a recorded request with its question mark; empty if there is none."""
    return f"?{urlencode(request.query, safe='[]')}" if request.query else ""


def encode_recording(recording: Recording) -> bytes:
    """Return an exchange as a line of a session, without what it does not have."""
    fields = cast("dict[str, object]", msgspec.to_builtins(recording))
    return msgspec.json.encode({name: value for name, value in fields.items() if value not in (None, {})})


class SessionWriter:
    """Writes a session's file; safe to share between threads.

    Raises:
        RecordingError: The file exists, or cannot be created.
    """

    def __init__(self, path: Path, header: SessionHeader) -> None:
        self.path = path
        self.count = 0
        self._lock = threading.Lock()
        try:
            # Never an existing file: it may be a recording that cannot be repeated, or not a recording at all.
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        except FileExistsError:
            raise RecordingError(f"{path} exists. Delete it, or choose another file.") from None
        except OSError as error:
            raise RecordingError(f"Cannot create {path}: {error.strerror}.") from None
        try:
            self._write(msgspec.json.encode(header))
        except RecordingError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, recording: Recording) -> None:
        """Append an exchange; raise `RecordingError` if that fails, after which the file is as before."""
        line = encode_recording(recording)
        with self._lock:
            self._write(line)
            self.count += 1

    def close(self) -> None:
        """Close the file, and delete it if it contains no exchange; again is allowed."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = -1
                if not self.count:
                    self.path.unlink(missing_ok=True)

    def _write(self, line: bytes) -> None:
        before = os.lseek(self._file, 0, os.SEEK_END)
        pending = memoryview(line + b"\n")
        try:
            while pending:
                pending = pending[os.write(self._file, pending) :]
        except OSError as error:
            os.ftruncate(self._file, before)
            raise RecordingError(f"Cannot write to {self.path}: {error.strerror}. The exchange is not in it.") from None


def read_session(path: Path) -> Session:
    """Read a session's file.

    Raises:
        RecordingError: It cannot be read, is not a recording, or is one of another version.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"Cannot read {path}: {error.strerror}. {_ADVICE}") from None
    first, *lines = content.split(b"\n")
    # What follows the last line break is empty, or a line whose writer was killed.
    incomplete = bool(lines and lines.pop())
    header = _decoded(first, SessionHeader, path, 1)
    if header.format != FORMAT:
        raise RecordingError(f"{path} has the format {header.format!r}, not {FORMAT!r}. {_ADVICE}")
    recordings = tuple(_decoded(line, Recording, path, number) for number, line in enumerate(lines, 2))
    return Session(path.name, header, recordings, incomplete)


def _decoded(line: bytes, kind: type[Line], path: Path, number: int) -> Line:
    try:
        check_levels(line)
        return msgspec.json.decode(line, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{path} is not a recording: line {number}: {error}. {_ADVICE}") from None
