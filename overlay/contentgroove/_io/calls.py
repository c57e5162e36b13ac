"""The base of resources: runs operations and flows, for sync and async clients and their raw variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from msgspec import Struct, structs

from contentgroove._core.calls import call, decode_error
from contentgroove._core.decoding import BodyMismatchError
from contentgroove._core.io import run_async, run_sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping

    from contentgroove._core.calls import Operation, Session
    from contentgroove._core.listing import ListOperation
    from contentgroove._core.responses import Response
    from contentgroove.models import Page


T = TypeVar("T")


class RawResponse(Generic[T]):
    """A response before it is decoded.

    Attributes:
        status_code: The HTTP status; errors are raised, so it is one of the 2xx, or 404 if a DELETE that was retried
            found that an earlier attempt had succeeded.
        headers: The response's headers.
        content: The body.
    """

    def __init__(self, response: Response, operation: Operation[T], session: Session) -> None:
        self.status_code = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.content = response.content
        self._response = response
        self._operation = operation
        self._session = session

    def __repr__(self) -> str:
        return f"RawResponse(status_code={self.status_code}, bytes={len(self.content)})"

    def parse(self) -> T:
        """Decode the body, as the call without `with_raw_response` does.

        Raises:
            ResponseDecodeError: The body does not match the contract.
        """
        try:
            return self._operation.decode(self.content)
        except BodyMismatchError as error:
            raise decode_error(self._operation, self._response, self._session, error) from error


async def _raw(operation: Operation[T], session: Session) -> RawResponse[T]:
    undecoded: Operation[Any] = structs.replace(cast("Operation[Any]", operation), decode=bytes)
    response, _ = await call(undecoded, session)
    return RawResponse(response, operation, session)


class Resource(Struct, frozen=True):
    """Runs operations and flows.

    Attributes:
        session: What the calls of the client share.
    """

    session: Session

    def call(self, operation: Operation[T]) -> T:
        """Run an operation and return its result."""
        return run_sync(call(operation, self.session))[1]

    def run(self, flow: Coroutine[Any, Any, T]) -> T:
        """Run a flow to its end."""
        return run_sync(flow)


class RawResource(Resource, frozen=True):
    """A `Resource` whose calls return `RawResponse`s."""

    def call(self, operation: Operation[T]) -> T:
        """Run an operation and return its raw response, which `with_raw_response` types correctly."""
        return cast("T", run_sync(_raw(operation, self.session)))


class AsyncResource(Struct, frozen=True):
    """Runs operations and flows in the event loop.

    Attributes:
        session: What the calls of the client share.
    """

    session: Session

    async def call(self, operation: Operation[T]) -> T:
        """Run an operation and return its result."""
        return (await run_async(call(operation, self.session)))[1]

    async def run(self, flow: Coroutine[Any, Any, T]) -> T:
        """Run a flow to its end."""
        return await run_async(flow)


class AsyncRawResource(AsyncResource, frozen=True):
    """An `AsyncResource` whose calls return `RawResponse`s."""

    async def call(self, operation: Operation[T]) -> T:
        """Run an operation and return its raw response, which `with_raw_response` types correctly."""
        return cast("T", await run_async(_raw(operation, self.session)))


class Pager(Generic[T]):
    """A list that is fetched page by page while it is iterated; each iteration starts again."""

    def __init__(self, listing: ListOperation[T], calls: Resource) -> None:
        self._listing = listing
        self._calls = calls

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[Page[T]]:
        """Yield the pages that are not empty.

        Raises:
            PagingError: The service's links form a loop.
            ContentGrooveError: A call failed.
        """
        from contentgroove._core.listing import fetch_page

        cursor = self._listing.cursor()
        while (page := self._calls.run(fetch_page(self._listing, cursor, self._calls.session))) is not None:
            yield page


class AsyncPager(Generic[T]):
    """A list that is fetched page by page while it is iterated with `async for`; each iteration starts again."""

    def __init__(self, listing: ListOperation[T], calls: AsyncResource) -> None:
        self._listing = listing
        self._calls = calls

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Yield the pages that are not empty.

        Raises:
            PagingError: The service's links form a loop.
            ContentGrooveError: A call failed.
        """
        from contentgroove._core.listing import fetch_page

        cursor = self._listing.cursor()
        while (page := await self._calls.run(fetch_page(self._listing, cursor, self._calls.session))) is not None:
            yield page
