"""Ports, connections and files as Windows has them, played here."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove._io import durable_files
from contentgroove._io.listening import claim_port
from contentgroove.cli.webhook_server import _Server as ListeningServer
from contentgroove_mock import Fault, Simulator, serve
from contentgroove_mock.simulator import server
from contentgroove_mock.simulator.core.records import State
from contentgroove_mock.simulator.storage import FileStore, StateFile
from contentgroove_mock.simulator.web import wire

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {"Authorization": "Bearer any-key"}


class Noted:
    """A socket that notes which options it is given."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Note one."""
        self.options.append((level, option, value))


@pytest.mark.parametrize(("system", "option"), [("posix", socket.SO_REUSEADDR), ("nt", -5)])
def test_a_port_is_one_programs(system: str, option: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows SO_REUSEADDR would let two mocks share it."""
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    noted: Any = Noted()
    claim_port(noted, system)
    assert noted.options == [(socket.SOL_SOCKET, option, 1)]


@pytest.mark.parametrize("kind", ["mock", "listen"])
def test_every_server_claims_its_port(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock and `webhooks listen`, before they are bound, and with no option besides."""
    claimed: list[tuple[str, int]] = []
    wanted: list[int] = []

    class Socket(socket.socket):
        """Notes what is asked of it before it is bound."""

        def setsockopt(self, *arguments: Any) -> None:
            """Note an option."""
            if self.getsockname()[1] == 0:
                wanted.append(arguments[1])
            super().setsockopt(*arguments)

    monkeypatch.setattr(socket, "socket", Socket)
    module = "contentgroove_mock.simulator.server" if kind == "mock" else "contentgroove.cli.webhook_server"
    monkeypatch.setattr(f"{module}.claim_port", lambda listening: claimed.append(listening.getsockname()))
    if kind == "mock":
        with serve(Simulator()):
            pass
    else:
        ListeningServer("127.0.0.1", 0).server_close()
    assert claimed == [("0.0.0.0", 0)]  # noqa: S104 - what an unbound socket says
    assert socket.SO_REUSEADDR not in wanted


def test_windows_servers_have_a_loop_whose_resets_are_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same kind of loop as elsewhere, under which a reset reaches the client as one."""
    assert server.loop_factory("posix") is None
    factory = server.loop_factory("nt")
    assert factory is asyncio.SelectorEventLoop
    used: list[asyncio.AbstractEventLoop] = []

    def make() -> asyncio.AbstractEventLoop:
        used.append(factory())
        return used[-1]

    monkeypatch.setattr(server, "loop_factory", lambda: make)
    simulator = Simulator()
    simulator.add_fault(Fault(kind="reset", operation="getMedias"))
    with serve(simulator) as served, pytest.raises(httpx.ReadError):
        httpx.get(f"{served.base_url}/medias", headers=HEADERS)
    assert len(used) == 1


def test_a_reset_lingers_not() -> None:
    """The option is two numbers: int here, short on Windows."""
    assert len(wire.NO_LINGERING) == (4 if os.name == "nt" else 8)
    assert struct.unpack("hh" if os.name == "nt" else "ii", wire.NO_LINGERING) == (1, 0)


def refusing(times: int, method: Callable[..., Any], calls: list[Path]) -> Callable[..., Any]:
    """Refuse a change so many times, as Windows does where a file is open."""

    def change(path: Path, *arguments: Any, **options: Any) -> Any:
        calls.append(path)
        if len(calls) <= times:
            raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used")
        return method(path, *arguments, **options)

    return change


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_files, "PATIENCE", 10.0)
    monkeypatch.setattr(durable_files, "PAUSE", 0.0)


@pytest.mark.usefixtures("_patient")
def test_a_state_that_somebody_reads_is_written_in_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that cannot be written at all leaves no draft."""
    place, calls = tmp_path / "state.json", list[Path]()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refusing(2, Path.replace, calls))
        StateFile(place).save(State(secret="s"))
    assert (len(calls), [path.name for path in tmp_path.iterdir()]) == (3, ["state.json"])
    with monkeypatch.context() as patch:
        patch.setattr(durable_files, "PATIENCE", 0.0)
        patch.setattr(Path, "replace", refusing(9, Path.replace, []))
        with pytest.raises(OSError, match=r"state\.json cannot be written: The process cannot access"):
            StateFile(place).save(State(secret="s"))
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_a_file_that_is_being_sent_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting its media is answered all the same."""
    store = FileStore(tmp_path)
    with store.open() as file:
        file.write(b"film")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refusing(1, Path.unlink, []))
        store.discard(file.name)
    assert Path(file.name).exists()
    store.discard(file.name)
    assert not Path(file.name).exists()
