"""JSON pointers (RFC 6901), and the `$ref`s that are written as such.

References to other documents are not followed here: `bundling` reads those in files beside a document, and no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeGuard, cast
from urllib.parse import unquote

from .documents import DocumentError, as_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .documents import Json


class ReferenceLoopError(DocumentError):
    """A `$ref` leads back to itself, by way of nothing but other `$ref`s."""


def escape(step: str) -> str:
    """Write one step of a pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def join(steps: Iterable[str | int]) -> str:
    """Write a pointer: `["paths", "/a", 0]` is `/paths/~1a/0`."""
    return "".join(f"/{escape(str(step))}" for step in steps)


def split(pointer: str) -> list[str]:
    """Split a pointer into its steps, with or without the `#` of a URI fragment before it.

    Percent-encoding stays: tools that report pointers write it or not.
    """
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#").split("/")[1:]]


def lookup(value: Any, pointer: str) -> Any:
    """Return what a pointer names in a value.

    Raises:
        LookupError: There is nothing at that location.
    """
    found: Any = value
    for step in split(pointer):
        if isinstance(found, list) and step.isascii() and step.isdecimal():
            found = cast("list[Any]", found)[int(step)]
        elif isinstance(found, dict):
            found = cast("Json", found)[step]
        else:
            raise LookupError(step)
    return found


def is_local(reference: object) -> TypeGuard[str]:
    """Return whether a `$ref` names something in its own document."""
    return isinstance(reference, str) and (reference == "#" or reference.startswith("#/"))


def resolve_reference(document: Json, reference: str) -> Any:
    """Return what a `$ref` within the document names, which may be a `$ref` again.

    Raises:
        DocumentError: There is nothing at that location.
    """
    try:
        # As a URI's fragment, a pointer can be percent-encoded (RFC 6901, 6).
        return lookup(document, unquote(reference))
    except LookupError as error:
        raise DocumentError(f"The document has nothing at {reference!r}, which a $ref names.") from error


def check_followed(node: Json) -> Json:
    """Return what `resolve` has found, unless that is still a reference: to another document.

    Raises:
        DocumentError: It is.
    """
    if isinstance(reference := node.get("$ref"), str) and not is_local(reference):
        raise other_document_error(reference)
    return node


def other_document_error(reference: str) -> DocumentError:
    """Return the error of a reference that names something in another document."""
    return DocumentError(
        f"The $ref {reference[:200]!r} leads to another document that was not read: addresses are never fetched, "
        "and files only in the document's own folder. Pass a document that contains everything."
    )


def resolve(document: Json, node: Any) -> Json:
    """Return the object that a node is, or that its `$ref` names; every reference on the way is followed.

    What a Reference Object has beside its `$ref` does not count. A reference to another document is returned as it is.

    Returns:
        The object; an empty one if there is something else.

    Raises:
        ReferenceLoopError: The references form a loop.
        DocumentError: There is nothing at the location that a reference names.
    """
    seen: set[str] = set()
    while isinstance(node, dict) and is_local(reference := cast("Json", node).get("$ref")):
        if reference in seen:
            raise ReferenceLoopError(f"The $ref {reference!r} leads in a circle.")
        seen.add(reference)
        node = resolve_reference(document, reference)
    return as_object(node)


def references(value: Any) -> Iterator[str]:
    """Yield every `$ref` in a value, in the value's order and as often as it occurs."""
    pending: list[Any] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            members = cast("Json", item)
            if isinstance(reference := members.get("$ref"), str):
                yield reference
            pending.extend(reversed(members.values()))
        elif isinstance(item, list):
            pending.extend(reversed(cast("list[Any]", item)))
