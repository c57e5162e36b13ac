"""Records by id that know which of them may have changed, so that storing the state costs the change."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, ValuesView
from typing import TYPE_CHECKING, TypeVar, cast, overload

if TYPE_CHECKING:
    from typing import Self

Item = TypeVar("Item")
Default = TypeVar("Default")


class Table(dict[str, Item]):
    """Records by id, in the order of creation; a dict, so that msgspec writes it as one.

    A record that is set, deleted or returned counts as touched, because its attributes can be changed then. So a
    record is taken from here for each change, while the service is locked; `view` is for reading.

    Attributes:
        touched: The ids of these records, in the order in which they were touched first. Code that stores the records
            clears it.
    """

    def __init__(self, records: Mapping[str, Item] | None = None) -> None:
        super().__init__()
        self.touched: dict[str, None] = {}
        self.update(records or {})

    @property
    def view(self) -> View[Item]:
        """The records, only to be read: a change to a record that was found here is not stored."""
        # The methods of `super()` are those of a plain dict.
        return View(cast("dict[str, Item]", super()))

    def touch_all(self) -> None:
        """Count every record as touched, in their own order."""
        self.touched = dict.fromkeys(self) | self.touched

    def __getitem__(self, key: str) -> Item:
        """Return a record."""
        record = super().__getitem__(key)
        self.touched[key] = None
        return record

    def __setitem__(self, key: str, record: Item) -> None:
        """Set a record."""
        super().__setitem__(key, record)
        self.touched[key] = None

    def __delitem__(self, key: str) -> None:
        """Delete a record."""
        super().__delitem__(key)
        self.touched[key] = None

    def __ior__(self, records: Mapping[str, Item]) -> Self:  # type: ignore[override, misc]  # only mappings
        """Set records."""
        self.update(records)
        return self

    def __repr__(self) -> str:
        """Show how many records there are; they may contain credentials."""
        return f"<Table of {len(self)}>"

    if not TYPE_CHECKING:
        # Those of dict would not call the methods above.
        get, popitem, setdefault = MutableMapping.get, MutableMapping.popitem, MutableMapping.setdefault
        update, clear = MutableMapping.update, MutableMapping.clear
        values, items = MutableMapping.values, MutableMapping.items

        def pop(self, key: str, *default: Item) -> Item:
            """Delete a record and return it, or the default."""
            if default and key not in self:
                return default[0]
            record = self[key]
            del self[key]
            return record


class View(Mapping[str, Item]):
    """The records of a table, none of which counts as touched when it is returned."""

    def __init__(self, records: dict[str, Item]) -> None:
        self._records = records

    def __getitem__(self, key: str) -> Item:
        """Return a record."""
        return self._records.__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """Return whether there is a record."""
        return self._records.__contains__(key)

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids."""
        return self._records.__iter__()

    def __len__(self) -> int:
        """Return how many records there are."""
        return self._records.__len__()

    @overload
    def get(self, key: str, /) -> Item | None: ...
    @overload
    def get(self, key: str, /, default: Item | Default) -> Item | Default: ...
    def get(self, key: str, /, default: Item | Default | None = None) -> Item | Default | None:
        """Return a record, or the default."""
        return self._records.get(key, default)

    def values(self) -> ValuesView[Item]:
        """Return the records, as fast as those of a dict."""
        return self._records.values()

    def items(self) -> ItemsView[str, Item]:
        """Return ids and records, as fast as those of a dict."""
        return self._records.items()
