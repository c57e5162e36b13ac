"""Reads the parts of one document; what cannot be read is noted, so that it never hides the rest.

Nothing is expanded: a part is known by its JSON pointer, and references are followed one by one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast
from urllib.parse import unquote

import msgspec
from contentgroove._openapi.pointers import escape, split
from contentgroove._openapi.schemas import COMPONENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .changes import Location, Side
    from .documents import Document

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")
_REFERENCES = ("$ref", "$dynamicRef")
_KINDS = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}


class Part(NamedTuple):
    """A part of a document.

    Attributes:
        pointer: Its JSON pointer.
        value: Its value.
    """

    pointer: str
    value: Any

    @property
    def is_object(self) -> bool:
        """Whether it is an object."""
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, list)

    @property
    def has_parts(self) -> bool:
        """Whether it is an object or a list."""
        return isinstance(self.value, (dict, list))

    def member(self, name: str) -> Part:
        """Return a member of an object that has it."""
        return Part(f"{self.pointer}/{escape(name)}", self.value[name])

    def optional(self, name: str) -> Part | None:
        """Return a member of an object; None if there is none."""
        return self.member(name) if self.is_object and name in self.value else None

    def item(self, index: int) -> Part:
        """Return an item of a list."""
        return Part(f"{self.pointer}/{index}", self.value[index])


@dataclass(slots=True)
class Unread:
    """A part that could not be read: why, and the locations that use it."""

    reason: str
    locations: list[Location] = field(default_factory=list["Location"])


class Reader:
    """Reads one document.

    Attributes:
        side: The document's role.
        document: Its content.
        references_stand_alone: Whether what is next to a `$ref` in a schema does not count, as in OpenAPI 3.0.
        unread: What could not be read, by JSON pointers.
        location: The location in the API that is being read.
    """

    def __init__(self, document: Document, side: Side) -> None:
        self.side: Side = side
        self.document = document
        self.references_stand_alone = str(document.get("openapi")).startswith("3.0")
        self.unread: dict[str, Unread] = {}
        self.location: Location | None = None
        self._targets: dict[str, Part | str] = {}
        self._mappings: dict[str, dict[str, Part]] = {}
        self._anchors: dict[str, Part] | None = None

    def root(self, name: str) -> Part | None:
        """Return a member of the document; None if there is none."""
        return Part("", self.document).optional(name)

    def note(self, pointer: str, reason: str) -> None:
        """Note a part that cannot be read, with the present location."""
        unread = self.unread.setdefault(pointer, Unread(reason))
        if self.location is not None and self.location not in unread.locations:
            unread.locations.append(self.location)

    def target(self, reference: Any, pointer: str) -> Part | None:
        """Return the part that a reference names; None if it names none, which is noted.

        Args:
            reference: The value of `$ref`.
            pointer: The JSON pointer of the object that has it.
        """
        found = self.find(reference)
        if isinstance(found, Part):
            return found
        self.note(pointer, found)
        return None

    def find(self, reference: Any) -> Part | str:
        """Return the part that a reference names, or the reason why there is none."""
        if not isinstance(reference, str):
            return f"The $ref is {kind(reference)}, not a text."
        if reference not in self._targets:
            self._targets[reference] = self._find(reference)
        return self._targets[reference]

    def _find(self, reference: str) -> Part | str:
        if not reference.startswith("#"):
            return f"It refers to another document, {reference!r}, which was not read."
        if reference != "#" and not reference.startswith("#/"):
            if self._anchors is None:
                self._anchors = dict(_anchors(self.document))
            return self._anchors.get(reference[1:]) or f"It refers to {reference!r}, which the document does not have."
        part = Part("", self.document)
        # As a URI's fragment, a pointer can be percent-encoded (RFC 6901, 6).
        for step in split(unquote(reference)):
            if part.is_object and step in part.value:
                part = part.member(step)
            elif part.is_list and step.isascii() and step.isdecimal() and int(step) < len(part.value):
                part = part.item(int(step))
            else:
                return f"It refers to {reference!r}, which the document does not have."
        return part

    def mapped(self, discriminator: Part) -> dict[str, Part]:
        """Return the schemas that a discriminator's mapping names, by its values; without those that do not exist."""
        if discriminator.pointer not in self._mappings:
            references = mapped_references(discriminator.value)
            found = {value: self.find(reference) for value, reference in references.items()}
            schemas = {value: target for value, target in found.items() if isinstance(target, Part)}
            self._mappings[discriminator.pointer] = schemas
        return self._mappings[discriminator.pointer]

    def follow(self, part: Part) -> Part | None:
        """Return the object that a part is or refers to; None if there is none, which is noted.

        What a Reference Object has next to its `$ref` does not count.
        """
        seen: set[str] = set()
        while part.is_object and "$ref" in part.value:
            if part.pointer in seen:
                self.note(part.pointer, "Its references form a circle.")
                return None
            seen.add(part.pointer)
            found = self.target(part.value["$ref"], part.pointer)
            if found is None:
                return None
            part = found
        return part if self.is_object(part) else None

    def is_object(self, part: Part) -> bool:
        """Return whether a part is an object; if not, that is noted."""
        return self._is(part, dict)

    def is_list(self, part: Part) -> bool:
        """Return whether a part is a list; if not, that is noted."""
        return self._is(part, list)

    def _is(self, part: Part, expected: type) -> bool:
        if isinstance(part.value, expected):
            return True
        self.note(part.pointer, f"It is {kind(part.value)}, not {_KINDS[expected]}.")
        return False

    def members(self, part: Part | None) -> Iterator[tuple[str, Part]]:
        """Yield the members of an object by their names; nothing if it is not an object."""
        if part is not None and self.is_object(part):
            for name in part.value:
                yield str(name), Part(f"{part.pointer}/{escape(str(name))}", part.value[name])

    def fields(self, part: Part | None) -> Iterator[tuple[str, Part]]:
        """Yield the members of an object that may have extensions, without these."""
        return ((name, member) for name, member in self.members(part) if not name.startswith("x-"))

    def items(self, part: Part | None) -> list[Part]:
        """Return the items of a list; none if it is not a list."""
        if part is None or not self.is_list(part):
            return []
        return [part.item(index) for index in range(len(part.value))]


