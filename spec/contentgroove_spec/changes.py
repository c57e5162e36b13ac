"""The result of a comparison: changes and their locations in the API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from contentgroove._openapi.pointers import escape, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .documents import Document
    from .operations import Operation

Kind: TypeAlias = Literal["added", "removed", "changed"]
Part: TypeAlias = Literal["document", "operation", "parameter", "request", "response", "security"]


class Rating(StrEnum):
    """The consequence of a change for programs that were written for the old document."""

    BREAKING = "breaking"
    """What they send may be rejected, or what they read may be missing or have another type."""
    SAFE = "safe"
    """They work as before."""
    DOCUMENTATION = "documentation"
    """Nothing on the wire changes: texts, examples, names for generators."""


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a change in the API.

    Attributes:
        operation: The operation, such as `GET /api/v1/medias`; empty for the whole document.
        webhook: The callback's name, if it is in one of the operation's callbacks.
        part: The part of the operation.
        name: The parameter's name, the response's status, or the name of the part.
        field: The field of a body as JSON pointer, with `*` for the items of a list and for any member of a map.
        detail: More about the location, for people.
    """

    operation: str = ""
    webhook: str = ""
    part: Part = "document"
    name: str = ""
    field: str = ""
    detail: str = ""

    def __str__(self) -> str:
        """Return the location for people."""
        if not self.operation:
            return ", ".join(filter(None, ("whole document", self.name)))
        words = [f"webhook {self.webhook} of {self.operation}" if self.webhook else self.operation]
        if self.part != "operation":
            words.append(" ".join(filter(None, (self.part, self.name, f"({self.detail})" if self.detail else ""))))
        elif self.name:
            words.append(self.name)
        # A field is written as `data[].attributes.name`.
        field = "".join("[]" if name == "*" else f".{name}" for name in split(self.field)).removeprefix(".")
        return ", ".join(words) + (f": {field}" if field else "")

    @property
    def is_received(self) -> bool:
        """Whether an app reads the value there instead of sending it."""
        return (self.part == "response") != bool(self.webhook)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    Attributes:
        rating: The consequence for programs.
        kind: Whether something was added, removed or changed.
        location: Its location.
        what: The change, in one sentence.
        reason: The reason for the rating, in one sentence.
        old: The value in the old document, if it is one value.
        new: The value in the new document.
        newly_required: Whether something became required that could be omitted before. Only apps that omit it are
            affected.
    """

    rating: Rating
    kind: Kind
    location: Location
    what: str
    reason: str
    old: Any = None
    new: Any = None
    newly_required: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences between two documents.

    Attributes:
        old: The old document's name.
        new: The new document's name.
        changes: The changes: breaking ones first, then by location.
    """

    old: str
    new: str
    changes: tuple[Change, ...]

    def rated(self, rating: Rating) -> tuple[Change, ...]:
        """Return the changes with one rating."""
        return tuple(change for change in self.changes if change.rating is rating)


def kind_of(old: Any, new: Any) -> Kind:
    """Return what happened to a value that is None if it does not exist."""
    return "added" if old is None else "removed" if new is None else "changed"


def locate(pointer: str, document: Document, names: Mapping[tuple[str, str], Operation]) -> Location:
    """Return the location in the API of a pointer.

    Args:
        pointer: A JSON pointer into the canonical document.
        document: The canonical document.
        names: The operations that it was made from.
    """
    match split(pointer):
        case ["paths", path, method, "callbacks", name, expression, inner, *steps]:
            definition = document["paths"][path][method]["callbacks"][name][expression][inner]
            return _inner_location(names[method, path].name, name, steps, definition)
        case ["paths", path, method, "callbacks", name, *urls]:
            return Location(names[method, path].name, name, "operation", "".join(f"sent to {url}" for url in urls))
        case ["paths", path, method, *steps]:
            return _inner_location(names[method, path].name, "", steps, document["paths"][path][method])
        case ["components", "securitySchemes", name, *_]:
            return Location(name=f"security scheme {name}")
        case steps:
            return Location(name=" ".join(steps))


def _inner_location(operation: str, webhook: str, steps: list[str], definition: Document) -> Location:
    match steps:
        case ["parameters", index, *inner]:
            parameters = definition.get("parameters", [])
            known = index.isdigit() and int(index) < len(parameters)
            parameter = cast("Document", parameters[int(index)] if known else {})
            name = f"{parameter.get('name', index)} in {parameter.get('in', 'the request')}"
            return Location(operation, webhook, "parameter", name, _field(inner))
        case ["requestBody", *inner]:
            return Location(operation, webhook, "request", "", _field(inner), _media_type(inner))
        case ["responses", status, "headers", name, *_]:
            return Location(operation, webhook, "response", status, detail=f"header {name}")
        case ["responses", status, *inner]:
            return Location(operation, webhook, "response", status, _field(inner), _media_type(inner))
        case ["security", *_]:
            return Location(operation, webhook, "security")
        case _:
            return Location(operation, webhook, "operation", steps[0] if steps else "")


def _media_type(steps: list[str]) -> str:
    # JSON is expected and is not mentioned.
    is_other = steps[:1] == ["content"] and steps[1:2] not in ([], ["application/json"])
    return steps[1] if is_other else ""


def _field(steps: list[str]) -> str:
    """Return the field at a path through schemas, as JSON pointer."""
    result = ""
    remaining = iter(steps)
    for step in remaining:
        if step in {"items", "additionalProperties"}:
            result += "/*"
        elif step in {"properties", "patternProperties"}:
            name = next(remaining, None)
            result += "" if name is None else f"/{escape(name)}"
        elif step in {"content", "allOf", "anyOf", "oneOf", "prefixItems"}:
            next(remaining, None)
    return result
