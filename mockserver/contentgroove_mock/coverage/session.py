"""One test session of the plugin: its simulators, the checks of their exchanges, and the coverage."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from contentgroove import AsyncContentGroove, ContentGroove
from msgspec import structs

from contentgroove_mock.contract import Behaviour, CheckedApp, Checker, Violation
from contentgroove_mock.contract.asgi import UPSTREAM, PrismCheckedApp
from contentgroove_mock.contract.checker import CONTRACT
from contentgroove_mock.contract.violations import find_caller
from contentgroove_mock.coverage.collected import CoverageData, recorded_reads
from contentgroove_mock.coverage.matrix import CoverageMatrix, matrix

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from contentgroove.errors import RequestInfo
    from starlette.types import ASGIApp

    from contentgroove_mock.contract import CheckedRequest, CheckedResponse
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
        self._violations: list[Violation] = []
        self._callers: dict[tuple[str, str], str] = {}
        self._simulators: list[Simulator] = []
        self._resources = contextlib.ExitStack()
        self._with_prism = prism
        self._with_behaviour = behaviour
        self._prism_url = ""
        self._port = 0

    @property
    def simulator(self) -> Simulator:
        """The simulator that is being served."""
        return self._simulators[-1]

    @contextlib.contextmanager
    def serve(self, options: Mapping[str, Any], *, allow_violations: bool) -> Generator[str]:
        """Serve a new simulator while the context is entered; yields the base URL for clients.

        By default its clock is a `ManualClock`. With `allow_violations`, violations of the contract are ignored.
        """
        from contentgroove_mock import ManualClock, Simulator, serve

        def on_exchange(request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
            # The response to a request that violates the contract still counts as seen.
            self._record_exchange(request, response, () if allow_violations else violations)

        def on_violations(method: str, path: str, violations: Sequence[Violation]) -> None:
            if not allow_violations:
                self._add_violations(self._with_caller(method, path, violations))

        arguments: dict[str, Any] = {"clock": ManualClock(), **options}
        simulator = Simulator(**arguments)
        behaviour = Behaviour(self.checker) if self._with_behaviour else None
        app: ASGIApp = CheckedApp(simulator, self.checker, on_exchange, behaviour=behaviour)
        if self._with_prism:
            self._start_prism()
            app = PrismCheckedApp(app, self.checker, self._prism_url, on_violations)
        self._simulators.append(simulator)
        try:
            with serve(simulator, self._port, app=app) as server, use_simulated_time(simulator, self._note_caller):
                yield server.base_url
        finally:
            self._simulators.pop()
            self._finish(simulator)

    def pop_violations(self) -> list[Violation]:
        """Return the violations since the last call, without duplicates."""
        violations = list(dict.fromkeys(self._violations))
        self._violations.clear()
        self._callers.clear()
        return violations

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

    def _record_exchange(
        self, request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]
    ) -> None:
        path = request.target.partition("?")[0].removeprefix(self.checker.base_path)
        known = self._with_caller(request.method, path, violations)
        self._violations.extend(known)
        self.collected.add_exchange(self.checker.operation_of(request.method, request.target), request, response, known)

    def _with_caller(self, method: str, path: str, violations: Sequence[Violation]) -> list[Violation]:
        caller = self._callers.get((method, path))
        return [structs.replace(found, call=caller or found.call or find_caller()) for found in violations]

    def _add_violations(self, violations: Sequence[Violation]) -> None:
        self._violations.extend(violations)
        self.collected.violations.extend(str(violation) for violation in violations)

    def _note_caller(self, info: RequestInfo) -> None:
        # This runs on the caller's stack, which the server's thread cannot see; async callers have no other trace.
        if (caller := find_caller()) is not None:
            path = urlsplit(info.url).path.removeprefix(self.checker.base_path)
            self._callers[info.method, path] = caller

    def _finish(self, simulator: Simulator) -> None:
        self.collected.add_faults(simulator.faults_happened())
        for delivery in simulator.deliveries:
            self._add_violations(self.checker.check_webhook(delivery.body()))
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
def use_simulated_time(simulator: Simulator, on_request: Callable[[RequestInfo], object]) -> Generator[None]:
    """Make every client that is created in this context use the simulator's time, unless it has its own clock.

    Waiting then moves the simulator's clock instead of taking time. `on_request` is called with each request before it
    is sent, in addition to the client's own `on_request`.
    """

    def now() -> float:
        return simulator.clock.now().timestamp()

    async def sleep(seconds: float) -> None:
        # Due webhooks are delivered before this ends, and the loop must be free to receive them.
        await asyncio.to_thread(simulator.advance, seconds)

    clock = SimpleNamespace(monotonic=now, time=now)
    with contextlib.ExitStack() as undo:
        for client, sleep_function in ((ContentGroove, simulator.advance), (AsyncContentGroove, sleep)):
            defaults = {"clock": clock, "sleep": sleep_function}
            undo.callback(setattr, client, "__init__", client.__init__)
            client.__init__ = _with_defaults(client.__init__, defaults, on_request)  # type: ignore[method-assign]
        yield


def _with_defaults(
    initialize: Callable[..., None], defaults: dict[str, Any], on_request: Callable[[RequestInfo], object]
) -> Any:
    @functools.wraps(initialize)
    def initialized(self: object, *positional: Any, **options: Any) -> None:
        own_hook: Callable[[RequestInfo], object] | None = options.pop("on_request", None)

        def call_both(info: RequestInfo) -> object:
            on_request(info)
            # An async client awaits the returned value.
            return None if own_hook is None else own_hook(info)

        arguments = {name: value for name, value in options.items() if value is not None}
        initialize(self, *positional, **(defaults | arguments), on_request=call_both)

    return initialized
