"""Pages of lists, and the items of them that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from contentgroove._core.tracebacks import with_safe_repr

from .base import unset_to_none
from .display import Table
from .json_views import JsonView

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from contentgroove_api.models.links import Links
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")


class UnreadableItem(msgspec.Struct, frozen=True):
    """An item of a list that cannot be read, because it has no readable id.

    Attributes:
        index: Its position in what the service sent, from 0.
        reason: What is wrong with it.
        content: Its JSON text as sent.
    """

    index: int
    reason: str
    content: bytes

    def __repr__(self) -> str:
        # Without the content, which may contain credentials.
        return f"UnreadableItem(index={self.index}, reason={self.reason!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("index", self.index), ("reason", self.reason)]


@with_safe_repr
class Page(JsonView, Generic[T]):
    """One page of a list.

    Attributes:
        items: The resources, in the service's order.
        number: The page's number, from 1.
        unreadable: What else is in the list and cannot be read, because it has no readable id.
    """

    __slots__ = ("_links", "items", "number", "unreadable")
    __match_args__ = ("items", "number")

    def __init__(
        self, items: tuple[T, ...], number: int, links: Links | None, unreadable: tuple[UnreadableItem, ...] = ()
    ) -> None:
        self.items = items
        self.number = number
        self.unreadable = unreadable
        self._links = links

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((self.number, self.items))

    def _values(self) -> tuple[Any, ...]:
        return self.number, self.items, self.unreadable, self.next_link, self.is_last

    def __repr__(self) -> str:
        odd = f", unreadable={len(self.unreadable)}" if self.unreadable else ""
        return f"Page(number={self.number}, items={len(self.items)}{odd})"

    def keys(self) -> tuple[str, ...]:
        """Return the keys of `to_dict()`: `number`, `items` and, if there are any, `unreadable`, without their JSON."""
        return ("number", "items", "unreadable") if self.unreadable else ("number", "items")

    def __getitem__(self, name: str, /) -> Any:
        if name == "items":
            items: tuple[Any, ...] = self.items
            return [item.to_dict() for item in items]
        if name == "unreadable":
            return [{"index": item.index, "reason": item.reason} for item in self.unreadable]
        if name == "number":
            return self.number
        raise KeyError(name)

    def _table(self) -> Table:
        items: tuple[Any, ...] = self.items
        rows = [item._table_row() for item in items]  # noqa: SLF001 - of models
        columns = tuple(rows[0]) if rows else ("id",)
        return Table(columns, [tuple(row.values()) for row in rows])

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from .pydantic_schemas import page_core_schema

        return page_core_schema(cls, source, handler)

    def first(self, count: int) -> Page[T]:
        """Return the same page with only its first `count` items."""
        return Page(self.items[:count], self.number, self._links, self.unreadable)

    def without(self, ids: Container[str]) -> Page[T]:
        """Return the same page without the items that have these ids."""
        items: tuple[Any, ...] = self.items
        return Page(tuple([item for item in items if item.id not in ids]), self.number, self._links, self.unreadable)

    @property
    def next_link(self) -> str | None:
        """The service's link to the next page; None if it is missing, empty or not a text.

        It starts with `http://` in the service's own examples: iterate over `pages()` instead of requesting it.
        """
        return None if self._links is None else unset_to_none(self._links.next_) or None

    @property
    def is_last(self) -> bool:
        """True if the service reports the end of the list: its link to the next page is null or empty, not missing."""
        return self._links is not None and self._links.next_ in {None, ""}
