"""Compares two OpenAPI documents by what is on the wire."""

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
from .folding import base_path, operations, server_prefixes
from .references import ReferenceResolver
from .unions import BranchAligner
from .wording import describe_change

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Kind
    from .documents import Document
    from .folding import Operation

Key: TypeAlias = tuple[str, str]

MAX_COMPARED = 3_000_000
"""Nodes of the operations that differ, everything they refer to written out."""

_ORDER = {rating: number for number, rating in enumerate(Rating)}


@dataclass(frozen=True, slots=True)
class ComparedDocument:
    """One of the two documents.

    Attributes:
        document: As published.
        whole: The same with its references unfolded; it must not be changed.
        followed: The references that anything on the wire leads to.
        operations: What it offers.
        spelled: The same in canonical spelling.
    """

    document: Document
    whole: Document
    followed: frozenset[str]
    operations: dict[Key, Operation]
    spelled: dict[Key, Document]


def compare(old: Document, new: Document, *, old_name: str = "old", new_name: str = "new") -> Comparison:
    """Compare two documents.

    Needs Node and Redocly, unless the documents say the same.

    Args:
        old: An OpenAPI 3 document.
        new: Another one.
        old_name: What to call the first, for messages and reports.
        new_name: What to call the second.

    Raises:
        PipelineError: A document refers to what it does not have, or is too large to compare, or Redocly failed.
    """
    before, after = _load(old, old_name), _load(new, new_name)
    looks = (_operations, _webhooks, _first_server, _base_path, _own_servers, _names, _differences)
    changes = [change for look in (*looks, documentation_changes) for change in look(before, after)]
    changes.sort(key=lambda change: (_ORDER[change.rating], str(change.place), change.what))
    return Comparison(old_name, new_name, tuple(changes))


def _load(document: Document, name: str) -> ComparedDocument:
    references, canonical = ReferenceResolver(document, name), Canonical()
    whole = references.expand({key: value for key, value in document.items() if key != "components"})
    followed = frozenset(references.followed)
    try:
        found = {operation.wire_key: operation for operation in operations(whole)}
        spelled = {key: canonical.operation(operation) for key, operation in found.items()}
    except (AttributeError, DocumentError, KeyError, TypeError, ValueError) as error:
        raise PipelineError(
            f"{name} is no valid OpenAPI document, so that it cannot be compared ({type(error).__name__}: {error})."
        ) from error
    return ComparedDocument(document, whole, followed, found, spelled)


