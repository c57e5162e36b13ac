# Generated from _async/base.py by overlay/make_sync.py: edit that file and run `make sync`.
"""What the resources of a sync client share: running calls, lists that are fetched while iterating, raw responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

from contentgroove._core.calls import call, call_raw
from contentgroove._core.io import InOneProcess, run_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove._core.calls import Operation, RawResponse, Session
    from contentgroove._core.paging import ListOperation
    from contentgroove.models import Page

P = ParamSpec("P")
T = TypeVar("T")


class Resource(InOneProcess):
    """The base class of all resources of a sync client."""

    def __init__(self, session: Session, *, raw: bool = False) -> None:
        self._session = session
        self._raw = raw

    def _call(self, operation: Operation[T]) -> T:
        if self._raw:
            # `raw_method` gives the methods that are called on this resource their actual type.
            return cast("T", run_sync(call_raw(operation, self._session)))
        return run_sync(call(operation, self._session))


class Pager(InOneProcess, Generic[T]):
    """A list that is fetched page by page while iterating; each iteration starts again at the first page.

    A list may change meanwhile, and the service numbers its pages. What this library promises:

    - No item is given twice, even if others come in before it. (The last 1,000 items are remembered, and all of them
      once this client has changed something.)
    - Deleting or changing the items that were given, through this client or one that its `with_options` returned, skips
      none of the others. With several threads or tasks at the same time their order may differ.
    - Items that are added meanwhile may be missing.
    - What others delete meanwhile, or move, such as by renaming in a list sorted by name, can let an item be missing:
      no page shows that. If that matters, collect the ids first, or iterate again until nothing new comes.
    - An iteration ends: a service that never comes to an end is a PagingError.
    """

    def __init__(self, listing: ListOperation[T], session: Session) -> None:
        self._listing = listing
        self._session = session

    def __repr__(self) -> str:
        # What shows objects must not send requests.
        return f"<{type(self).__name__}: iterate over it, or over its pages(), to fetch the list>"

    def __iter__(self) -> Iterator[T]:
        return (item for page in self.pages() for item in page)

    def pages(self) -> Iterator[Page[T]]:
        """Iterate over whole pages, without the items that an earlier page contained, and except empty ones.

        Raises:
            PagingError: The service's pages have no end, or their links form a loop.
            ContentGrooveError: A call failed. The message names the page; the items returned so far are valid.
        """
        from contentgroove._core.paging import fetch_page

        cursor = self._listing.cursor()
        while (page := run_sync(fetch_page(self._listing, cursor, self._session))) is not None:
            yield page


def raw_method(method: Callable[P, T]) -> Callable[P, RawResponse[T]]:
    """Give a method of a resource with raw calls its actual type."""
    raw: Callable[P, RawResponse[T]] = cast("Any", method)
    return raw
