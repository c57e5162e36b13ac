"""Compares operations that both documents have, and the webhooks that they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import join

from .changes import Location
from .messages import compare_messages
from .operations import WHOLE, callbacks, parameter_names, read_webhooks
from .reading import Part, same_value
from .texts import lifecycle_changes, report_texts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Context
    from .operations import Operation
    from .security import Security

_TEXTS = frozenset({"summary", "description", "tags", "externalDocs"})


class OperationComparer:
    """Compares pairs of operations."""

    def __init__(self, context: Context, security: Security) -> None:
        self._context = context
        self._security = security

    def compare(self, old: Operation, new: Operation) -> None:
        """Compare an operation that both documents have."""
        add = self._context.findings.at
        if old.wire_key == new.wire_key and parameter_names(old.path) != parameter_names(new.path):
            was, now = (Part(operation.definition.pointer, operation.path) for operation in (old, new))
            add("path-parameter-renamed", was, now, new.location())
        for before, after in zip(old.items, new.items, strict=False):
            report_texts(self._context.findings, before, after, new.location(), fields=_TEXTS)
        self._definition(old, new)
        self._security.compare(old, new)
        if not self._is_same(old, new):
            compare_messages(self._context, old, new)
            self._callbacks(old, new)

    def _is_same(self, old: Operation, new: Operation) -> bool:
        pairs = zip((old.definition, *old.items), (new.definition, *new.items), strict=False)
        names = parameter_names(old.path) == parameter_names(new.path)
        return (
            names and len(old.items) == len(new.items) and all(self._context.schemas.unchanged(*pair) for pair in pairs)
        )

    def _definition(self, old: Operation, new: Operation) -> None:
        """Compare the fields of an operation itself."""
        before, after, location, add = old.definition, new.definition, new.location(), self._context.findings.at
        if same_value(before.value, after.value):
            return
        parents = before.pointer, after.pointer
        report_texts(self._context.findings, before, after, location, fields=_TEXTS)
        had, has = before.optional("operationId"), after.optional("operationId")
        if (had and had.value) != (has and has.value):
            kind = "added" if had is None else "removed" if has is None else "changed"
            add(f"operation-id-{kind}", had, has, location, parents=parents)
        for rule, was, now in lifecycle_changes(before, after):
            add(rule, was, now, location, new.direction(), parents=parents)

    def _callbacks(self, old: Operation, new: Operation) -> None:
        readers = self._context.readers
        self._context.locate(new.location())
        before, after = callbacks(readers[0], old), callbacks(readers[1], new)
        self._names(_merged(before), _merged(after), new)
        for name in [name for name in before if name in after]:
            self._extensions(old.definition, new.definition, name, new)
            had, has = before[name], after[name]
            gone = [url for url in had if url not in has]
            come = [url for url in has if url not in had]
            for url in [url for url in had if url in has]:
                self._requests(had[url], has[url])
            for was, now in zip(gone, come, strict=False):
                self._moved(name, (was, had[was]), (now, has[now]))
                self._requests(had[was], has[now])
            for url in gone[len(come) :]:
                self._requests(had[url], ())
            for url in come[len(gone) :]:
                self._requests((), has[url])

    def _extensions(self, old: Part, new: Part, name: str, operation: Operation) -> None:
        """Compare the extensions of a callback."""
        callback = self._context.follow(*(part.member("callbacks").member(name) for part in (old, new)))
        if callback is not None:
            location = Location(operation.name, name, "operation")
            report_texts(self._context.findings, *callback, location, fields=frozenset())

    def _moved(self, name: str, old: tuple[str, list[Operation]], new: tuple[str, list[Operation]]) -> None:
        """Report a webhook that is sent to another URL."""
        if old[1] and new[1]:
            was, now = (Part(requests[0].items[0].pointer, url) for url, requests in (old, new))
            location = Location(new[1][0].sender, name, "operation")
            self._context.findings.at("webhook-url-changed", was, now, location)

    def compare_webhooks(self) -> None:
        """Compare the webhooks that belong to no operation."""
        before, after = (dict(read_webhooks(reader)) for reader in self._context.readers)
        self._names(before, after, None)
        for name in [name for name in before if name in after]:
            self._requests(before[name], after[name])

    def _names(
        self, old: dict[str, list[Operation]], new: dict[str, list[Operation]], operation: Operation | None
    ) -> None:
        """Report the webhooks that only one of the documents has."""
        sender = WHOLE if operation is None else operation.name
        for name in [name for name in old if name not in new]:
            location = Location(sender, name, "operation")
            self._context.findings.at("webhook-removed", _origin(name, old[name]), None, location)
        for name in [name for name in new if name not in old]:
            location = Location(sender, name, "operation")
            self._context.findings.at("webhook-added", None, _origin(name, new[name]), location)

    def _requests(self, old: Iterable[Operation], new: Iterable[Operation]) -> None:
        """Compare the requests of one webhook."""
        before = {operation.method: operation for operation in old}
        after = {operation.method: operation for operation in new}
        add = self._context.findings.at
        for method, operation in before.items():
            if method in after:
                self.compare(operation, after[method])
            else:
                add("operation-removed", operation.definition, None, operation.location(), operation.direction())
        for method, operation in after.items():
            if method not in before:
                add("operation-added", None, operation.definition, operation.location(), operation.direction())


def _merged(urls: dict[str, dict[str, list[Operation]]]) -> dict[str, list[Operation]]:
    return {name: [request for requests in by_url.values() for request in requests] for name, by_url in urls.items()}


def _origin(name: str, requests: list[Operation]) -> Part:
    return requests[0].items[0] if requests else Part(join(["webhooks", name]), None)
