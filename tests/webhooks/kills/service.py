"""The simulated service, in its own process: finishes medias, and delivers their webhooks with faults."""

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

DELIVERY_ATTEMPTS = 4
RESPONSE_TIMEOUT = 0.5
"""In seconds, by the real clock."""

ODDS = {"duplicate": 3, "late": 2, "out_of_order": 2, "lost": 2, "": 7}
"""The weights of the faults of webhooks."""


@dataclass
class Story:
    """The medias and deliveries of the service.

    Attributes:
        finished: The ids of the medias that have finished.
        delivered: The ids of those whose webhook was accepted with 200.
        faults: How many webhooks had which fault.
        attempts: The number of delivery attempts.
        refused: How many of those had another outcome than 200, such as those that a kill interrupted.
        undelivered: How many webhooks were abandoned, apart from the lost ones.
    """

    finished: list[str]
    delivered: set[str]
    faults: Counter[str]
    attempts: int
    refused: int
    undelivered: int


def run_service(orders: Connection, hook: str, seed: str) -> None:
    """Finish as many medias as each order says; at None, deliver the remaining webhooks and send the result."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    policy = Policy(processing_seconds=PROCESSING, webhook_attempts=DELIVERY_ATTEMPTS, webhook_timeout=RESPONSE_TIMEOUT)
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
                attempts=sum(len(delivery.attempts) for delivery in deliveries),
                refused=sum(attempt.status != 200 for delivery in deliveries for attempt in delivery.attempts),
                undelivered=sum(delivery.state == "failed" for delivery in deliveries),
            )
        )
        orders.recv()  # serves until the pipe is closed


def _deliver_the_rest(simulator: Simulator) -> None:
    # A minute is enough for processing, late webhooks, and the delays between the attempts.
    for _ in range(60):
        simulator.advance(1)
