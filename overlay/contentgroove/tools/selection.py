"""A choice among the operations of a document: by tag, path, method or id."""

from __future__ import annotations

import difflib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct

from contentgroove._openapi.documents import as_list

from .results import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.operations import Operation

_TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}

SHOWN = 10
"""Values in the message about one that does not exist."""

SELECTION_SCHEMA: Json = {
    "tags": {**_TEXTS, "description": "Only operations with one of these tags."},
    "paths": {
        **_TEXTS,
        "description": "Only operations of these paths, as the document writes them; * stands for any text: /films/*",
    },
    "methods": {**_TEXTS, "description": "Only operations with one of these methods, such as GET."},
    "operationIds": {**_TEXTS, "description": "Only operations with one of these ids; or 'GET /films' without an id."},
}
"""The arguments of a tool that chooses operations."""


class Selection(Struct, frozen=True):
    """Which operations are chosen: those that match each kind of condition that there is.

    Attributes:
        tags: Tags, in any case of letters.
        paths: Paths, in which `*` stands for any text.
        methods: Methods, in any case of letters.
        operation_ids: Ids; or method and path, `GET /films`, for operations without an id.
    """

    tags: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    operation_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, arguments: Json) -> Selection:
        """Read the arguments that `SELECTION_SCHEMA` describes."""
        return cls(*(tuple(arguments.get(name) or ()) for name in SELECTION_SCHEMA))

    def choose(self, operations: list[Operation]) -> list[Operation]:
        """Return the operations that are chosen.

        Raises:
            ToolError: A condition matches none of the operations, or no operation matches all conditions.
        """
        chosen = operations
        conditions: tuple[tuple[str, tuple[str, ...], Callable[[Operation], Iterable[str]], bool], ...] = (
            ("tag", self.tags, _tags, True),
            ("path", self.paths, lambda operation: [operation.path], False),
            ("method", self.methods, lambda operation: [operation.method], True),
            ("operationId", self.operation_ids, lambda operation: [operation.operation_id, str(operation)], False),
        )
        for kind, patterns, texts, any_case in conditions:
            if patterns:
                by_pattern = [
                    {index for index, operation in enumerate(operations) if _fits(pattern, texts(operation), any_case)}
                    for pattern in patterns
                ]
                for pattern, found in zip(patterns, by_pattern, strict=True):
                    if not found:
                        raise _unknown(kind, pattern, {text for each in operations for text in texts(each)})
                matching = {id(operations[index]) for found in by_pattern for index in found}
                chosen = [operation for operation in chosen if id(operation) in matching]
        if operations and not chosen:
            raise ToolError("invalid_input", "No operation matches all of the conditions. Nothing was added.")
        return chosen


def _tags(operation: Operation) -> list[str]:
    return [tag for tag in as_list(operation.definition.get("tags")) if isinstance(tag, str)]


def _fits(pattern: str, texts: Iterable[str], any_case: bool) -> bool:  # noqa: FBT001 - one of two ways to compare
    if any_case:
        return pattern.lower() in {text.lower() for text in texts}
    # Only the star is special: `[` and `?` occur in paths.
    escaped = pattern.replace("[", "[[]").replace("?", "[?]")
    return any(fnmatchcase(text, escaped) for text in texts)


def _unknown(kind: str, pattern: str, known: set[str]) -> ToolError:
    close = difflib.get_close_matches(pattern[:100], sorted(known - {""})[:5000], n=3)
    if close:
        hint = f" Did you mean {' or '.join(map(repr, close))}?"
    else:
        shown = sorted(known - {""})[:SHOWN]
        further = len(known - {""}) - len(shown)
        hint = f" There are {', '.join(map(repr, shown)) or 'none'}{f' and {further:,} others' if further else ''}."
    return ToolError("invalid_input", f"No operation has the {kind} {pattern[:100]!r}.{hint}")
