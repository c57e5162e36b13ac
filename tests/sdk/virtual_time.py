"""Many calls at once in virtual time: a scheduler of flows, a service with a limit, and an `IO` between them."""

from __future__ import annotations

import heapq
import itertools
import threading
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from contentgroove import RetryPolicy
from contentgroove._core.calls import Session
from contentgroove._core.pacing import Ceiling, Pacer
from contentgroove._core.responses import Response, TransportFailure
from contentgroove._core.secret import Secret
from contentgroove._core.settings import resolve_settings

from .conftest import BASE, KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove_api.types import Request

T = TypeVar("T")


def seeded(seed: int) -> Random:
    """Return a source of chance that repeats itself."""
    return Random(seed)  # noqa: S311 - chance in a test


class Pause:
    """Suspends a flow for some seconds of virtual time."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __await__(self) -> Generator[float]:
        yield self.seconds


@dataclass
class Scheduler:
    """Runs flows in virtual time, and is their clock.

    Attributes:
        now: The time.
        results: What each flow returned or raised, by its number.
    """

    now: float = 1_000.0
    results: dict[int, object] = field(default_factory=dict[int, object])
    _due: list[tuple[float, int, int, Coroutine[Any, Any, Any]]] = field(default_factory=list[Any])
    _order: itertools.count[int] = field(default_factory=itertools.count)
    _flows: int = 0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def time(self) -> float:
        """Return the seconds since 1970."""
        return 1_780_000_000.0 + self.now

    def start(self, flow: Coroutine[Any, Any, object], after: float = 0.0) -> int:
        """Start a flow after some seconds; return its number."""
        number = self._flows
        self._flows += 1
        heapq.heappush(self._due, (self.now + after, next(self._order), number, flow))
        return number

    def run(self, steps: int = 200_000) -> None:
        """Run until all flows have ended."""
        while self._due:
            steps -= 1
            assert steps > 0, "the flows do not end"
            self.now, _, number, flow = heapq.heappop(self._due)
            try:
                seconds = flow.send(None)
            except StopIteration as stop:
                self.results[number] = stop.value
            except Exception as error:  # noqa: BLE001 - the flow's outcome
                self.results[number] = error
            else:
                heapq.heappush(self._due, (self.now + seconds, next(self._order), number, flow))

    def cancel(self, number: int) -> None:
        """Close a flow where it waits, like a cancelled task."""
        for entry in self._due:
            if entry[2] == number:
                self._due.remove(entry)
                heapq.heapify(self._due)
                entry[3].close()
                return
        raise LookupError(number)


@dataclass
class Service:
    """Lets a number of requests through in each window, which begins with the first request after the last.

    Attributes:
        limit: Requests in a window.
        window: Its seconds.
        retry_after: Writes the header from the seconds that remain; returns None for no header.
        refusals: How many requests were refused.
        passed: The times of those that were not.
    """

    clock: Scheduler
    limit: int
    window: float
    retry_after: Callable[[float], str | None]
    refusals: int = 0
    passed: list[float] = field(default_factory=list[float])
    _began: float = float("-inf")
    _count: int = 0

    def respond(self) -> Response:
        """Count a request."""
        now = self.clock.now
        if now >= self._began + self.window:
            self._began, self._count = now, 0
        if self._count >= self.limit:
            self.refusals += 1
            value = self.retry_after(self._began + self.window - now)
            return Response(429, {} if value is None else {"retry-after": value}, b"")
        self._count += 1
        self.passed.append(now)
        return Response(200, {}, b"")


@dataclass
class VirtualIO:
    """Sends requests to a service that responds after a while.

    Attributes:
        respond: Returns the outcome of a request, and may suspend.
        latency: Returns seconds from sending a request to its arrival, and as much again for the response.
    """

    respond: Callable[[], Response | TransportFailure]
    latency: Callable[[], float]
    sent: int = 0

    async def send(
        self,
        request: Request,  # noqa: ARG002 - the protocol's
        timeouts: Timeouts,  # noqa: ARG002 - the protocol's
        time_limit: float | None,  # noqa: ARG002 - the protocol's
    ) -> Response | TransportFailure:
        """Send a request."""
        self.sent += 1
        await Pause(self.latency())
        outcome = self.respond()
        await Pause(self.latency())
        return outcome

    async def put_file(
        self, url: Secret, source: Source, progress: Progress | None, timeouts: Timeouts
    ) -> Response | TransportFailure:
        """Send nothing: these flows upload nothing."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait in virtual time."""
        await Pause(seconds)

    async def notify(self, callback: Callable[[Any], object], value: object) -> None:
        """Call back."""
        callback(value)

    async def call_blocking(self, call: Callable[[], T], *, abandon: bool = True) -> T:
        """Call."""
        del abandon
        return call()

    async def warn(self, message: str) -> None:
        """Warn."""
        del message


def client_session(
    clock: Scheduler,
    io: VirtualIO,
    random: Random,
    policy: RetryPolicy | None = None,
    rate_limit: float | None = None,
) -> Session:
    """Create the session of a client in virtual time."""
    settings = resolve_settings(
        api_key=Secret(KEY), base_url=Secret(BASE), auth="bearer", version="1", variable=lambda _name: None
    )
    lock = threading.Lock()
    ceiling = None if rate_limit is None else Ceiling(rate_limit, lock)
    pacer = Pacer(lock, rate_limit)
    return Session(io, settings, {}, policy or RetryPolicy(), pacer, clock, random.random, ceiling)
