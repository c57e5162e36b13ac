"""Kills receivers, workers and databases at random points while webhooks arrive, and checks each state after it."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import multiprocessing
import os
import random
import socket
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Self

from contentgroove import ContentGroove
from contentgroove.webhooks import HandlerError, webhook_url

from tests.webhooks.kills.evidence import Evidence
from tests.webhooks.kills.processes import LEASE, Life, Setup, live, receiver_of
from tests.webhooks.kills.service import KEY, run_service

if TYPE_CHECKING:
    from pathlib import Path

    from tests.webhooks.kills.service import Story

ROLES: tuple[str, ...] = ("receiver", "worker", "worker")
"""The processes that are alive at the same time; a killed one is replaced at once."""

ERA = 15
"""After this number of kills all others are killed, too, and the clock moves on, so that their claims expire."""

CHECK_INTERVAL = 0.1
"""Seconds between checks while no process ends."""

BACKLOG = 8
"""How many events should be pending, so that workers have something to do."""

CALLS = {"receiver": 2_000, "worker": 4_000}
STEPS = {"receiver": 4, "worker": 12}
"""A process kills itself within this number of Python calls, or is killed within this number of steps of its work:
about those of two events, or of four deliveries."""

DELAY = 0.006
"""Seconds that a step takes, and the longest time from a step to a kill."""

KILLED = -9
LIMIT = 60.0
"""Seconds that the harness waits for a message of a process."""

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Type checkers do not know this context on Windows.
FORK: Any = multiprocessing.get_context("fork")


@dataclass
class Result:
    """The result of a run in which every check passed.

    Attributes:
        killed: How many processes were killed.
        story: The deliveries of the service.
        reconciled: How many events were found in the API, because their webhooks were never delivered.
        evidence: The state at the end.
        seconds: The duration.
    """

    killed: int
    story: Story
    reconciled: int
    evidence: Evidence
    seconds: float

    def __str__(self) -> str:
        story, evidence = self.story, self.evidence
        faults = ", ".join(f"{count} {kind}" for kind, count in sorted(story.faults.items()) if kind)
        return (
            f"{self.killed} processes killed in {self.seconds:.0f} s; {len(story.finished)} events: all handled, none "
            f"done unhandled, none run after done, {len(evidence.done)} transactional effects once each.\n"
            f"{evidence.claimed} times a process was killed with a claimed event; {evidence.databases} times the "
            f"database was killed.\n"
            f"webhooks: {faults}; {story.attempts} POSTs, {story.refused} of them interrupted, {story.undelivered} "
            f"abandoned; {self.reconciled} events were reconciled.\n"
            f"handler without transaction: started {evidence.started.total()} times, "
            f"{evidence.retried} of them not as the first attempt."
        )


def run(kind: str, location: str, folder: Path, kills: int, seed: str) -> Result:
    """Kill processes, then handle the remaining events.

    Args:
        kind: `sqlite` or `postgres`.
        location: The file, or the conninfo of an empty database or schema.
        folder: For the journal.
        kills: The minimum number of killed processes.
        seed: The seed of all random choices; only the scheduling of processes is not determined by it.

    Raises:
        AssertionError: A check failed.
    """
    started = time.monotonic()
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    # Open here, so that it outlives the accepting processes and no other program can take the port.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url, token = webhook_url(f"http://127.0.0.1:{listening.getsockname()[1]}/hook")
        clock = FORK.RawValue("d", time.time())
        setup = Setup(kind, location, folder / "journal", clock, listening, token)
        _make_tables(setup)
        with Service(url, seed) as service:
            evidence = Evidence(setup)
            killed = 0
            while killed < kills:
                killed += _era(setup, evidence, service, rng)
                evidence.count_claimed()
                clock.value += LEASE
            story = _deliver_the_rest(setup, service)
            evidence.expect_recorded(story.delivered)
            reconciled = _handle_the_rest(setup, service.base_url, rng)
    evidence.check()
    evidence.expect_handled(story.finished)
    return Result(killed, story, reconciled, evidence, time.monotonic() - started)


def _make_tables(setup: Setup) -> None:
    setup.journal.touch()
    setup.open_inbox().close()
    connection = setup.connect()
    connection.execute("CREATE TABLE effects (text TEXT)")
    connection.close()


class Service:
    """The simulated service, which finishes medias in its own process."""

    def __init__(self, url: str, seed: str) -> None:
        self._orders, theirs = FORK.Pipe()
        self._process = FORK.Process(target=run_service, args=(theirs, url, seed), daemon=True)
        self._process.start()
        theirs.close()
        self._is_busy = True

    def __enter__(self) -> Self:
        self.base_url: str = self._receive()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._orders.close()

    def finish(self, medias: int) -> None:
        """Finish some medias, unless the last ones are still in progress."""
        if self._is_busy and self._orders.poll():
            self._receive()
        if not self._is_busy:
            self._orders.send(medias)
            self._is_busy = True

    def end(self) -> Story:
        """Deliver the remaining webhooks and return the story."""
        if self._is_busy:
            self._receive()
        self._orders.send(None)
        story: Story = self._receive()
        return story

    def _receive(self) -> Any:
        assert self._orders.poll(LIMIT), "the service does not respond"
        self._is_busy = False
        return self._orders.recv()


class Process:
    """A process that runs until it is killed."""

    def __init__(self, setup: Setup, life: Life) -> None:
        self.life = life
        self._steps, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=live, args=(setup, life, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._made = 0
        self.end = math.inf

    @property
    def events(self) -> tuple[Any, ...]:
        """The objects to wait for: its end, or a step of its work."""
        return (self._process.sentinel, self._steps)

    def survives(self, ready: list[Any]) -> bool:
        """Process its steps, and kill it if it is time; False if it has ended."""
        if self._process.sentinel not in ready and time.monotonic() < self.end:
            if self._steps in ready:
                self._made += len(os.read(self._steps.fileno(), 100))
                if self.life.steps is not None and self._made >= self.life.steps and self.end == math.inf:
                    self.end = time.monotonic() + self.life.delay
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """Kill it, unless it has done so itself."""
        self._process.kill()
        self._process.join()
        self._steps.close()
        assert self._process.exitcode == KILLED, f"a process ended by itself, with {self._process.exitcode}"


def _new_life(role: str, rng: random.Random) -> Life:
    seed = str(rng.random())
    if rng.random() < 0.5:
        return Life(role, seed, calls=rng.randrange(CALLS[role]))
    return Life(role, seed, steps=rng.randrange(STEPS[role] + 1), delay=rng.uniform(0, DELAY))


def _era(setup: Setup, evidence: Evidence, service: Service, rng: random.Random) -> int:
    """Run and kill processes, always some at the same time, until all are killed; returns how many were.

    Once, the database is killed as well.
    """
    alive: list[Process] = []
    killed = 0
    database_at: int | None = rng.randrange(ERA)
    while killed < ERA:
        if database_at is not None and killed >= database_at:
            database_at = None
            evidence.databases += setup.kill_database()
        evidence.check()
        if evidence.waiting < BACKLOG:
            service.finish(BACKLOG)
        missing = Counter(ROLES) - Counter(process.life.role for process in alive)
        alive += [Process(setup, _new_life(role, rng)) for role in missing.elements()]
        check_at = time.monotonic() + CHECK_INTERVAL
        while len(alive) == len(ROLES) and (now := time.monotonic()) < check_at:
            end = min(check_at, *(process.end for process in alive))
            ready = wait([event for process in alive for event in process.events], max(0.0, end - now))
            alive = [process for process in alive if process.survives(ready)]
        killed += len(ROLES) - len(alive)
    for process in alive:
        process.kill()
    return killed + len(alive)


def _deliver_the_rest(setup: Setup, service: Service) -> Story:
    """Run a receiver while the service delivers the remaining webhooks."""
    receiver = Process(setup, Life("receiver", "patient"))
    try:
        return service.end()
    finally:
        receiver.kill()


def _handle_the_rest(setup: Setup, base_url: str, rng: random.Random) -> int:
    """Reconcile, and handle all remaining events; returns how many were found."""
    receiver = receiver_of(setup, rng)
    with ContentGroove(KEY, base_url) as client:
        found = receiver.reconcile(client, since=LONG_AGO)
    with setup.open_inbox() as inbox:
        while (due := inbox.next_due()) is not None:
            setup.clock.value += due
            with contextlib.suppress(HandlerError):
                receiver.process_pending()
    return found
