"""A simulator with an account that has something of everything, and runs of the checks against it."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

import httpx
from contentgroove import ContentGroove
from contentgroove._core.secret import Secret
from contentgroove.verification.caller import Caller
from contentgroove.verification.deliveries import Receiver
from contentgroove.verification.ledger import read_ledger
from contentgroove.verification.run import Writing, verify
from contentgroove_mock import ManualClock, Policy, Simulator, sample_video, serve
from contentgroove_mock.simulator.core.records import Subscription

from tests.verification.proxy import DeliveryProxy, Proxy, plain

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Sequence

    from contentgroove.verification.run import Result

    from tests.verification.proxy import DeliveryRule, Rule

KEY = "canary-key-of-the-doctor"
LEDGER = read_ledger()
CHECKABLE = [identifier for identifier, entry in LEDGER.items() if entry.check != "none"]
READING = [identifier for identifier in CHECKABLE if LEDGER[identifier].check == "reading"]
MANY = 31
"""More subscriptions than a page has at most."""


class Service:
    """A simulated service behind a proxy.

    Attributes:
        simulator: The simulator.
        base_url: The proxy's URL.
        callback_url: The URL of the receiver of webhooks.
        left: What the latest run could not delete.
    """

    def __init__(self, simulator: Simulator, base_url: str, receiver: Receiver) -> None:
        self.simulator = simulator
        self.base_url = base_url
        self.receiver = receiver
        self.callback_url = Secret(f"http://127.0.0.1:{receiver.port}/hook?token=canary-token")
        self.left: list[str] = []

    def caller(self, **options: Any) -> Caller:
        """Return a caller whose pauses move the simulator's clock."""
        every: dict[str, Any] = {"sleep": self.simulator.advance, **options}
        return Caller(self.base_url, Secret(KEY), **every)

    def writing(self, *, speech: bool = False, seconds: float = 8.0) -> Writing:
        """Return what a run may create; with `speech`, the file counts as one in which something is spoken."""
        return Writing(sample_video().read_bytes(), not speech, self.callback_url, self.receiver, seconds)

    def run(
        self, identifiers: Iterable[str] = CHECKABLE, writing: Writing | None = None, **options: Any
    ) -> dict[str, Result]:
        """Check entries; returns the results by id."""
        with self.caller(**options) as caller:
            results, _ = verify(caller, LEDGER, identifiers, writing, self.left.extend)
        return {result.identifier: result for result in results}

    def counts(self) -> tuple[int, int, int]:
        """Return how many medias, clips and subscriptions there are."""
        with self.simulator._context.locked_service() as service:
            state = service.state
            return len(state.medias), len(state.clips), len(state.subscriptions)


@contextlib.contextmanager
def served(
    rule: Rule = plain, delivery_rule: DeliveryRule | None = None, *, subscriptions: int | None = 6
) -> Generator[Service]:
    """Serve a simulator on a clock that only runs when a check waits, behind a proxy with a rule.

    The account has a finished media, a failed one, three clips, and subscriptions; with None it has nothing.
    """
    sender = None if delivery_rule is None else httpx.AsyncClient(transport=DeliveryProxy(delivery_rule))
    simulator = Simulator(clock=ManualClock(), policy=Policy(), api_keys=[KEY], webhook_client=sender, seed=1)
    with serve(simulator, app=Proxy(simulator, rule)) as server, Receiver(0) as receiver:
        if subscriptions is not None:
            seed(simulator, subscriptions)
        yield Service(simulator, server.base_url, receiver)


def seed(simulator: Simulator, subscriptions: int) -> None:
    """Give the account a finished media with clips, a failed one with a URL, and subscriptions."""
    with serve(simulator) as server, ContentGroove(KEY, server.base_url) as client:
        client.medias.upload(sample_video(), name="Films of Monday", description="Ours")
        simulator.advance(1)
        client.medias.create(source_url="https://films.invalid/two.mp4", name="Another Name")
        simulator.advance(10)
    with simulator._context.locked_service() as service:
        account = service.account(KEY).id
        for index in range(subscriptions):
            created = simulator.clock.now() + dt.timedelta(seconds=index)
            identifier = service.ids.uuid()
            service.state.subscriptions[identifier] = Subscription(
                id=identifier, account=account, url="https://app.example/hook", events=["other"], created_at=created
            )


def verdicts(results: dict[str, Result], verdict: str) -> Sequence[str]:
    """Return the ids with a verdict."""
    return [identifier for identifier, result in results.items() if result.verdict == verdict]
