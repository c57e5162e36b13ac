"""Many calls at a limit: who waits, who probes, how the rate returns, and a ceiling set on purpose; in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from anyio.lowlevel import checkpoint
from contentgroove import (
    AsyncContentGroove,
    ConfigurationError,
    ContentGroove,
    Media,
    RateLimitError,
    RetryPolicy,
    ServerOutcomeUnknownError,
)
from contentgroove._core import operations
from contentgroove._core.calls import send_with_retries
from contentgroove._core.pacing import PROBE_PATIENCE, Ceiling, Pacer
from contentgroove._core.responses import Response, TransportFailure
from msgspec import structs

from .conftest import BASE, KEY, media_json, one
from .virtual_time import Scheduler, Service, VirtualIO, client_session, seeded

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove._core.calls import Session
    from contentgroove._core.io import Timeouts
    from contentgroove_api.types import Request

    from .conftest import FakeClock, Maker

RETRY_AFTER: dict[str, Callable[[float], str | None]] = {
    "whole seconds": lambda remaining: str(max(1, math.ceil(remaining))),
    "fraction": lambda remaining: f"{remaining:.3f}",
    "zero": lambda _remaining: "0",
    "none": lambda _remaining: None,
    "too short": lambda remaining: f"{remaining / 4:.3f}",
}


def get(session: Session) -> Any:
    return send_with_retries(operations.get_media("m-1"), session)


def statuses(clock: Scheduler) -> list[object]:
    """Return the status of each flow, or its exception, in the order in which they were started."""
    results = [clock.results[number] for number in sorted(clock.results)]
    return [result[0].status_code if isinstance(result, tuple) else result for result in results]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("header", RETRY_AFTER)
@pytest.mark.parametrize("latency", [(0.001, 0.005), (0.05, 0.15)], ids=["near", "far"])
def test_fifty_calls_at_once(header: str, latency: tuple[float, float], seed: int) -> None:
    """At a limit of 10 in half a second all succeed; at most 20 more are refused than could not know of the limit."""
    clock, random = Scheduler(), seeded(seed)
    service = Service(clock, 10, 0.5, RETRY_AFTER[header])
    session = client_session(clock, VirtualIO(service.respond, lambda: random.uniform(*latency)), random)
    for _ in range(50):
        clock.start(get(session))
    begin = clock.now
    clock.run()
    assert statuses(clock) == [200] * 50
    assert service.refusals <= 60
    assert clock.now - begin < 10.0


@pytest.mark.parametrize("header", RETRY_AFTER)
def test_two_hundred_calls_at_a_strict_limit(header: str) -> None:
    """One call each 0.2 seconds: all succeed, and few are refused again."""
    clock, random = Scheduler(), seeded(1)
    service = Service(clock, 1, 0.2, RETRY_AFTER[header])
    session = client_session(clock, VirtualIO(service.respond, lambda: 0.003), random)
    for _ in range(200):
        clock.start(get(session))
    clock.run()
    assert statuses(clock) == [200] * 200
    assert service.refusals < 199 + 80


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("header", RETRY_AFTER)
def test_two_clients_share_a_limit(header: str, seed: int) -> None:
    """Another client uses up a part of the limit: both get through."""
    clock, random = Scheduler(), seeded(seed)
    service = Service(clock, 10, 0.5, RETRY_AFTER[header])
    for client in range(2):
        io = VirtualIO(service.respond, lambda: random.uniform(0.001, 0.02))
        session = client_session(clock, io, seeded(100 * seed + client))
        for _ in range(50):
            clock.start(get(session))
    clock.run()
    assert statuses(clock) == [200] * 100
    assert service.refusals <= 90 + 40


def test_calls_that_come_one_after_the_other_wait_for_a_long_window() -> None:
    """A limit per minute without `Retry-After` outlasts `max_retries` pauses: calls that passed show that it ends."""
    clock = Scheduler()
    service = Service(clock, 10, 60.0, RETRY_AFTER["none"])
    session = client_session(clock, VirtualIO(service.respond, lambda: 0.01), seeded(1))

    async def loop() -> list[int]:
        outcomes = [await get(session) for _ in range(25)]
        return [outcome.status_code for outcome, _ in outcomes]

    clock.start(loop())
    clock.run()
    assert clock.results[0] == [200] * 25
    assert service.refusals <= 20


def test_only_one_call_probes() -> None:
    """After the pause one request is sent, and the others only once it has succeeded, in the order of their arrival."""
    clock = Scheduler()
    sent: list[float] = []

    def respond() -> Response:
        sent.append(clock.now - 1_000.0)
        return Response(429, {"retry-after": "5"}, b"") if len(sent) == 1 else Response(200, {}, b"")

    session = client_session(clock, VirtualIO(respond, lambda: 0.05), seeded(1))
    order: list[int] = []

    async def numbered(number: int) -> None:
        await get(session)
        order.append(number)

    clock.start(numbered(0))
    for number in range(1, 20):
        clock.start(numbered(number), after=0.2 + number / 100)
    clock.run()
    refused, probe, *others = sent
    assert probe - refused == pytest.approx(5.1)
    assert others[0] - probe >= 0.1
    assert order == list(range(20))
    gaps = [later - earlier for earlier, later in pairwise(others)]
    assert sum(gaps[-5:]) < sum(gaps[:5]) / 2


class ScriptedResponses(VirtualIO):
    """Responds with prepared outcomes, then with successes; a number is a success that late."""

    def __init__(self, outcomes: list[Response | TransportFailure | float]) -> None:
        super().__init__(lambda: Response(200, {}, b""), lambda: 0.0)
        self.outcomes = outcomes

    async def send(self, request: Request, timeouts: Timeouts, time_limit: float | None) -> Response | TransportFailure:
        """Return the next outcome."""
        if not self.outcomes:
            return await super().send(request, timeouts, time_limit)
        self.sent += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, (Response, TransportFailure)):
            return outcome
        await self.sleep(outcome)
        return Response(200, {}, b"")


def after_refusal(clock: Scheduler, outcomes: list[Response | TransportFailure | float]) -> tuple[Session, VirtualIO]:
    """Create a client whose requests get these outcomes."""
    io = ScriptedResponses(outcomes)
    return client_session(clock, io, seeded(1)), io


REFUSAL = Response(429, {"retry-after": "1"}, b"")


def test_a_refused_probe_stays_the_first() -> None:
    """A call keeps its turn: those that came later do not overtake it because it was refused."""
    clock = Scheduler()
    session, _ = after_refusal(clock, [REFUSAL, REFUSAL, REFUSAL])
    order: list[int] = []

    async def numbered(number: int) -> None:
        await get(session)
        order.append(number)

    for number in range(6):
        clock.start(numbered(number), after=number / 100)
    clock.run()
    assert order == list(range(6))


def test_a_probe_that_hangs_blocks_the_others_for_a_while_only() -> None:
    """They wait for its outcome for some seconds; then another call probes."""
    clock = Scheduler()
    session, _ = after_refusal(clock, [REFUSAL, 300.0])
    times: list[float] = []

    async def timed() -> None:
        await get(session)
        times.append(clock.now - 1_000.0)

    for number in range(10):
        clock.start(timed(), after=number / 1000)
    clock.run()
    assert len(times) == 10
    assert sorted(times)[8] < 1.0 + PROBE_PATIENCE + 2.0


def test_a_cancelled_probe_is_followed_by_another() -> None:
    """The task that probes ends; the next one does not wait for an outcome that never comes."""
    clock = Scheduler()
    session, io = after_refusal(clock, [REFUSAL, 300.0])

    async def watch() -> None:
        await io.sleep(1.5)
        clock.cancel(0)

    for number in range(5):
        clock.start(get(session), after=number / 1000)
    clock.start(watch())
    clock.run()
    assert statuses(clock)[:4] == [200] * 4
    assert clock.now - 1_000.0 < 1.0 + PROBE_PATIENCE


@pytest.mark.parametrize("outcome", [Response(503, {}, b""), TransportFailure("broken", True, OSError("gone"))])
def test_a_probe_that_fails_otherwise_is_followed_by_another(outcome: Response | TransportFailure) -> None:
    """A failed connection or server says nothing about the limit."""
    clock = Scheduler()
    session, _ = after_refusal(clock, [REFUSAL, outcome])
    for number in range(5):
        clock.start(get(session), after=number / 1000)
    clock.run()
    assert statuses(clock) == [200] * 5
    assert clock.now - 1_000.0 < PROBE_PATIENCE


def test_a_cancelled_call_leaves_the_queue() -> None:
    """The first in the queue is cancelled while it waits: the others do not wait for its turn."""
    clock = Scheduler()
    session, io = after_refusal(clock, [REFUSAL])

    async def watch() -> None:
        await io.sleep(0.5)
        clock.cancel(0)

    for number in range(5):
        clock.start(get(session), after=number / 1000)
    clock.start(watch())
    clock.run()
    assert clock.now - 1_000.0 < 2.0


def test_calls_that_wait_know_their_deadline() -> None:
    """A pause that ends too late for a call is an error at once, and later calls of the client are not sent at all."""
    clock = Scheduler()
    session, io = after_refusal(clock, [Response(429, {"retry-after": "90"}, b"")])
    hasty = structs.replace(session, policy=RetryPolicy(deadline=30.0))
    clock.start(get(session))
    clock.start(get(hasty), after=1.0)
    clock.start(get(session), after=1.0)
    clock.run()
    error = clock.results[1]
    assert isinstance(error, RateLimitError)
    assert error.retry_after == pytest.approx(89.0)
    assert "not sent" in str(error)
    assert "Try again in 89 s, at " in str(error)
    assert [status for status in statuses(clock) if status == 200] == [200, 200]
    assert io.sent == 3


@pytest.mark.parametrize("delay", [100.0, 200.0])
def test_calls_wait_no_longer_than_a_service_may_request(make: Maker, clock: FakeClock, delay: float) -> None:
    """A pause that the refused call may not wait for is too long for the next call as well."""
    responses = [httpx.Response(429, headers={"Retry-After": str(delay)})]
    client = make(lambda _request: responses.pop() if responses else one(media_json()))
    with pytest.raises(RateLimitError, match="Send fewer requests"):
        client.with_options(max_retries=0).medias.get("m-1")
    if delay > 120.0:
        with pytest.raises(RateLimitError, match="Try again in 200 s, at "):
            client.medias.get("m-1")
        clock.now += delay
    assert client.medias.get("m-1").id == "m-1"
    assert clock.sleeps == ([] if delay > 120.0 else [100.0])


def test_a_refused_creation_also_says_when_to_come_back(make: Maker) -> None:
    """A 429 means that nothing was done, so to come back is safe; a 503 means no such thing."""
    responses = [httpx.Response(status, headers={"Retry-After": "3600"}) for status in (503, 429)]
    client = make(lambda _request: responses.pop())
    with pytest.raises(RateLimitError, match="Try again in 3,600 s"):
        client.medias.create(upload_id="u")
    client = make(lambda _request: responses.pop())
    with pytest.raises(ServerOutcomeUnknownError) as caught:
        client.medias.create(upload_id="u")
    assert "Try again" not in str(caught.value)


def test_a_wait_for_the_ceiling_takes_no_time_from_a_call() -> None:
    """Many calls at a low ceiling take longer than the deadline of one, and all succeed, retries included."""
    clock = Scheduler()
    sent: list[float] = []

    def respond() -> Response:
        sent.append(clock.now)
        return Response(503 if len(sent) == 90 else 200, {}, b"")

    session = client_session(clock, VirtualIO(respond, lambda: 0.0), seeded(1), RetryPolicy(deadline=30.0), 1.0)
    for _ in range(100):
        clock.start(get(session))
    clock.run()
    assert statuses(clock) == [200] * 100


def test_a_pacer_opens_again() -> None:
    """Once a minute has passed without a refusal, calls start at once as before."""
    clock = Scheduler()
    session, _ = after_refusal(clock, [REFUSAL])
    clock.start(get(session))
    clock.start(get(session), after=70.0)
    clock.run()
    assert session.pacer.is_open


@pytest.mark.parametrize("rate", [5, 0.5, 40.0])
def test_a_ceiling_spaces_all_calls(rate: float) -> None:
    """Calls of all tasks start at even intervals, retries and idle times included, and never in a burst."""
    clock = Scheduler()
    sent: list[float] = []

    def respond() -> Response:
        sent.append(clock.now)
        return Response(503 if len(sent) == 3 else 200, {}, b"")

    io = VirtualIO(respond, lambda: 0.0)
    session = client_session(clock, io, seeded(1), rate_limit=rate)
    for number in range(40):
        clock.start(get(session), after=0.0 if number < 20 else 1000.0)
    clock.run()
    assert statuses(clock) == [200] * 40
    assert len(sent) == 41
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    assert min(gaps) >= 1 / rate - 1e-6
    assert sent[19] - sent[0] == pytest.approx(19 / rate, abs=1.5 / rate)


def test_a_ceiling_also_holds_after_a_refusal() -> None:
    """While calls return after a pause, their rate does not exceed the application's ceiling."""
    clock = Scheduler()
    sent: list[float] = []

    def respond() -> Response:
        sent.append(clock.now)
        return REFUSAL if len(sent) == 5 else Response(200, {}, b"")

    session = client_session(clock, VirtualIO(respond, lambda: 0.002), seeded(1), rate_limit=20)
    for _ in range(100):
        clock.start(get(session))
    clock.run()
    assert statuses(clock) == [200] * 100
    assert min(later - earlier for earlier, later in pairwise(sent)) >= 1 / 20 - 1e-6


