"""Workers and processes: which one of a family handles events, and what is handed back when a process ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove import ConfigurationError
from contentgroove.webhooks import MemoryInbox, SQLiteInbox, WebhookReceiver
from contentgroove.webhooks.families import Family

from tests.platforms import FORK, SIGNALS
from tests.webhooks.payloads import body, finished

if TYPE_CHECKING:
    from pathlib import Path

LONG = 20.0
NEVER = 3_600.0

APP = """
import asyncio, multiprocessing, os, signal, sys, threading
from contentgroove.webhooks import SQLiteInbox, WebhookReceiver
from tests.webhooks.payloads import body, finished

receiver = WebhookReceiver(SQLiteInbox("events.db"), grace=0.2)

def write(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

@receiver.on("*")
def handle(event):
    write(event.media.id, "child" if os.getpid() != parent else "parent")
    handled.set()
    while event.media.id == "held":
        wait()

def wait():
    # Python runs a signal handler when its main thread does something, so waits without an end could delay it.
    threading.Event().wait(0.05)

def deliver(media):
    assert receiver.receive(body(finished(media))).status_code == 200

handled = threading.Event()
parent = os.getpid()
"""


def start(folder: Path, code: str) -> subprocess.Popen[str]:
    (folder / "app.py").write_text(APP + textwrap.dedent(code), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-W", "error", "app.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> list[str]:
    """Wait for the end of a process; returns what it has printed."""
    output, errors = process.communicate(timeout=LONG)
    assert (process.returncode, errors) == (code, "")
    return output.splitlines()


def states(folder: Path) -> dict[str, tuple[str, int]]:
    with SQLiteInbox(folder / "events.db") as inbox:
        return {event.key.split(":")[2]: (event.state, event.attempts) for event in inbox.events()}


FORKED = """
receiver.start_worker(poll_interval=0.05)
to_child, to_parent = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.read(to_child[0], 1)
    threads = threading.active_count()
    write("worker", receiver.status().worker_running, threads)
    for number in range(5):
        deliver(f"m-{number}")
    handled.wait(20)
    while receiver.status().pending or receiver.status().claimed:
        threading.Event().wait(0.01)
    write("worker", receiver.status().worker_running)
    os.write(to_parent[1], b".")
    os.read(to_child[0], 1)
    receiver.stop_worker()
    threading.Event().wait()
"""


@pytest.mark.process
@FORK
@pytest.mark.parametrize("end", ["os.kill(child, 9)", "os.write(to_child[1], b'.')"])
def test_a_forked_process_that_serves_handles_events_itself(tmp_path: Path, end: str) -> None:
    """Its parent rests, and handles events again when the child was killed, or has stopped its worker."""
    code = f"""
    os.write(to_child[1], b".")
    os.read(to_parent[0], 1)
    {end}
    # Recorded as if by another process, because one that gets deliveries never rests.
    handled.clear()
    WebhookReceiver(receiver.inbox).receive(body(finished("later")))
    handled.wait(20)
    receiver.stop_worker()
    os.kill(child, 9)
    """
    lines = finish(start(tmp_path, FORKED + textwrap.dedent(code)))
    assert lines == ["worker None 1", *(f"m-{number} child" for number in range(5)), "worker True", "later parent"]


@FORK
def test_a_process_that_gets_deliveries_does_not_rest() -> None:
    """Only one that forks those that serve, such as the master of a server."""
    family = Family(NEVER)
    assert not family.rests()
    family.note_child(os.getppid())
    assert family.rests()
    assert family.serve() is None
    assert not family.rests()


@pytest.mark.process
@FORK
def test_a_forked_process_that_gets_no_delivery_starts_no_worker(tmp_path: Path) -> None:
    """Nor does it stop its parent's, whatever it calls."""
    code = """
    receiver.start_worker(poll_interval=0.05)
    child = os.fork()
    if child == 0:
        receiver.process_pending()
        assert receiver.healthy
        write(threading.active_count(), receiver.stop_worker())
        os._exit(0)
    os.waitpid(child, 0)
    WebhookReceiver(receiver.inbox).receive(body(finished("later")))
    handled.wait(20)
    """
    assert finish(start(tmp_path, code)) == ["1 True", "later parent"]


@pytest.mark.process
@pytest.mark.parametrize("method", ["spawn", pytest.param("fork", marks=FORK), pytest.param("forkserver", marks=FORK)])
def test_a_process_of_multiprocessing_hands_back_what_it_handles(tmp_path: Path, method: str) -> None:
    """It ends without atexit, and its lease of 15 minutes would remain."""
    code = f"""
    def serve():
        receiver.start_worker()
        deliver("held")
        assert handled.wait(20)

    if __name__ == "__main__":
        process = multiprocessing.get_context("{method}").Process(target=serve)
        process.start()
        process.join()
        write(process.exitcode)
    """
    assert finish(start(tmp_path, code))[-1] == "0"
    assert states(tmp_path) == {"held": ("pending", 0)}


STARTS = {
    "start_worker": "receiver.start_worker()\nwhile True: wait()",
    "work": "receiver.work()",
    "worker": """
async def main():
    async with receiver.worker():
        while True:
            await asyncio.to_thread(wait)

asyncio.run(main())
""",
}


@pytest.mark.process
@SIGNALS
@pytest.mark.parametrize("how", list(STARTS))
def test_sigterm_hands_back_what_is_handled(tmp_path: Path, how: str) -> None:
    """The process ends by SIGTERM, as without a worker; a handler in a loop's thread included."""
    code = 'deliver("held")\n' + STARTS[how]
    if how == "work":  # a handler in the main thread can be interrupted by nothing but the end
        code = code.replace("receiver.work()", "receiver.work(poll_interval=0.05)")
    process = start(tmp_path, code)
    assert process.stdout is not None
    assert process.stdout.readline() == "held parent\n"
    process.send_signal(signal.SIGTERM)
    finish(process, -signal.SIGTERM)
    assert states(tmp_path) == {"held": ("pending", 0)}


@pytest.mark.process
@SIGNALS
def test_sigterm_ends_a_process_whose_parent_had_a_worker(tmp_path: Path) -> None:
    """At once, by the default action."""
    code = """
    receiver.start_worker()
    process = multiprocessing.get_context("fork").Process(target=threading.Event().wait)
    process.start()
    write(signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL)
    process.terminate()
    process.join()
    write(process.exitcode)
    receiver.stop_worker()
    write(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
    """
    assert finish(start(tmp_path, code)) == ["True", "-15", "True"]


@SIGNALS
def test_an_applications_handler_of_sigterm_stays() -> None:
    """The application decides what a signal does."""
    receiver = WebhookReceiver(MemoryInbox())

    def own(*_: object) -> None:
        """Do nothing."""

    before = signal.signal(signal.SIGTERM, own)
    try:
        receiver.start_worker(poll_interval=NEVER)
        assert signal.getsignal(signal.SIGTERM) is own
        assert receiver.stop_worker(LONG)
        assert signal.getsignal(signal.SIGTERM) is own
    finally:
        signal.signal(signal.SIGTERM, before)


class Uwsgi(ModuleType):
    """The module that exists in processes of uWSGI."""

    has_threads = 1
    worker = 0
    mule = 0
    post_fork_hook: Any = None

    def worker_id(self) -> int:
        """Return the number of this worker; 0 in the process that loads the application."""
        return self.worker

    def mule_id(self) -> int:
        """Return the number of this mule; 0 in others."""
        return self.mule


@pytest.fixture
def uwsgi(monkeypatch: pytest.MonkeyPatch) -> Uwsgi:
    module = Uwsgi("uwsgi")
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    return module


def test_uwsgi_starts_a_worker_in_each_of_its_workers(uwsgi: Uwsgi) -> None:
    """After the application's own hook; neither where the application is loaded nor in a mule."""
    calls: list[str] = []
    uwsgi.post_fork_hook = lambda: calls.append("own")
    receiver, handled = WebhookReceiver(MemoryInbox()), threading.Event()
    receiver.on("*")(lambda _: handled.set())
    receiver.start_worker(poll_interval=NEVER)
    uwsgi.mule = 1
    uwsgi.post_fork_hook()
    assert receiver.status().worker_running is None
    uwsgi.mule, uwsgi.worker = 0, 1
    uwsgi.post_fork_hook()
    assert receiver.status().worker_running is True
    assert calls == ["own", "own"]
    receiver.receive(body(finished()))
    assert handled.wait(LONG)
    assert receiver.stop_worker(LONG)


def test_a_worker_without_threads_is_refused(uwsgi: Uwsgi) -> None:
    """The message names the option."""
    uwsgi.has_threads = 0
    with pytest.raises(ConfigurationError, match="--enable-threads"):
        WebhookReceiver(MemoryInbox()).start_worker()


def test_a_worker_that_cannot_start_is_tried_again(
    uwsgi: Uwsgi, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The delivery is recorded nevertheless."""
    receiver, handled = WebhookReceiver(MemoryInbox()), threading.Event()
    receiver.on("*")(lambda _: handled.set())
    receiver.start_worker(poll_interval=NEVER)
    uwsgi.worker = 1
    with monkeypatch.context() as patch:

        def fail(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", fail)
        assert receiver.receive(body(finished("m-1"))).status_code == 200
    assert "did not start; the next delivery tries again: can't start new thread" in caplog.text
    assert receiver.receive(body(finished("m-2"))).status_code == 200
    assert handled.wait(LONG)
    assert receiver.stop_worker(LONG)
