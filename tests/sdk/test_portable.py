"""Results that are the same on every system, although Python's own functions depend on it."""

from __future__ import annotations

import datetime as dt
import mimetypes
import socket
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

import pytest
from contentgroove._core.checkpoints import MAX_TIMESTAMP
from contentgroove._core.io import run_sync
from contentgroove._core.moments import moment
from contentgroove._core.uploads import media_type_problem
from contentgroove._io.connecting import connect, wait_any_sync
from contentgroove.tools import upload_root
from contentgroove.tools.results import ToolError
from contentgroove.tools.upload_root import same_drive

if TYPE_CHECKING:
    from pathlib import PurePath


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)),
        (1_760_536_265.25, dt.datetime(2025, 10, 15, 13, 51, 5, 250_000, tzinfo=dt.UTC)),
        # Windows' own conversion fails for these.
        (-1, dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (MAX_TIMESTAMP, dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
    ],
)
def test_timestamps(seconds: float, expected: dt.datetime) -> None:
    """Every time that a checkpoint may contain."""
    assert moment(seconds) == expected


def test_a_files_type_does_not_depend_on_the_machine() -> None:
    """Programs change Windows' registry and a Linux machine's tables, so that an ending has another meaning."""
    mimetypes.init()
    mimetypes.add_type("application/x-editor-project", ".mp4")
    try:
        assert mimetypes.guess_type("film.mp4")[0] == "application/x-editor-project"
        assert media_type_problem("film.mp4", b"\0", lambda _start: None) is None
        assert media_type_problem("notes.txt", b"\0", lambda _start: None) == "its name suggests text/plain"
    finally:
        mimetypes.init()


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("film.mp4", True),
        ("films\\film.mp4", True),
        ("c:\\films\\film.mp4", True),
        ("C:film.mp4", True),
        ("D:\\film.mp4", False),
        # Checking one logs on to a machine that a model names.
        ("\\\\host\\share\\film.mp4", False),
        ("//host/share/film.mp4", False),
        ("\\\\?\\UNC\\host\\share\\film.mp4", False),
        ("\\\\.\\pipe\\film", False),
    ],
)
def test_only_the_roots_drive_is_checked(name: str, *, same: bool) -> None:
    """Before anything checks whether a file exists."""
    root: PurePath = PureWindowsPath("C:\\films")
    assert same_drive(root, root / name) is same


def test_another_drive_is_not_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is refused in the words for what is not there, before its path is resolved."""
    (tmp_path / "film.mp4").touch()
    resolved: list[Path] = []
    real = Path.resolve

    def resolve(path: Path, *, strict: bool = False) -> Path:
        resolved.append(path)
        return real(path, strict=strict)

    monkeypatch.setattr(Path, "resolve", resolve)
    monkeypatch.setattr(upload_root, "same_drive", lambda *_paths: False)
    with pytest.raises(ToolError, match="no regular file"):
        upload_root.open_below(tmp_path, "film.mp4")
    assert resolved == [tmp_path]


def test_a_failed_connection_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' numbers of sockets' failures have their names in a table of their own."""
    monkeypatch.setattr(
        socket, "errorTab", {111: "The server refused it.", 10061: "The server refused it."}, raising=False
    )
    server = socket.create_server(("127.0.0.1", 0))
    refused = type("Refused", (socket.socket,), {"getsockopt": lambda *_arguments: 10061})
    monkeypatch.setattr(socket, "socket", refused)
    with server:
        address = socket.getaddrinfo("127.0.0.1", server.getsockname()[1], type=socket.SOCK_STREAM)
        with pytest.raises(Exception, match=r"\[Errno 10061\] The server refused it\."):
            run_sync(connect(address, 5, wait_any_sync))
