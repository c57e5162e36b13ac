"""Ports, connections and files as on Windows, simulated on other systems."""

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
from contentgroove_mock.simulator.files import Storage
from contentgroove_mock.simulator.web import responses

if TYPE_CHECKING:
    from collections.abc import Callable

HEADERS = {"Authorization": "Bearer any-key"}


class RecordingSocket:
    """Records the options that are set on a socket."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int, int]] = []

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Record an option."""
        self.options.append((level, option, value))


@pytest.mark.parametrize(("system", "option"), [("posix", socket.SO_REUSEADDR), ("nt", -5)])
def test_a_port_belongs_to_one_program(system: str, option: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows SO_REUSEADDR would let two mocks share it."""
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", -5, raising=False)
    recording: Any = RecordingSocket()
    claim_port(recording, system)
    assert recording.options == [(socket.SOL_SOCKET, option, 1)]


@pytest.mark.parametrize("kind", ["mock", "listen"])
def test_every_server_claims_its_port(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mock and `webhooks listen` claim it before they bind it, and set no other option."""
    claimed: list[tuple[str, int]] = []
    options: list[int] = []

    class Socket(socket.socket):
        """Records the options that are set before it is bound."""

        def setsockopt(self, *arguments: Any) -> None:
            """Record an option."""
            if self.getsockname()[1] == 0:
                options.append(arguments[1])
            super().setsockopt(*arguments)

    monkeypatch.setattr(socket, "socket", Socket)
    module = "contentgroove_mock.simulator.server" if kind == "mock" else "contentgroove.cli.webhook_server"
    monkeypatch.setattr(f"{module}.claim_port", lambda listening: claimed.append(listening.getsockname()))
    if kind == "mock":
        with serve(Simulator()):
            pass
    else:
        ListeningServer("127.0.0.1", 0).server_close()
    assert claimed == [("0.0.0.0", 0)]  # noqa: S104 - the address of an unbound socket
    assert socket.SO_REUSEADDR not in options


def test_windows_servers_have_a_loop_whose_resets_are_resets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has the kind of loop in which a reset reaches the client as a reset."""
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


def test_a_reset_does_not_linger() -> None:
    """The option is two numbers: short on Windows, int elsewhere."""
    assert len(responses.NO_LINGERING) == (4 if os.name == "nt" else 8)
    assert struct.unpack("hh" if os.name == "nt" else "ii", responses.NO_LINGERING) == (1, 0)


def refusing(times: int, method: Callable[..., Any], calls: list[Path]) -> Callable[..., Any]:
    """Fail a number of times, as Windows does if a file is open."""

    def change(path: Path, *arguments: Any, **options: Any) -> Any:
        calls.append(path)
        if len(calls) <= times:
            raise PermissionError(errno.EACCES, "The process cannot access the file because it is being used")
        return method(path, *arguments, **options)

    return change


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_files, "RETRY_SECONDS", 10.0)
    monkeypatch.setattr(durable_files, "PAUSE", 0.0)


@pytest.mark.usefixtures("_patient")
def test_converting_a_state_file_that_is_open_is_retried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it cannot be replaced at all, it stays as it is, and no draft is left."""
    path, calls = tmp_path / "state.json", list[Path]()
    path.write_text('{"secret": "s"}', "utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(durable_files, "RETRY_SECONDS", 0.0)
        patch.setattr(Path, "replace", refusing(9, Path.replace, []))
        with pytest.raises(OSError, match=r"Cannot write .*state\.json: The process cannot access"):
            Storage(path).load()
    assert [item.name for item in tmp_path.iterdir()] == ["state.json"]
    assert path.read_text("utf-8") == '{"secret": "s"}'
    storage = Storage(path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", refusing(2, Path.replace, calls))
        state = storage.load()
    storage.close()
    assert state is not None
    assert (state.secret, len(calls), [item.name for item in tmp_path.iterdir()]) == ("s", 3, ["state.json"])


def test_a_file_that_is_being_sent_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its media can still be deleted."""
    storage = Storage(tmp_path / "state.json")
    with storage.open_file() as file:
        file.write(b"film")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refusing(1, Path.unlink, []))
        storage.delete_file(file.name)
    assert Path(file.name).exists()
    storage.delete_file(file.name)
    assert not Path(file.name).exists()
