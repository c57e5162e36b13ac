"""Stop means stop: signals and time limits, batches that are left, clients that another thread closes."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import (
    AsyncContentGroove,
    ConfigurationError,
    ContentGroove,
    OutcomeUnknownError,
    RateLimitError,
    RetryPolicy,
)
from contentgroove._io import connection_stacks, durable_files

from tests.platforms import PROC, SIGNALS

from .servers import GOOD, http_response, server
from .test_uploads import MP4

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

pytestmark = SIGNALS

PATIENCE = 20.0
SOON = 0.05
ATTRIBUTES = '{{"upload_id": "u", "upload_url": "{url}"}}'
PREPARED = f'{{{{"data": {{{{"id": "u", "type": "direct_upload_blobs", "attributes": {ATTRIBUTES}}}}}}}}}'


class TimeLimitError(Exception):
    """Like the soft limit of a worker."""


class OwnTimeoutError(TimeoutError):
    """An application's."""


ERRORS = [TimeLimitError("up"), OwnTimeoutError("up"), TimeoutError("up"), ConnectionResetError("up"), ValueError("up")]


@pytest.fixture(params=ERRORS, ids=repr)
def limit(request: pytest.FixtureRequest) -> Iterator[Exception]:
    """What the handler of SIGALRM raises."""
    error: Exception = request.param

    def handle(_signum: int, _frame: object) -> None:
        raise error

    before = signal.signal(signal.SIGALRM, handle)
    # Python swallows what is raised in a callback of the garbage collector, and Hypothesis has one.
    gc.disable()
    yield error
    gc.enable()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def drain(connection: socket.socket) -> None:
    """Read slowly, like over a bad line: one byte at a time."""
    while connection.recv(1):
        pass


class Service:
    """A service whose responses depend on the path, and which says when a request has come.

    Attributes:
        url: The base URL.
        arrived: Set when a request has come that gets no response.
        paths: The paths of all requests.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/api/v1"
        self.arrived = threading.Event()
        self.paths: list[str] = []

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""
        with connection, contextlib.suppress(OSError):
            connection.settimeout(PATIENCE)
            while head := connection.recv(65536):
                method, path = head.split(b" ")[:2]
                name = path.decode().rsplit("/", 1)[-1]
                self.paths.append(f"{method.decode()} {name}")
                if name in {"silent", "store"}:
                    self.arrived.set()
                    if name == "silent":
                        # Until the client has closed.
                        connection.recv(1)
                    else:
                        drain(connection)
                    return
                connection.sendall(self._response(name))

    def _response(self, name: str) -> bytes:
        if name == "busy":
            self.arrived.set()
            return http_response(b"", "503 Busy")
        if name == "limited":
            self.arrived.set()
            return http_response(b"", "429 Too Many Requests", "Retry-After: 60")
        if name == "direct_uploads":
            url = self.url.replace("/api/v1", "/store")
            return http_response(PREPARED.format(url=url).encode())
        return http_response(GOOD)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service that serves each connection in a thread."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Service(listener.getsockname()[1])

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=made.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield made
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


@contextlib.contextmanager
def full_backlog() -> Generator[int, None, None]:
    """Yield a port that accepts no connection and refuses none."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()[1]


PATIENT = RetryPolicy(initial_delay=PATIENCE * 2, max_delay=PATIENCE * 2)


def client_of(service: Service, **options: Any) -> ContentGroove:
    """Create a client whose delays are as long as they can be."""
    return ContentGroove("key", service.url, retry_policy=PATIENT, random=lambda: 1.0, **options)


PHASES: dict[str, Callable[[ContentGroove, Service], object]] = {
    "read": lambda client, _: client.medias.get("silent"),
    "backoff": lambda client, _: client.medias.get("busy"),
    "cool-down": lambda client, _: client.medias.get("m-1"),
    "poll": lambda client, _: client.medias.wait("m-1", poll_interval=PATIENCE),
    "upload": lambda client, _: client.medias.upload(MP4 + bytes(20_000_000)),
}


def prepare(client: ContentGroove, service: Service, phase: str) -> Callable[[], object]:
    """Prepare a phase; return what waits until the client is in it, as far as that can be seen."""
    if phase == "cool-down":
        with pytest.raises(RateLimitError):
            client.with_options(max_retries=0).medias.get("limited")
    if phase in {"poll", "cool-down"}:
        return lambda: threading.Event().wait(SOON)
    return lambda: service.arrived.wait(PATIENCE)


def do_in_phase(client: ContentGroove, service: Service, phase: str, action: Callable[[], object]) -> threading.Thread:
    """Do something from another thread once this thread is in a phase."""
    wait = prepare(client, service, phase)
    started = threading.Event()

    def act() -> None:
        # On a busy machine, `start` can take longer than the wait.
        started.wait(PATIENCE)
        wait()
        action()

    thread = threading.Thread(target=act)
    thread.start()
    started.set()
    return thread


