"""An ASGI application that checks the requests and responses of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contentgroove_mock.contract.exchange import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.transports import require_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.transports import OnExchange


class CheckedApp:
    """Checks each exchange of an application when its response is complete.

    Requests that are not below the API's base path are passed on unchecked: the same application may serve more than
    the API. A response that is cut off is not checked, because no client has received it.
    """

    def __init__(self, app: ASGIApp, checker: Checker, on_exchange: OnExchange = require_none) -> None:
        """Wrap an application.

        Args:
            app: The application, such as a `Simulator`.
            checker: The contract.
            on_exchange: Like that of `CheckedTransport`. By default a violation raises `ContractViolationError` in the
                server, so pass a function that collects violations if server and caller are separate.
        """
        self.app = app
        self._checker = checker
        self._on_exchange = on_exchange

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(f"{self._checker.base_path}/"):
            await self.app(scope, receive, send)
            return
        received = bytearray()
        sent = bytearray()
        start: Message = {}

        async def receive_and_copy() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                received.extend(message.get("body", b""))
            return message

        async def send_and_copy(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                sent.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    self._check(scope, bytes(received), start, bytes(sent))
            await send(message)

        await self.app(scope, receive_and_copy, send_and_copy)

    def _check(self, scope: Scope, received: bytes, start: Mapping[str, Any], sent: bytes) -> None:
        query = scope["query_string"].decode("ascii")
        path = scope.get("raw_path", scope["path"].encode()).decode("ascii").partition("?")[0]
        request = CheckedRequest(
            scope["method"], f"{path}?{query}" if query else path, _headers(scope["headers"]), received
        )
        response = CheckedResponse(start["status"], _headers(start.get("headers", ())), sent)
        self._on_exchange(request, response, self._checker.check_exchange(request, response))


def _headers(raw: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}
