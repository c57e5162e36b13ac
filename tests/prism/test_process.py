"""Prism's process: it reports why it does not start, and never outlives the process that started it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_mock.prism import Prism, PrismError

from tests.prism.conftest import KEY, SECONDS
from tests.prism.documented import CONTRACT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process

PARENT = """
import sys
from contentgroove_mock.prism import Prism

with Prism.mock(sys.argv[1]) as prism:
    print(prism.base_url, flush=True)
    sys.stdin.read()
"""


class Noted(subprocess.Popen[str]):
    """A process that records its environment."""

    def __init__(self, *args: object, **options: Any) -> None:
        self.environment: dict[str, str] = options["env"]
        super().__init__(*args, **options)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Noted]:
    """Record the processes that are started."""
    processes: list[Noted] = []

    def start(*args: object, **options: Any) -> Noted:
        processes.append(Noted(*args, **options))
        return processes[-1]

    monkeypatch.setattr("contentgroove_mock.prism.subprocess.Popen", start)
    return processes


def ended(processes: list[Noted], count: int = 1) -> bool:
    """Return whether that many processes were started, and each has ended and was waited for."""
    return [process.returncode is not None for process in processes] == [True] * count


def address(base_url: str) -> tuple[str, int]:
    """Return host and port of a URL."""
    host, _, port = base_url.removeprefix("http://").partition(":")
    return host, int(port)


def test_names_are_imported_when_they_are_used() -> None:
    """The package offers Prism without importing it, or any other module of its own, before it is used."""
    code = (
        "import sys, contentgroove_mock as mock; "
        "before = [name for name in sys.modules if name.startswith(mock.__name__)]; "
        "print(before, mock.Prism.__module__, mock.PrismError.__module__)"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=SECONDS, check=True
    )
    assert done.stdout.strip() == "['contentgroove_mock'] contentgroove_mock.prism contentgroove_mock.prism"


def test_it_ends_with_its_context(started: list[Noted]) -> None:
    """After the context, the process is gone and nothing listens; a second context starts a new one."""
    prism = Prism.mock(CONTRACT)
    for count in (1, 2):
        with prism:
            socket.create_connection(address(prism.base_url), SECONDS).close()
            assert not ended(started, count)
        assert ended(started, count)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address(prism.base_url), SECONDS)


def test_it_ends_after_an_exception(started: list[Noted]) -> None:
    """An exception in the context leaves no process behind."""
    with pytest.raises(KeyboardInterrupt), Prism.mock(CONTRACT):
        raise KeyboardInterrupt
    assert ended(started)


def test_it_ends_when_its_parent_is_killed() -> None:
    """SIGKILL of the process that runs Prism, which nothing can catch, ends Prism as well."""
    with subprocess.Popen(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", PARENT, CONTRACT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as parent:
        assert parent.stdout is not None
        try:
            base_url = parent.stdout.readline().strip()
            with socket.create_connection(address(base_url), SECONDS) as connection:
                parent.kill()
                parent.wait(SECONDS)
                # A live Prism keeps a connection without a request open for a minute.
                connection.settimeout(SECONDS)
                with contextlib.suppress(ConnectionResetError):
                    assert connection.recv(1) == b""
        finally:
            parent.kill()


def test_a_start_that_takes_too_long(started: list[Noted]) -> None:
    """After its limit the start is aborted, with a message and without a process."""
    with pytest.raises(PrismError, match=r"did not start within 0 s with .*contract\.yaml"):
        Prism.mock(CONTRACT, start_seconds=0).__enter__()
    assert ended(started)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "Error opening file"),
        ("{", "Error parsing"),
        ("{}", "Unsupported document format"),
        ("openapi: 3.0.3\ninfo: {title: Empty, version: '1'}\npaths: {}\n", "No operations found"),
    ],
    ids=["missing", "no-yaml", "no-openapi", "no-operations"],
)
def test_what_is_not_a_contract(tmp_path: Path, text: str | None, reason: str, started: list[Noted]) -> None:
    """The error names the document and contains Prism's reason, in one line."""
    contract = tmp_path / "some contract.yaml"
    if text is not None:
        contract.write_text(text, encoding="utf-8")
    with pytest.raises(PrismError) as caught:
        Prism.mock(contract).__enter__()
    assert str(caught.value).startswith(f"Prism cannot serve {contract}: {reason}")
    assert "\n" not in str(caught.value)
    assert ended(started)


def test_the_key_is_not_handed_down(monkeypatch: pytest.MonkeyPatch, started: list[Noted]) -> None:
    """Neither arguments nor environment of Prism contain the API key."""
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", KEY)
    monkeypatch.setenv("CANARY", "handed down")
    with pytest.raises(PrismError):
        Prism.mock(CONTRACT, start_seconds=0).__enter__()
    (process,) = started
    assert process.environment["CANARY"] == "handed down"
    assert KEY not in process.environment.values()
    assert not any(KEY in str(argument) for argument in process.args)  # type: ignore[union-attr]