def test_a_ceiling_below_the_limit_avoids_refusals() -> None:
    """That is what it is for."""
    clock, random = Scheduler(), seeded(1)
    service = Service(clock, 10, 0.5, RETRY_AFTER["none"])
    session = client_session(clock, VirtualIO(service.respond, lambda: 0.004), random, rate_limit=18)
    for _ in range(100):
        clock.start(get(session))
    clock.run()
    assert (statuses(clock), service.refusals) == ([200] * 100, 0)


def test_rate_limit_of_a_client(make: Maker, clock: FakeClock) -> None:
    """Both clients take calls per second, and share them with their copies; the store is not affected."""
    client = make(lambda _request: one(media_json()), rate_limit=4)
    for options in ({}, {"timeout": 5}, {"max_retries": 0}):
        client.with_options(**options).medias.get("m-1")
    assert clock.sleeps == [0.25, 0.25]


@pytest.mark.parametrize("rate", [0, -1, math.inf, math.nan, True, "10", 0.0001, [10]])
@pytest.mark.parametrize("kind", [ContentGroove, AsyncContentGroove])
def test_an_impossible_rate_limit_is_refused(kind: Any, rate: Any) -> None:
    """The error names the argument and what it must be."""
    with pytest.raises(ConfigurationError, match="rate_limit must be a number of calls per second"):
        kind(KEY, BASE, rate_limit=rate)


