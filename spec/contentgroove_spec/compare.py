"""Compare two OpenAPI documents by what they mean on the wire."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from .changes import Comparison, Location, NotCompared
from .components import compare_unused
from .examples import exemplified
from .findings import Findings, change_of
from .messages import Context, Messages
from .operations import WHOLE, callbacks, parameter_names, read_operations, read_webhooks
from .reading import Part, Reader, Unchanged, encoded
from .schema_comparison import SchemaComparer
from .security import Security
from .servers import base_path_of, compare_servers
from .texts import report_texts
from .uses import ORDER, Graph

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .documents import Document
    from .operations import Operation

_DOCUMENT_TEXTS = frozenset({"openapi", "tags", "externalDocs", "jsonSchemaDialect", "$self"})
_OPERATION_TEXTS = frozenset({"summary", "description", "tags", "externalDocs"})
_SUNSET = "x-sunset"


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
        self._readers = Reader(old, "old"), Reader(new, "new")
        self._findings, self._graph = Findings(), Graph()
        unchanged = Unchanged(*self._readers)
        self._schemas = SchemaComparer(self._readers, unchanged, self._graph, self._findings)
        self._context = Context(self._readers, self._schemas, self._graph, self._findings)
        self._security = Security(self._context)

    def compare(self, old_name: str, new_name: str) -> Comparison:
        identical = encoded(self._readers[0].document) == encoded(self._readers[1].document)
        old, new = (list(self._unique(reader)) for reader in self._readers)
        self._document_parts()
        pairs = self._pair_operations(old, new)
        for before, after in pairs:
            self._operation(before, after)
        self._webhooks()
        self._servers(pairs)
        self._security.compare_schemes()
        self._schemas.run()
        compare_unused(self._context, self._security.required)
        self._schemas.run()
        self._graph.propagate()
        changes = [change_of(exemplified(finding, self._context), self._graph) for finding in self._findings]
        changes.sort(key=lambda change: (ORDER[change.rating], str(change.subject), change.what))
        return Comparison(old_name, new_name, tuple(changes), tuple(self._not_compared()), identical)

    def _unique(self, reader: Reader) -> Iterator[Operation]:
        """Yield the operations; of several with the same method and path only the first is compared."""
        known: dict[tuple[str, str], Operation] = {}
        for operation in read_operations(reader):
            first = known.setdefault(operation.wire_key, operation)
            if first is operation:
                yield operation
            else:
                reader.location = operation.location()
                pointer = first.definition.pointer
                reader.note(operation.definition.pointer, f"It has the same method and path as {pointer}.")

    def _document_parts(self) -> None:
        old, new = (Part("", reader.document) for reader in self._readers)
        report_texts(self._findings, old, new, Location(), fields=_DOCUMENT_TEXTS)
        before, after = old.optional("info"), new.optional("info")
        if before is not None and after is not None and isinstance(after.value, dict):
            fields = frozenset(map(str, [*after.value, *cast("dict[str, Any]", before.value)]))
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
            before = moved.get(operation.own_key)
            if before is None:
                self._findings.at("operation-added", None, operation.definition, operation.location())
                continue
            del waiting[before.wire_key]
            self._moved(before, operation)
            pairs.append((before, operation))
        for operation in waiting.values():
            self._findings.at("operation-removed", operation.definition, None, operation.location())
        return pairs

    def _moved(self, before: Operation, after: Operation) -> None:
        """Report an operation whose URL changed with the path of its servers."""
        origins: list[Part] = []
        for reader, operation in zip(self._readers, (before, after), strict=True):
            part = operation.inherited("servers") or reader.root("servers")
            base = operation.path.removesuffix(operation.own_path)
            origins.append(Part("/servers" if part is None else part.pointer, base or "/"))
        self._findings.at("operation-path-changed", *origins, before.location(), before.direction())

    def _operation(self, old: Operation, new: Operation) -> None:
        """Compare an operation that both documents have."""
        if old.wire_key == new.wire_key and parameter_names(old.path) != parameter_names(new.path):
            parts = (Part(operation.definition.pointer, operation.path) for operation in (old, new))
            self._findings.at("path-parameter-renamed", *parts, new.location())
        for was, now in zip(old.items, new.items, strict=False):
            report_texts(self._findings, was, now, new.location(), fields=_OPERATION_TEXTS)
        self._definition(old, new)
        self._security.compare(old, new)
        if (
            not self._schemas.unchanged(old.definition, new.definition)
            or _inherited(old) != _inherited(new)
            or (not all(map(self._schemas.unchanged, old.items, new.items)))
        ):
            Messages(self._context, old, new).compare()
            self._callbacks(old, new)

    def _definition(self, old: Operation, new: Operation) -> None:
        """Compare the fields of an operation itself."""
        before, after, location, add = old.definition, new.definition, new.location(), self._findings.at
        if encoded(before.value) == encoded(after.value):
            return
        parents = before.pointer, after.pointer
        report_texts(self._findings, before, after, location, fields=_OPERATION_TEXTS)
        had, has = before.optional("operationId"), after.optional("operationId")
        if (had and had.value) != (has and has.value):
            kind = "added" if had is None else "removed" if has is None else "changed"
            add(f"operation-id-{kind}", had, has, location, parents=parents)
        was, now = (part.value.get("deprecated") is True for part in (before, after))
        if was != now:
            rule = "deprecation-added" if now else "deprecation-removed"
            flags = before.optional("deprecated"), after.optional("deprecated")
            add(rule, *flags, location, new.direction(), parents=parents)
        was, now = before.optional(_SUNSET), after.optional(_SUNSET)
        if (was and was.value) != (now and now.value):
            earlier = was is not None and now is not None and _date(now.value) < _date(was.value)
            rule = "sunset-removed" if now is None else "sunset-earlier" if earlier else "sunset-set"
            add(rule, was, now, location, new.direction(), parents=parents)

    def _callbacks(self, old: Operation, new: Operation) -> None:
        before, after = (
            callbacks(reader, operation) for reader, operation in zip(self._readers, (old, new), strict=True)
        )
        self._names(
            {name: [item for items in urls.values() for item in items] for name, urls in before.items()},
            {name: [item for items in urls.values() for item in items] for name, urls in after.items()},
            new,
        )
        for name in before.keys() & after.keys():
            urls = (
                [url for url in before[name] if url not in after[name]],
                [url for url in after[name] if url not in before[name]],
            )
            couples = [(url, url) for url in before[name] if url in after[name]] + list(zip(*urls, strict=False))
            for had, has in couples:
                if had != has and before[name][had] and after[name][has]:
                    parts = (
                        Part(items[0].items[0].pointer, url)
                        for items, url in ((before[name][had], had), (after[name][has], has))
                    )
                    location = Location(new.name, name, "operation")
                    self._findings.at("webhook-url-changed", *parts, location, after[name][has][0].direction())
                self._requests(before[name][had], after[name][has])

    def _webhooks(self) -> None:
        before, after = (dict(read_webhooks(reader)) for reader in self._readers)
        self._names(before, after, None)
        for name in before.keys() & after.keys():
            self._requests(before[name], after[name])

    def _names(
        self, old: dict[str, list[Operation]], new: dict[str, list[Operation]], operation: Operation | None
    ) -> None:
        """Report the webhooks that only one of the documents has."""
        for rule, names, others in (("webhook-removed", old, new), ("webhook-added", new, old)):
            for name in names.keys() - others.keys():
                location = Location(WHOLE if operation is None else operation.name, name, "operation")
                part = names[name][0].items[0] if names[name] else Part(f"/webhooks/{name}", None)
                self._findings.at(rule, *((part, None) if names is old else (None, part)), location, None)

    def _requests(self, old: Sequence[Operation], new: Sequence[Operation]) -> None:
        """Compare the requests of one webhook."""
        before = {operation.method: operation for operation in old}
        after = {operation.method: operation for operation in new}
        for method, operation in before.items():
            if method in after:
                self._operation(operation, after[method])
            else:
                self._findings.at(
                    "operation-removed", operation.definition, None, operation.location(), operation.direction()
                )
        for method, operation in after.items():
            if method not in before:
                self._findings.at(
                    "operation-added", None, operation.definition, operation.location(), operation.direction()
                )

    def _servers(self, pairs: list[tuple[Operation, Operation]]) -> None:
        old, new = (reader.root("servers") for reader in self._readers)
        paths = [base_path_of(reader.document) for reader in self._readers]
        if paths[0] != paths[1] and any(before.own_path != after.own_path for before, after in pairs):
            parts = (Part("/servers", path or "/") for path in paths)
            self._findings.at("base-path-moved", *parts, Location())
        compare_servers(self._findings, old, new, [Location()])
        for before, after in pairs:
            own = [operation.inherited("servers") for operation in (before, after)]
            if any(own) and not (all(own) and encoded(own[0].value) == encoded(own[1].value)):  # type: ignore[union-attr]
                location = after.location("operation", "servers")
                compare_servers(self._findings, own[0] or old, own[1] or new, [location])

    def _not_compared(self) -> Iterator[NotCompared]:
        for reader in self._readers:
            for pointer, unread in reader.unread.items():
                nodes = self._schemas.unread.get((reader.side, pointer), [])
                locations = dict.fromkeys(unread.locations)
                for node in nodes:
                    for root, _, _ in self._graph.fields(node):
                        locations[root.location] = None
                yield NotCompared(reader.side, pointer, unread.reason, tuple(locations))


def _inherited(operation: Operation) -> list[bytes]:
    return [
        encoded({name: value for name, value in item.value.items() if name in {"parameters", "servers"}})
        for item in operation.items
    ]


def _date(value: Any) -> str:
    return "".join(re.findall(r"\d", str(value))[:8])