def each(function: Callable[[_Given], _Found], old: _Given, new: _Given) -> tuple[_Found, _Found]:
    """Return what a function makes of the old and of the new document's part."""
    return function(old), function(new)


def has_same_name(old: Part, new: Part) -> bool:
    """Return whether two parts have the same key in what contains them."""
    return old.pointer.rpartition("/")[2] == new.pointer.rpartition("/")[2]


def kind(value: Any) -> str:
    """Name the type of a JSON value."""
    return next((name for known, name in _KINDS.items() if isinstance(value, known)), "a number")


def encoded(value: Any) -> bytes:
    """Return the same bytes for equal JSON values only, whatever the order of their members."""
    return msgspec.json.encode(value, order="sorted")


def same_value(old: Any, new: Any) -> bool:
    """Return whether two JSON values are equal, whatever the order of their members; 1 and 1.0 are not."""
    # The parts of documents that were read together are the same object if they are equal.
    if old is new:
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("Document", old), cast("Document", new)
        return before.keys() == after.keys() and all(same_value(before[name], after[name]) for name in before)
    if isinstance(old, list) and isinstance(new, list):
        items = cast("list[Any]", old), cast("list[Any]", new)
        return len(items[0]) == len(items[1]) and all(map(same_value, *items))
    if isinstance(old, str) or isinstance(new, str):
        return bool(old == new)
    return encoded(old) == encoded(new)


def comparable(value: Any) -> str:
    """Return the same text for values that JSON Schema takes for equal: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_with_integers(value), sort_keys=True)


def _with_integers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_with_integers(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {name: _with_integers(item) for name, item in cast("dict[str, Any]", value).items()}
    return value


def with_text_keys(document: Document) -> Document:
    """Return a document whose keys are texts, as JSON demands: `200` is "200" (OpenAPI 3.1, 4.2)."""
    try:
        encoded(document)
    except TypeError:
        return cast("Document", _with_text_keys(document))
    return document


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _with_text_keys(member) for name, member in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in cast("list[Any]", value)]
    return value


def containers(value: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield every object and list in a value; what occurs several times as the same object, once.

    Args:
        value: The value, which must outlive `seen`.
        seen: The ids of what is left out, to which those of what is yielded are added.
    """
    known = set[int]() if seen is None else seen
    pending: list[Any] = [value]
    while pending:
        part: Any = pending.pop()
        if not isinstance(part, (dict, list)) or id(cast("Any", part)) in known:
            continue
        known.add(id(cast("Any", part)))
        yield part
        inner = cast("list[Any]", part) if isinstance(part, list) else cast("Document", part).values()
        pending += [member for member in inner if isinstance(member, (dict, list))]


