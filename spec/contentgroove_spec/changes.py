"""The result of a comparison: changes, the parts of the API that they reach, and what could not be compared."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from contentgroove._openapi.pointers import escape, split
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind: TypeAlias = Literal["added", "removed", "changed"]
Part: TypeAlias = Literal["document", "operation", "parameter", "request", "response", "security"]
Side: TypeAlias = Literal["old", "new"]

SECTIONS = {
    "schemas": "schema",
    "parameters": "parameter",
    "responses": "response",
    "requestBodies": "request body",
    "headers": "header",
    "securitySchemes": "security scheme",
    "pathItems": "path item",
    "callbacks": "callback",
    "links": "link",
    "examples": "example",
    "mediaTypes": "media type",
}
"""What a section of `components` contains, in the singular."""


class Rating(StrEnum):
    """The consequence of a change for programs that were written for the old document."""

    BREAKING = "breaking"
    """What they send may be rejected, or what they read may be missing or have another type."""
    SAFE = "safe"
    """They work as before."""
    DOCUMENTATION = "documentation"
    """Nothing on the wire changes: texts, examples, names for generators."""


class Direction(StrEnum):
    """Whether an app sends a value or receives it."""

    SENT = "sent"
    RECEIVED = "received"


# A struct, because large documents have many: it is made and compared faster than a data class.
class Location(Struct, frozen=True):
    """A location in the API.

    Attributes:
        operation: The operation, such as `GET /api/v1/medias`; empty for the whole document.
        webhook: The callback's or webhook's name, if it is in one.
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
        return ", ".join(words) + (f": {field_text(self.field)}" if self.field else "")


@dataclass(frozen=True, slots=True)
class Subject:
    """The part of the documents that a change is in, named once however often it is used.

    Attributes:
        component: The JSON pointer of the component, such as `/components/schemas/Film`; empty if it is in none.
        pointer: The JSON pointer of what changed, inside the component. Without a component, it starts at the document.
        location: The location in the API if it is in no component; None if it is.
    """

    component: str = ""
    pointer: str = ""
    location: Location | None = None

    def __str__(self) -> str:
        """Return the subject for people: `schema Film: seconds`, or the location."""
        if not self.component:
            return str(self.location or Location())
        section, name = split(self.component)[-2:]
        field = field_text(field_of(split(self.pointer)))
        return f"{SECTIONS.get(section, section)} {name}" + (f": {field}" if field else "")


class Use(Struct, frozen=True):
    """One location of the API that a change reaches.

    Attributes:
        location: The operation or webhook, its part and the field. Below recursive schemas and in schemas that a body
            contains more than a few times, only the shortest fields are named.
        direction: Whether an app sends the value or receives it; None where that means nothing.
        rating: The consequence there.
        reason: The reason for it, in one sentence.
    """

    location: Location
    direction: Direction | None
    rating: Rating
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents, however many operations it reaches.

    Attributes:
        rule: The id of its row in the table of rules (`contentgroove_spec.rules.RULES`).
        rating: The gravest of its uses' ratings. Without a use, it is safe or documentation.
        kind: Whether something was added, removed or changed.
        subject: The component or the part of an operation that it is in.
        what: The change, in one sentence.
        reason: The reason for the rating, in one sentence.
        old: The value in the old document, if it is one value.
        new: The value in the new document.
        old_pointer: The JSON pointer of what changed in the old document. If it is only in the new one, that of the
            nearest part that contains it there; None if there is none.
        new_pointer: The same in the new document.
        uses: The locations of the API that it reaches; computed when they are read.
        newly_required: Whether something became required that could be omitted before. Only apps that send the
            surrounding value and omit it are affected.
    """

    rule: str
    rating: Rating
    kind: Kind
    subject: Subject
    what: str
    reason: str
    old: Any = None
    new: Any = None
    old_pointer: str | None = None
    new_pointer: str | None = None
    uses: Sequence[Use] = ()
    newly_required: bool = False


@dataclass(frozen=True, slots=True)
class NotCompared:
    """A part of a document that could not be read, so that nothing is known about changes in it.

    Attributes:
        document: The document that it is in.
        pointer: Its JSON pointer there.
        reason: What is wrong with it, in one sentence.
        locations: The locations of the API that use it; computed when they are read.
    """

    document: Side
    pointer: str
    reason: str
    locations: Sequence[Location] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences between two documents.

    Attributes:
        old: The old document's name.
        new: The new document's name.
        changes: The changes: breaking ones first, then by subject.
        not_compared: The parts that could not be compared.
        identical: Whether both documents have the same content, in whatever order and notation.
    """

    old: str
    new: str
    changes: tuple[Change, ...]
    not_compared: tuple[NotCompared, ...] = ()
    identical: bool = False

    def rated(self, rating: Rating) -> tuple[Change, ...]:
        """Return the changes with one rating."""
        return tuple(change for change in self.changes if change.rating is rating)


def kind_of(old: Any, new: Any) -> Kind:
    """Return what happened to a value that is None if it does not exist."""
    return "added" if old is None else "removed" if new is None else "changed"


def field_text(field: str) -> str:
    """Write the JSON pointer of a field for people: `/data/*/name` is `data[].name`."""
    return "".join("[]" if name == "*" else f".{name}" for name in split(field)).removeprefix(".")


def field_of(steps: Sequence[str]) -> str:
    """Return the field at a path through schemas, as JSON pointer: `properties`, `data`, `items` is `/data/*`."""
    result = ""
    remaining = iter(steps)
    for step in remaining:
        if step in _MEMBERS:
            result += "/*"
            if step in {"prefixItems", "patternProperties"}:
                next(remaining, None)
        elif step == "properties":
            name = next(remaining, None)
            result += "" if name is None else f"/{escape(name)}"
        elif step in _NAMED:
            next(remaining, None)
    return result


_MEMBERS = frozenset(
    {"items", "additionalProperties", "unevaluatedItems", "unevaluatedProperties", "contains", "prefixItems",
     "patternProperties"}
)  # fmt: skip
_NAMED = frozenset({"content", "allOf", "anyOf", "oneOf", "dependentSchemas"})