def raise_limit() -> None:
    """Send the signal."""
    os.kill(os.getpid(), signal.SIGALRM)


@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_handlers_exception_passes(service: Service, limit: Exception, phase: str) -> None:
    """It is the same object, it is not retried, and the client works afterwards."""
    with client_of(service) as client:
        thread = do_in_phase(client, service, phase, raise_limit)
        with pytest.raises(type(limit)) as caught:
            PHASES[phase](client, service)
        thread.join(PATIENCE)
        sent = len(service.paths)
        assert caught.value is limit
        if phase != "cool-down":
            assert client.medias.get("m-2").id == "m-1"
            assert service.paths[sent:] == ["GET m-2"]


def test_a_signal_handlers_exception_passes_while_connecting(limit: Exception) -> None:
    """A connection that is refused would be retried."""
    with full_backlog() as port, ContentGroove("key", f"http://127.0.0.1:{port}") as client:
        signal.setitimer(signal.ITIMER_REAL, SOON)
        with pytest.raises(type(limit)) as caught:
            client.medias.get("m-1")
    assert caught.value is limit


def test_a_signal_handlers_exception_passes_in_a_handshake(limit: Exception) -> None:
    """The server says nothing."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        ContentGroove("key", f"https://127.0.0.1:{listener.getsockname()[1]}") as client,
    ):
        signal.setitimer(signal.ITIMER_REAL, SOON)
        with pytest.raises(type(limit)) as caught:
            client.medias.get("m-1")
    assert caught.value is limit


def test_a_signal_handlers_exception_passes_while_a_name_is_resolved(
    limit: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's resolver cannot be interrupted."""
    done = threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        done.wait(PATIENCE)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with ContentGroove("key", "https://service.invalid") as client:
        signal.setitimer(signal.ITIMER_REAL, SOON)
        with pytest.raises(type(limit)) as caught:
            client.medias.get("m-1")
    done.set()
    assert caught.value is limit


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_signal_handlers_exception_passes_while_a_name_is_encoded(
    limit: Exception, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Python replaces it by another exception of the same class there, up to version 3.12."""

    def look_up(*_: Any, **__: Any) -> Any:
        try:
            signal.raise_signal(signal.SIGALRM)
        except type(limit) as error:
            raise type(limit)("encoding with 'idna' codec failed") from error

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(threading.Thread, "start", _refuse_to_start)
    with ContentGroove("key", f"http://{host}:1") as client, pytest.raises(type(limit)) as caught:
        client.medias.get("m-1")
    assert caught.value is limit


def _refuse_to_start(_thread: threading.Thread) -> None:
    """Refuse as Python does while it exits, so that the name is resolved in this thread."""
    raise RuntimeError("can't start new thread")


def test_a_signal_handlers_exception_passes_while_all_connections_are_in_use(
    service: Service, limit: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that waits ends, the others do not."""
    monkeypatch.setattr(connection_stacks, "MAX_CONNECTIONS", 1)
    with client_of(service) as client:
        busy = threading.Thread(target=_suppressed, args=(client.medias.get, "silent"))
        busy.start()
        assert service.arrived.wait(PATIENCE)
        signal.setitimer(signal.ITIMER_REAL, SOON)
        with pytest.raises(type(limit)) as caught:
            client.medias.get("m-1")
        assert busy.is_alive()
    busy.join(PATIENCE)
    assert caught.value is limit


def _suppressed(call: Callable[..., object], *arguments: object) -> None:
    with contextlib.suppress(ConfigurationError):
        call(*arguments)


def test_a_signal_handlers_exception_passes_while_a_checkpoint_is_written(
    service: Service, limit: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not taken for a full disk, and the checkpoint stays whole."""
    file = tmp_path / "film.mp4"
    file.write_bytes(MP4)

    def raised_in_sync(_descriptor: int) -> None:
        signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(durable_files, "sync", raised_in_sync)
    with client_of(service) as client, pytest.raises(type(limit)) as caught:
        client.medias.upload(file, checkpoint=tmp_path / "film.json")
    assert caught.value is limit
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


def test_a_handler_that_is_no_longer_installed(service: Service) -> None:
    """One that removes itself before it raises is recognised, too, and the exception keeps its cause."""
    error = TimeoutError("up")
    error.__cause__ = cause = LookupError("why")

    def handle(*_: object) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        raise error

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with client_of(service) as client:
            signal.setitimer(signal.ITIMER_REAL, SOON)
            with pytest.raises(TimeoutError) as caught:
                client.medias.get("silent")
    finally:
        signal.signal(signal.SIGALRM, before)
    assert caught.value is error
    assert error.__cause__ is cause


@pytest.mark.parametrize("kind", [TimeLimitError, TimeoutError, OSError])
def test_an_exception_that_another_thread_sets(kind: type[Exception]) -> None:
    """As time limits without signals do; it comes once the thread runs again."""
    outcome: list[Exception] = []
    idents: list[int] = []

    def serve(connection: socket.socket) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(idents[0]), ctypes.py_object(kind))
        connection.sendall(http_response())

    def call() -> None:
        idents.append(threading.get_ident())
        try:
            client.medias.get("m-1")
        except Exception as error:  # noqa: BLE001 - the outcome
            outcome.append(error)

    with server(serve) as (url, received), ContentGroove("key", url) as client:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join(PATIENCE)
    assert [type(error) for error in outcome] == [kind]
    assert len(received) == 1


def test_a_connection_that_was_interrupted_is_not_used_again(service: Service, limit: Exception) -> None:
    """Its late response would be taken for that of the next call."""
    with client_of(service) as client:
        client.medias.get("m-1")
        for _ in range(3):
            signal.setitimer(signal.ITIMER_REAL, SOON)
            with pytest.raises(type(limit)):
                client.medias.get("silent")
            assert client.medias.get("m-2").id == "m-1"


def films(folder: Path, count: int) -> list[Path]:
    """Write files that take long to upload."""
    paths = [folder / f"film-{number}.mp4" for number in range(count)]
    for path in paths:
        path.write_bytes(MP4 + bytes(30_000_000))
    return paths


@pytest.mark.parametrize("way_out", ["break", "error", "ctrl-c"])
def test_a_batch_is_left_in_two_seconds(
    service: Service, tmp_path: Path, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although its uploads are in the middle of their files; another run can continue them."""
    small = tmp_path / "small.txt"
    small.write_text("no video", encoding="utf-8")
    checkpoints = tmp_path / "checkpoints"
    started = 0.0
    before = signal.getsignal(signal.SIGINT)
    with client_of(service) as client, contextlib.ExitStack() as expected:
        if way_out != "break":
            expected.enter_context(pytest.raises(KeyboardInterrupt if way_out == "ctrl-c" else LookupError))
        for _ in client.medias.upload_many([small, *films(tmp_path, 2)], concurrency=3, checkpoint_dir=checkpoints):
            assert service.arrived.wait(PATIENCE)
            started = time.monotonic()
            if way_out == "break":
                break
            if way_out == "error":
                raise LookupError
            signal.setitimer(signal.ITIMER_REAL, SOON)
            monkeypatch.setattr(signal, "SIGINT", before)
            signal.signal(signal.SIGALRM, signal.default_int_handler)
    assert time.monotonic() - started < 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("contentgroove-upload")]
    assert [path for path in checkpoints.iterdir() if path.suffix == ".lock"] == []


BLOCKED = """
import sys, threading
from contentgroove import ContentGroove
class Blocked:
    def read(self, size): threading.Event().wait()
    def tell(self): return 0
    def seek(self, *_): return 0
    def seekable(self): return True
client = ContentGroove("key", "http://127.0.0.1:1", max_retries=0)
for result in client.medias.upload_many([b"no video", Blocked()], concurrency=2):
    print(result.media)
    break
"""


@pytest.mark.process
def test_a_thread_that_cannot_end_does_not_keep_the_program() -> None:
    """One that reads from a file that blocks is left to itself."""
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", BLOCKED], capture_output=True, encoding="utf-8", check=True, timeout=PATIENCE
    )
    assert done.stdout == "None\n"


