"""What the corrections found in the published document when they were written: the record that they are checked with.

The record maps locations of the published document to what a correction found there. `Beneath` is a node that a
correction adds something to, `Absent` and `Value` are what it replaces. The file groups them by the node that contains
them, so that a reviewer sees a resource's attributes side by side.
"""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from contentgroove._openapi.documents import DocumentError, parse
from contentgroove._openapi.pointers import join, split
from contentgroove_spec import PipelineError
from contentgroove_spec.documents import canonical_digest, digest, dump_yaml, without_timestamps

from .locations import ABSENT, Location, find, is_in_example
from .overlay import apply_actions, is_same

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from contentgroove_spec.documents import Document

    from .overlay import Write

HEADER = """\
# What the corrections found in the published document when they were written; `make generate` writes this file.
#   is      the type of something that a correction adds to
#   lacks   what a correction adds, and was not there
#   has     what a correction changes or removes, with its value
#   items   a list that a correction extends
#   names   the names that a correction writes into a pattern (x-names)
# Where the published document differs from it, a correction is done, in conflict or orphaned: `make generate` and
# `make spec-diff` say which.
"""

MAX_TEXT = 120
"""Characters; of longer texts the record has only the digest."""

_MEMBERS = {"is", "lacks", "has", "items", "names"}
Steps: TypeAlias = "tuple[str | int, ...]"
"""Keys and indexes."""

COMPOSITION = {"not", "allOf", "anyOf", "oneOf", "if", "then", "else"}
"""Keywords whose schemas are about the same value as the schema around them."""


@dataclass(slots=True)
class Record:
    """What the corrections found.

    Attributes:
        published: The digest of the document in which they found it.
        shapes: The types of the nodes that corrections add to.
        values: What corrections replace or remove; ABSENT for what they add.
        items: The items of the lists that corrections extend.
        names: The keys of the objects that an action names in `x-names`.
    """

    published: str
    shapes: dict[Location, str] = field(default_factory=dict[Location, str])
    values: dict[Location, Any] = field(default_factory=dict[Location, Any])
    items: dict[Location, list[Any]] = field(default_factory=dict[Location, list[Any]])
    names: dict[Location, list[str]] = field(default_factory=dict[Location, list[str]])

    def value(self, location: Location) -> Any:
        """Return what a correction found there: a value, ABSENT, or None if nothing is recorded."""
        if location in self.values:
            return self.values[location]
        parent = location[:-1]
        if parent in self.items:
            return next((item for item in self.items[parent] if find([item], location[-1:]) is not ABSENT), ABSENT)
        return ABSENT if self.values.get(parent) is ABSENT else None

    def describe(self, location: Location) -> str:
        """Return what a correction found there in a few words; empty if that is nothing, or nothing is recorded."""
        value = self.value(location)
        if location in self.shapes or value is None or value is ABSENT:
            return self.shapes.get(location, "")
        return shape(value, location) if isinstance(value, (dict, list)) else repr(value)


def shape(value: Any, location: Location) -> str:
    """Return the type of a node, as far as a correction of it relies on it. Whether it can be null does not count."""
    if not isinstance(value, dict):
        return "array" if isinstance(value, list) else "value"
    node = cast("Document", value)
    kind = node.get("type")
    if is_in_example(location):
        return "object"
    if "$ref" in node or isinstance(kind, str):
        return str(node.get("$ref", kind))
    if isinstance(kind, list):
        return " or ".join(sorted(str(item) for item in cast("list[Any]", kind) if item != "null"))
    return next((word for word in ("allOf", "anyOf", "oneOf") if word in node), "object")


def required_properties(location: Location, value: Any) -> Iterator[tuple[Steps, Location]]:
    """Yield the properties that a written value requires: the path in it, and their locations.

    Below `not`, `anyOf` and the like, `required` names properties of the same schema.
    """
    if location[-1:] == ("required",) and isinstance(value, list):
        for index, name in enumerate(cast("list[Any]", value)):
            yield (index,), (*location[:-1], "properties", str(name))
    elif location[-2:-1] == ("required",):
        yield (), (*location[:-2], "properties", location[-1])
    elif location[-1:] and location[-1] in COMPOSITION:
        yield from _composed(value, location[:-1])


def _composed(value: Any, schema: Location) -> Iterator[tuple[Steps, Location]]:
    if isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from (((index, *path), found) for path, found in _composed(item, schema))
    elif isinstance(value, dict):
        for key, member in cast("Document", value).items():
            if key == "required":
                found = required_properties((*schema, key), member)
            elif key in COMPOSITION:
                found = _composed(member, schema)
            else:
                continue
            yield from (((key, *path), location) for path, location in found)


