"""Which components a field passes: `data[].attributes.name` of a response is `attributes.name` of the schema Media.

Reports name only the shortest fields below recursive schemas; an app's field is looked up here, in the whole document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list, as_object
from contentgroove._openapi.pointers import escape, split

from .changes import Location
from .operations import callbacks, read_operations, read_webhooks
from .reading import Part, Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .changes import Side
    from .documents import Document
    from .operations import Operation

_UNIONS = ("allOf", "anyOf", "oneOf")
_CONDITIONS = ("if", "then", "else", "not")
_ITEMS = ("items", "contains", "unevaluatedItems", "additionalProperties", "unevaluatedProperties")
_OTHERS = ("additionalProperties", "unevaluatedProperties")


class FieldPaths:
    """Follows fields through the schemas of one document."""

    def __init__(self, document: Document, side: Side) -> None:
        self._reader = Reader(document, side)
        self._schemas: dict[Location, list[Part]] = {}
        for operation in read_operations(self._reader):
            self._add(operation)
            for urls in callbacks(self._reader, operation).values():
                for request in (request for requests in urls.values() for request in requests):
                    self._add(request)
        for _, requests in read_webhooks(self._reader):
            for request in requests:
                self._add(request)

    def _add(self, operation: Operation) -> None:
        body = operation.definition.optional("requestBody")
        self._add_content(operation.location("request"), body)
        for status, response in self._reader.members(operation.definition.optional("responses")):
            self._add_content(operation.location("response", status), response)

    def _add_content(self, location: Location, holder: Part | None) -> None:
        found = None if holder is None else self._reader.follow(holder)
        for _, media in self._reader.members(None if found is None else found.optional("content")):
            schema = media.optional("schema")
            if schema is not None:
                self._schemas.setdefault(location, []).append(schema)

    def passed(self, location: Location, fields: Iterable[str]) -> set[tuple[str, str]]:
        """Return the components that fields pass, each with the rest of the field inside it, as JSON pointers.

        Args:
            location: The request or response; its own field and detail do not count.
            fields: The fields in its body.
        """
        position = Location(location.operation, location.webhook, location.part, location.name)
        found: set[tuple[str, str]] = set()
        for schema in self._schemas.get(position, ()):
            for field in fields:
                pending = [(schema, tuple(split(field)))]
                known: set[tuple[str, tuple[str, ...]]] = set()
                while pending:
                    part, steps = pending.pop()
                    if (part.pointer, steps) in known or not isinstance(part.value, dict):
                        continue
                    known.add((part.pointer, steps))
                    if part.pointer.startswith("/components/"):
                        found.add((part.pointer, "".join(f"/{escape(step)}" for step in steps)))
                    pending.extend(self._next(part, steps))
        return found

    def _next(self, part: Part, steps: tuple[str, ...]) -> Iterator[tuple[Part, tuple[str, ...]]]:
        schema = cast("dict[str, Any]", part.value)
        if "$ref" in schema and isinstance(target := self._reader.find(schema["$ref"]), Part):
            yield target, steps
        for keyword in _UNIONS:
            yield from ((branch, steps) for branch in _items(part.optional(keyword)))
        yield from ((part.member(keyword), steps) for keyword in _CONDITIONS if keyword in schema)
        if not steps:
            return
        step, rest = steps[0], steps[1:]
        properties = part.optional("properties")
        named = None if properties is None else properties.optional(step)
        if named is not None:
            yield named, rest
        yield from (
            (part.member(keyword), rest) for keyword in (_ITEMS if step == "*" else _OTHERS) if keyword in schema
        )
        patterns = part.optional("patternProperties")
        if patterns is not None:
            yield from ((patterns.member(name), rest) for name in as_object(patterns.value))
        if step == "*":
            yield from ((item, rest) for item in _items(part.optional("prefixItems")))


def _items(part: Part | None) -> Iterator[Part]:
    if part is not None:
        yield from (part.item(index) for index in range(len(as_list(part.value))))
