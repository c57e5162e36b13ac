"""Compare two OpenAPI documents by what they mean on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from . import PipelineError, legacy, redocly
from .canonical import BranchAligner, ComparedDocument, shared_operations
from .changes import Change, Comparison, Location, Rating, kind_of
from .documentation import documentation_changes
from .operations import base_path, server_prefixes
from .rating import changes_between, describe_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

MAX_COMPARED = 3_000_000
"""Nodes of the operations that differ, with all references expanded."""

_ORDER = {rating: number for number, rating in enumerate(Rating)}


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
    before, after = ComparedDocument.load(old, old_name), ComparedDocument.load(new, new_name)
    comparisons = (_operations, _webhooks, _first_server, _base_path, _own_servers, _operation_ids, _differences)
    changes = [change for find in (*comparisons, documentation_changes) for change in find(before, after)]
    changes.sort(key=lambda change: (_ORDER[change.rating], str(change.subject), change.what))
    return Comparison(old_name, new_name, tuple(changes))


def _operations(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key in before.operations.keys() - after.operations.keys():
        location = Location(before.operations[key].name, part="operation")
        reason = "Apps that call it get an error."
        yield legacy.change(Rating.BREAKING, "removed", location, "The operation was removed.", reason)
    for key in after.operations.keys() - before.operations.keys():
        location = Location(after.operations[key].name, part="operation")
        yield legacy.change(Rating.SAFE, "added", location, "The operation was added.", "No app calls it yet.")


def _base_path(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old_path, new_path = base_path(before.expanded), base_path(after.expanded)
    moved = any(old.own_path != new.own_path for _, old, new in shared_operations(before, after))
    if old_path != new_path and moved:
        what = f"The servers' path changed from `{old_path or '/'}` to `{new_path or '/'}`, and the path keys with it."
        reason = "The URLs on the wire are the same; corrections that name path keys no longer match."
        yield legacy.change(Rating.DOCUMENTATION, "changed", Location(), what, reason, old_path, new_path)


def _own_servers(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Compare the servers of operations that have their own."""
    for _, old, new in shared_operations(before, after):
        if "servers" not in {*old.definition, *new.definition}:
            continue
        had, has = (
            set(server_prefixes(operation.definition if "servers" in operation.definition else side.expanded))
            for operation, side in ((old, before), (new, after))
        )
        location = Location(new.name, part="operation", name="servers")
        for url in sorted(had - has):
            what = f"Server `{url}` was removed."
            yield legacy.change(Rating.BREAKING, "removed", location, what, "Calls to it may fail.", url)
        for url in sorted(has - had):
            what = f"Server `{url}` was added."
            yield legacy.change(Rating.SAFE, "added", location, what, "The others remain.", None, url)


def _webhooks(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, _, operation in shared_operations(before, after):
        old, new = (cast("Document", side.canonical[key].get("callbacks", {})) for side in (before, after))
        for name in sorted(old.keys() - new.keys()):
            location = Location(operation.name, name, "operation")
            yield legacy.change(
                Rating.BREAKING, "removed", location, "The webhook was removed.", "It is no longer sent."
            )
        for name in sorted(new.keys() - old.keys()):
            location = Location(operation.name, name, "operation")
            reason = "Apps ignore events that they do not know."
            yield legacy.change(Rating.SAFE, "added", location, "The webhook was added.", reason)


def _operation_ids(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for _, *pair in shared_operations(before, after):
        old, new = (operation.definition.get("operationId") for operation in pair)
        if old != new:
            kind = kind_of(old, new)
            # Added or removed ids read as one change of many operations, so only the location names the id.
            what = f"The operationId {describe_change(old, new) if kind == 'changed' else f'was {kind}'}."
            location = Location(pair[1].name, part="operation", name=str(new if kind == "added" else old))
            reason = "It is never sent; generated functions are named after it."
            yield legacy.change(Rating.SAFE, kind, location, what, reason, old, new)


def _first_server(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = server_prefixes(before.expanded), server_prefixes(after.expanded)
    if old[:1] != new[:1] and sorted(old) == sorted(new):
        reason = "All servers remain; generated clients start with a different one."
        yield legacy.change(
            Rating.SAFE, "changed", Location(), f"The first server is `{new[0]}` now.", reason, old[0], new[0]
        )


def _differences(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = _wire_operations(before, after)
    if old == new:
        return
    if max(_size(old, {}), _size(new, {})) > MAX_COMPARED:
        raise PipelineError(
            f"The operations that differ have more than {MAX_COMPARED:,} nodes with all references expanded: that is "
            "too large to compare."
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
            aligned = aligner.align(*_with_shared_webhooks(old, new))
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


def _with_shared_webhooks(old: Document, new: Document) -> list[Document]:
    """Drop the webhooks that only one of two operations has; `_webhooks` reports them."""
    names = sorted(old.get("callbacks", {}).keys() & new.get("callbacks", {}).keys())
    kept: list[Document] = []
    for operation in (old, new):
        callbacks = {"callbacks": {name: operation["callbacks"][name] for name in names}} if names else {}
        kept.append({key: value for key, value in operation.items() if key != "callbacks"} | callbacks)
    return kept


def _security_schemes(side: ComparedDocument) -> Document:
    """Return the security schemes that an operation requires."""
    requirements = (item for operation in side.canonical.values() for item in operation.get("security", []))
    required = {name for requirement in requirements for name in requirement}
    schemes = cast("Document", side.document.get("components", {})).get("securitySchemes", {})
    return {
        name: {key: value for key, value in schemes[name].items() if key != "description" and not key.startswith("x-")}
        for name in sorted(required & schemes.keys())
    }


def _size(value: Any, known: dict[int, int]) -> int:
    """Count the nodes of a value; the sizes of shared objects are remembered by their ids."""
    if not isinstance(value, (dict, list)):
        return 1
    container = cast("dict[str, Any] | list[Any]", value)
    if id(container) not in known:
        members = container.values() if isinstance(container, dict) else container
        known[id(container)] = 1 + sum(_size(member, known) for member in members)
    return known[id(container)]
