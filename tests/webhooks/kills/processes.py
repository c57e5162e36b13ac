"""The processes that are killed: receivers, which record webhooks, and workers, which handle the events."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sqlite3
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import psycopg
from contentgroove.webhooks import Backoff, InboxError, PostgresInbox, SQLiteInbox, WebhookReceiver

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

RECOVERY = 60.0
"""Seconds that a killed database may take to recover."""

POLL = 0.005
"""Seconds between a worker's checks for recorded events."""


@dataclass(frozen=True)
class Setup:
    """The settings that all processes share.

    Attributes:
        kind: `sqlite` or `postgres`.
        location: The file or the conninfo.
        journal: The file to which handlers without a transaction write their start and end.
        clock: The inboxes' time. It stops while processes run, so that no running process loses a claim.
        listening: The socket of the receivers.
        token: The token in their URL.
    """

    kind: str
    location: str
    journal: Path
    clock: c_double
    listening: socket.socket
    token: str

    def open_inbox(self) -> Any:
        """Open the inbox, as soon as its database can be reached; each process has its own."""
        opened = SQLiteInbox if self.kind == "sqlite" else PostgresInbox
        return _retried(InboxError, lambda: opened(self.location, clock=lambda: self.clock.value))

    def connect(self) -> Any:
        """Open the harness's own connection."""
        if self.kind == "sqlite":
            return sqlite3.connect(self.location, isolation_level=None, timeout=30)
        import psycopg

        return psycopg.connect(self.location, autocommit=True)

    def kill_database(self) -> bool:
        """Kill a process of the database, which then ends all others and recovers; False if it has none.

        Returns when it takes connections again.
        """
        if self.kind == "sqlite":
            return False
        with self.connect() as connection, self.connect() as witness:
            (victim,) = connection.execute("SELECT pg_backend_pid()").fetchone()
            os.kill(victim, 9)
            # It ends when the server has noticed; before that, the server would still take connections.
            with contextlib.suppress(psycopg.OperationalError):
                list(witness.notifies(timeout=RECOVERY))
        _retried(psycopg.OperationalError, self.connect).close()
        return True


def _retried(error: type[Exception], connect: Callable[[], Any]) -> Any:
    end = time.monotonic() + RECOVERY
    while True:
        try:
            return connect()
        except error:
            if time.monotonic() > end:
                raise


@dataclass(frozen=True)
class Life:
    """The role and the end of a process.

    Attributes:
        role: `receiver` or `worker`.
        seed: Decides which handlers fail.
        calls: The process kills itself at this number of Python calls; None if the harness kills it.
        steps: The harness kills it after this number of steps of its work; None if it does not.
        delay: Seconds from that step to the kill, so that the kill is in the middle of a step.
    """

    role: str
    seed: str
    calls: int | None = None
    steps: int | None = None
    delay: float = 0.0


class WatchedInbox:
    """An inbox that reports the steps of work: each claimed event, and the start of each change."""

    def __init__(self, inbox: Any, report: Callable[[], object]) -> None:
        self._inbox = inbox
        self._report = report

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inbox, name)
        if name not in {"record", "apply", "progress", "release", "done"}:
            return method

        def reporting(*arguments: Any, **options: Any) -> Any:
            self._report()
            return method(*arguments, **options)

        return reporting

    def claim(self, lease: float) -> Any:
        """Report the claim, if there is one."""
        claim = self._inbox.claim(lease)
        if claim is not None:
            self._report()
        return claim


def receiver_of(setup: Setup, rng: random.Random, report: Callable[[], object] = lambda: None) -> WebhookReceiver:
    """Create a receiver with a handler in the inbox's transaction and one without; both fail from time to time."""
    logging.disable()
    inbox: Any = WatchedInbox(setup.open_inbox(), report)
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
    """Kills this process without warning at a number of calls and returns, counted over all threads."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        """Count a call or return."""
        del frame, event, argument
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), 9)


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log nothing."""


def live(setup: Setup, life: Life, steps: Connection) -> None:
    """Run a receiver or a worker until it or the harness is killed; report each step to the harness."""
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
