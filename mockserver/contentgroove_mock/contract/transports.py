"""httpx transports that check the exchanges that they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.violations import ContractViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self, TypeAlias

    from contentgroove_mock.contract.behaviour import Behaviour, Sent
    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.violations import Violation

    OnExchange: TypeAlias = Callable[[CheckedRequest, CheckedResponse, Sequence[Violation]], object]

Transport = TypeVar("Transport", bound=httpx.BaseTransport | httpx.AsyncBaseTransport)


def require_none(request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
    """Raise `ContractViolationError` if there is a violation."""
    del request, response
    if violations:
        raise ContractViolationError(violations)


class _Wrapper(Generic[Transport]):
    def __init__(
        self,
        transport: Transport,
        checker: Checker,
        on_exchange: OnExchange = require_none,
        *,
        behaviour: Behaviour | None = None,
    ) -> None:
        """Wrap a transport.

        Args:
            transport: Any transport: `HTTPTransport`, `WSGITransport`, …, or `AsyncHTTPTransport`, `ASGITransport`, …
                for the async one; `MockTransport` for both.
            checker: The contract.
            on_exchange: Called with the request, the response and the violations. By default a violation raises
                `ContractViolationError` in the code that made the call.
            behaviour: Follows the exchanges as a run: what was deleted stays deleted, an update shows, filters, order
                and pages are observed. Transports of clients of one service share it.
        """
        self.transport = transport
        self._checker = checker
        self._on_exchange = on_exchange

        self._behaviour = behaviour

    def _sent(self, request: httpx.Request) -> Sent | None:
        return None if self._behaviour is None else self._behaviour.sent(CheckedRequest.from_httpx(request))

    def _check(self, request: httpx.Request, response: httpx.Response, sent: Sent | None) -> None:
        exchange = CheckedRequest.from_httpx(request), CheckedResponse.from_httpx(response)
        violations = self._checker.check_exchange(*exchange)
        if self._behaviour is not None and sent is not None:
            violations += self._behaviour.received(sent, exchange[1])
        self._on_exchange(*exchange, violations)


class CheckedTransport(_Wrapper[httpx.BaseTransport], httpx.BaseTransport):
    """Sends through another transport and checks each exchange once its response was read.

    Attributes:
        transport: The wrapped transport; closed together with this one.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        request.read()
        sent = self._sent(request)
        response = self.transport.handle_request(request)
        response.request = request
        response.read()
        self._check(request, response, sent)
        return response

    def close(self) -> None:
        """Close the transport."""
        self.transport.close()

    def __enter__(self) -> Self:
        self.transport.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.transport.__exit__(exc_type, exc_value, traceback)


class AsyncCheckedTransport(_Wrapper[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport):
    """Sends through another async transport and checks each exchange once its response was read.

    Attributes:
        transport: The wrapped transport; closed together with this one.
    """

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        await request.aread()
        sent = self._sent(request)
        response = await self.transport.handle_async_request(request)
        response.request = request
        await response.aread()
        self._check(request, response, sent)
        return response

    async def aclose(self) -> None:
        """Close the transport."""
        await self.transport.aclose()

    async def __aenter__(self) -> Self:
        await self.transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.transport.__aexit__(exc_type, exc_value, traceback)
