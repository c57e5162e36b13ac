"""Decide which corrections still fit a published document; the others are done, in conflict or orphaned.

A correction is checked in the published document, not in what earlier corrections made of it, so that it cannot put
back what the provider has removed. The record has what it found there when it was written. Without a record, an action
must only select and change something.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from contentgroove_spec.documents import canonical_digest

from .expectations import COMPOSITION, differences, equals, has_name, location_of_names, required_properties, shape
from .locations import ABSENT, Location, find, is_in_example, is_map, pointer_to
from .overlay import apply_actions, depth_of_reach, describe_action, names_of_target, single_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_spec.documents import Document

    from .expectations import Record
    from .overlay import Failed, Write

MAX_SHOWN = 80
MAX_DIFFERENCES = 3

_FORMS = {"type", "$ref", "allOf", "anyOf", "oneOf", "items", "additionalProperties", "const", "not"}
"""Without one of these, a schema only decorates one that exists."""

_Path: TypeAlias = "tuple[str | int, ...]"


class Status(StrEnum):
    """What has become of a correction, or of a part of it."""

    DONE = "done"
    """The published document is now as the correction makes it."""
    CONFLICT = "in conflict"
    """The published document has something else there than when the correction was written."""
    ORPHANED = "orphaned"
    """The published document no longer has what the correction changes or adds to."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A correction, or a part of one, that no longer fits the published document.

    Attributes:
        status: What has become of it.
        action: The action's number.
        description: The action's description.
        location: The location in the published document; empty if the target has no single one.
        pointer: The same as JSON pointer; or else the target.
        expected: What the correction expects to find there.
        found: What is there.
        lines: The lines of the overlay to change, as `file:first-last`.
        todo: What to do.
        is_followed: Whether nothing is to do, because the action follows the document.
    """

    status: Status
    action: int
    description: str
    location: Location
    pointer: str
    expected: str
    found: str
    lines: str
    todo: str
    is_followed: bool = False

    def __str__(self) -> str:
        """Return the problem without what to do about it."""
        description = _cut(self.description)
        return (
            f"{self.lines}: {self.status}: action {self.action} ({description}) at {self.pointer}: "
            f"expected {self.expected}, found {self.found}."
        )


class Fitting:
    """The corrections of one published document.

    Attributes:
        problems: The corrections that no longer fit, in their order.
    """

    def __init__(
        self, published: Document, overlay: Document, record: Record | None, lines: Callable[[_Path], str]
    ) -> None:
        """Check the corrections.

        Args:
            published: The published document.
            overlay: The corrections.
            record: What they found when they were written; None if they are not checked with a record.
            lines: Returns the lines of a path in the overlay.
        """
        self._published = published
        self._actions = cast("list[Document]", overlay["actions"])
        self._lines = lines
        self._writes: list[Write] = []
        self._set: dict[Location, list[Any]] = {}
        self._problems: dict[tuple[int, _Path, Location], Problem] = {}
        self._reported: set[tuple[int, Location]] = set()
        self._left_out: set[Location] = set()
        corrected, failed = apply_actions(published, overlay, self._note, each_name=record is not None)
        for failure in failed:
            self._judge_failure(failure, record)
        for write in self._writes:
            # What is around it may have a problem of the same action already.
            if not self._is_reported_around(write.action, write.location):
                self._judge(write, record)
        if record is not None:
            self._judge_required_names(corrected, record)
            self._judge_parts()
            self._judge_names(record)
            self._judge_lost(record)
        ordered = sorted(self._problems.items(), key=lambda item: item[0][0])
        self.problems = tuple(problem for _, problem in ordered)

    def allows(self, write: Write) -> bool:
        """Return whether a write has no problem, so that it belongs into the contract."""
        return not any(write.location[:size] in self._left_out for size in range(len(write.location) + 1))

    def _is_reported_around(self, action: int, location: Location) -> bool:
        return any((action, location[:size]) in self._reported for size in range(len(location)))

    def _note(self, write: Write) -> bool:
        self._writes.append(write)
        if write.kind in {"set", "append"}:
            self._set.setdefault(write.location, []).append(write.value)
        return True

    def _judge_failure(self, failure: Failed, record: Record | None) -> None:
        location = names_of_target(failure.target)
        if failure.gap == "cannot be applied":
            status, expected, found, todo = Status.CONFLICT, "another kind", failure.reason, "Change the action."
        elif failure.gap == "changes nothing":
            status, expected, found = Status.DONE, "something else", "what it makes"
            todo = "It changes nothing: delete the action."
        else:
            action = self._actions[failure.action]
            removed = map(names_of_target, single_queries(failure.target))
            is_removal = action.get("remove") is True and not any(where in self._set for where in removed)
            status, found = Status.DONE if is_removal else Status.ORPHANED, "nothing"
            expected = (record.describe(location) if record and location else "") or "something"
            todo = "It selects nothing: delete the action."
            if failure.target != action["target"]:
                todo = f"Delete the name that selects nothing from the target: {failure.target}."
        self._put(
            status,
            failure.action,
            ("target",),
            location,
            expected=expected,
            found=found,
            todo=todo,
            target=failure.target,
        )

    def _judge(self, write: Write, record: Record | None) -> None:
        found = find(self._published, write.location)
        if write.kind not in {"merge", "remove"}:
            self._judge_value(write, write.location, write.value, found, record)
        elif record is not None:
            (self._judge_merge if write.kind == "merge" else self._judge_removal)(write, found, record)

    def _judge_merge(self, write: Write, found: Any, record: Record) -> None:
        location = write.location
        if found is not ABSENT and record.value(location) is ABSENT and location not in self._set:
            self._judge_addition(write, found)
            return
        expected = record.shapes.get(location)
        if expected is None:
            return
        if found is ABSENT:
            self._report(Status.ORPHANED, write, location, expected, "nothing")
        elif (now := shape(found, location)) != expected:
            self._report(Status.CONFLICT, write, location, expected, now)
        elif location in record.items:
            # Items that a correction adds are judged by themselves.
            added = [value for where, values in self._set.items() if where[:-1] == location for value in values]
            old, new = record.items[location], cast("list[Any]", found)
            if any(item not in new for item in old) or any(item not in old and item not in added for item in new):
                self._report(Status.CONFLICT, write, location, _short(old), _short(new))

    def _judge_addition(self, write: Write, found: Any) -> None:
        """Judge what was to be added as a whole, and what the document now has itself."""
        if equals(write.value, found, write.location):
            self._report(Status.DONE, write, write.location, ABSENT, found)
        elif not is_map(write.location) and write.location[-1] != "required":
            self._report(Status.CONFLICT, write, write.location, ABSENT, found)

    def _judge_removal(self, write: Write, found: Any, record: Record) -> None:
        location = write.location
        expected, made = record.value(location), self._set.get(location, [])
        if expected is None or expected is ABSENT:
            # A wildcard selects what nothing was known of. Examples are only documentation.
            is_known = self._is_recorded_document(record) or is_in_example(location)
            is_known |= any(equals(value, found, location) for value in made)
            if found is not ABSENT and not is_known and not self._is_known_form(write, found, record):
                self._report(Status.CONFLICT, write, location, "nothing", _short(found))
        elif found is ABSENT:
            self._report(Status.ORPHANED if made else Status.DONE, write, location, expected, ABSENT)
        elif any(equals(value, found, location) for value in made):
            self._report(Status.DONE, write, location, expected, found)
        elif not equals(expected, found, location):
            self._report(Status.CONFLICT, write, location, expected, found, leave_out=bool(made))

    def _judge_value(self, write: Write, location: Location, made: Any, found: Any, record: Record | None) -> None:
        if found is ABSENT and location == write.location and self._only_decorates(write):
            kind = record.shapes.get(location) if record else None
            todo = "Delete these lines: they only decorate what is gone."
            self._report(Status.ORPHANED, write, location, kind or "a schema with a type", "nothing", todo=todo)
            return
        if record is None:
            return
        expected = record.value(location)
        if expected is None and location in record.shapes:
            # What the correction added to is gone, and must not come back with what was added.
            if found is ABSENT:
                self._report(Status.ORPHANED, write, location, record.shapes[location], "nothing")
            return
        if expected is None:
            # The correction is new, or a wildcard selects something new. Examples are only documentation.
            is_new = found is ABSENT or is_in_example(location) or equals(made, found, location)
            is_new |= self._is_recorded_document(record)
            expected = found if is_new or self._is_known_form(write, found, record) else ABSENT
        if equals(expected, found, location):
            return
        if found is ABSENT:
            self._report(Status.ORPHANED, write, location, expected, found)
        elif equals(made, found, location):
            self._report(Status.DONE, write, location, expected, found, leave_out=write.kind == "append")
        elif expected is ABSENT and is_map(location) and isinstance(made, dict) and isinstance(found, dict):
            for key, value in cast("Document", made).items():
                self._judge_value(write, (*location, key), value, find(found, (key,)), record)
        else:
            self._report(Status.CONFLICT, write, location, expected, found)

    def _only_decorates(self, write: Write) -> bool:
        """Return whether a written schema would exist only by its decoration, such as a description."""
        is_schema = write.location[-2:-1] in {("properties",), ("schemas",)} and is_map(write.location[:-1])
        value: object = write.value
        return is_schema and isinstance(value, dict) and not _FORMS & cast("Document", value).keys()

    def _judge_required_names(self, corrected: Document, record: Record) -> None:
        """Report the names of properties that the corrections require and that are gone."""
        for write in self._writes:
            if write.kind not in {"set", "append"}:
                continue
            for path, name in required_properties(write.location, write.value):
                expected = record.describe(name)
                is_gone = find(self._published, name) is ABSENT and bool(expected or name in self._left_out)
                if self._is_reported_around(write.action, name):
                    continue
                if is_gone or is_required_in_vain(corrected, name):
                    todo = "Delete this name, which no property has."
                    expected = expected or "a property"
                    self._report(Status.ORPHANED, write, name, expected, "nothing", path=path, todo=todo)
                    self._left_out.add(write.location)

    def _judge_parts(self) -> None:
        """Report the parts of actions that are needless at each location that they are written to."""
        parts: dict[tuple[int, _Path], list[Write]] = {}
        needed: set[tuple[int, _Path]] = set()
        for write in self._writes:
            if write.kind in {"set", "append"}:
                parts.setdefault((write.action, write.path), []).append(write)
                if not equals(write.value, find(self._published, write.location), write.location):
                    needed.add((write.action, write.path))
        for (action, path), writes in parts.items():
            # At another location, the part may be written with what is around it.
            if any((action, path[:size]) in needed for size in range(len(path) + 1)):
                continue
            for write in writes:
                if not self._is_reported_around(action, write.location):
                    self._report(Status.DONE, write, write.location, "something else", write.value, leave_out=False)

    def _judge_names(self, record: Record) -> None:
        """Report the names that a pattern lists and that are gone. New ones are work, but not a mistake."""
        for index, action in enumerate(self._actions):
            location = location_of_names(action)
            text = json.dumps(action.get("update"))
            for name in record.names.get(location, ()) if location else ():
                at = (*location, name)
                if find(self._published, at) is ABSENT and has_name(text, name):
                    todo = f"Delete `{name}` from the pattern."
                    lines = ("update",)
                    self._put(Status.ORPHANED, index, lines, at, expected="a property", found="nothing", todo=todo)

    def _judge_lost(self, record: Record) -> None:
        """Report what the wildcards of targets found when the actions were written, and find no longer."""
        known = {*record.shapes, *(location for location, value in record.values.items() if value is not ABSENT)}
        lost = sorted(location for location in known if find(self._published, location) is ABSENT)
        covered = {problem.location for problem in self._problems.values()}
        for location in lost:
            if any(location[:size] in covered for size in range(len(location) + 1)):
                continue
            covered.add(location)
            depths = [depth_of_reach(action["target"], location) for action in self._actions]
            # Otherwise its corrections were deleted since.
            if max(depths) < len(location):
                continue
            action = depths.index(max(depths))
            is_removal = self._actions[action].get("remove") is True and location in record.values
            # A filter may name it, so that a part of the target is needless.
            is_named = location[-1] in self._actions[action]["target"]
            self._put(
                Status.DONE if is_removal else Status.ORPHANED,
                action,
                ("target",),
                location,
                expected=record.describe(location),
                found="nothing",
                todo="Delete what selects it from the target." if is_removal and is_named else _FOLLOWS,
                is_followed=not (is_removal and is_named),
            )

    def _is_known_form(self, write: Write, found: Any, record: Record) -> bool:
        """Return whether something new has the form that the action was written for elsewhere."""
        target = self._actions[write.action]["target"]
        depth = depth_of_reach(target, write.location)
        return any(
            location[-1:] == write.location[-1:]
            and len(location) == len(write.location)
            and value is not ABSENT
            and equals(value, found, location)
            and depth_of_reach(target, location) == depth
            for location, value in record.values.items()
        )

    def _is_recorded_document(self, record: Record) -> bool:
        return record.published == canonical_digest(self._published)

    def _report(
        self,
        status: Status,
        write: Write,
        location: Location,
        expected: Any,
        found: Any,
        *,
        leave_out: bool = True,
        path: _Path = (),
        todo: str = "",
    ) -> None:
        """Add a problem of a write; of objects, only the members that differ are shown."""
        if leave_out:
            self._left_out.add(location)
        self._reported.add((write.action, location))
        is_removal = write.kind == "remove"
        lines = ("target",) if is_removal else ("update", *write.path, *path)
        if status is Status.CONFLICT and isinstance(expected, dict) and isinstance(found, dict):
            deeper = list(differences(expected, found, location))
            if len(deeper) == 1:
                ((location, expected, found),) = deeper
            else:
                pairs = [(pointer_to(found, where[len(location) :]), old, new) for where, old, new in deeper]
                expected = "; ".join(f"{pointer}: {_short(old)}" for pointer, old, _ in pairs[:MAX_DIFFERENCES])
                found = "; ".join(f"{pointer}: {_short(new)}" for pointer, _, new in pairs[:MAX_DIFFERENCES])
        old, new, todo = _short(expected), _short(found), todo or _TODO[status]
        self._put(status, write.action, lines, location, expected=old, found=new, todo=todo)

    def _put(
        self,
        status: Status,
        action: int,
        path: _Path,
        location: Location,
        *,
        expected: str,
        found: str,
        todo: str,
        target: str = "",
        is_followed: bool = False,
    ) -> None:
        """Add a problem, if it is not known yet. The target names it if it has no location."""
        pointer = pointer_to(self._published, location) if location or not target else target
        lines = self._lines(("actions", action, *path))
        description = describe_action(self._actions[action])
        problem = Problem(status, action, description, location, pointer, expected, found, lines, todo, is_followed)
        self._problems.setdefault((action, path, location), problem)


_TODO = {
    Status.DONE: "Delete these lines. If other locations need them, run `make generate ACCEPT=1`.",
    Status.CONFLICT: "Decide what is right: change these lines, or run `make generate ACCEPT=1` if they stay.",
    Status.ORPHANED: "Delete these lines. If the correction is to bring it back, run `make generate ACCEPT=1`.",
}


_FOLLOWS = "Nothing to change: the target selects what the document has."


def is_required_in_vain(corrected: Document, name: Location) -> bool:
    """Return whether the schema of a required property has properties, but not this one."""
    schema = find(corrected, name[:-2])
    if not isinstance(schema, dict):
        return False
    members = cast("Document", schema)
    return "properties" in members and name[-1] not in members["properties"] and not COMPOSITION & members.keys()


def _short(value: Any) -> str:
    return "nothing" if value is ABSENT else value if isinstance(value, str) else _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
