"""Kills receivers and workers at random points while webhooks arrive, and checks what is left after each."""

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
"""Who lives at the same time; who was killed is replaced at once."""

ERA = 15
"""After so many kills all who live are killed, too, and the clock moves on: what the dead had in hand is due again."""

LOOK = 0.1
"""Seconds between looks while nobody dies."""

BACKLOG = 8
"""How many events should wait, so that workers have something to do."""

CALLS = {"receiver": 2_000, "worker": 4_000}
STEPS = {"receiver": 4, "worker": 12}
"""Who kills itself does so within so many Python calls, and who is killed from outside within so many steps of work:
about as many as two events cost, or four deliveries."""

DELAY = 0.006
"""Seconds that a step takes; the longest wait from a step to a kill."""

KILLED = -9
LIMIT = 60.0
"""Seconds until the harness gives up on a process that should answer."""

LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Any, because type checkers know no such processes on Windows.
FORK: Any = multiprocessing.get_context("fork")


@dataclass
class Result:
    """How it went; every promise was kept, or there is none.

    Attributes:
        killed: How many processes were killed.
        story: What the service did.
        reconciled: How many events were found by asking the API, because their webhooks never came.
        evidence: What was found in the end.
        seconds: How long it took.
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
            f"{evidence.held} times a process was killed with an event in hand.\n"
            f"webhooks: {faults}; {story.tries} POSTs, {story.refused} of them interrupted, {story.undelivered} given "
            f"up; {self.reconciled} events came by reconciling.\n"
            f"handler without transaction: begun {evidence.begun.total()} times, "
            f"{evidence.seen_again} of which it could see were no first attempt."
        )


def run(kind: str, place: str, folder: Path, kills: int, seed: str) -> Result:
    """Kill so many processes, then let the rest be handled.

    Args:
        kind: `sqlite` or `postgres`.
        place: The file, or the conninfo of an empty database or schema.
        folder: For the journal.
        kills: How many processes are killed, at least.
        seed: Of all that is random but the moments at which the system lets a process run.

    Raises:
        AssertionError: A promise was broken.
    """
    began = time.monotonic()
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    # Open here, so that it outlives the processes that accept: nobody else can take the port meanwhile.
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        url, token = webhook_url(f"http://127.0.0.1:{listening.getsockname()[1]}/hook")
        clock = FORK.RawValue("d", time.time())
        setup = Setup(kind, place, folder / "journal", clock, listening, token)
        _make_tables(setup)
        with Service(url, seed) as service:
            evidence = Evidence(setup)
            killed = 0
            while killed < kills:
                killed += _era(setup, evidence, service, rng)
                evidence.count_held()
                clock.value += LEASE
            story = _deliver_the_rest(setup, service)
            evidence.expect_recorded(story.delivered)
            reconciled = _handle_the_rest(setup, service.base_url, rng)
    evidence.look()
    evidence.expect_handled(story.finished)
    return Result(killed, story, reconciled, evidence, time.monotonic() - began)


def _make_tables(setup: Setup) -> None:
    setup.journal.touch()
    setup.open_inbox().close()
    connection = setup.connect()
    connection.execute("CREATE TABLE effects (text TEXT)")
    connection.close()


class Service:
    """The simulated service, which finishes medias in a process of its own."""

    def __init__(self, url: str, seed: str) -> None:
        self._orders, theirs = FORK.Pipe()
        self._process = FORK.Process(target=run_service, args=(theirs, url, seed), daemon=True)
        self._process.start()
        theirs.close()
        self._is_busy = True

    def __enter__(self) -> Self:
        self.base_url: str = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._orders.close()

    def finish(self, medias: int) -> None:
        """Have some medias finish, unless it is still about those of the last time."""
        if self._is_busy and self._orders.poll():
            self._answer()
        if not self._is_busy:
            self._orders.send(medias)
            self._is_busy = True

    def tell(self) -> Story:
        """Have it deliver what it has not given up, and tell what it has done."""
        if self._is_busy:
            self._answer()
        self._orders.send(None)
        story: Story = self._answer()
        return story

    def _answer(self) -> Any:
        assert self._orders.poll(LIMIT), "the service does not answer"
        self._is_busy = False
        return self._orders.recv()


class Process:
    """A process that lives until it is killed."""

    def __init__(self, setup: Setup, life: Life) -> None:
        self.life = life
        self._steps, theirs = FORK.Pipe(duplex=False)
        self._process = FORK.Process(target=live, args=(setup, life, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._made = 0
        self.end = math.inf

    @property
    def signs(self) -> tuple[Any, ...]:
        """What to wait for: its end, or a step of its work."""
        return (self._process.sentinel, self._steps)

    def survives(self, ready: list[Any]) -> bool:
        """Take in what has happened; kill it if it is time."""
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
    """Let processes live and die, always some at the same time, until all are dead; gives how many were killed."""
    alive: list[Process] = []
    killed = 0
    while killed < ERA:
        evidence.look()
        if evidence.waiting < BACKLOG:
            service.finish(BACKLOG)
        missing = Counter(ROLES) - Counter(process.life.role for process in alive)
        alive += [Process(setup, _new_life(role, rng)) for role in missing.elements()]
        look_at = time.monotonic() + LOOK
        while len(alive) == len(ROLES) and (now := time.monotonic()) < look_at:
            end = min(look_at, *(process.end for process in alive))
            ready = wait([sign for process in alive for sign in process.signs], max(0.0, end - now))
            alive = [process for process in alive if process.survives(ready)]
        killed += len(ROLES) - len(alive)
    for process in alive:
        process.kill()
    return killed + len(alive)


def _deliver_the_rest(setup: Setup, service: Service) -> Story:
    """Let a receiver live while the service delivers what it has not given up."""
    receiver = Process(setup, Life("receiver", "patient"))
    try:
        return service.tell()
    finally:
        receiver.kill()


def _handle_the_rest(setup: Setup, base_url: str, rng: random.Random) -> int:
    """Find what was never delivered, and handle all that is left; gives how many were found."""
    receiver = receiver_of(setup, rng)
    with ContentGroove(KEY, base_url) as client:
        found = receiver.reconcile(client, since=LONG_AGO)
    with setup.open_inbox() as inbox:
        while (due := inbox.next_due()) is not None:
            setup.clock.value += due
            with contextlib.suppress(HandlerError):
                receiver.process_pending()
    return found