def all_references(value: Any, seen: set[int] | None = None) -> set[str]:
    """Return every reference in a value, except those in objects and lists whose ids are in `seen`."""
    found: set[str] = set()
    for part in containers(value, seen):
        found.update(_own_references(part))
    return found


def _own_references(value: Any) -> list[str]:
    """Return the references of an object itself, without those of what is in it."""
    if not isinstance(value, dict):
        return []
    members = cast("Document", value)
    found = [members[name] for name in _REFERENCES if name in members and isinstance(members[name], str)]
    if "discriminator" in members:
        found += mapped_references(members["discriminator"]).values()
    return found


def mapped_references(discriminator: Any) -> dict[str, str]:
    """Return the references of a discriminator's mapping, whose values may be names of schemas, by its keys."""
    mapping = cast("Document", discriminator).get("mapping") if isinstance(discriminator, dict) else None
    if not isinstance(mapping, dict):
        return {}
    return {
        str(key): value if "#" in value or "/" in value else f"{COMPONENTS}{value}"
        for key, value in cast("Document", mapping).items()
        if isinstance(value, str)
    }


def _anchors(document: Document) -> Iterator[tuple[str, Part]]:
    pending = [Part("", document)]
    while pending:
        part = pending.pop()
        if part.is_list:
            pending += [part.item(index) for index in range(len(part.value))]
        elif part.is_object:
            pending += [Part(f"{part.pointer}/{escape(str(name))}", part.value[name]) for name in part.value]
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(name := part.value.get(keyword), str):
                    yield name, part


class Unchanged:
    """Knows which parts of two documents have the same content, with everything that they refer to."""

    def __init__(self, old: Reader, new: Reader) -> None:
        self._known: dict[tuple[str, str], bool] = {}
        self._uses: dict[int, tuple[Any, bool]] = {}
        self._comparable = old.references_stand_alone == new.references_stand_alone
        self._changed = self._changed_references(old, new) if self._comparable else set[str]()

    def __call__(self, old: Part, new: Part) -> bool:
        """Return whether two parts have the same content."""
        key = old.pointer, new.pointer
        if key not in self._known:
            self._known[key] = self._comparable and self._is_unchanged(old, new)
        return self._known[key]

    def _is_unchanged(self, old: Part, new: Part) -> bool:
        return same_value(old.value, new.value) and not (self._changed and self._uses_changed(new.value))

    def _uses_changed(self, value: Any) -> bool:
        """Return whether a value has a reference that names something else than before, or reaches it."""
        if not isinstance(value, (dict, list)):
            return False
        # The value is kept, too, so that no other object can get its id.
        identity = id(cast("Any", value))
        if identity not in self._uses:
            inner = cast("list[Any]", value) if isinstance(value, list) else cast("Document", value).values()
            uses = not self._changed.isdisjoint(_own_references(value)) or any(map(self._uses_changed, inner))
            self._uses[identity] = value, uses
        return self._uses[identity][1]

    @staticmethod
    def _changed_references(old: Reader, new: Reader) -> set[str]:
        """Return the references that name something else, or from which something else is reached."""
        users: dict[str, set[str]] = {}
        changed: list[str] = []
        # What both documents share is read once.
        seen: set[int] = set()
        for reference in all_references(old.document, seen) | all_references(new.document, seen):
            found = [reader.find(reference) for reader in (old, new)]
            parts = [part for part in found if isinstance(part, Part)]
            if len(parts) < len(found) or not same_value(parts[0].value, parts[1].value):
                changed.append(reference)
            elif parts[0].has_parts:
                for inner in all_references(parts[0].value):
                    users.setdefault(inner, set()).add(reference)
        result = set(changed)
        while changed:
            for user in users.get(changed.pop(), ()):
                if user not in result:
                    result.add(user)
                    changed.append(user)
        return result
