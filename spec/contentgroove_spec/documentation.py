"""Find changes that concern only readers and generators: texts, examples, names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape

from .canonical import SCHEMA_DOCUMENTATION
from .changes import Change, Location, Rating
from .documents import without_timestamps
from .operations import parameter_numbers
from .places import locate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Kind
    from .compare import ComparedDocument
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
    walker = _TextCollector()
    for key, operation in after.operations.items():
        old = before.operations.get(key)
        if old is None:
            continue
        names = {key: operation}
        pointer = f"#/paths/{escape(key[1])}/{key[0]}"
        holder = {"paths": {key[1]: {key[0]: operation.definition}}}
        if parameter_numbers(old.path) != parameter_numbers(operation.path):
            location = Location(operation.name, part="operation")
            what = f"The path's parameters were renamed; it was `{old.path}`."
            yield _change(
                "changed", location, what, "The names in braces are never sent.", old=old.path, new=operation.path
            )
        for found, kind, was, now in walker.walk(old.definition, operation.definition, pointer):
            location = locate(found.rpartition("/")[0], holder, names)
            yield _documented(kind, location, found.rpartition("/")[2], was, now)
    yield from _unused_components(before, after)


def _documented(kind: Kind, location: Location, field: str, was: Any, now: Any) -> Change:
    name = field.replace("~1", "/").replace("~0", "~")
    example = name in {"example", "examples"}
    if (
        example
        and kind == "changed"
        and without_timestamps(was, in_example=True) == without_timestamps(now, in_example=True)
    ):
        return _change(kind, location, _TIMESTAMPS, "Collections of documents rewrite them.", old=was, new=now)
    reason = "Examples are not binding." if example else "It is never sent."
    return _change(kind, location, f"`{name}` {'was ' if kind != 'changed' else ''}{kind}.", reason, old=was, new=now)


def _change(kind: Kind, location: Location, what: str, reason: str, *, old: Any = None, new: Any = None) -> Change:
    return Change(Rating.DOCUMENTATION, kind, location, what, reason, old, new)


def _document(old: Document, new: Document) -> Iterator[Change]:
    for name in ("openapi", "info", "tags", "externalDocs"):
        was, now = old.get(name), new.get(name)
        if isinstance(was, dict) and isinstance(now, dict):
            before, after = cast("Document", was), cast("Document", now)
            for key in sorted(before.keys() | after.keys()):
                if before.get(key) != after.get(key):
                    yield _documented(
                        _kind(before.get(key), after.get(key)),
                        Location(name=name),
                        key,
                        before.get(key),
                        after.get(key),
                    )
        elif was != now:
            yield _documented(_kind(was, now), Location(), name, was, now)


def _kind(old: Any, new: Any) -> Kind:
    return "added" if old is None else "removed" if new is None else "changed"


def _unused_components(before: ComparedDocument, after: ComparedDocument) -> Iterator[Change]:
    """Compare schemas that no operation uses."""
    old, new = (side.document.get("components", {}).get("schemas", {}) for side in (before, after))
    for name in sorted(old.keys() | new.keys()):
        reference = f"#/components/schemas/{name}"
        used = (reference in before.followed, reference in after.followed)
        if (name in old and used[0]) or (name in new and used[1]) or old.get(name) == new.get(name):
            continue
        kind = _kind(old.get(name), new.get(name))
        what = f"The schema {'was ' if kind != 'changed' else ''}{kind}."
        yield _change(
            kind, Location(name=f"schema {name}"), what, "No operation uses it.", old=old.get(name), new=new.get(name)
        )


class _TextCollector:
    """Walks through pairs of values; a shared schema is compared only at its first occurrence."""

    def __init__(self) -> None:
        self._seen: dict[tuple[int, int], tuple[Any, Any]] = {}

    def walk(self, old: Any, new: Any, pointer: str, *, names: bool = False) -> Iterator[tuple[str, Kind, Any, Any]]:
        """Yield the pointer, the kind, the old and the new value of each difference."""
        if old is new or (id(old), id(new)) in self._seen:
            return
        if isinstance(old, dict) and isinstance(new, dict):
            # The pair is kept alive, because a freed object's id may be used again.
            before, after = cast("Document", old), cast("Document", new)
            self._seen[id(before), id(after)] = (before, after)
            yield from self._objects(before, after, pointer, names=names)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(cast("list[Any]", old), cast("list[Any]", new), pointer)

    def _objects(
        self, old: Document, new: Document, pointer: str, *, names: bool
    ) -> Iterator[tuple[str, Kind, Any, Any]]:
        for name in [*new, *(name for name in old if name not in new)]:
            inner = f"{pointer}/{escape(str(name))}"
            was, now = old.get(name), new.get(name)
            if not names and (name in _FIELDS or str(name).startswith("x-")):
                if was != now:
                    yield inner, _kind(was, now), was, now
            elif names or name not in _DATA:
                yield from self.walk(was, now, inner, names=name in _NAMED and not names)

    def _lists(self, old: list[Any], new: list[Any], pointer: str) -> Iterator[tuple[str, Kind, Any, Any]]:
        by_name = {_name(item): item for item in old}
        for index, item in enumerate(new):
            name = _name(item)
            other = by_name.get(name) if name is not None else old[index] if index < len(old) else None
            yield from self.walk(other, item, f"{pointer}/{index}")


def _name(item: Any) -> tuple[str, str] | None:
    if isinstance(item, dict) and "name" in item and "in" in item:
        parameter = cast("Document", item)
        return str(parameter["name"]), str(parameter["in"])
    return None
