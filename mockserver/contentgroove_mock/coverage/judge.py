"""A simulator that is served to a test, and the checks of what passes through it and of the webhooks that it sends."""

from __future__ import annotations

import asyncio
from concurrent.futures import wait
from typing import TYPE_CHECKING, Any

from contentgroove._io.interruptible import wait_for
from msgspec import structs

from contentgroove_mock.contract import CheckedApp
from contentgroove_mock.contract.asgi import PrismCheckedApp
from contentgroove_mock.contract.violations import describe_caller, find_line
from contentgroove_mock.coverage.attribution import MARK, Arrivals, without_mark
from contentgroove_mock.coverage.stragglers import PAUSES, pause
from contentgroove_mock.simulator.webhook_sender import HEADERS

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence

    from starlette.types import ASGIApp

    from contentgroove_mock.contract import Behaviour, CheckedRequest, CheckedResponse, Checker, Violation
    from contentgroove_mock.coverage.attribution import Calls, RunningTest
    from contentgroove_mock.coverage.collected import CoverageData
    from contentgroove_mock.simulator.core.records import Delivery, DeliveryAttempt
    from contentgroove_mock.simulator.simulator import Simulator

_ITERATIONS = 8
"""Iterations of an event loop after which it handles whatever had arrived at its sockets: it accepts a connection in
one, creates its transport and its protocol in the next two, reads from it, and starts the task of the request."""


class Judge:
    """Checks exchanges and webhooks, and gives their violations to the tests that they belong to."""

    def __init__(self, checker: Checker, collected: CoverageData, test: RunningTest, calls: Calls) -> None:
        """Judge the exchanges of a simulator that is served for `test`."""
        self.checker = checker
        self.calls = calls
        self._collected = collected
        self._test = test

    def judge_exchange(
        self, request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]
    ) -> None:
        """Record a complete exchange."""
        # The caller still waits for the response, so it can be found.
        found = self._attribute(request.headers, violations, find_line() if violations else None)
        operation = self.checker.operation_of(request.method, request.target)
        self._collected.add_exchange(operation, request, response, found)

    def judge_unanswered(self, request: CheckedRequest, violations: Sequence[Violation]) -> None:
        """Record a request without a complete response."""
        self._add(request.headers, violations, None)

    def judge_by_prism(self, request: CheckedRequest, violations: Sequence[Violation]) -> None:
        """Record what Prism found."""
        self._add(request.headers, violations, find_line())

    def judge_attempt(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        """Record an attempt to deliver a webhook."""
        error = attempt.error or "no response"
        self._add({}, self.checker.check_delivery(delivery.body(), HEADERS, attempt.status, error=error), None)

    def judge_webhook(self, delivery: Delivery) -> None:
        """Record a webhook, whether it was sent or not."""
        self._add({}, self.checker.check_webhook(delivery.body(), HEADERS), None)

    def _add(self, headers: Mapping[str, str], violations: Sequence[Violation], line: str | None) -> None:
        self._collected.violations.extend(map(str, self._attribute(headers, violations, line)))

    def _attribute(
        self, headers: Mapping[str, str], violations: Sequence[Violation], line: str | None
    ) -> Sequence[Violation]:
        """Give violations to the test that they belong to, and return them with their caller.

        Args:
            headers: The headers of the request, which has the mark of its call if a client of this package sent it.
            violations: What it violates.
            line: The line of code to name if there is no mark.
        """
        call = self.calls.find(headers)
        test = self._test if call is None else call.test
        if not violations or test.allows_violations:
            return ()
        name = f"a thread or task that {test.name} started" if test.is_over else test.name
        if MARK in headers:
            # One that is not known is that of another process.
            line = None if call is None else call.line
        caller = describe_caller(name, line)
        found = [structs.replace(violation, call=caller) for violation in violations]
        if test.is_over:
            self._collected.late_violations.extend(map(str, found))
        else:
            test.violations.extend(found)
        return found


class ServedSimulator:
    """A simulator whose exchanges are judged.

    Attributes:
        simulator: The simulator.
        app: The application to serve.
    """

    def __init__(self, simulator: Simulator, judge: Judge, prism_url: str, behaviour: Behaviour | None) -> None:
        """Put the checks around a simulator, and Prism around them unless its URL is empty."""
        self.simulator = simulator
        self._checked = CheckedApp(
            without_mark(simulator),
            judge.checker,
            judge.judge_exchange,
            judge.judge_unanswered,
            behaviour=behaviour,
        )
        app: ASGIApp = self._checked
        if prism_url:
            app = PrismCheckedApp(app, judge.checker, prism_url, judge.judge_by_prism)
        self._arrivals = Arrivals(app, judge.calls)
        self.app: ASGIApp = self._arrivals
        simulator.webhook_sender.on_attempt = judge.judge_attempt

    def catch_up(self) -> None:
        """Judge the responses that clients have received: a 204 is complete for them before it is for the server."""
        self._run(self._is_quiet())

    def settle(self, *, patiently: bool) -> None:
        """Handle what has arrived, and check the requests that have no response.

        With `patiently`, wait before until no client waits for a response, and no webhook for its receiver.
        """
        for _ in range(PAUSES if patiently else 1):
            if self._run(self._is_quiet()):
                break
            pause()
        self._run(self._check_unanswered())

    async def _is_quiet(self) -> bool:
        for _ in range(_ITERATIONS):
            await asyncio.sleep(0)
        return self.simulator.webhook_sender.is_idle and not self._arrivals.someone_waits()

    async def _check_unanswered(self) -> None:
        self._checked.check_unanswered()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        loop = self.simulator.webhook_sender.loop
        if loop is None:
            work.close()
            return True
        done = asyncio.run_coroutine_threadsafe(work, loop)
        wait_for(lambda seconds: wait([done], seconds).done)
        return done.result(0)
