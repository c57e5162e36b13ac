"""The state file: an SQLite database with a row for each record, of which a change writes those that it concerns.

A change has reached the operating system when `save` returns, so it survives any end of this process. After a loss of
power the file is whole, and may lack the last changes. While a simulator uses the file, no other can open it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from contentgroove._io.durable_files import retry_while_open
from contentgroove_api.types import check_levels

from contentgroove_mock.simulator.core.records import State

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_mock.simulator.core.tables import Table

_SQLITE = b"SQLite format 3\0"
_APPLICATION = 0x43474D4B
"""Marks an SQLite file as a simulator's state: "CGMK"."""
_VERSION = 1
_VERSION_AT, _APPLICATION_AT, _HEADER = 60, 68, 100
"""Where SQLite's file format has user_version and application_id, and the length of its header."""
_SCHEMA = (
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
    """
    CREATE TABLE IF NOT EXISTS record (
        position INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, content TEXT NOT NULL, UNIQUE (kind, id)
    )
    """,
)
_SET = """
    INSERT INTO record (kind, id, content) VALUES (?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET content = excluded.content WHERE content IS NOT excluded.content
"""
_DELETE = "DELETE FROM record WHERE kind = ? AND id = ?"
_VALUE = "value"
"""The kind of the rows that are not of a table: a state's other values, by their names."""
_OPENED = "opened"
"""The name of the value that says how often the file was opened. By it a simulator notices that another has used it."""

_open_files: set[Path] = set()
"""The files that this process has open. Opening one again, even to read it, would end SQLite's lock on it."""


