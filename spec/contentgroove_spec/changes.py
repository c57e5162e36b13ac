"""What a comparison finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["added", "removed", "changed"]
Part: TypeAlias = Literal["document", "operation", "parameter", "request", "response", "security"]


class Rating(StrEnum):
    """What a change means for programs that were written for the old document."""

    BREAKING = "breaking"
    """What they send may be refused, or what they read may be missing or of another kind."""
    SAFE = "safe"
    """They work as before."""
    DOCUMENTATION = "documentation"
    """Nothing on the wire changes: texts, examples, names for generators."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a change is.

    Attributes:
        operation: Such as `GET /api/v1/medias`; empty for the whole document.
        webhook: The callback's name, if it is in one of the operation's callbacks.
        part: Which part of the operation.
        name: The parameter's name, the response's status, or what the part is called.
        field: In a body: the field as JSON pointer, with `*` for the items of a list and for any member of a map.
        detail: What else tells where, for people.
    """

    operation: str = ""
    webhook: str = ""
    part: Part = "document"
    name: str = ""
    field: str = ""
    detail: str = ""

    def __str__(self) -> str:
        """Say it for people."""
        if not self.operation:
            return ", ".join(filter(None, ("whole document", self.name)))
        where = [f"webhook {self.webhook} of {self.operation}" if self.webhook else self.operation]
        if self.part != "operation":
            where.append(" ".join(filter(None, (self.part, self.name, f"({self.detail})" if self.detail else ""))))
        elif self.name:
            where.append(self.name)
        said = ", ".join(where)
        return f"{said}: {self.dotted_path}" if self.field else said

    @property
    def dotted_path(self) -> str:
        """The field as people write it, such as `data[].attributes.name`."""
        names = [step.replace("~1", "/").replace("~0", "~") for step in self.field.split("/")[1:]]
        return "".join("[]" if name == "*" else f".{name}" for name in names).removeprefix(".")

    @property
    def is_received(self) -> bool:
        """Whether an app reads what is there, instead of writing it."""
        return (self.part == "response") != bool(self.webhook)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    Attributes:
        rating: What it means for programs.
        kind: Whether something came, went or is another.
        place: Where.
        what: What changed, one sentence.
        reason: Why it is rated so, one sentence.
        old: What the old document says there, if it is one value.
        new: What the new one says.
        demands: Whether it asks for something that could be left out before: only who leaves it out is concerned.
    """

    rating: Rating
    kind: Kind
    place: Location
    what: str
    reason: str
    old: Any = None
    new: Any = None
    demands: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that differs between two documents.

    Attributes:
        old: What the old document is called.
        new: What the new one is called.
        changes: The breaking ones first, then by place.
    """

    old: str
    new: str
    changes: tuple[Change, ...]

    def rated(self, rating: Rating) -> tuple[Change, ...]:
        """Give the changes with one rating."""
        return tuple(change for change in self.changes if change.rating is rating)
