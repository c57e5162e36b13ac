"""Compare two OpenAPI documents by what they mean on the wire."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from msgspec import structs

from .changes import Comparison, Location, NotCompared
from .components import compare_components
from .context import Context
from .examples import exemplified
from .findings import Findings, change_of
from .operation_comparison import OperationComparer
from .operations import read_operations
from .pairs import SchemaComparer
from .reading import Part, Reader, Unchanged, same_value, with_text_keys
from .schema_comparison import compare_pair
from .security import Security
from .servers import base_path_of, compare_servers
from .texts import report_texts
from .uses import ORDER, Graph, Lazy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document
    from .operations import Operation
    from .reading import Unread
    from .uses import Node

_TEXTS = frozenset({"openapi", "tags", "externalDocs", "jsonSchemaDialect", "$self"})


def compare(old: Document, new: Document, *, old_name: str = "old", new_name: str = "new") -> Comparison:
    """Compare two documents.

    What cannot be read in one of them is in `Comparison.not_compared`; everything else is compared.

    Args:
        old: An OpenAPI 3 document.
        new: Another one.
        old_name: The first document's name in messages and reports.
        new_name: The second document's name.
    """
    return _Documents(old, new).compare(old_name, new_name)


class _Documents:
    """The comparison of two documents."""

    def __init__(self, old: Document, new: Document) -> None:
        self._readers = Reader(with_text_keys(old), "old"), Reader(with_text_keys(new), "new")
        self._findings, self._graph = Findings(), Graph()
        unchanged = Unchanged(*self._readers)
        self._schemas = SchemaComparer(self._readers, unchanged, self._graph, self._findings, compare=compare_pair)
        self._context = Context(self._readers, self._schemas, self._graph, self._findings)
        self._security = Security(self._context)

    def compare(self, old_name: str, new_name: str) -> Comparison:
        """Compare everything."""
        old, new = self._readers
        identical = same_value(old.document, new.document)
        self._document_parts()
        pairs = self._pair_operations(self._operations(old), self._operations(new))
        comparer = OperationComparer(self._context, self._security)
        for pair in pairs:
            comparer.compare(*pair)
        comparer.compare_webhooks()
        self._servers(pairs)
        self._security.compare_schemes()
        self._schemas.run()
        compare_components(self._context, self._security.required)
        self._schemas.run()
        self._graph.propagate()
        changes = [change_of(exemplified(finding, self._context), self._graph) for finding in self._findings]
        changes.sort(key=lambda change: (ORDER[change.rating], str(change.subject), change.what))
        return Comparison(old_name, new_name, tuple(changes), tuple(self._not_compared()), identical)

    def _operations(self, reader: Reader) -> list[Operation]:
        """Return the operations; of several with the same method and path only the first is compared."""
        known: dict[tuple[str, str], Operation] = {}
        for operation in read_operations(reader):
            first = known.setdefault(operation.wire_key, operation)
            if first is not operation:
                reader.location = operation.location()
                reader.note(operation.definition.pointer, f"It has the method and path of {first.definition.pointer}.")
                reader.location = None
        return list(known.values())

    def _document_parts(self) -> None:
        old, new = (Part("", reader.document) for reader in self._readers)
        report_texts(self._findings, old, new, Location(), fields=_TEXTS)
        for name in ("paths", "components"):
            before, after = old.optional(name), new.optional(name)
            if before is not None and after is not None:
                report_texts(self._findings, before, after, Location(name=name), fields=frozenset())
        before, after = (reader.root("info") or Part("/info", {}) for reader in self._readers)
        fields = frozenset(
            name
            for reader, part in zip(self._readers, (before, after), strict=True)
            for name, _ in reader.members(part)
        )
        report_texts(self._findings, before, after, Location(name="info"), fields=fields)

    def _pair_operations(self, old: list[Operation], new: list[Operation]) -> list[tuple[Operation, Operation]]:
        """Pair the operations by method and path, and report the others."""
        waiting = {operation.wire_key: operation for operation in old}
        pairs: list[tuple[Operation, Operation]] = []
        others: list[Operation] = []
        for operation in new:
            if operation.wire_key in waiting:
                pairs.append((waiting.pop(operation.wire_key), operation))
            else:
                others.append(operation)
        # If only the servers' path changed, the operation is the same at another URL.
        moved = {operation.own_key: operation for operation in waiting.values()}
        for operation in others:
            before = moved.pop(operation.own_key, None)
            if before is None:
                self._findings.at("operation-added", None, operation.definition, operation.location())
                continue
            del waiting[before.wire_key]
            was, now = self._base(self._readers[0], before), self._base(self._readers[1], operation)
            self._findings.at("operation-path-changed", was, now, before.location())
            pairs.append((before, operation))
        for operation in waiting.values():
            self._findings.at("operation-removed", operation.definition, None, operation.location())
        return pairs

    @staticmethod
    def _base(reader: Reader, operation: Operation) -> Part:
        """Return the path that the servers of an operation have, at the servers."""
        servers = operation.inherited("servers") or reader.root("servers")
        base = operation.path.removesuffix(operation.own_path)
        return Part("" if servers is None else servers.pointer, base or "/")

    def _servers(self, pairs: list[tuple[Operation, Operation]]) -> None:
        old, new = (reader.root("servers") for reader in self._readers)
        before, after = (base_path_of(reader.document) for reader in self._readers)
        if before != after and any(was.own_path != now.own_path for was, now in pairs):
            self._findings.at(
                "base-path-moved", Part("/servers", before or "/"), Part("/servers", after or "/"), Location()
            )
        compare_servers(self._findings, old, new, Location())
        for was, now in pairs:
            had, has = was.inherited("servers"), now.inherited("servers")
            if not same_value(had and had.value, has and has.value):
                compare_servers(self._findings, had or old, has or new, now.location("operation", "servers"))

    def _not_compared(self) -> Iterator[NotCompared]:
        for reader in self._readers:
            for pointer, unread in reader.unread.items():
                nodes = self._schemas.unread.get((reader.side, pointer), [])
                find = functools.partial(self._locations, unread, nodes)
                yield NotCompared(reader.side, pointer, unread.reason, Lazy(find))

    def _locations(self, unread: Unread, nodes: list[Node]) -> Iterator[Location]:
        yield from unread.locations
        for node in nodes:
            for use in self._graph.fields(node):
                yield structs.replace(use.root.location, field=use.field)