class StateFile:
    """The file at a path, which `load` opens and `close` closes; `save` opens it again.

    Not safe for use by several threads at the same time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._release: Callable[[], object] | None = None
        self._written: dict[str, str] = {}
        self._opened = 1

    def load(self) -> State | None:
        """Open the file and read the state; None if it has none yet. A file of an earlier version is converted.

        Raises:
            ValueError: The file is not a simulator's state, or that of a newer version.
            OSError: The file cannot be read or created, or another simulator uses it.
        """
        header = self._read_header()
        if header and not header.startswith(_SQLITE):
            if not header.lstrip().startswith(b"{"):
                raise self._error("read", ValueError("its content has another form"))
            self._convert()
            header = self._read_header()
        connection = self._open(header)
        try:
            rows = connection.execute("SELECT kind, id, content FROM record ORDER BY position").fetchall()
            found = _decode_rows(rows)
            if not found:
                return None
            self._opened = found.pop(_VALUE)[_OPENED] + 1
            state = msgspec.convert(found, State)
        except (sqlite3.Error, msgspec.DecodeError, LookupError, TypeError) as error:
            self.close()
            raise self._error("read", error) from error
        for table in state.tables().values():
            table.touched.clear()
        self.save(state)
        return state

    def save(self, state: State) -> None:
        """Write the records that have changed since the last call.

        Raises:
            ValueError: The file was damaged.
            OSError: The file cannot be written, or another simulator has used it since it was closed.
        """
        tables = state.tables()
        values = {name: _encode(getattr(state, name)) for name in state.__struct_fields__ if name not in tables}
        values[_OPENED] = _encode(self._opened)
        changed, deleted = _changes(tables)
        if not changed and not deleted and values == self._written:
            return
        connection = self._connection
        if connection is None:
            connection = self._open_again(state)
            changed, deleted = _changes(tables)
        changed += [(_VALUE, name, content) for name, content in values.items()]
        self._write(connection, changed, deleted)
        self._written = values
        for table in tables.values():
            table.touched.clear()

    def close(self) -> None:
        """Close the file, so that another simulator can use it."""
        if self._release is not None:
            self._release()
        self._connection = self._release = None

    def _read_header(self) -> bytes:
        """Return the first bytes of the file, which is created if it does not exist; they are empty if it is new."""
        if _key(self._path) in _open_files:
            raise self._in_use()
        try:
            with self._path.open("rb") as file:
                header = file.read(_HEADER)
        except FileNotFoundError:
            header = b""
        except OSError as error:
            raise OSError(error.errno, f"Cannot read {self._path}: {error.strerror}") from error
        try:
            if not header:
                # The file contains the secret that signs upload URLs, so only its owner may read it.
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
                self._path.chmod(0o600)
        except OSError as error:
            raise OSError(error.errno, f"Cannot write {self._path}: {error.strerror}") from error
        return header

    def _open(self, header: bytes) -> sqlite3.Connection:
        if header and int.from_bytes(header[_APPLICATION_AT : _APPLICATION_AT + 4]) != _APPLICATION:
            raise self._error("read", ValueError("it is a database of another program"))
        if header and int.from_bytes(header[_VERSION_AT : _VERSION_AT + 4]) > _VERSION:
            message = f"{self._path} was written by a newer version of this package: update it, or pass another file"
            raise ValueError(message)
        try:
            connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise self._error("read", error) from error
        key = _key(self._path)
        _open_files.add(key)
        self._connection, self._release = connection, weakref.finalize(self, _close, connection, key)
        try:
            # Set before the first access, or other processes could open the file.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                for statement in _SCHEMA:
                    connection.execute(statement)
            # Not earlier, so that what marks the file is in the file itself.
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            self.close()
            raise self._error("read", error) from error
        return connection

    def _open_again(self, state: State) -> sqlite3.Connection:
        connection = self._open(self._read_header())
        query = "SELECT content FROM record WHERE kind = ? AND id = ?"
        opened = connection.execute(query, [_VALUE, _OPENED]).fetchone()
        if opened is None:
            # The file was deleted.
            for table in state.tables().values():
                table.touch_all()
        elif opened != (_encode(self._opened),):
            self.close()
            raise OSError(
                errno.EBUSY, f"Cannot write {self._path}: another simulator has used it meanwhile; create a new one"
            )
        return connection

    def _write(
        self, connection: sqlite3.Connection, changed: list[tuple[str, str, str]], deleted: list[tuple[str, str]]
    ) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                connection.executemany(_SET, changed)
                connection.executemany(_DELETE, deleted)
        except sqlite3.Error as error:
            raise self._error("write", error) from error

    def _convert(self) -> None:
        """Replace the JSON document of an earlier version by a database, in one step."""
        try:
            content = self._path.read_bytes()
            check_levels(content)
            state = msgspec.json.decode(content, type=State)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._error("read", error) from error
        try:
            descriptor, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            os.close(descriptor)
            draft = StateFile(Path(name))
            try:
                draft.load()
                draft.save(state)
                draft.close()
                retry_while_open(lambda: Path(name).replace(self._path))
            finally:
                draft.close()
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise OSError(error.errno, f"Cannot write {self._path}: {error.strerror}") from error

    def _error(self, verb: str, error: Exception) -> OSError | ValueError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return self._in_use()
        if isinstance(error, sqlite3.Error) and code not in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
            return OSError(errno.EIO, f"Cannot {verb} {self._path}: {error}")
        return ValueError(f"{self._path} is not a simulator's state ({error}): pass another file, or delete this one")

    def _in_use(self) -> OSError:
        return OSError(errno.EBUSY, f"{self._path} is in use by another simulator: end that one, or pass another file")


def _key(path: Path) -> Path:
    return path.absolute().resolve()


def _close(connection: sqlite3.Connection, key: Path) -> None:
    connection.close()
    _open_files.discard(key)


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _changes(tables: dict[str, Table[Any]]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """Return the touched records of tables as rows, and kinds and ids of those that were deleted."""
    changed: list[tuple[str, str, str]] = []
    deleted: list[tuple[str, str]] = []
    for kind, table in tables.items():
        records = table.view
        for identifier in table.touched:
            if identifier in records:
                changed.append((kind, identifier, _encode(records[identifier])))
            else:
                deleted.append((kind, identifier))
    return changed, deleted


def _decode_rows(rows: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Return what a state is made of: values by name, and records by kind and id; the values again under their kind."""
    found: dict[str, Any] = {}
    for kind, identifier, content in rows:
        check_levels(content.encode())
        found.setdefault(kind, {})[identifier] = msgspec.json.decode(content)
    return {**found, **found.get(_VALUE, {})}
