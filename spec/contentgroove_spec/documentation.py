"""Find changes that concern only readers and generators: texts, examples, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape, join, split

from . import legacy
from .canonical import SCHEMA_DOCUMENTATION, ComparedDocument, shared_operations
from .changes import Change, Location, Rating, kind_of
from .documents import without_timestamps
from .operations import parameter_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .documents import Document

_FIELDS = SCHEMA_DOCUMENTATION | {"summary", "tags", "links", "termsOfService", "contact", "license", "version"}
_NAMED = frozenset(
    {"properties", "patternProperties", "responses", "headers", "content", "callbacks", "dependentSchemas", "$defs"}
)
_DATA = frozenset({"default", "enum", "const", "security", "servers"})
_TIMESTAMPS = "Only timestamps in the example changed."


def documentation_changes(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Yield every change that has no effect on the wire."""
    yield from _document(before.document, after.document)
    collector = _TextCollector()
    for key, old, new in shared_operations(before, after):
        if parameter_numbers(old.path) != parameter_numbers(new.path):
            location = Location(new.name, part="operation")
            what = f"The path's parameters were renamed; it was `{old.path}`."
            reason = "The names in braces are never sent."
            yield legacy.change(Rating.DOCUMENTATION, "changed", location, what, reason, old.path, new.path)
        document = {"paths": {key[1]: {key[0]: new.definition}}}
        for pointer, was, now in collector.differences(old.definition, new.definition, join(["paths", *key[::-1]])):
            parent, _, field = pointer.rpartition("/")
            yield _documented(legacy.locate(parent, document, {key: new}), split(f"/{field}")[0], was, now)
    yield from _unused_components(before, after)


def _documented(location: Location, field: str, was: Any, now: Any) -> Change:
    kind = kind_of(was, now)
    what, reason = f"`{field}` {'was ' if kind != 'changed' else ''}{kind}.", "It is never sent."
    if field in {"example", "examples"}:
        reason = "Examples are not binding."
        old, new = (without_timestamps(value, in_example=True) for value in (was, now))
        if kind == "changed" and old == new:
            what, reason = _TIMESTAMPS, "Collections of documents rewrite them."
    return legacy.change(Rating.DOCUMENTATION, kind, location, what, reason, was, now)


def _document(old: Document, new: Document) -> Iterator[Change]:
    for name in ("openapi", "info", "tags", "externalDocs"):
        was, now = old.get(name), new.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            before, after = cast("Document", was), cast("Document", now)
            for key in sorted(before.keys() | after.keys()):
                if before.get(key) != after.get(key):
                    yield _documented(Location(name=name), key, before.get(key), after.get(key))
        elif was != now:
            yield _documented(Location(), name, was, now)


def _unused_components(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Compare schemas that no operation uses."""
    old, new = (side.document.get("components", {}).get("schemas", {}) for side in (before, after))
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was == now or f"#/components/schemas/{name}" in before.followed | after.followed:
            continue
        kind = kind_of(was, now)
        what = f"The schema {'was ' if kind != 'changed' else ''}{kind}."
        location = Location(name=f"schema {name}")
        yield legacy.change(Rating.DOCUMENTATION, kind, location, what, "No operation uses it.", was, now)


class _TextCollector:
    """Walks through pairs of values; a shared schema is compared only at its first occurrence."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}

    def differences(self, old: Any, new: Any, pointer: str, *, names: bool = False) -> Iterator[tuple[str, Any, Any]]:
        """Yield the JSON pointer, the old and the new value of each difference of texts.

        Args:
            old: The old value.
            new: The new value.
            pointer: Their JSON pointer.
            names: Whether the keys of the values are names that the document chooses, not fields of OpenAPI.
        """
        if old is new or (id(old), id(new)) in self._seen:
            return
        if isinstance(old, dict) and isinstance(new, dict):
            # The pair is kept alive, because a freed object's id may be used again.
            before, after = cast("Document", old), cast("Document", new)
            self._seen[id(before), id(after)] = (before, after)
            yield from self._objects(before, after, pointer, names=names)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(cast("list[Any]", old), cast("list[Any]", new), pointer)

    def _objects(self, old: Document, new: Document, pointer: str, *, names: bool) -> Iterator[tuple[str, Any, Any]]:
        for name in [*new, *(name for name in old if name not in new)]:
            inner = f"{pointer}/{escape(str(name))}"
            was, now = old.get(name), new.get(name)
            if not names and (name in _FIELDS or str(name).startswith("x-")):
                if was != now:
                    yield inner, was, now
            elif names or name not in _DATA:
                yield from self.differences(was, now, inner, names=name in _NAMED and not names)

    def _lists(self, old: list[Any], new: list[Any], pointer: str) -> Iterator[tuple[str, Any, Any]]:
        by_name = {_name(item): item for item in old}
        for index, item in enumerate(new):
            name = _name(item)
            other = by_name.get(name) if name is not None else old[index] if index < len(old) else None
            yield from self.differences(other, item, f"{pointer}/{index}")


def _name(item: Any) -> tuple[str, str] | None:
    if isinstance(item, dict) and "name" in item and "in" in item:
        parameter = cast("Document", item)
        return str(parameter["name"]), str(parameter["in"])
    return None
