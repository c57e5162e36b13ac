"""Waits that are short where Ctrl-C does not end them, which is Windows' case; played here."""

from __future__ import annotations

import signal
import sys
import threading
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, NoReturn

import pytest
from contentgroove import ConfigurationError, UploadItem
from contentgroove._io import interruptible
from contentgroove._io.batches import upload_batch
from contentgroove._io.interruptible import join, take, wait_for
from contentgroove.webhooks import Backoff, MemoryInbox
from contentgroove.webhooks.claims import Renewer
from contentgroove.webhooks.outages import Circuit
from contentgroove.webhooks.processing import Outcome
from contentgroove.webhooks.worker import Wakeup, Worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._core.io import Progress

STEP = 0.01
NEVER = 3_600.0
LONG = 10.0


class Waits:
    """How long each wait of the test's thread, for a lock or another thread, was to last.

    Attributes:
        seconds: Of each wait; None is without limit.
        begun: Set once there was one.
    """

    def __init__(self) -> None:
        self.seconds: list[float | None] = []
        self.begun = threading.Event()

    def note(self, seconds: float | None) -> None:
        """Record a wait, unless it only checks."""
        if seconds != 0:
            self.seconds.append(seconds)
            self.begun.set()

    def are_short(self) -> bool:
        """Return whether there were several, each at most a step long."""
        return len(self.seconds) > 1 and all(seconds is not None and seconds <= STEP for seconds in self.seconds)


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Wait in steps as on Windows."""
    noted, here = Waits(), threading.get_ident()
    real_wait, real_join = threading.Condition.wait, threading.Thread.join

    def wait(condition: threading.Condition, timeout: float | None = None) -> bool:
        # Starting a thread waits for its first step, which comes at once.
        if threading.get_ident() == here and sys._getframe(2).f_code.co_name != "start":
            noted.note(timeout)
        return real_wait(condition, timeout)

    def joined(thread: threading.Thread, timeout: float | None = None) -> None:
        # A pool that is shut down joins threads that have nothing left to do.
        if threading.get_ident() == here and sys._getframe(1).f_code.co_name != "shutdown":
            noted.note(timeout)
        real_join(thread, timeout)

    monkeypatch.setattr(threading.Condition, "wait", wait)
    monkeypatch.setattr(threading.Thread, "join", joined)
    monkeypatch.setattr(interruptible, "STEP", STEP)
    return noted


def interrupting(after: int, attempts: list[float]) -> Callable[[float], bool]:
    """Return an attempt that fails, and during which Ctrl-C comes, unnoticed until it ends."""

    def attempt(seconds: float) -> bool:
        attempts.append(seconds)
        if len(attempts) == after:
            signal.raise_signal(signal.SIGINT)
        return False

    return attempt


def test_ctrl_c_ends_a_wait_without_limit() -> None:
    """It is looked at between two steps."""
    attempts: list[float] = []
    with pytest.raises(KeyboardInterrupt):
        wait_for(interrupting(3, attempts))
    assert attempts == [STEP] * 3


def test_a_limit_is_kept() -> None:
    """Steps are never longer than the remaining time, and a wait of 0 seconds checks once."""
    attempts: list[float] = []
    assert wait_for(interrupting(0, attempts), 0) is False
    assert attempts == [0.0]
    event = threading.Event()
    assert wait_for(event.wait, 3 * STEP) is False
    event.set()
    assert wait_for(event.wait) is True


def test_a_thread_and_a_queue_are_waited_for() -> None:
    """Their end and their next item, or that neither came."""
    gate, queue = threading.Event(), SimpleQueue[int]()

    def work() -> None:
        gate.wait(LONG)
        queue.put(7)

    thread = threading.Thread(target=work)
    thread.start()
    assert join(thread, 2 * STEP) is False
    with pytest.raises(Empty):
        take(queue, 2 * STEP)
    gate.set()
    assert take(queue) == 7
    assert join(thread) is True


def test_a_worker_waits_in_steps(waits: Waits) -> None:
    """For the wakeup and for its thread, however rarely it polls."""
    bell = Wakeup()
    threading.Timer(5 * STEP, bell.notify).start()
    bell.wait(0, NEVER)
    inbox = MemoryInbox()
    worker = Worker(
        inbox, bell, Circuit(Backoff()), Renewer(NEVER), poll_interval=NEVER, grace=NEVER, report=lambda: None
    )
    worker.start_thread(lambda _should_stop: Outcome())
    assert worker.join()
    assert waits.are_short()


def test_a_batch_waits_in_steps(waits: Waits) -> None:
    """For the first upload to end, and for those that run when the batch is left."""
    gate, begun = threading.Event(), threading.Barrier(3)

    def upload(item: UploadItem, _check: Progress | None) -> NoReturn:
        begun.wait(LONG)
        (gate if item.file == b"slow" else waits.begun).wait(LONG)
        raise ConfigurationError("enough")

    def open_gate() -> None:
        begun.wait(LONG)
        gate.wait(5 * STEP)
        gate.set()

    results = upload_batch(upload, [b"slow", b"quick"], 2)
    threading.Thread(target=open_gate).start()
    assert next(results).file == b"quick"
    # Left while the other one runs: its thread has ended afterwards.
    results.close()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - it is a generator
    assert gate.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("contentgroove-upload")]
    assert waits.are_short()
