"""The simulated service, in a process of its own: finishes medias, and delivers their webhooks badly."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from contentgroove import ContentGroove
from contentgroove_mock import Fault, ManualClock, Policy, Simulator, serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

KEY = "any-key"
PROCESSING = 1.0
LATE = 20.0
"""Seconds of the simulator's clock."""

TRIES = 4
TRY = 0.5
"""Seconds that a receiver has to answer, by the real clock."""

ODDS = {"duplicate": 3, "late": 2, "out_of_order": 2, "lost": 2, "": 7}
"""How often a webhook meets which fault."""


@dataclass
class Story:
    """What the service has done.

    Attributes:
        finished: The ids of the medias that have finished.
        delivered: The ids of those whose webhook was answered with 200.
        faults: How many webhooks met which fault.
        tries: How often a webhook was POSTed.
        refused: How many of those were not answered with 200, such as those that a kill interrupted.
        undelivered: How many webhooks were given up, besides those that were lost.
    """

    finished: list[str]
    delivered: set[str]
    faults: Counter[str]
    tries: int
    refused: int
    undelivered: int


def run_service(orders: Connection, hook: str, seed: str) -> None:
    """Finish as many medias as each order says; at the order None, deliver what is left and tell the story."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    policy = Policy(processing_seconds=PROCESSING, webhook_attempts=TRIES, webhook_timeout=TRY)
    simulator = Simulator(clock=ManualClock(), policy=policy)
    faults: Counter[str] = Counter()
    with serve(simulator) as server, ContentGroove(KEY, server.base_url) as client:
        client.webhook_subscriptions.create(url=hook)
        orders.send(server.base_url)
        while (count := orders.recv()) is not None:
            for _ in range(count):
                kind: Any = rng.choices(list(ODDS), list(ODDS.values()))[0]
                faults[kind] += 1
                if kind:
                    simulator.add_fault(Fault(kind=kind, operation="webhook", seconds=LATE))
                client.medias.create(source_url="https://films.example/a.mp4")
            simulator.advance(PROCESSING)
            orders.send(count)
        _deliver_the_rest(simulator)
        deliveries = simulator.deliveries
        orders.send(
            Story(
                finished=[media.id for media in client.medias.list() if media.is_finished],
                delivered={item.payload["data"]["id"] for item in deliveries if item.state == "delivered"},
                faults=faults,
                tries=sum(len(delivery.attempts) for delivery in deliveries),
                refused=sum(attempt.status != 200 for delivery in deliveries for attempt in delivery.attempts),
                undelivered=sum(delivery.state == "failed" for delivery in deliveries),
            )
        )
        orders.recv()  # serves until it is no longer asked


def _deliver_the_rest(simulator: Simulator) -> None:
    # A minute covers processing, late webhooks, and the waits between the tries.
    for _ in range(60):
        simulator.advance(1)
