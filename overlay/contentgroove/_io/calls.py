"""What resources call through: one for each of sync, async and their raw variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from msgspec import Struct, structs

from contentgroove._core.calls import call, decode_error
from contentgroove._core.decoding import BodyMismatchError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from contentgroove._core.calls import Operation, Session
    from contentgroove._core.effects import Flow, Response
    from contentgroove._core.io import Progress, Source, Timeouts
    from contentgroove._core.listing import ListOperation
    from contentgroove.models import Page

    from .async_shell import AsyncIO
    from .sync_shell import SyncIO

T = TypeVar("T")


class RawResponse(Generic[T]):
    """An answer before it is decoded.

    Attributes:
        status_code: The HTTP status; errors are raised, so it is one of the 2xx, or 404 where a DELETE that was
            repeated found that an earlier attempt had done it.
        headers: The answer's headers.
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
            ResponseDecodeError: The body is not what the contract says.
        """
        try:
            return self._operation.decode(self.content)
        except BodyMismatchError as error:
            raise decode_error(self._operation, self._response, self._session, error) from error


def _raw(operation: Operation[T], session: Session) -> Flow[RawResponse[T]]:
    undecoded: Operation[Any] = structs.replace(cast("Operation[Any]", operation), decode=bytes)
    response, _ = yield from call(undecoded, session)
    return RawResponse(response, operation, session)


class Resource(Struct, frozen=True):
    """Performs operations and flows.

    Attributes:
        shell: What sends.
        session: What calls of the client share.
        timeout: The limits of each request.
    """

    shell: SyncIO
    session: Session
    timeout: Timeouts

    def call(self, operation: Operation[T]) -> T:
        """Perform an operation and give its result."""
        return self.shell.run(call(operation, self.session), self.timeout)[1]

    def run(
        self,
        flow: Flow[T],
        source: Source | None = None,
        progress: Progress | None = None,
        save: Callable[[bytes], OSError | None] | None = None,
    ) -> T:
        """Drive a flow to its end."""
        return self.shell.run(flow, self.timeout, source=source, progress=progress, save=save)


class RawResource(Resource, frozen=True):
    """As `Resource`; gives `RawResponse`s."""

    def call(self, operation: Operation[T]) -> T:
        """Perform an operation and give its raw answer, which `with_raw_response` types as what it is."""
        return cast("T", self.shell.run(_raw(operation, self.session), self.timeout))


class AsyncResource(Struct, frozen=True):
    """As `Resource`, awaited."""

    shell: AsyncIO
    session: Session
    timeout: Timeouts

    async def call(self, operation: Operation[T]) -> T:
        """Perform an operation and give its result."""
        return (await self.shell.run(call(operation, self.session), self.timeout))[1]

    async def run(
        self,
        flow: Flow[T],
        source: Source | None = None,
        progress: Progress | None = None,
        save: Callable[[bytes], OSError | None] | None = None,
    ) -> T:
        """Drive a flow to its end."""
        return await self.shell.run(flow, self.timeout, source=source, progress=progress, save=save)


class AsyncRawResource(AsyncResource, frozen=True):
    """As `AsyncResource`; gives `RawResponse`s."""

    async def call(self, operation: Operation[T]) -> T:
        """Perform an operation and give its raw answer, which `with_raw_response` types as what it is."""
        return cast("T", await self.shell.run(_raw(operation, self.session), self.timeout))


class Pager(Generic[T]):
    """A list that is fetched as it is iterated, page by page; each iteration begins anew."""

    def __init__(self, listing: ListOperation[T], calls: Resource) -> None:
        self._listing = listing
        self._calls = calls

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[Page[T]]:
        """Give the pages that are not empty.

        Raises:
            PagingError: The service's links lead in a circle.
            ContentGrooveError: A call failed.
        """
        from contentgroove._core.listing import fetch_page

        cursor = self._listing.cursor()
        while (page := self._calls.run(fetch_page(self._listing, cursor, self._calls.session))) is not None:
            yield page


class AsyncPager(Generic[T]):
    """As `Pager`, iterated with `async for`."""

    def __init__(self, listing: ListOperation[T], calls: AsyncResource) -> None:
        self._listing = listing
        self._calls = calls

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item

    async def pages(self) -> AsyncIterator[Page[T]]:
        """Give the pages that are not empty; the errors are those of `Pager.pages`."""
        from contentgroove._core.listing import fetch_page

        cursor = self._listing.cursor()
        while (page := await self._calls.run(fetch_page(self._listing, cursor, self._calls.session))) is not None:
            yield page