def make_record(published: Document, overlay: Document) -> Record:
    """Apply the corrections to a published document, and record what they find."""
    record = Record(canonical_digest(published))

    def note(write: Write) -> bool:
        found = find(published, write.location)
        if write.kind == "merge":
            if found is not ABSENT:
                record.shapes[write.location] = shape(found, write.location)
                if isinstance(found, list) and not _is_named(cast("list[Any]", found), write.location):
                    record.items[write.location] = cast("list[Any]", found)
        elif write.location[:-1] not in record.items and (write.kind != "remove" or found is not ABSENT):
            record.values[write.location] = _condense(found, write.location)
        if write.kind in {"set", "append"}:
            for _, name in required_properties(write.location, write.value):
                required = find(published, name)
                if required is not ABSENT:
                    record.shapes[name] = shape(required, name)
        return True

    apply_actions(published, overlay, note)
    for action in cast("list[Document]", overlay["actions"]):
        location = location_of_names(action)
        if location:
            found = find(published, location)
            names = cast("Document", found) if isinstance(found, dict) else {}
            text = json.dumps(action.get("update"))
            record.names[location] = sorted(name for name in names if has_name(text, name))
    return record


def _is_named(items: list[Any], location: Location) -> bool:
    """Return whether further items of a list are not a correction's concern: parameters, and names of properties."""
    return location[-1] == "required" or all(isinstance(item, dict) and "name" in item for item in items)


def location_of_names(action: Document) -> Location:
    """Return the location of the names that an action writes into a pattern, by its member `x-names`.

    Raises:
        PipelineError: That is not a JSON pointer.
    """
    pointer = action.get("x-names", "")
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise PipelineError(f"x-names must be a JSON pointer into the published document, not {pointer!r}.")
    return tuple(split(pointer))


def has_name(text: str, name: str) -> bool:
    """Return whether a pattern, as JSON, contains a name as a whole."""
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def write_record(record: Record) -> str:
    """Write the file."""
    found: dict[Location, Document] = {}
    for location, kind in record.shapes.items():
        found.setdefault(location, {})["is"] = kind
    for location, value in record.values.items():
        node = found.setdefault(location[:-1], {})
        if value is ABSENT:
            node.setdefault("lacks", []).append(location[-1])
        else:
            node.setdefault("has", {})[location[-1]] = value
    for location, items in record.items.items():
        found.setdefault(location, {})["items"] = items
    for location, names in record.names.items():
        found.setdefault(location, {})["names"] = names
    lines = [HEADER, f"published: {record.published}\n", "found:\n"]
    for location, node in sorted(found.items()):
        if "lacks" in node:
            node["lacks"].sort()
        key = json.dumps(join(location), ensure_ascii=False)
        if "has" in node:
            lines += [f"  {key}:\n", textwrap.indent(dump_yaml(node), "    ")]
        else:
            lines.append(f"  {key}: {json.dumps(node, ensure_ascii=False)}\n")
    return "".join(lines)


def read_record(path: Path) -> Record | None:
    """Read the file; None if there is none.

    Raises:
        PipelineError: It cannot be read, or is not a record.
    """
    try:
        document = parse(path.read_bytes(), path.name)
        record = Record(str(document["published"]))
        for pointer, node in cast("dict[str, Document]", document["found"]).items():
            location = tuple(split(pointer))
            if not node.keys() <= _MEMBERS:
                raise PipelineError(f"{path.name}: {pointer} has unknown members: run `make generate`.")
            if "is" in node:
                record.shapes[location] = str(node["is"])
            record.values.update(((*location, str(name)), ABSENT) for name in node.get("lacks", ()))
            record.values.update(((*location, name), value) for name, value in node.get("has", {}).items())
            if "items" in node:
                record.items[location] = list(node["items"])
            if "names" in node:
                record.names[location] = list(node["names"])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PipelineError(f"Cannot read {path.name}: {error.strerror}.") from error
    except (DocumentError, KeyError, AttributeError, TypeError) as error:
        raise PipelineError(f"{path.name} is not a record of the corrections: {error}. Restore it.") from error
    return record


def equals(one: Any, other: Any, location: Location) -> bool:
    """Return whether two values at a location are the same. Timestamps in examples do not count."""
    if one is ABSENT or other is ABSENT:
        return one is other
    return is_same(_condense(one, location), _condense(other, location))


def _condense(value: Any, location: Location) -> Any:
    """Replace timestamps in examples, and texts that are too long to be compared by a person."""
    return _without_long_texts(without_timestamps(value, in_example=is_in_example(location)))


def _without_long_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_long_texts(item) for name, item in cast("Document", value).items()}
    if isinstance(value, list):
        return [_without_long_texts(item) for item in cast("list[Any]", value)]
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{len(value)} characters, sha256 {digest(value.encode())[:16]}"
    return value


def differences(expected: Any, found: Any, location: Location) -> Iterator[tuple[Location, Any, Any]]:
    """Yield where two values differ, as deep as possible: the location, what was expected and what was found."""
    if isinstance(expected, dict) and isinstance(found, dict):
        old, new = cast("Document", expected), cast("Document", found)
        for key in dict.fromkeys((*old, *new)):
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), (*location, key))
    elif not equals(expected, found, location):
        yield location, expected, found
