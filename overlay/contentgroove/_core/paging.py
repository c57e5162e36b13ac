"""Lists: checked arguments, and one page after another.

A page's `links.next` is followed if there is one. Only its query is used, with the endpoint that was requested, so
that neither `http://` links (the service's examples have them) nor foreign hosts receive the key. If there is none,
pages are counted until an empty one, because no example of the API contains `links.next` (assumed: links-next,
links-next-null, links-keep-query, page-number, page-beyond-end).

Pages are numbered, so whatever is added or deleted before a page moves items across its borders. An item that comes
again is left out, because the ids of the items given are remembered. Deleting moves items to pages that were read:
after a change made by this client, the last page is read again, and those before it if nothing in it was given before.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from contentgroove_api.types import UNSET
from msgspec import Struct, structs

from contentgroove.errors import APIConnectionError, APIError, PagingError, ResponseDecodeError

from .calls import Operation, call
from .inputs import check_count, check_filter, check_sort

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove_api.types import Request

    from contentgroove.errors import ContentGrooveError
    from contentgroove.models import Page

    from .calls import Session, Writes

T = TypeVar("T")

_NUMBER = re.compile(r"[0-9]{1,9}")

# (assumed: list-stable)
REMEMBERED_IDS = 1000
"""At least as many of the latest items are recognised if they come again: memory does not grow with a list."""

MAX_PAGES_WITHOUT_NEW = 100
"""Pages in a row without a new item: more than a list gains while it is read, and an end to any other list."""

MAX_PASSES_WITHOUT_NEW = 4
"""Passes in a row that find nothing new, while other threads or tasks change the list, before it counts as complete."""


class ListArguments(Struct, frozen=True):
    """The arguments of a list call, unchecked."""

    filter: Mapping[str, object] | None
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
    """Fetch the cursor's next page that has new items, None at the end; an error of the call names the page."""
    while (request := cursor.next_request(session.writes)) is not None:
        number = cursor.number
        try:
            page = await call(Operation(request, partial(_decode, listing, number)), session)
        except (APIError, APIConnectionError, ResponseDecodeError) as error:
            _name_page(error, number)
            raise
        new = cursor.accept(page, session.writes)
        if new is not None:
            return new
    return None


def _decode(listing: ListOperation[T], number: int, content: bytes) -> Page[T]:
    return listing.decode(content, number)


def _name_page(error: ContentGrooveError, number: int) -> None:
    text = f"Page {number} of the list could not be read: {error.message}"
    if number > 1:
        text += f" The items of the pages before are valid; page_number={number} continues the list from there."
    error.message = text
    error.args = (text,)


class _GivenIds:
    """The ids of the items that an iteration has given: the latest, or all since `keep_all` was set."""

    def __init__(self) -> None:
        self.keep_all = False
        self._latest: set[str] = set()
        self._older: set[str] = set()

    def __contains__(self, id_: object) -> bool:
        return id_ in self._latest or id_ in self._older

    def overlap(self, ids: tuple[str, ...]) -> bool:
        """Return whether any of these was given."""
        return not (self._latest.isdisjoint(ids) and self._older.isdisjoint(ids))

    def update(self, ids: tuple[str, ...]) -> None:
        """Add the ids of a page."""
        if len(self._latest) >= REMEMBERED_IDS and not self.keep_all:
            self._older, self._latest = self._latest, set()
        self._latest.update(ids)


class _Step(Struct, frozen=True):
    """The request of one page, and the page's number."""

    request: Request
    number: int


