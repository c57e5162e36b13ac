"""Records by id that know which of them may have changed, so that storing the state costs the change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TypeVar

Item = TypeVar("Item")


class Table(MutableMapping[str, Item]):
    """Records by id, in the order of creation.

    A record that is set, deleted or returned counts as touched, because its attributes can be changed then. So a
    record is taken from here for each change, while the service is locked; `view` is for reading.

    Attributes:
        touched: The ids of these records, in the order in which they were touched first. Code that stores the records
            clears it.
    """

    def __init__(self, records: Mapping[str, Item] | None = None) -> None:
        self._records: dict[str, Item] = dict(records or {})
        self.touched: dict[str, None] = {}

    @property
    def view(self) -> Mapping[str, Item]:
        """The records, only to be read: a change to a record that was found here is not stored."""
        return MappingProxyType(self._records)

    def touch_all(self) -> None:
        """Count every record as touched, in their own order."""
        self.touched = dict.fromkeys(self._records) | self.touched

    def __getitem__(self, key: str) -> Item:
        """Return a record."""
        record = self._records[key]
        self.touched[key] = None
        return record

    def __setitem__(self, key: str, record: Item) -> None:
        """Set a record."""
        self._records[key] = record
        self.touched[key] = None

    def __delitem__(self, key: str) -> None:
        """Delete a record."""
        del self._records[key]
        self.touched[key] = None

    def __contains__(self, key: object) -> bool:
        """Return whether there is a record."""
        return key in self._records

    def __iter__(self) -> Iterator[str]:
        """Iterate over the ids."""
        return iter(self._records)

    def __len__(self) -> int:
        """Return how many records there are."""
        return len(self._records)

    def __repr__(self) -> str:
        """Show how many records there are; they may contain credentials."""
        return f"<Table of {len(self)}>"
