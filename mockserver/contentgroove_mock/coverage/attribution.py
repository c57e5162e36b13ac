"""Which test an exchange belongs to: each call of a client carries a mark that only the simulator's server sees.

A violation may be found after its test has ended, or while another one runs. Neither the method and path of a request
nor the time at which it arrives tells whose it is: several threads may call the same operation, and a thread or task
may outlive the test that started it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import os
from contextvars import ContextVar
from threading import current_thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from weakref import WeakSet

from contentgroove._core.settings import is_loopback
from contentgroove._io.async_io import AsyncIO
from contentgroove._io.sync_io import SyncIO
from contentgroove.errors import ConfigurationError
from msgspec import structs

from contentgroove_mock.contract.violations import code_line
from contentgroove_mock.simulator.web.responses import TRANSPORT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Generator, Mapping
    from threading import Thread

    from contentgroove_api.types import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

    from contentgroove_mock.contract import Violation

MARK = "x-contentgroove-call"
"""The header, in lower case, by which a call is known; the simulator itself never sees it."""

TEST: ContextVar[RunningTest | None] = ContextVar("contentgroove_test")
"""The test that runs in a context. A task keeps that of the test that started it."""


class RunningTest:
    """A test that uses a simulator, and what it did wrong.

    Attributes:
        name: Its node id.
        allows_violations: Whether it violates the contract on purpose.
        violations: Those that are not reported yet.
        is_over: Whether its reports are complete, so that no more violations can be added.
    """

    def __init__(self, name: str, *, allows_violations: bool) -> None:
        self.name = name
        self.allows_violations = allows_violations
        self.violations: list[Violation] = []
        self.is_over = False

    def pop_violations(self) -> list[Violation]:
        """Return the violations since the last call, without duplicates."""
        found = list(dict.fromkeys(self.violations))
        self.violations.clear()
        return found


class Call:
    """One request of a client.

    Attributes:
        test: The test that it belongs to.
        line: The line of code that made it, if it is known.
        is_running: Whether the client still waits for the response.
    """

    def __init__(self, test: RunningTest, line: str | None) -> None:
        self.test = test
        self.line = line
        self.is_running = True


class Calls:
    """The calls of all clients while a simulator is served."""

    def __init__(self, test: RunningTest, left_behind: Mapping[Thread, RunningTest]) -> None:
        """Start without calls.

        Args:
            test: The test that the simulator is served for.
            left_behind: The threads that did not end with the test that started them.
        """
        self._test = test
        self._left_behind = left_behind
        self._calls: dict[str, Call] = {}
        self._own: WeakSet[SyncIO | AsyncIO] = WeakSet()

    def find(self, headers: Mapping[str, str]) -> Call | None:
        """Return the call that a request belongs to; None if no client of this package has sent it."""
        return self._calls.get(headers.get(MARK, ""))

    def add_client(self, client: Any) -> None:
        """Note that a client was created while the simulator is served."""
        self._own.add(client._io)  # noqa: SLF001  # what all copies of a client share

    @contextlib.contextmanager
    def mark_all(self, base_url: str) -> Generator[None]:
        """Mark each call to the simulator in this context; refuse those of earlier clients that would leave it."""
        with contextlib.ExitStack() as undo:
            for kind in (SyncIO, AsyncIO):
                undo.callback(setattr, kind, "send", kind.send)
                kind.send = self._marking(kind.send, base_url)  # type: ignore[method-assign]
            yield

    def _marking(self, send: Callable[..., Any], base_url: str) -> Any:
        @functools.wraps(send)
        async def marked(io: Any, request: Request, *limits: Any) -> Any:
            if io._settings.base_url != base_url:  # noqa: SLF001  # the seam is this class
                self._require_own(io)
                return await send(io, request, *limits)
            # With the process, because one that was forked counts on its own.
            mark, call = f"{os.getpid()}-{next(_numbers)}", Call(self._owner(), code_line(inspect.currentframe()))
            self._calls[mark] = call
            try:
                return await send(io, structs.replace(request, headers={**request.headers, MARK: mark}), *limits)
            finally:
                call.is_running = False

        return marked

    def _owner(self) -> RunningTest:
        return self._left_behind.get(current_thread()) or TEST.get(None) or self._test

    def _require_own(self, io: Any) -> None:
        """Refuse the call of a client that was created before the simulator, and would reach the live service."""
        base_url: str = io._settings.base_url  # noqa: SLF001
        own_client = io._http_client  # noqa: SLF001
        if io in self._own or own_client is not None or is_loopback(urlsplit(base_url).hostname or ""):
            return
        raise ConfigurationError(
            f"This client was created before the simulator of {self._test.name} was served, so this call would reach "
            f"{base_url}. Nothing was sent. Create the client in the test, or in a fixture of the scope function that "
            "requests contentgroove_base_url."
        )


_numbers = itertools.count(1)


class Arrivals:
    """An ASGI application that knows which requests another one is handling."""

    def __init__(self, app: ASGIApp, calls: Calls) -> None:
        self._app = app
        self._calls = calls
        self._handled: dict[int, tuple[asyncio.Transport | None, Call | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            transport: asyncio.Transport | None = scope.get("state", {}).get(TRANSPORT)
            self._handled[id(scope)] = transport, self._calls.find(headers)
        try:
            await self._app(scope, receive, send)
        finally:
            self._handled.pop(id(scope), None)

    def someone_waits(self) -> bool:
        """Return whether a client waits for a response: it has not given up, nor closed its connection."""
        return any(
            (call is None or call.is_running) and (transport is None or not transport.is_closing())
            for transport, call in self._handled.values()
        )


def without_mark(app: ASGIApp) -> ASGIApp:
    """Return an application that passes requests on as the client would send them without this plugin."""

    async def passing(scope: Scope, receive: Receive, send: Send) -> None:
        if "headers" in scope:
            headers = [(name, value) for name, value in scope["headers"] if name != MARK.encode()]
            scope = {**scope, "headers": headers}
        await app(scope, receive, send)

    return passing
