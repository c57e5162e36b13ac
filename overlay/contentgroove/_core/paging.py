"""Lists: checked arguments, and one page after another.

A page's `links.next` is followed if there is one. Only its query is used, with the endpoint that was requested, so
that neither `http://` links (the service's examples have them) nor foreign hosts receive the key. If there is none,
pages are counted until an empty one, because no example of the API contains `links.next`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlsplit

from contentgroove_api.types import UNSET
from msgspec import Struct, structs

from contentgroove.errors import PagingError

from .calls import Operation, call
from .inputs import Filter, check_count, check_filter, check_sort

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from contentgroove.models import Page

    from .calls import Session

T = TypeVar("T")

_NUMBER = re.compile(r"[0-9]{1,9}")


class ListArguments(Struct, frozen=True):
    """The arguments of a list call, unchecked."""

    filter: Filter | None
    sort: str | None
    page_number: int | None
    page_size: int | None
    limit: int | None


class ListOperation(Struct, Generic[T], frozen=True):
    """A list that can be iterated any number of times; creating one sends nothing.

    Attributes:
        build_request: Builds the request of a page from its number; None leaves the number to the service.
        decode: Creates a page from a response's body and the page's number.
        start: The first page's number, None to leave it to the service.
        limit: The maximum number of items.
    """

    build_request: Callable[[int | None], Request]
    decode: Callable[[bytes, int], Page[T]]
    start: int | None
    limit: int | None

    def cursor(self) -> PageCursor[T]:
        """Start an iteration."""
        return PageCursor(self)


def list_operation(
    build_request: Callable[..., Request],
    known_sorts: object,
    decode: Callable[[bytes, int], Page[T]],
    query: ListArguments,
) -> ListOperation[T]:
    """Check a list call's arguments; `known_sorts` is the generated `Literal` type of the sort orders."""
    parameters: dict[str, Any] = {}
    filters = check_filter(query.filter)
    order = check_sort(query.sort, known_sorts)
    size = check_count(query.page_size, "page_size")
    if filters is not None:
        parameters["filter_"] = filters
    if order is not None:
        parameters["sort"] = order

    def build(number: int | None) -> Request:
        page = {name: value for name, value in (("number", number), ("size", size)) if value is not None}
        return build_request(page=page or UNSET, **parameters)

    return ListOperation(
        build, decode, check_count(query.page_number, "page_number"), check_count(query.limit, "limit")
    )


async def fetch_page(listing: ListOperation[T], cursor: PageCursor[T], session: Session) -> Page[T] | None:
    """Fetch the cursor's next page; None at the end."""
    request = cursor.next_request()
    if request is None:
        return None
    number = cursor.number
    page = await call(Operation(request, lambda body: listing.decode(body, number)), session)
    return cursor.accept(page)


class PageCursor(Generic[T]):
    """Iterates over the pages of one list.

    Attributes:
        number: The next page's number, from 1.
    """

    def __init__(self, listing: ListOperation[T]) -> None:
        self._build = listing.build_request
        self._request: Request | None = self._build(listing.start)
        self.number = listing.start or 1
        self._remaining = listing.limit
        self._seen_queries: set[str] = set()
        self._previous: tuple[str, str, int] | None = None
        self._uses_links = False
        self._error: PagingError | None = None

    def next_request(self) -> Request | None:
        """Return the next page's request, None at the end; raise PagingError if the link to it is not usable."""
        if self._error is not None:
            # Only now, because the page that contains the link is valid.
            raise self._error
        return self._request

    def accept(self, page: Page[T]) -> Page[T] | None:
        """Determine the next page; return this one, cut to the limit, or None if the list has ended."""
        request, self._request = self._request, None
        if not page.items:
            return None
        # Two pages of one list can be alike in both ends and length only if they are the same.
        ends: Any = page.items[0], page.items[-1]
        signature = (ends[0].id, ends[1].id, len(page.items))
        if signature == self._previous:
            if self._uses_links:
                raise self._loop_error(f"page {page.number} has the items of the previous page")
            # Counted, and the same items again: the service does not split this list into pages.
            return None
        self._previous = signature
        if self._remaining is not None:
            self._remaining -= len(page.items)
            if self._remaining <= 0:
                return page.first(len(page.items) + self._remaining)
        if request is not None:
            self._seen_queries.add(request.query)
            self._find_next(page, request)
        return page

    def _find_next(self, page: Page[T], request: Request) -> None:
        link = page.next_link
        if link is None:
            # Once the service has linked pages, a page without a link is the last.
            if not self._uses_links and not page.is_last:
                self.number += 1
                self._request = self._build(self.number)
            return
        self._uses_links = True
        try:
            query = _without_credentials(urlsplit(link).query)
        except ValueError:
            self._error = PagingError(
                f"links.next of page {page.number} is not a URL. The items returned so far are valid; "
                "request single pages with page_number= instead."
            )
            return
        number = dict(parse_qsl(query)).get("page[number]", "")
        self.number = int(number) if _NUMBER.fullmatch(number) else self.number + 1
        if query in self._seen_queries:
            self._error = self._loop_error(f"links.next of page {page.number} leads to an earlier page")
            return
        self._request = structs.replace(request, query=query)

    def _loop_error(self, problem: str) -> PagingError:
        return PagingError(
            f"The list's pages form a loop: {problem}. The items returned so far are valid; request single "
            "pages with page_number= instead."
        )


def _without_credentials(query: str) -> str:
    return "&".join(part for part in query.split("&") if part.partition("=")[0].lower() != "api_key")