@pytest.mark.parametrize("phase", PHASES)
def test_closing_ends_what_runs(service: Service, phase: str) -> None:
    """From another thread, at once, with an error that says so."""
    client = client_of(service)
    closed: list[float] = []

    def close() -> None:
        closed.append(time.monotonic())
        client.close()

    thread = do_in_phase(client, service, phase, close)
    with pytest.raises(ConfigurationError, match="closed"):
        PHASES[phase](client, service)
    assert time.monotonic() - closed[0] < 1
    thread.join(PATIENCE)


def test_closing_ends_a_creation_with_the_truth(service: Service) -> None:
    """The request was sent: the media may exist."""
    client = client_of(service)
    thread = do_in_phase(client, service, "read", client.close)
    with pytest.raises(OutcomeUnknownError, match="closed"):
        client.request("POST", "/silent", body={}).parse()
    thread.join(PATIENCE)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_closing_ends_connecting(service: Service, scheme: str) -> None:
    """Before there is a connection, and in a handshake."""
    with full_backlog() as port, socket.create_server(("127.0.0.1", 0)) as silent:
        where = port if scheme == "http" else silent.getsockname()[1]
        client = ContentGroove("key", f"{scheme}://127.0.0.1:{where}")
        thread = do_in_phase(client, service, "poll", client.close)
        with pytest.raises(ConfigurationError, match="closed"):
            client.medias.create(upload_id="u")
        thread.join(PATIENCE)