def test_a_client_without_refusals_has_nothing_to_wait_for(make: Maker) -> None:
    """Its pacer stays open, and takes note of no call but the first success."""

    def handler(_request: httpx.Request) -> httpx.Response:
        return one(media_json())

    client = make(handler)
    for _ in range(3):
        client.medias.get("m-1")
    pacer = getattr(client, "_session").pacer  # noqa: B009 - a private name of either kind of client
    assert (pacer.is_open, pacer.has_passed, pacer.epoch) == (True, True, 0)


def test_the_state_survives_threads() -> None:
    """Many threads that start, pass and are refused at once all come to their turn."""
    pacer, ceiling = Pacer(threading.Lock()), Ceiling(1000.0, threading.Lock())
    starts: list[float] = []
    ready = threading.Barrier(8)

    def use(number: int) -> None:
        ready.wait(10)
        random, now = seeded(number), 0.0
        for _ in range(300):
            starts.append(ceiling.reserve(0.0))
            ticket = pacer.take_ticket()
            while wait := pacer.try_start(ticket, now):
                now += wait
            epoch = pacer.epoch
            if random.random() < 0.2:
                pacer.record_refused(epoch, now, 0.5, lambda _refusals: 0.5)
            else:
                pacer.record_passed(epoch, now)
            pacer.leave(ticket)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert len(set(starts)) == 2400


@pytest.mark.anyio
async def test_a_sleep_that_takes_no_time_does_not_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks whose waits take no time and never suspend still come to their turn.

    The pauses are short, because tasks that never suspend spend them computing.
    """
    monkeypatch.setattr(RetryPolicy, "pause", lambda *_: 0.001)
    refused = itertools.count()

    async def handler(_request: httpx.Request) -> httpx.Response:
        await checkpoint()
        return httpx.Response(429) if next(refused) < 25 else one(media_json())

    async def sleep(_seconds: float) -> None:
        """Do not wait."""

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(handler)) as own,
        AsyncContentGroove(KEY, BASE, http_client=own, sleep=sleep) as client,
    ):
        results = await asyncio.gather(*[client.medias.get("m-1") for _ in range(20)], return_exceptions=True)
    assert {type(result) for result in results} <= {Media, RateLimitError}
    assert any(isinstance(result, Media) for result in results)
