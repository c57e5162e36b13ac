"""Lists: checked arguments, and the walk through their pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from contentgroove_api.types import UNSET
from msgspec import Struct

from .calls import Operation, call
from .filters import Filter, check_filter, check_sort
from .inputs import check_count
from .paging import PageCursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_api.types import Request

    from contentgroove.models import Page

    from .calls import Session

T = TypeVar("T")


class ListArguments(Struct, frozen=True):
    """The arguments of a list call, as given."""

    filter: Filter | None
    sort: str | None
    page_number: int | None
    page_size: int | None
    limit: int | None


class ListOperation(Struct, Generic[T], frozen=True):
    """A list that can be walked as often as wanted; making one sends nothing.

    Attributes:
        build_request: Makes the request of a page by its number; None leaves the number to the service.
        decode: Makes a page of an answer's body and the page's number.
        start: The first page's number, None to leave it to the service.
        limit: How many items to give at most.
    """

    build_request: Callable[[int | None], Request]
    decode: Callable[[bytes, int], Page[T]]
    start: int | None
    limit: int | None

    def cursor(self) -> PageCursor[T]:
        """Begin a walk."""
        return PageCursor(self.build_request, self.start, self.limit)


def list_operation(
    build_request: Callable[..., Request],
    known_sorts: object,
    decode: Callable[[bytes, int], Page[T]],
    query: ListArguments,
) -> ListOperation[T]:
    """Check a list call's arguments.

    Args:
        build_request: The generated function of the endpoint.
        known_sorts: The generated `Literal` type of the sort orders that the API's document offers.
        decode: Makes a page of an answer's body and the page's number.
        query: The arguments.

    Raises:
        InvalidInputError: An argument is wrong.
    """
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
    _, page = await call(Operation(request, lambda body: listing.decode(body, number)), session)
    return cursor.accept(page)