def test_closing_ends_all_who_wait_for_a_connection(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are."""
    monkeypatch.setattr(connection_stacks, "MAX_CONNECTIONS", 1)
    client = client_of(service)
    ended: list[str] = []

    def call() -> None:
        try:
            client.medias.get("silent")
        except ConfigurationError as error:
            ended.append(str(error))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert service.arrived.wait(PATIENCE)
    client.close()
    for thread in threads:
        thread.join(1)
    assert len(ended) == 8


def test_closing_twice_and_using_it_afterwards(service: Service) -> None:
    """A closed client says so."""
    client = client_of(service)
    client.medias.get("m-1")
    client.close()
    client.close()
    with pytest.raises(ConfigurationError, match="This client is closed"):
        client.medias.get("m-1")


ASYNC_PHASES: dict[str, Callable[[AsyncContentGroove], Any]] = {
    "read": lambda client: client.medias.get("silent"),
    "backoff": lambda client: client.medias.get("busy"),
    "poll": lambda client: client.medias.wait("m-1", poll_interval=PATIENCE),
    "upload": lambda client: client.medias.upload(MP4 + bytes(20_000_000)),
}


@pytest.mark.parametrize("phase", ASYNC_PHASES)
def test_closing_ends_the_tasks_that_run(service: Service, phase: str) -> None:
    """Of an async client, also while they wait for a connection."""

    async def use() -> list[object]:
        client = AsyncContentGroove("key", service.url, retry_policy=PATIENT, random=lambda: 1.0)
        tasks = [asyncio.create_task(ASYNC_PHASES[phase](client)) for _ in range(60 if phase == "read" else 1)]
        await asyncio.to_thread(service.arrived.wait, SOON if phase == "poll" else PATIENCE)
        started = time.monotonic()
        await client.aclose()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert time.monotonic() - started < 1
        return list(found)

    found = asyncio.run(use())
    assert {type(error) for error in found} == {ConfigurationError}
    assert all("closed" in str(error) for error in found)


def test_a_cancelled_task_is_cancelled(service: Service) -> None:
    """Timeouts of the application pass, and the client works afterwards."""

    async def use() -> str:
        async with AsyncContentGroove("key", service.url) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.medias.get("silent"), SOON)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SOON):
                    await client.medias.get("silent")
            return (await client.medias.get("m-2")).id

    assert asyncio.run(use()) == "m-1"


def close_waiting() -> int:
    """Count the connections of this process that the other side has closed and this one has not."""
    mine = {os.readlink(entry.path) for entry in os.scandir("/proc/self/fd") if os.path.islink(entry.path)}  # noqa: PTH114, PTH115 - as above
    with open("/proc/self/net/tcp", encoding="ascii") as table:  # noqa: PTH123 - as above
        rows = [line.split() for line in table.readlines()[1:]]
    return sum(row[3] == "08" and f"socket:[{row[9]}]" in mine for row in rows)


class Crowd:
    """A service that responds once several requests have come, then closes all connections when it is told to."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._all = threading.Barrier(size)
        self._first = size
        self.connections: list[socket.socket] = []

    def serve(self, connection: socket.socket) -> None:
        """Respond to one request at the same time as the others."""
        self.connections.append(connection)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                if self._first > 0:
                    self._first -= 1
                    self._all.wait(PATIENCE)
                connection.sendall(http_response(GOOD))

    def hang_up(self) -> int:
        """Close all idle connections, from this side; return how many the client has noticed."""
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + PATIENCE
        while (count := close_waiting()) < len(self.connections) and time.monotonic() < deadline:
            threading.Event().wait(0.001)
        return count


@PROC
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_connections_that_the_server_closed_are_dropped(kind: str) -> None:
    """All of them, when the client is used the next time."""
    crowd = Crowd(8)

    async def use_async(url: str) -> tuple[int, int]:
        async with AsyncContentGroove("key", url) as client:
            await asyncio.gather(*(client.medias.get("m-1") for _ in range(8)))
            closed = crowd.hang_up()
            await client.medias.get("m-1")
            return closed, close_waiting()

    def use(url: str) -> tuple[int, int]:
        with ContentGroove("key", url) as client:
            threads = [threading.Thread(target=client.medias.get, args=("m-1",)) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            closed = crowd.hang_up()
            client.medias.get("m-1")
            return closed, close_waiting()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=crowd.serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        before, after = use(url) if kind == "sync" else asyncio.run(use_async(url))
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)
    for connection in crowd.connections:
        connection.close()
    assert after == 0
    assert before == 8
