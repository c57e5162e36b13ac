"""Put what a document refers to where it refers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.pointers import resolve_reference

from .errors import PipelineError

if TYPE_CHECKING:
    from .documents import Document

RECURSION = "x-recursion"
"""Stands where a schema holds itself: the name of what would follow."""

MAX_CREATED = 2_000_000
"""Nodes; a document that refers to itself in many circles unfolds without end, as far as a reader is concerned."""


class ReferenceResolver:
    """Unfolds the references of one document.

    What is unfolded once is the same object everywhere, so that the result is small in memory however often a
    component is used. It must not be changed.

    Attributes:
        followed: The references met so far.
    """

    def __init__(self, document: Document, name: str) -> None:
        """Take a document and its name for messages."""
        self._document = document
        self._name = name
        self._known: dict[str, Any] = {}
        self._created = 0
        self.followed: set[str] = set()

    def expand(self, value: Any) -> Any:
        """Give a value of the document with everything inside that it refers to.

        Raises:
            PipelineError: It refers to nothing, or unfolds without end.
        """
        return self._unfold(value, ())[0]

    def _unfold(self, value: Any, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        """Also tell which of the references above it was cut at: with none, it is the same everywhere."""
        self._created += 1
        if self._created > MAX_CREATED:
            raise PipelineError(f"{self._name} refers to itself in too many ways to be compared.")
        cut: set[str] = set()
        if isinstance(value, list):
            items: list[Any] = []
            for item in cast("list[Any]", value):
                unfolded, inner = self._unfold(item, above)
                items.append(unfolded)
                cut |= inner
            return items, frozenset(cut)
        if not isinstance(value, dict):
            return value, frozenset()
        members = cast("Document", value)
        reference = members.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            return self._follow(reference, above)
        result: Document = {}
        for key, member in members.items():
            result[key], inner = self._unfold(member, above)
            cut |= inner
        return result, frozenset(cut)

    def _follow(self, reference: str, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        if reference in above:
            return {RECURSION: reference.rpartition("/")[2]}, frozenset({reference})
        if reference in self._known:
            return self._known[reference], frozenset()
        self.followed.add(reference)
        unfolded, cut = self._unfold(self._find(reference), (*above, reference))
        cut -= {reference}
        if not cut:
            self._known[reference] = unfolded
        return unfolded, cut

    def _find(self, reference: str) -> Any:
        try:
            return resolve_reference(self._document, reference)
        except DocumentError as error:
            raise PipelineError(f"{self._name} refers to {reference}, which it does not have.") from error
