"""A page of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ._view import unset_to_none

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_api.models.links import Links

T = TypeVar("T")


class Page(Generic[T]):
    """One page of a list.

    Attributes:
        items: The resources, in the service's order.
        number: The page's number, from 1.
    """

    __slots__ = ("_links", "items", "number")

    def __init__(self, items: tuple[T, ...], number: int, links: Links) -> None:
        self.items = items
        self.number = number
        self._links = links

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"Page(number={self.number}, items={len(self.items)})"

    def first(self, count: int) -> Page[T]:
        """Return the same page with only its first `count` items."""
        return Page(self.items[:count], self.number, self._links)

    @property
    def next_link(self) -> str | None:
        """The service's link to the next page; None if it is missing or empty.

        It starts with `http://` in the service's own examples: iterate over `pages()` instead of requesting it.
        """
        return unset_to_none(self._links.next_) or None

    @property
    def is_last(self) -> bool:
        """True if the service reports the end of the list: its link to the next page is null or empty, not missing."""
        return self._links.next_ in {None, ""}
