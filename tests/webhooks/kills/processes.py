"""The processes that are killed: receivers, which record webhooks, and workers, which handle what is recorded."""

from __future__ import annotations

import logging
import os
import random
import sqlite3
import sys
import threading
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from contentgroove.webhooks import Backoff, PostgresInbox, SQLiteInbox, WebhookReceiver

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from ctypes import c_double
    from multiprocessing.connection import Connection
    from pathlib import Path
    from types import FrameType

LEASE = 60.0
FAILS = 0.1
"""How often a handler raises."""

POLL = 0.005
"""Seconds between a worker's looks for what receivers have recorded."""


@dataclass(frozen=True)
class Setup:
    """What all processes share.

    Attributes:
        kind: `sqlite` or `postgres`.
        place: The file or the conninfo.
        journal: Where handlers without a transaction write that they begin and end.
        clock: The inboxes' time: stands still while processes live, so that no living one loses a claim.
        listening: Where webhooks arrive.
        token: What their URL carries.
    """

    kind: str
    place: str
    journal: Path
    clock: c_double
    listening: socket.socket
    token: str

    def open_inbox(self) -> Any:
        """Open the inbox; each process has its own."""
        opened = SQLiteInbox if self.kind == "sqlite" else PostgresInbox
        return opened(self.place, clock=lambda: self.clock.value)

    def connect(self) -> Any:
        """Open a connection of the harness's own."""
        if self.kind == "sqlite":
            return sqlite3.connect(self.place, isolation_level=None, timeout=30)
        import psycopg

        return psycopg.connect(self.place, autocommit=True)


@dataclass(frozen=True)
class Life:
    """What a process is, and how it ends.

    Attributes:
        role: `receiver` or `worker`.
        seed: Decides which handlers fail.
        calls: The process kills itself before it makes so many Python calls; None leaves it to the harness.
        steps: The harness kills it after so many steps of its work, unless it is None.
        delay: Seconds from that step to the kill, so that it comes inside of a step.
    """

    role: str
    seed: str
    calls: int | None = None
    steps: int | None = None
    delay: float = 0.0


class WatchedInbox:
    """An inbox that tells when a step of work is made: an event claimed, or a change of one begun."""

    def __init__(self, inbox: Any, tell: Callable[[], object]) -> None:
        self._inbox = inbox
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inbox, name)
        if name not in {"record", "apply", "progress", "release", "done"}:
            return method

        def told(*arguments: Any, **options: Any) -> Any:
            self._tell()
            return method(*arguments, **options)

        return told

    def claim(self, lease: float) -> Any:
        """Tell if there was one."""
        claim = self._inbox.claim(lease)
        if claim is not None:
            self._tell()
        return claim


def receiver_of(setup: Setup, rng: random.Random, tell: Callable[[], object] = lambda: None) -> WebhookReceiver:
    """Make a receiver with a handler in the inbox's transaction and one without, both of which fail now and then."""
    logging.disable()
    inbox: Any = WatchedInbox(setup.open_inbox(), tell)
    receiver = WebhookReceiver(
        inbox, secret_token=setup.token, backoff=Backoff(first=1, longest=8, attempts=10_000), lease=LEASE
    )
    journal = os.open(setup.journal, os.O_WRONLY | os.O_APPEND)

    def fail_sometimes() -> None:
        if rng.random() < FAILS:
            raise LookupError("now and then")

    @receiver.on("*", name="exact", transaction=True)
    def exact(event: Any, connection: Any) -> None:
        connection.execute(f"INSERT INTO effects VALUES ('{event.dedupe_key}')")  # noqa: S608 - no quotes in keys
        fail_sometimes()

    @receiver.on("*", name="plain")
    def plain(event: Any) -> None:
        os.write(journal, f"begin {event.dedupe_key} {event.attempt}\n".encode())
        fail_sometimes()
        os.write(journal, f"end {event.dedupe_key} {event.attempt}\n".encode())

    return receiver


class Countdown:
    """Kills this process, without a word, before it makes its so-manieth call or return, whichever thread does."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Count one."""
        del frame, event, argument
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), 9)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def live(setup: Setup, life: Life, steps: Connection) -> None:
    """Be a receiver or a worker until killed, or until the harness is; each step of work is told to it."""
    threading.Thread(target=_end_with_the_harness, daemon=True).start()
    if life.calls is not None:
        countdown = Countdown(life.calls)
        threading.setprofile(countdown)
        sys.setprofile(countdown)
    receiver = receiver_of(setup, random.Random(life.seed), lambda: os.write(steps.fileno(), b"."))  # noqa: S311 - repeatable, not secret
    if life.role == "worker":
        receiver.start_worker(poll_interval=POLL)
        threading.Event().wait()
    else:
        _serve(setup.listening, receiver)


def _end_with_the_harness() -> None:
    harness = parent_process()
    if harness is not None:
        harness.join()
        os._exit(1)


def _serve(listening: socket.socket, receiver: WebhookReceiver) -> None:
    server = WSGIServer(listening.getsockname(), _QuietHandler, bind_and_activate=False)
    server.socket.close()
    server.socket = listening
    server.server_name, server.server_port = listening.getsockname()
    server.setup_environ()
    server.set_app(receiver.wsgi)
    server.serve_forever()