class PageCursor(Generic[T]):
    """Iterates over the pages of one list, and leaves out items that it has given.

    It goes *forward* from page to page. After a change by this client it goes *back* until a page contains an item that
    was given: what follows that item has not been given yet. It *repeats* the previous page if the next one is equal,
    to see whether the list has grown by a page or is not divided into pages.

    Attributes:
        number: The number of the page that was requested last, from 1.
    """

    def __init__(self, listing: ListOperation[T]) -> None:
        self._build = listing.build_request
        self._first = _Step(self._build(listing.start), listing.start or 1)
        self.number = self._first.number
        self._remaining = listing.limit
        self._given = _GivenIds()
        self._patience = MAX_PAGES_WITHOUT_NEW
        self._error: PagingError | None = None
        self._passes_without_new = 0
        self._start()

    def _start(self) -> None:
        self._step = self._first
        self._next: _Step | None = self._first
        self._direction: Literal["forward", "back", "repeat"] = "forward"
        # The pages from the first to the current one, by the queries of their requests.
        self._trail: dict[str, _Step] = {}
        self._content: tuple[object, ...] = ()
        self._after_repeat: _Step | None = None
        self._uses_links = False
        self._mark: object = None
        # Whether the last page was read again and had nothing new: then it is not read once more.
        self._was_reread = False
        # True after a change while pages were read, by another thread or task: it may have moved items back unseen.
        self._overtaken = False
        self._found_new = False
        self._without_new = 0

    def next_request(self, writes: Writes) -> Request | None:
        """Return the next page's request, None at the end; raise PagingError if the list cannot be followed."""
        if self._error is not None:
            # Only now, because the page that contains the link is valid.
            raise self._error
        if self._next is None and self._overtaken:
            # Once more from the start, until several in a row find nothing new: changes may overtake each of them.
            self._passes_without_new = 0 if self._found_new else self._passes_without_new + 1
            if self._passes_without_new < MAX_PASSES_WITHOUT_NEW:
                self._patience += len(self._trail)
                self._start()
        if self._next is None:
            return None
        # Taken before the look at what happened: what ends in between counts for the next look.
        mark = writes.mark()
        if self._direction == "forward" and self._trail and writes.happened_since(self._mark):
            self._given.keep_all = True
            if self._was_reread:
                self._overtaken = True
            else:
                self._go_back()
        if self._direction != "repeat":
            self._mark = mark
        self._step = self._next
        self.number = self._step.number
        return self._step.request

    def accept(self, page: Page[T], writes: Writes) -> Page[T] | None:
        """Determine the next page; return this one with its new items, up to the limit, None if there are none."""
        self._next = None
        items: Any = page.items
        ids: tuple[str, ...] = tuple([item.id for item in items])
        # Items that cannot be read have no ids, but count when two pages are compared.
        content = (*ids, *page.unreadable)
        if self._direction == "repeat":
            self._end_repeat(content)
            return None
        overlaps = self._given.overlap(ids)
        self._was_reread = self._direction == "back"
        if self._was_reread:
            if self._trail and not overlaps:
                self._go_back()
                return None
            self._direction = "forward"
        elif self._trail and writes.happened_since(self._mark):
            self._overtaken = True
        if not content:
            return None
        self._find_next(page)
        if content == self._content and self._trail and not self._was_reread:
            self._direction, self._after_repeat = "repeat", self._next
            self._next = next(reversed(self._trail.values()))
        self._trail[self._step.request.query] = self._step
        self._content = content
        return self._new_part(page.without(self._given) if overlaps else page, ids)

    def _go_back(self) -> None:
        self._direction = "back"
        self._next = self._trail.popitem()[1]

    def _end_repeat(self, content: tuple[object, ...]) -> None:
        self._direction = "forward"
        if content != self._content:
            self._next = self._after_repeat
        elif self._uses_links:
            self._error = self._loop_error(f"page {self.number + 1} has the items of the previous page")
        # Else it was counted, and the service does not split this list into pages.

    def _new_part(self, page: Page[T], ids: tuple[str, ...]) -> Page[T] | None:
        if not page.items:
            self._without_new += 1
            if self._without_new > self._patience:
                self._error = self._loop_error(f"{self._without_new} pages in a row have no items that are new")
            # Without ids, nothing on it was given before: the application learns what could not be read.
            return None if ids else page
        self._found_new, self._without_new, self._was_reread = True, 0, False
        if self._remaining is not None:
            self._remaining -= len(page.items)
            if self._remaining <= 0:
                self._next, self._overtaken = None, False
                return page.first(len(page.items) + self._remaining)
        if self._next is not None or self._overtaken:
            self._given.update(ids)
        return page

    def _find_next(self, page: Page[T]) -> None:
        link = page.next_link
        if link is None:
            # Once the service has linked pages, a page without a link is the last.
            if not self._uses_links and not page.is_last:
                following = _Step(self._build(self.number + 1), self.number + 1)
                # The request is the same for each page of a list that has no pages.
                self._next = following if following.request != self._step.request else None
            return
        self._uses_links = True
        request = self._step.request
        try:
            query = _without_credentials(urlsplit(link).query)
        except ValueError:
            self._error = PagingError(
                f"links.next of page {page.number} is not a URL. The items returned so far are valid; "
                "request single pages with page_number= instead."
            )
            return
        if query == request.query or query in self._trail:
            self._error = self._loop_error(f"links.next of page {page.number} leads to an earlier page")
            return
        stated = dict(parse_qsl(query)).get("page[number]", "")
        number = int(stated) if _NUMBER.fullmatch(stated) else self.number + 1
        self._next = _Step(structs.replace(request, query=query), number)

    def _loop_error(self, problem: str) -> PagingError:
        return PagingError(
            f"The list's pages form a loop: {problem}. The items returned so far are valid; request single "
            "pages with page_number= instead."
        )


def _without_credentials(query: str) -> str:
    return "&".join(part for part in query.split("&") if part.partition("=")[0].lower() != "api_key")
