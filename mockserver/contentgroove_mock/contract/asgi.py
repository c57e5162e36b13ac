"""ASGI applications that check the exchanges of another one, themselves or by Prism."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.transports import require_none
from contentgroove_mock.contract.values import decode_json
from contentgroove_mock.contract.violations import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contentgroove_mock.contract.behaviour import Behaviour, Sent
    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.transports import OnExchange

UPSTREAM = "/behind-prism"
"""The path prefix of requests from Prism to the application, before the API's base path."""

_PROBLEM = b"application/problem+json"
_WITHOUT_LIST = {"UNAUTHORIZED", "NO_PATH_MATCHED_ERROR", "NO_METHOD_MATCHED_ERROR"}
_OF_ONE_CONNECTION = {b"connection", b"content-length", b"keep-alive", b"transfer-encoding"}


class CheckedApp:
    """Checks each exchange of an application when its response is complete.

    Requests that are not below the API's base path are passed on unchecked: the same application may serve more than
    the API. A response that is cut off is not checked, because no client has received it; its request is, if a function
    for unanswered requests is passed.
    """

    def __init__(
        self,
        app: ASGIApp,
        checker: Checker,
        on_exchange: OnExchange = require_none,
        on_unanswered: Callable[[CheckedRequest, Sequence[Violation]], object] | None = None,
        *,
        behaviour: Behaviour | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: The application, such as a `Simulator`.
            checker: The contract.
            on_exchange: Like that of `CheckedTransport`. By default a violation raises `ContractViolationError` in the
                server, so pass a function that collects violations if server and caller are separate.
            on_unanswered: Called with each request that arrived whole and got no complete response, and its
                violations. By default such requests are not checked.
            behaviour: Like that of `CheckedTransport`.
        """
        self.app = app
        self._checker = checker
        self._on_exchange = on_exchange
        self._on_unanswered = on_unanswered
        self._open: dict[int, _OpenExchange] = {}
        self._behaviour = behaviour

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{self._checker.base_path}/"):
            await self.app(scope, receive, send)
            return
        exchange = _OpenExchange(scope)
        responded = bytearray()
        start: Message = {}
        sent: Sent | None = None
        if self._behaviour is not None:
            # The application must not act before the run knows what was sent.
            content = await read_body(receive)
            sent = self._behaviour.sent(exchange.request(content))
            receive = _with_body(content, receive)

        async def receive_and_copy() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                exchange.received.extend(message.get("body", b""))
                exchange.has_arrived = not message.get("more_body", False)
            return message

        async def send_and_copy(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                # A server sends no body to HEAD, whatever the application gives it.
                responded.extend(message.get("body", b"") if scope["method"] != "HEAD" else b"")
                if not message.get("more_body", False) and self._open.pop(id(exchange), None) is not None:
                    response = CheckedResponse(start["status"], headers_of(start.get("headers", ())), bytes(responded))
                    self._check(exchange, response, sent)
            await send(message)

        self._open[id(exchange)] = exchange
        try:
            await self.app(scope, receive_and_copy, send_and_copy)
        finally:
            if self._open.pop(id(exchange), None) is not None:
                self._check_request(exchange)

    def check_unanswered(self) -> None:
        """Check the requests that have no complete response yet: perhaps they never get one."""
        for exchange in self._open.values():
            self._check_request(exchange)

    def _check(self, exchange: _OpenExchange, response: CheckedResponse, sent: Sent | None) -> None:
        request = exchange.request()
        found = self._checker.check_exchange(request, response)
        if self._behaviour is not None and sent is not None:
            found += self._behaviour.received(sent, response)
        self._on_exchange(request, response, [violation for violation in found if exchange.is_new(violation)])

    def _check_request(self, exchange: _OpenExchange) -> None:
        # What a client has cut off itself is not what it wanted to send.
        if self._on_unanswered is not None and exchange.has_arrived and exchange.reported is None:
            request = exchange.request()
            exchange.reported = self._checker.check_exchange(request, None)
            self._on_unanswered(request, exchange.reported)


class _OpenExchange:
    """A request that has no complete response yet.

    Attributes:
        received: Its body so far.
        has_arrived: Whether the body is complete.
        reported: Its violations, once it was reported as unanswered.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.received = bytearray()
        self.has_arrived = False
        self.reported: Sequence[Violation] | None = None

    def request(self, content: bytes | None = None) -> CheckedRequest:
        """Return the request as it arrived, with the body so far or a known one."""
        scope, body = self._scope, bytes(self.received) if content is None else content
        return CheckedRequest(scope["method"], target_of(scope), headers_of(scope["headers"]), body)

    def is_new(self, violation: Violation) -> bool:
        """Return whether a violation was not reported yet."""
        key = (violation.location, violation.rule)
        return all(key != (earlier.location, earlier.rule) for earlier in self.reported or ())


class PrismCheckedApp:
    """An ASGI application that forwards the API's requests to Prism, which forwards them to the application.

    If Prism finds a violation, it responds itself with a 401, 404, 405, 422 or 500, and only this response contains the
    reason. A request that violates the contract never reaches the application. Prism's upstream is this application at
    the path `UPSTREAM`; `on_violations` is called with a request and the violations that Prism reports of it.
    """

    def __init__(
        self,
        app: ASGIApp,
        checker: Checker,
        prism_url: str,
        on_violations: Callable[[CheckedRequest, Sequence[Violation]], object],
    ) -> None:
        self._app = app
        self._checker = checker
        self._prism_url = prism_url
        self._on_violations = on_violations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"].startswith(f"{UPSTREAM}/"):
            raw = scope["raw_path"].removeprefix(UPSTREAM.encode())
            scope = {**scope, "path": scope["path"].removeprefix(UPSTREAM), "raw_path": raw}
        elif scope["type"] == "http" and scope["path"].startswith(f"{self._checker.base_path}/"):
            await self._forward(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        import httpcore

        content = await read_body(receive)

        try:
            if content:
                decode_json(content)
        except ValueError:
            # Prism never responds to it; the checker behind it reports the violation.
            await self._app(scope, _with_body(content, receive), send)
            return
        method: str = scope["method"]
        target = target_of(scope)
        operation = self._checker.operation_of(method, target)
        target = target.removeprefix(self._checker.base_path)
        path = target.partition("?")[0]
        headers = kept_headers(scope["headers"])
        if content or method in {"POST", "PUT", "PATCH"}:
            headers.append((b"content-length", b"%d" % len(content)))
        # One pool for each request: an ASGI application is not called when the server stops, so it could not close it.
        async with httpcore.AsyncConnectionPool() as connections:
            url = f"{self._prism_url}{target}"
            response = await connections.request(method, url, headers=headers, content=content)
        name = None if operation is None else operation.name
        found = [
            Violation(name, location, "prism", f"{method} {path}: {message}", f"Prism's {response.status}")
            for location, message in violations_in(dict(response.headers), response.content)
        ]
        if found:
            request = CheckedRequest(method, target_of(scope), headers_of(scope["headers"]), content)
            self._on_violations(request, found)
        response_headers = kept_headers(response.headers)
        response_headers.append((b"content-length", b"%d" % len(response.content)))
        await send({"type": "http.response.start", "status": response.status, "headers": response_headers})
        await send({"type": "http.response.body", "body": response.content})


def violations_in(headers: Mapping[bytes, bytes], content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the locations and messages of the violations that a response of Prism itself reports.

    A service that does not respond is not a violation, nor is what Prism only warns of: statuses that a simulated
    fault may have.
    """
    if {name.lower(): value for name, value in headers.items()}.get(b"content-type") != _PROBLEM:
        return
    problem = cast("dict[str, Any]", msgspec.json.decode(content))
    for entry in problem.get("validation", ()):
        yield _location(entry.get("location", ())), entry["message"]
    if str(problem.get("type")).rpartition("#")[2] in _WITHOUT_LIST:
        yield "request", problem["title"]


def _location(location: Sequence[str]) -> str:
    """Return a location of Prism as the checker writes it; Prism omits `request`, and its location may be empty."""
    side, steps = ("response", location[1:]) if location and location[0] == "response" else ("request", location)
    if not steps:
        return side
    part, *rest = steps
    if part == "body":
        return f"{side}.body#{''.join(f'/{step}' for step in rest)}"
    names = "".join(f"[{step}]" if number else f".{step}" for number, step in enumerate(rest))
    return f"{side}.{'headers' if part == 'header' else part}{names}"


def target_of(scope: Scope) -> str:
    """Return a request's path, percent-encoded, with the query."""
    path = scope.get("raw_path", scope["path"].encode()).decode("ascii").partition("?")[0]
    query = scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path


async def read_body(receive: Receive) -> bytes:
    """Read the whole body of a request."""
    content = bytearray()
    while True:
        message = await receive()
        content.extend(message.get("body", b""))
        if not message.get("more_body", False):
            return bytes(content)


def _with_body(content: bytes, receive: Receive) -> Receive:
    """Return what receives a body that was read already, and then what follows it."""
    pending: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive_again() -> Message:
        return pending.pop() if pending else await receive()

    return receive_again


def kept_headers(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Return the headers that are passed on: not those of one connection, nor the length."""
    return [(name, value) for name, value in headers if name.lower() not in _OF_ONE_CONNECTION]


def headers_of(raw: Any) -> dict[str, str]:
    """Return headers by lower-case name."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
