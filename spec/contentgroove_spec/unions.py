"""Align two schemas of which only one is a union, or whose branches have another order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from .documents import Document

_UNIONS = ("oneOf", "anyOf")


class BranchAligner:
    """Aligns pairs of canonical values; equal pairs are aligned once and shared."""

    def __init__(self) -> None:
        """Start without known pairs."""
        self._known: dict[tuple[int, int], tuple[Any, Any, tuple[Any, Any]]] = {}

    def align(self, old: Any, new: Any) -> tuple[Any, Any]:
        """Return both values in forms that can be compared part by part.

        A schema that becomes one of several is treated as a union of one to which others are added.
        """
        if old is new or old == new:
            return new, new
        key = (id(old), id(new))
        if key not in self._known:
            # The pair is kept alive, because a freed object's id may be used again.
            self._known[key] = (old, new, self._align(old, new))
        return self._known[key][2]

    def _align(self, old: Any, new: Any) -> tuple[Any, Any]:
        if isinstance(old, dict) and isinstance(new, dict):
            return self._objects(cast("Document", old), cast("Document", new))
        if isinstance(old, list) and isinstance(new, list):
            return self._lists(cast("list[Any]", old), cast("list[Any]", new))
        return old, new  # pyright: ignore[reportUnknownVariableType] - of any kind

    def _objects(self, old: Document, new: Document) -> tuple[Document, Document]:
        for keyword in _UNIONS:
            if isinstance(new.get(keyword), list) and keyword not in old and _is_plain(old):
                old = {keyword: [old]}
            elif isinstance(old.get(keyword), list) and keyword not in new and _is_plain(new):
                new = {keyword: [new]}
        before, after = dict(old), dict(new)
        for name in old.keys() & new.keys():
            before[name], after[name] = self.align(old[name], new[name])
        return before, after

    def _lists(self, old: list[Any], new: list[Any]) -> tuple[list[Any], list[Any]]:
        if not all(isinstance(item, dict) and "name" not in item for item in [*old, *new]):
            return old, new
        same = [item for item in old if item in new]
        other_old = [item for item in old if item not in same]
        other_new = [item for item in new if item not in same]
        pairs = [self.align(before, after) for before, after in zip(other_old, other_new, strict=False)]
        before = [*same, *(pair[0] for pair in pairs), *other_old[len(pairs) :]]
        after = [*same, *(pair[1] for pair in pairs), *other_new[len(pairs) :]]
        return before, after


def _is_plain(schema: Document) -> bool:
    return isinstance(schema.get("type"), (str, list)) and not any(keyword in schema for keyword in _UNIONS)