def _operations(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in before.operations.items():
        if key not in after.operations:
            where = Location(operation.name, part="operation")
            yield Change(Rating.BREAKING, "removed", where, "The operation was removed.", "Who calls it gets an error.")
    for key, operation in after.operations.items():
        if key not in before.operations:
            where = Location(operation.name, part="operation")
            yield Change(Rating.SAFE, "added", where, "The operation was added.", "Nobody calls it yet.")


def _base_path(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = base_path(before.whole), base_path(after.whole)
    kept = before.operations.keys() & after.operations.keys()
    if old != new and any(before.operations[key].own_path != after.operations[key].own_path for key in kept):
        what = f"The servers' path changed from `{old or '/'}` to `{new or '/'}`, and the path keys with it."
        reason = "The URLs on the wire are the same; corrections that name path keys miss them."
        yield Change(Rating.DOCUMENTATION, "changed", Location(), what, reason, old, new)


def _own_servers(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Compare the servers of operations that have ones of their own."""
    for key, operation in after.operations.items():
        old = before.operations.get(key)
        if old is None or not ("servers" in old.definition or "servers" in operation.definition):
            continue
        had, has = (
            server_prefixes(one.definition if "servers" in one.definition else side.whole)
            for one, side in ((old, before), (operation, after))
        )
        where = Location(operation.name, part="operation", name="servers")
        for url in sorted(set(had) - set(has)):
            reason = "Calls to it may not be answered any more."
            yield Change(Rating.BREAKING, "removed", where, f"Server `{url}` was removed.", reason, url)
        for url in sorted(set(has) - set(had)):
            yield Change(Rating.SAFE, "added", where, f"Server `{url}` was added.", "The others stay.", None, url)


def _webhooks(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in after.operations.items():
        if key not in before.operations:
            continue
        old, new = (cast("Document", side.spelled[key].get("callbacks", {})) for side in (before, after))
        for name in sorted(old.keys() - new.keys()):
            where = Location(operation.name, name, "operation")
            yield Change(Rating.BREAKING, "removed", where, "The webhook was removed.", "It does not come any more.")
        for name in sorted(new.keys() - old.keys()):
            where = Location(operation.name, name, "operation")
            reason = "Apps pass by events that they do not know."
            yield Change(Rating.SAFE, "added", where, "The webhook was added.", reason)


def _names(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    for key, operation in after.operations.items():
        if key not in before.operations:
            continue
        old, new = (one.definition.get("operationId") for one in (before.operations[key], operation))
        if old == new:
            continue
        reason = "It is never sent; generated functions are named by it."
        kind: Kind = "added" if old is None else "removed" if new is None else "changed"
        # Those that came or went read as one change of many operations; the place tells which id.
        what = f"The operationId {describe_change(old, new) if kind == 'changed' else f'was {kind}'}."
        where = Location(operation.name, part="operation", name=str(new if kind == "added" else old))
        yield Change(Rating.SAFE, kind, where, what, reason, old, new)


def _first_server(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = server_prefixes(before.whole), server_prefixes(after.whole)
    if old[:1] != new[:1] and sorted(old) == sorted(new):
        reason = "All are there as before; generated clients begin with another one."
        yield Change(Rating.SAFE, "changed", Location(), f"The first server is `{new[0]}` now.", reason, old[0], new[0])


def _differences(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    old, new = _wire_operations(before, after)
    if old == new:
        return
    for document in (old, new):
        if _size(document) > MAX_COMPARED:
            raise PipelineError(
                f"What differs has more than {MAX_COMPARED:,} nodes with everything it refers to: too much to compare."
            )
    for finding in redocly.compare(old, new):
        yield from changes_between(finding, before.operations, (old, new), after.operations)


def _wire_operations(before: ComparedDocument, after: ComparedDocument) -> tuple[Document, Document]:
    """Write what differs, and what every operation shares, as two documents."""
    aligner = BranchAligner()
    sides: tuple[Document, Document] = ({}, {})
    for key, new in after.spelled.items():
        old = before.spelled.get(key)
        if old is not None and old != new:
            aligned = aligner.align(*_shared_webhooks(old, new))
            for paths, operation in zip(sides, aligned, strict=True):
                paths.setdefault(key[1], {})[key[0]] = operation
    old_document, new_document = (
        {
            "openapi": "3.1.0",
            "info": {"title": "", "version": ""},
            "servers": [{"url": url} for url in sorted(server_prefixes(side.whole))],
            "paths": paths,
            "components": {"securitySchemes": _security_schemes(side)},
        }
        for side, paths in zip((before, after), sides, strict=True)
    )
    return old_document, new_document


def _shared_webhooks(old: Document, new: Document) -> tuple[Document, Document]:
    names = old.get("callbacks", {}).keys() & new.get("callbacks", {}).keys()
    kept_old, kept_new = (
        {**one, "callbacks": {name: one["callbacks"][name] for name in sorted(names)}} if names else _dropping(one)
        for one in (old, new)
    )
    return kept_old, kept_new


def _dropping(operation: Document) -> Document:
    return {key: value for key, value in operation.items() if key != "callbacks"}


def _security_schemes(side: ComparedDocument) -> Document:
    """Give those security schemes that an operation asks for."""
    asked = {name for one in side.spelled.values() for way in one.get("security", []) for name in way}
    schemes = cast("Document", side.document.get("components", {})).get("securitySchemes", {})
    return {
        name: {key: value for key, value in schemes[name].items() if key != "description" and not key.startswith("x-")}
        for name in sorted(asked & schemes.keys())
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
