"""Compare two OpenAPI documents by what they mean on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from contentgroove._openapi.documents import DocumentError

from . import redocly
from .canonical import Canonical
from .changes import Change, Comparison, Location, Rating
from .differences import changes_between
from .documentation import documentation_changes
from .errors import PipelineError
from .operations import base_path, operations, server_prefixes
from .references import ReferenceResolver
from .unions import BranchAligner
from .wording import describe_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Kind
    from .documents import Document
    from .operations import Operation

Key: TypeAlias = tuple[str, str]

MAX_COMPARED = 3_000_000
"""Nodes of the operations that differ, with all references expanded."""

_ORDER = {rating: number for number, rating in enumerate(Rating)}


@dataclass(frozen=True, slots=True)
class ComparedDocument:
    """One of the two documents.

    Attributes:
        document: The document as published.
        expanded: The same with its references expanded; it must not be changed.
        followed: The references that are reachable from an operation.
        operations: Its operations.
        canonical: The same in canonical form.
    """

    document: Document
    expanded: Document
    followed: frozenset[str]
    operations: dict[Key, Operation]
    canonical: dict[Key, Document]


def compare(old: Document, new: Document, *, old_name: str = "old", new_name: str = "new") -> Comparison:
    """Compare two documents.

    Needs Node and Redocly, unless the documents are equal on the wire.

    Args:
        old: An OpenAPI 3 document.
        new: Another one.
        old_name: The first document's name in messages and reports.
        new_name: The second document's name.

    Raises:
        PipelineError: A reference names nothing, a document is too large to compare, or Redocly failed.
    """
    before, after = _load(old, old_name), _load(new, new_name)
    comparisons = (_operations, _webhooks, _first_server, _base_path, _own_servers, _names, _differences)
    changes = [change for find in (*comparisons, documentation_changes) for change in find(before, after)]
    changes.sort(key=lambda change: (_ORDER[change.rating], str(change.location), change.what))
    return Comparison(old_name, new_name, tuple(changes))


def _load(document: Document, name: str) -> ComparedDocument:
    references, canonical = ReferenceResolver(document, name), Canonical()
    expanded = references.expand({key: value for key, value in document.items() if key != "components"})
    followed = frozenset(references.followed)
    try:
        found = {operation.wire_key: operation for operation in operations(expanded)}
        forms = {key: canonical.operation(operation) for key, operation in found.items()}
    except (AttributeError, DocumentError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{name} is not a valid OpenAPI document and cannot be compared ({type(error).__name__}: {error})."
        ) from error
    return ComparedDocument(document, expanded, followed, found, forms)


def _operations(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in before.operations.items():
        if key not in after.operations:
            location = Location(operation.name, part="operation")
            reason = "Apps that call it get an error."
            yield Change(Rating.BREAKING, "removed", location, "The operation was removed.", reason)
    for key, operation in after.operations.items():
        if key not in before.operations:
            location = Location(operation.name, part="operation")
            reason = "No app calls it yet."
            yield Change(Rating.SAFE, "added", location, "The operation was added.", reason)


def _base_path(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = base_path(before.expanded), base_path(after.expanded)
    kept = before.operations.keys() & after.operations.keys()
    if old != new and any(before.operations[key].own_path != after.operations[key].own_path for key in kept):
        what = f"The servers' path changed from `{old or '/'}` to `{new or '/'}`, and the path keys with it."
        reason = "The URLs on the wire are the same; corrections that name path keys no longer match."
        yield Change(Rating.DOCUMENTATION, "changed", Location(), what, reason, old, new)


def _own_servers(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Compare the servers of operations that have their own."""
    for key, operation in after.operations.items():
        old = before.operations.get(key)
        if old is None or not ("servers" in old.definition or "servers" in operation.definition):
            continue
        had, has = (
            server_prefixes(item.definition if "servers" in item.definition else side.expanded)
            for item, side in ((old, before), (operation, after))
        )
        location = Location(operation.name, part="operation", name="servers")
        for url in sorted(set(had) - set(has)):
            reason = "Calls to it may fail."
            yield Change(Rating.BREAKING, "removed", location, f"Server `{url}` was removed.", reason, url)
        for url in sorted(set(has) - set(had)):
            reason = "The others remain."
            yield Change(Rating.SAFE, "added", location, f"Server `{url}` was added.", reason, None, url)


