"""Starts a server, and checks what becomes of events while a process is killed, the server reloads and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from tests.webhooks.payloads import body, finished
from tests.webhooks.servers.deployments import write_files

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from pathlib import Path

    from tests.webhooks.servers.deployments import Deployment

TOKEN = "canary-token"
LIMIT = 20.0
"""Seconds that a test waits for a process."""

STOP_LIMIT = 10.0
"""Seconds within which a server must stop."""

SENDERS = 4
END = b"end"


class Line(NamedTuple):
    """What a handler has told: that it begins, has ended or, cancelled, has left an event, in which process."""

    moment: str
    media: str
    process: int
    attempt: int


class Journal:
    """Receives the lines of handlers in a thread, because few fit into the socket; those of killed processes stay."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[Line] = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        """Read what was written before, and end."""
        if self._thread.is_alive():
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
                own.sendto(END, str(self.path))
            self._thread.join()
            self._socket.close()

    def wait_for(self, moment: str, medias: Iterable[str]) -> list[Line]:
        """Wait until each media has a line of that moment; returns all such lines."""
        missing = set(medias)

        def found() -> list[Line]:
            return [line for line in self.lines if line.moment == moment and line.media in missing]

        with self._changed:
            complete = self._changed.wait_for(lambda: {line.media for line in found()} == missing, LIMIT)
            assert complete, f"no {moment} of {missing - {line.media for line in found()}}"
            return found()

    def _read(self) -> None:
        while (content := self._socket.recv(1_000)) != END:
            moment, media, process, attempt = content.decode().split()
            with self._changed:
                self.lines.append(Line(moment, media, int(process), int(attempt)))
                self._changed.notify_all()

    def check(self, killed: Iterable[int]) -> None:
        """Check that no event was handled by two handlers at the same time, nor again after its handler had ended."""
        running: dict[str, int] = {}
        ended: set[str] = set()
        for line in self.lines:
            if line.moment == "begin":
                assert line.media not in ended, f"handled again: {line}"
                assert running.get(line.media) in {None, *killed}, f"handled twice at the same time: {line}"
                running[line.media] = line.process
                continue
            assert running.pop(line.media, None) == line.process, f"ended what it had not begun: {line}"
            if line.moment == "end":
                ended.add(line.media)


class Server:
    """A server at a socket of this process."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, journal: Journal) -> None:
        self.process = process
        self.journal = journal
        self._url = url

    def deliver(self, medias: Iterable[str]) -> None:
        """Deliver events from several threads, each again until it got a 200, as the service does."""
        with ThreadPoolExecutor(SENDERS) as threads:
            list(threads.map(self._deliver, medias))

    def _deliver(self, media: str) -> None:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            # Some servers do not listen yet. A connection is refused more and more slowly.
            with (
                contextlib.suppress(httpx.TransportError),
                httpx.Client(transport=httpx.HTTPTransport(retries=5), timeout=LIMIT) as client,
            ):
                response = client.post(self._url, content=body(finished(media)))
                assert response.status_code in {200, 503}, response.text
                if response.status_code == 200:
                    return
        raise AssertionError(f"{media} was not accepted")

    def stop(self) -> float:
        """Stop it with SIGTERM; returns the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(LIMIT)
        return time.monotonic() - started


@contextlib.contextmanager
def serve(deployment: Deployment, store: Any, folder: Path, output: Any) -> Generator[Server]:
    """Run a server until the context is left."""
    write_files(folder)
    journal = Journal(folder / "j")
    environment = {
        **os.environ,
        "STORE": store.kind,
        "LOCATION": store.location,
        "JOURNAL": str(journal.path),
        "ASYNC": "1" if deployment.is_async else "",
        "WEBHOOK_TOKEN": TOKEN,
        "DJANGO_SETTINGS_MODULE": "settings",
        "PYTHONPATH": str(folder),
    }
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/contentgroove?token={TOKEN}"
        arguments = deployment.arguments(listening)
        if not deployment.inherits_socket:
            listening.close()
        process = subprocess.Popen(  # noqa: S603 - the page's own commands
            arguments,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            pass_fds=[listening.fileno()] if deployment.inherits_socket else [],
            start_new_session=True,
        )
        try:
            yield Server(process, url, journal)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(LIMIT)
            journal.close()


def run(deployment: Deployment, store: Any, folder: Path, events: int = 12) -> str:
    """Deliver events while a process is killed, the server reloads, and then stops; returns a line about it.

    Raises:
        AssertionError: A check failed.
    """
    started = time.monotonic()
    log = folder / "log"
    sent: list[str] = []

    def names(kind: str) -> list[str]:
        sent.extend(f"{kind}-{number}" for number in range(events))
        return sent[-events:]

    with log.open("wb") as output, serve(deployment, store, folder, output) as server:
        journal = server.journal
        try:
            first = names("first")
            server.deliver(first)
            journal.wait_for("end", first)

            server.deliver(["held-by-killed"])
            (held,) = journal.wait_for("begin", ["held-by-killed"])
            assert held.process != server.process.pid, "the master handled an event"
            os.kill(held.process, signal.SIGKILL)
            during = names("killed")
            server.deliver(during)
            journal.wait_for("end", [*during, "held-by-killed"])

            server.process.send_signal(signal.SIGHUP)
            reloaded = names("reloaded")
            server.deliver(reloaded)
            journal.wait_for("end", reloaded)

            server.deliver(["held-at-stop"])
            journal.wait_for("begin", ["held-at-stop"])
            seconds = server.stop()
        except BaseException as error:
            error.add_note(log.read_text(encoding="utf-8", errors="replace")[-6_000:])
            raise
        journal.close()
    journal.check([held.process])
    text = log.read_text(encoding="utf-8", errors="replace")
    assert seconds < STOP_LIMIT, f"stopped after {seconds:.1f} s:\n{text}"
    assert "Traceback" not in text, text
    assert "Warning" not in text, text
    assert TOKEN not in text, text
    _check_inbox(store, [*sent, "held-by-killed"])
    ended = Counter(line.process for line in journal.lines if line.moment == "end")
    return (
        f"{deployment.command} on {store.kind}: {len(sent) + 2} events, handled by {len(ended)} processes, stopped in "
        f"{seconds:.1f} s, {time.monotonic() - started:.0f} s in all"
    )


def _check_inbox(store: Any, done: list[str]) -> None:
    with store.open() as inbox:
        states = {event.key.split(":")[2]: (event.state, event.attempts) for event in inbox.events(limit=100_000)}
    # Its attempt does not count, because it was handed back.
    assert states.pop("held-at-stop") == ("pending", 0)
    assert {media: state for media, (state, _) in states.items()} == dict.fromkeys(done, "done")
