"""The operations of a document by their URL on the wire, regardless of its split into servers and path keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.operations import METHODS

from .changes import Direction, Location
from .reading import Part, Reader
from .servers import base_path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Part as PartName
    from .documents import Document

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_METHODS = (*METHODS, "query")
WHOLE = "the whole document"
"""The name of what sends webhooks that belong to no operation (new in OpenAPI 3.1)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, or one request that the API sends.

    Attributes:
        method: In upper case.
        path: The path on the wire, with the document's own names in braces.
        own_path: The path's key in the document.
        definition: The operation in the document.
        items: The path items that it inherits parameters and servers from.
        webhook: The name of the webhook or callback; empty for an operation of the API itself.
        sender: The operation whose callback it is.
    """

    method: str
    path: str
    own_path: str
    definition: Part
    items: tuple[Part, ...] = ()
    webhook: str = ""
    sender: str = ""

    @property
    def wire_key(self) -> tuple[str, str]:
        """The method, and the path with numbers in braces: a key that survives renamed path parameters."""
        return self.method.lower(), with_numbered_parameters(self.path)

    @property
    def own_key(self) -> tuple[str, str]:
        """The same with the path's key in the document."""
        return self.method.lower(), with_numbered_parameters(self.own_path)

    @property
    def name(self) -> str:
        """The name for people, such as `GET /api/v1/medias`."""
        return self.sender or f"{self.method} {self.path}"

    def location(self, part: PartName = "operation", name: str = "", detail: str = "") -> Location:
        """Return the location of one of its parts."""
        return Location(self.name, self.webhook, part, name, detail=detail)

    def direction(self, *, response: bool = False) -> Direction:
        """Return whether an app sends its requests, or its responses."""
        return Direction.RECEIVED if response != bool(self.webhook) else Direction.SENT

    def inherited(self, name: str) -> Part | None:
        """Return a member of the operation or, if it has none, of its path item."""
        found = (holder.optional(name) for holder in (self.definition, *self.items))
        return next((part for part in found if part is not None), None)


def with_numbered_parameters(path: str) -> str:
    """Replace a path's parameter names by the numbers 1, 2, …."""
    count = iter(range(1, 1000))
    return _VARIABLE.sub(lambda _: f"{{{next(count)}}}", path)


def parameter_names(path: str) -> list[str]:
    """Return the names in a path's braces, in order."""
    return _VARIABLE.findall(path)


def operations(document: Document) -> Iterator[Operation]:
    """Yield every operation of a document."""
    yield from read_operations(Reader(document, "new"))


def read_operations(reader: Reader) -> Iterator[Operation]:
    """Yield every operation of a document; what cannot be read is noted."""
    base = base_path_of(reader.document)
    for path, node in reader.members(reader.root("paths")):
        for operation in item_operations(reader, path, node):
            servers = operation.inherited("servers")
            own = base if servers is None or not servers.value else base_path_of({"servers": servers.value})
            yield Operation(operation.method, own + path, path, operation.definition, operation.items)


def read_webhooks(reader: Reader) -> Iterator[tuple[str, list[Operation]]]:
    """Yield the webhooks that belong to no operation, by their names."""
    for name, node in reader.members(reader.root("webhooks")):
        yield name, list(item_operations(reader, name, node, webhook=name, sender=WHOLE))


def item_operations(
    reader: Reader, path: str, node: Part, *, webhook: str = "", sender: str = ""
) -> Iterator[Operation]:
    """Yield the operations of a path item."""
    reader.location = Location(sender or path, webhook, "operation")
    items = tuple(_items(reader, node))
    known: set[str] = set()
    for item in items:
        for method, definition in _definitions(reader, item):
            if method not in known and reader.is_object(definition):
                known.add(method)
                yield Operation(method, path, path, definition, items, webhook, sender)
    reader.location = None


def _items(reader: Reader, node: Part) -> Iterator[Part]:
    """Yield a path item, and the one that it refers to: the fields of both count (OpenAPI 3.1, 4.8.9)."""
    if not reader.is_object(node):
        return
    yield node
    if "$ref" in node.value and (target := reader.follow(node)) is not None:
        yield target


def _definitions(reader: Reader, item: Part) -> Iterator[tuple[str, Part]]:
    for method in _METHODS:
        if method in item.value:
            yield method.upper(), item.member(method)
    # New in OpenAPI 3.2.
    if "additionalOperations" in item.value:
        for method, definition in reader.members(item.member("additionalOperations")):
            yield method, definition


def inherited_parameters(reader: Reader, operation: Operation) -> list[tuple[Part, Part]]:
    """Return the parameters of an operation and of its path, each with the entry that may be a reference to it."""
    found: dict[tuple[Any, Any], tuple[Part, Part]] = {}
    for holder in (*reversed(operation.items), operation.definition):
        for entry in reader.items(holder.optional("parameters")):
            parameter = reader.follow(entry)
            if parameter is not None:
                value = cast("dict[str, Any]", parameter.value)
                found[str(value.get("in")), str(value.get("name"))] = entry, parameter
    return list(found.values())


def callbacks(reader: Reader, operation: Operation) -> dict[str, dict[str, list[Operation]]]:
    """Return the requests that the API sends because of an operation: by name, then by the URL's expression."""
    found: dict[str, dict[str, list[Operation]]] = {}
    for name, node in reader.members(operation.definition.optional("callbacks")):
        callback = reader.follow(node)
        found[name] = {
            expression: list(item_operations(reader, expression, item, webhook=name, sender=operation.name))
            for expression, item in reader.members(callback)
        }
    return found
