"""One test session of the plugin: its simulators, the checks of their exchanges, and the coverage."""

from __future__ import annotations

import contextlib
import functools
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio.to_thread
import msgspec
from contentgroove import AsyncContentGroove, ContentGroove

from contentgroove_mock.contract import Behaviour, Checker
from contentgroove_mock.contract.asgi import UPSTREAM
from contentgroove_mock.contract.checker import CONTRACT
from contentgroove_mock.coverage.attribution import TEST, Calls, RunningTest
from contentgroove_mock.coverage.collected import CoverageData, recorded_reads
from contentgroove_mock.coverage.judge import Judge, ServedSimulator
from contentgroove_mock.coverage.matrix import CoverageMatrix, matrix
from contentgroove_mock.coverage.stragglers import busy_threads, wait_for_threads, waiting_for_tasks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Generator, Mapping, Sequence
    from threading import Thread

    from contentgroove_mock.contract import Violation
    from contentgroove_mock.simulator.simulator import Simulator


class PluginSession:
    """A test session in one process.

    Attributes:
        checker: The contract.
        collected: The coverage data so far.
    """

    def __init__(self, *, prism: bool, allow: Sequence[str] = (), behaviour: bool = False) -> None:
        """Start a session.

        Args:
            prism: Whether everything is also sent through Prism's proxy.
            allow: New members of bodies that are allowed, like those of `Checker`.
            behaviour: Whether the exchanges of each simulator are followed as a run.

        Raises:
            ConfigurationError: A member cannot be allowed.
        """
        self.checker = Checker(allow=allow)
        self.collected = CoverageData()
        self._test: RunningTest | None = None
        self._left_behind: WeakKeyDictionary[Thread, RunningTest] = WeakKeyDictionary()
        self._served: list[ServedSimulator] = []
        self._resources = contextlib.ExitStack()
        self._with_prism = prism
        self._with_behaviour = behaviour
        self._prism_url = ""
        self._port = 0

    @property
    def simulator(self) -> Simulator:
        """The simulator that is being served."""
        return self._served[-1].simulator

    @contextlib.contextmanager
    def serve(self, options: Mapping[str, Any], *, test: str, allow_violations: bool) -> Generator[str]:
        """Serve a new simulator while the context is entered; yields the base URL for clients.

        By default its clock is a `ManualClock`. With `allow_violations`, violations of the contract are ignored.
        """
        from contentgroove_mock import ManualClock, Simulator, serve

        self._test = RunningTest(test, allows_violations=allow_violations)
        arguments: dict[str, Any] = {"clock": ManualClock(), **options}
        simulator = Simulator(**arguments)
        if self._with_prism:
            self._start_prism()
        calls = Calls(self._test, self._left_behind)
        judge = Judge(self.checker, self.collected, self._test, calls)
        behaviour = Behaviour(self.checker) if self._with_behaviour else None
        served = ServedSimulator(simulator, judge, self._prism_url, behaviour)
        judged: set[tuple[str, dt.datetime]] = set()

        def before_replacement() -> None:
            served.catch_up()
            self._finish(simulator, judge, judged)
            if behaviour is not None:
                behaviour.start_again()

        simulator.on_replace = before_replacement
        with (
            serve(simulator, self._port, app=served.app) as server,
            use_simulated_time(simulator, calls, server.base_url),
        ):
            self._served.append(served)
            try:
                yield server.base_url
            finally:
                self._served.remove(served)
                served.settle(patiently=False)
        self._finish(simulator, judge, judged)

    @contextlib.contextmanager
    def run_test(self) -> Generator[None]:
        """Attribute what happens in this context to the running test; at its end, wait for what the test began."""
        earlier, token = busy_threads(), TEST.set(self._test)
        for thread in set(self._left_behind).difference(earlier):
            # One of a pool, that works for other tests from now on.
            del self._left_behind[thread]
        try:
            yield
        finally:
            TEST.reset(token)
            if self._test is not None:
                busy = wait_for_threads(earlier)
                self._left_behind.update(dict.fromkeys(busy, self._test))
                for served in self._served:
                    served.settle(patiently=not busy)

    def wait_for_tasks(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the async function of the running test, so that it waits for the tasks that it has started."""
        return function if self._test is None else waiting_for_tasks(function, self._test)

    def pop_violations(self) -> list[Violation]:
        """Return the running test's violations since the last call, without duplicates."""
        return [] if self._test is None else self._test.pop_violations()

    def end_test(self) -> None:
        """Forget the running test: what it still does is reported for the whole session."""
        if self._test is not None:
            self._test.is_over = True
            self._test = None

    def record_reads(self) -> None:
        """Record which attributes of models are read, until the session is closed."""
        self._resources.enter_context(recorded_reads(self.collected.reads))

    def dump(self) -> str:
        """Return the coverage data as text for another process."""
        return msgspec.json.encode(self.collected).decode()

    def add_worker(self, dumped: str) -> None:
        """Add the coverage data that another process dumped."""
        self.collected.merge(msgspec.json.decode(dumped, type=CoverageData))

    def matrix(self) -> CoverageMatrix:
        """Compare the coverage data with the contract."""
        return matrix(self.collected, self.checker)

    def close(self) -> None:
        """Stop everything that was started."""
        self._resources.close()

    def _finish(self, simulator: Simulator, judge: Judge, judged: set[tuple[str, dt.datetime]]) -> None:
        self.collected.add_faults(simulator.faults_happened())
        for delivery in simulator.deliveries:
            # A snapshot brings back deliveries that were judged when they were removed.
            if (delivery.id, delivery.created_at) in judged:
                continue
            judged.add((delivery.id, delivery.created_at))
            judge.judge_webhook(delivery)
            if delivery.state == "delivered":
                self.collected.add_delivery(delivery.event)

    def _start_prism(self) -> None:
        if self._prism_url:
            return
        from contentgroove_mock.prism import Prism

        # One Prism serves all tests, so their simulators use the same port one after the other.
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        upstream = f"http://127.0.0.1:{self._port}{UPSTREAM}{self.checker.base_path}"
        self._prism_url = self._resources.enter_context(Prism.proxy(CONTRACT, upstream)).base_url


@contextlib.contextmanager
def use_simulated_time(simulator: Simulator, calls: Calls, base_url: str) -> Generator[None]:
    """Make every client that is created in this context use the simulator's time, unless it has its own clock.

    Waiting then moves the simulator's clock instead of taking time. The calls to `base_url` are noted in `calls`.
    """

    def now() -> float:
        return simulator.clock.now().timestamp()

    async def sleep(seconds: float) -> None:
        # Due webhooks are delivered before this ends, and the loop must be free to receive them.
        await anyio.to_thread.run_sync(simulator.advance, seconds)

    clock = SimpleNamespace(monotonic=now, time=now)
    with contextlib.ExitStack() as undo:
        for client, sleep_function in ((ContentGroove, simulator.advance), (AsyncContentGroove, sleep)):
            defaults = {"clock": clock, "sleep": sleep_function}
            undo.callback(setattr, client, "__init__", client.__init__)
            client.__init__ = _with_defaults(client.__init__, defaults, calls)  # type: ignore[method-assign]
        undo.enter_context(calls.mark_all(base_url))
        yield


def _with_defaults(initialize: Callable[..., None], defaults: dict[str, Any], calls: Calls) -> Any:
    @functools.wraps(initialize)
    def initialized(self: object, *positional: Any, **options: Any) -> None:
        arguments = {name: value for name, value in options.items() if value is not None}
        initialize(self, *positional, **(defaults | arguments))
        calls.add_client(self)

    return initialized