def _webhooks(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in after.operations.items():
        if key not in before.operations:
            continue
        old, new = (cast("Document", side.canonical[key].get("callbacks", {})) for side in (before, after))
        for name in sorted(old.keys() - new.keys()):
            location = Location(operation.name, name, "operation")
            reason = "It is no longer sent."
            yield Change(Rating.BREAKING, "removed", location, "The webhook was removed.", reason)
        for name in sorted(new.keys() - old.keys()):
            location = Location(operation.name, name, "operation")
            reason = "Apps ignore events that they do not know."
            yield Change(Rating.SAFE, "added", location, "The webhook was added.", reason)


def _names(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in after.operations.items():
        if key not in before.operations:
            continue
        old, new = (item.definition.get("operationId") for item in (before.operations[key], operation))
        if old == new:
            continue
        reason = "It is never sent; generated functions are named after it."
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        # Added or removed ids read as one change of many operations, so only the location names the id.
        what = f"The operationId {describe_change(old, new) if kind == 'changed' else f'was {kind}'}."
        location = Location(operation.name, part="operation", name=str(new if kind == "added" else old))
        yield Change(Rating.SAFE, kind, location, what, reason, old, new)


def _first_server(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = server_prefixes(before.expanded), server_prefixes(after.expanded)
    if old[:1] != new[:1] and sorted(old) == sorted(new):
        reason = "All servers remain; generated clients start with a different one."
        yield Change(Rating.SAFE, "changed", Location(), f"The first server is `{new[0]}` now.", reason, old[0], new[0])


def _differences(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = _wire_operations(before, after)
    if old == new:
        return
    for document in (old, new):
        if _size(document) > MAX_COMPARED:
            raise PipelineError(
                f"The operations that differ have more than {MAX_COMPARED:,} nodes with all references expanded: "
                "that is too large to compare."
            )
    for finding in redocly.compare(old, new):
        yield from changes_between(finding, before.operations, (old, new), after.operations)


def _wire_operations(before: ComparedDocument, after: ComparedDocument) -> tuple[Document, Document]:
    """Write the operations that differ, and what all operations share, as two documents."""
    aligner = BranchAligner()
    sides: tuple[Document, Document] = ({}, {})
    for key, new in after.canonical.items():
        old = before.canonical.get(key)
        if old is not None and old != new:
            aligned = aligner.align(*_shared_webhooks(old, new))
            for paths, operation in zip(sides, aligned, strict=True):
                paths.setdefault(key[1], {})[key[0]] = operation
    old_document, new_document = (
        {
            "openapi": "3.1.0",
            "info": {"title": "", "version": ""},
            "servers": [{"url": url} for url in sorted(server_prefixes(side.expanded))],
            "paths": paths,
            "components": {"securitySchemes": _security_schemes(side)},
        }
        for side, paths in zip((before, after), sides, strict=True)
    )
    return old_document, new_document


def _shared_webhooks(old: Document, new: Document) -> tuple[Document, Document]:
    names = old.get("callbacks", {}).keys() & new.get("callbacks", {}).keys()
    kept_old, kept_new = (
        {**operation, "callbacks": {name: operation["callbacks"][name] for name in sorted(names)}}
        if names
        else {key: value for key, value in operation.items() if key != "callbacks"}
        for operation in (old, new)
    )
    return kept_old, kept_new


def _security_schemes(side: ComparedDocument) -> Document:
    """Return the security schemes that an operation requires."""
    required = {
        name
        for operation in side.canonical.values()
        for requirement in operation.get("security", [])
        for name in requirement
    }
    schemes = cast("Document", side.document.get("components", {})).get("securitySchemes", {})
    return {
        name: {key: value for key, value in schemes[name].items() if key != "description" and not key.startswith("x-")}
        for name in sorted(required & schemes.keys())
    }


def _size(document: Document) -> int:
    known: dict[int, int] = {}

    def size(value: Any) -> int:
        if not isinstance(value, (dict, list)):
            return 1
        container = cast("dict[str, Any] | list[Any]", value)
        if id(container) not in known:
            members = container.values() if isinstance(container, dict) else container
            known[id(container)] = 1 + sum(size(member) for member in members)
        return known[id(container)]

    return size(document)
