"""Expand the references of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import DocumentError
from contentgroove._openapi.pointers import resolve_reference

from .errors import PipelineError

if TYPE_CHECKING:
    from .documents import Document

RECURSION = "x-recursion"
"""Marks where a schema contains itself; the value is the schema's name."""

MAX_CREATED = 2_000_000
"""Nodes; a document with many reference loops expands almost without limit."""


class ReferenceResolver:
    """Expands the references of one document.

    An expanded component is the same object everywhere, so that the result stays small however often the component is
    used. It must not be changed.

    Attributes:
        followed: The references followed so far.
    """

    def __init__(self, document: Document, name: str) -> None:
        """Take a document, and its name for messages."""
        self._document = document
        self._name = name
        self._known: dict[str, Any] = {}
        self._created = 0
        self.followed: set[str] = set()

    def expand(self, value: Any) -> Any:
        """Return a value of the document with all references expanded.

        Raises:
            PipelineError: A reference names nothing, or the result is too large.
        """
        return self._expand(value, ())[0]

    def _expand(self, value: Any, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        """Also return the references above at which it was cut: without any, the result is the same everywhere."""
        self._created += 1
        if self._created > MAX_CREATED:
            raise PipelineError(f"{self._name} refers to itself in too many ways to be compared.")
        cut: set[str] = set()
        if isinstance(value, list):
            items: list[Any] = []
            for item in cast("list[Any]", value):
                expanded, inner = self._expand(item, above)
                items.append(expanded)
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
            result[key], inner = self._expand(member, above)
            cut |= inner
        return result, frozenset(cut)

    def _follow(self, reference: str, above: tuple[str, ...]) -> tuple[Any, frozenset[str]]:
        if reference in above:
            return {RECURSION: reference.rpartition("/")[2]}, frozenset({reference})
        if reference in self._known:
            return self._known[reference], frozenset()
        self.followed.add(reference)
        expanded, cut = self._expand(self._find(reference), (*above, reference))
        cut -= {reference}
        if not cut:
            self._known[reference] = expanded
        return expanded, cut

    def _find(self, reference: str) -> Any:
        try:
            return resolve_reference(self._document, reference)
        except DocumentError as error:
            raise PipelineError(f"{self._name} refers to {reference}, which it does not have.") from error
