"""httpx transports that check the exchanges that they carry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import httpx

from contentgroove_mock.contract.checker import CheckedRequest, CheckedResponse
from contentgroove_mock.contract.violations import ContractViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Self, TypeAlias

    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.violations import Violation

    OnExchange: TypeAlias = Callable[[CheckedRequest, CheckedResponse, Sequence[Violation]], object]

Transport = TypeVar("Transport", bound=httpx.BaseTransport | httpx.AsyncBaseTransport)


def require_none(request: CheckedRequest, response: CheckedResponse, violations: Sequence[Violation]) -> None:
    """Raise an error if there is a violation.

    Raises:
        ContractViolationError: There is a violation.
    """
    del request, response
    if violations:
        raise ContractViolationError(violations)


class _Wrapper(Generic[Transport]):
    def __init__(self, transport: Transport, checker: Checker, on_exchange: OnExchange = require_none) -> None:
        """Wrap a transport.

        Args:
            transport: Any transport: `HTTPTransport`, `WSGITransport`, …, or `AsyncHTTPTransport`, `ASGITransport`, …
                for the async one; `MockTransport` for both.
            checker: The contract.
            on_exchange: Called with the request, the response and the violations. By default a violation raises
                `ContractViolationError` in the code that made the call.
        """
        self.transport = transport
        self._checker = checker
        self._on_exchange = on_exchange

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        exchange = CheckedRequest.from_httpx(request), CheckedResponse.from_httpx(response)
        self._on_exchange(*exchange, self._checker.check_exchange(*exchange))


class CheckedTransport(_Wrapper[httpx.BaseTransport], httpx.BaseTransport):
    """Sends through another transport and checks each exchange once its response was read.

    Attributes:
        transport: The wrapped transport; closed together with this one.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        request.read()
        response = self.transport.handle_request(request)
        response.request = request
        response.read()
        self._check(request, response)
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
        response = await self.transport.handle_async_request(request)
        response.request = request
        await response.aread()
        self._check(request, response)
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
