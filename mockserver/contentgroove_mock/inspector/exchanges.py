"""The log of exchanges: requests and responses with their bodies, and their violations of the contract.

`RecordedApp` records what passes through an application. It is bounded: the oldest exchanges go first, long bodies are
cut, and of uploaded files only the size is kept. URLs and headers are stored without credentials; `bodies` removes
those of the bodies when they are shown.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from typing import TYPE_CHECKING

from contentgroove._core.redaction import redact_headers, redact_url
from contentgroove_api import Times  # noqa: TC002  # msgspec reads the fields' types at run time
from msgspec import Struct, field

from contentgroove_mock.contract.asgi import headers_of, target_of
from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.violations import Violation
from contentgroove_mock.coverage.collected import CoverageData
from contentgroove_mock.coverage.matrix import matrix
from contentgroove_mock.inspector.bodies import Body
from contentgroove_mock.simulator.core import uploads
from contentgroove_mock.simulator.core.faults import UPLOAD
from contentgroove_mock.simulator.web.api import BASE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contentgroove_mock.contract import Checker
    from contentgroove_mock.coverage.matrix import CoverageMatrix
    from contentgroove_mock.simulator.clock import Clock

MAX_EXCHANGES = 300
MAX_BODY = 64 * 1024
"""Bytes of a body that are kept."""

_MAX_CHECKED = 4 * 1024 * 1024
"""Bytes of a body that are checked; longer ones are not, because they are not kept that long."""


class Exchange(Struct, kw_only=True):
    """One request and its response.

    Attributes:
        number: Its number; the first is 1.
        at: When the request arrived, by the simulator's clock.
        target: The path with the query, without credentials.
        operation: The operationId, or `upload`; None if there is no such operation.
        status: The status of the response; None as long as there is none, or if there never is one.
        ended_at: When the response was sent or the connection ended; None before that.
        is_complete: Whether the whole response was sent.
    """

    number: int
    at: Times.datetime
    method: str
    target: str
    operation: str | None
    request_headers: list[tuple[str, str]]
    request_body: Body = field(default_factory=Body)
    status: int | None = None
    response_headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    response_body: Body = field(default_factory=Body)
    ended_at: Times.datetime | None = None
    is_complete: bool = False
    violations: list[Violation] = field(default_factory=list[Violation])


class ExchangeLog:
    """The last exchanges, and how much of the contract all of them have covered.

    Attributes:
        checker: The contract.
        coverage: What was covered; its violations are not collected there.
        violation_count: The number of all violations, those of forgotten exchanges included.
    """

    def __init__(self, checker: Checker, on_change: Callable[[], object]) -> None:
        self.checker = checker
        self.coverage = CoverageData()
        self.violation_count = 0
        self._on_change = on_change
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._exchanges: deque[Exchange] = deque(maxlen=MAX_EXCHANGES)

    def __len__(self) -> int:
        return len(self._exchanges)

    def newest_first(self) -> list[Exchange]:
        """Return the exchanges."""
        with self._lock:
            return list(reversed(self._exchanges))

    def find(self, number: int) -> Exchange | None:
        """Return an exchange by its number; None if there is none, or it is forgotten."""
        with self._lock:
            return next((exchange for exchange in self._exchanges if exchange.number == number), None)

    def clear(self) -> None:
        """Forget the exchanges and their violations; what they have covered stays."""
        with self._lock:
            self._exchanges.clear()
            self.violation_count = 0
        self._on_change()

    def begin(self, scope: Scope, at: Times.datetime) -> Exchange:
        """Add a request that has no response yet."""
        target = target_of(scope)
        headers = headers_of(scope["headers"])
        found = self.checker.operation_of(scope["method"], target)
        name = UPLOAD if scope["path"].startswith(f"{uploads.PATH}/") else None if found is None else found.name
        exchange = Exchange(
            number=next(self._numbers),
            at=at,
            method=scope["method"],
            target=redact_url(target),
            operation=name,
            request_headers=redact_headers(headers.items()),
            request_body=Body(media_type=headers.get("content-type", "")),
        )
        with self._lock:
            self._exchanges.append(exchange)
        self._on_change()
        return exchange

    def end(self, exchange: Exchange, at: Times.datetime, request: CheckedRequest, response: CheckedResponse) -> None:
        """Note the end of an exchange, and check it: only its request if the response is incomplete."""
        exchange.ended_at = at
        too_long = exchange.request_body.is_cut or exchange.response_body.is_cut
        if not too_long and request.target.startswith(f"{self.checker.base_path}/"):
            exchange.violations = self.checker.check_exchange(request, response if exchange.is_complete else None)
            with self._lock:
                self.violation_count += len(exchange.violations)
                if exchange.is_complete:
                    operation = self.checker.operations.get(exchange.operation or "")
                    self.coverage.add_exchange(operation, request, response, ())
        for body in (exchange.request_body, exchange.response_body):
            body.content = body.content[:MAX_BODY]
        self._on_change()

    def covered(self, delivered: dict[str, int]) -> CoverageMatrix:
        """Compare what was covered with the contract; `delivered` is how often each event was."""
        with self._lock:
            self.coverage.webhooks = delivered
            return matrix(self.coverage, self.checker)


class RecordedApp:
    """An ASGI application whose exchanges are recorded, except those below the page's own path."""

    def __init__(self, app: ASGIApp, log: ExchangeLog, clock: Clock, own_path: str) -> None:
        self._app = app
        self._log = log
        self._clock = clock
        self._own_path = own_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or path == self._own_path or path.startswith(f"{self._own_path}/"):
            await self._app(scope, receive, send)
            return
        exchange = self._log.begin(scope, self._clock.now())
        # Files are large, and the page shows them where their media is.
        limit = _MAX_CHECKED if path.startswith(f"{BASE_PATH}/") else 0
        sent, received = bytearray(), bytearray()

        async def receive_and_copy() -> Message:
            message = await receive()
            _keep(message, sent, exchange.request_body, limit)
            return message

        async def send_and_copy(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                headers = headers_of(message.get("headers", ()))
                exchange.response_headers = redact_headers(headers.items())
                response_headers.update(headers)
                exchange.response_body.media_type = headers.get("content-type", "")
            elif message["type"] == "http.response.body":
                # A server sends no body to HEAD, whatever the application gives it.
                if scope["method"] != "HEAD":
                    _keep(message, received, exchange.response_body, limit)
                exchange.is_complete = not message.get("more_body", False)
            await send(message)

        response_headers: dict[str, str] = {}
        try:
            await self._app(scope, receive_and_copy, send_and_copy)
        finally:
            exchange.request_body.content, exchange.response_body.content = bytes(sent), bytes(received)
            request = CheckedRequest(scope["method"], target_of(scope), headers_of(scope["headers"]), bytes(sent))
            response = CheckedResponse(exchange.status or 0, response_headers, bytes(received))
            self._log.end(exchange, self._clock.now(), request, response)


def _keep(message: Message, content: bytearray, body: Body, limit: int) -> None:
    part: bytes = message.get("body", b"")
    body.size += len(part)
    content += part[: max(0, limit - len(content))]
