"""The lines of the overlay that a new attribute of a resource needs beside those of the other attributes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list
from contentgroove._openapi.pointers import split

from pipeline.fitting import Status
from pipeline.locations import ABSENT, find, is_in_example, nodes
from pipeline.scaffold.names import camel
from pipeline.scaffold.resource import SORTABLE

from .attributes import sample_of
from .tasks import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.documents import Document

    from pipeline.corrections import Corrections
    from pipeline.fitting import Problem
    from pipeline.locations import Location
    from pipeline.scaffold.resource import Field

FOLDER = "spec/"


@dataclass(frozen=True)
class Overlay:
    """The corrections, and what they do to the new document.

    Attributes:
        corrections: The corrections.
        published: The new document.
        contract: What they make of it.
    """

    corrections: Corrections
    published: Document
    contract: Document

    def lines_of(self, path: tuple[str | int, ...]) -> tuple[int, int, list[str]]:
        """Return the first and the last line of a value in the overlay, and these lines."""
        first, last = self.corrections.lines.lines(path)
        return first, last, self.corrections.content.decode().splitlines()[first - 1 : last]

    def steps_of(self, problem: Problem) -> Iterator[Step]:
        """Yield the lines to delete for a correction that does not fit, or else what to do."""
        first, _, last = problem.lines.partition(":")[2].partition("-")
        begin, end = int(first), int(last or first)
        lines = self.corrections.content.decode().splitlines()[begin - 1 : end]
        name = problem.location[-1] if problem.location else ""
        if problem.todo.endswith(": delete the action."):
            begin, end, lines = self.lines_of(("actions", problem.action))
            yield Step("delete", self._file, begin, end, anchor=lines[0])
            return
        if name and problem.status is not Status.CONFLICT:
            for number, line in enumerate(lines):
                # In a target, in a pattern or in an object of one line, the name stands among others.
                short = _without(line, name)
                if short is not None:
                    yield self._replace(begin + number, short, line)
                    return
            if lines[0].strip() in {f"- {name}", f"{name}:"} or lines[0].strip().startswith(f"{name}: "):
                yield Step("delete", self._file, begin, end, anchor=lines[0])
                return
        if problem.status is Status.CONFLICT and "callbacks" in problem.location:
            yield from self._changed_callback(problem)
            return
        yield Step("decide", code=f"{FOLDER}{problem.lines}: {problem.todo}")

    def _changed_callback(self, problem: Problem) -> Iterator[Step]:
        """Yield what follows from a change of a published webhook, which the overlay replaces by its own."""
        record, size = self.corrections.record, problem.location.index("callbacks") + 1
        location = problem.location[:size]
        old = _properties(record.value(location) if record else None)
        new = _properties(find(self.published, location))
        for name in sorted(old - new):
            yield from self._lost_of_callback(name)
        for name in sorted(new - old - _properties(find(self.contract, ("components", "schemas")))):
            yield Step("decide", code=f"The published webhook has `{name}`, which the overlay's own one has not")
        accepted = "`make generate ACCEPT=1` records the published webhook as it is now"
        todo = f" replaces it: {accepted}" if old != new else f": {problem.todo}"
        yield Step("decide", code=f"{FOLDER}{problem.lines}{todo}")

    def _lost_of_callback(self, name: str | int) -> Iterator[Step]:
        """Yield the lines by which the overlay's own webhook has a property that the published one has lost."""
        yield Step(
            "decide",
            code=f"The published webhook no longer has `{name}`, the overlay's own one has. If webhooks lack it now, "
            "delete these lines, by which it is required and shown; if they have it, keep them",
        )
        for index, action in enumerate(cast("list[Document]", self.corrections.overlay["actions"])):
            for path, value in nodes(action.get("update"), ("actions", index, "update")):
                is_required = path[-2:-1] == ("required",) and value == name
                is_shown = path[-1] == name and path[-2:-1] == ("attributes",) and "callbacks" in path
                if is_required or is_shown:
                    first, last, lines = self.lines_of(path)
                    yield Step("delete", self._file, first, last, anchor=lines[0])

    def steps(self, pointer: str, name: str, field: Field | None) -> Iterator[Step]:
        """Yield the lines for a new attribute: in the filter if lists can filter by it, and the title of an object.

        It is not required, even if each example has it: events that were stored before have not.

        Args:
            pointer: The JSON pointer of the attributes.
            name: The new one.
            field: What the contract says about it; None if code cannot have its name.
        """
        if field is not None and field.kind in SORTABLE:
            yield from self._filter(pointer, name)
        location = tuple(split(pointer))
        schema = find(self.contract, (*location, name))
        if schema.get("type") == "object" and "title" not in schema:
            title = f"{find(self.contract, (*location[:-1], 'title'))}{camel(name)}".replace("Attributes", "")
            yield from self._title(location, name, title)
        if field is not None and self.is_always(pointer, name):
            for path in self._own_examples(location):
                _, last, lines = self.lines_of(path)
                if not any(line.lstrip().startswith(f"{name}:") for line in lines):
                    indent = lines[-1][: len(lines[-1]) - len(lines[-1].lstrip())]
                    code = f"{indent}{name}: {json.dumps(sample_of(field))}"
                    yield Step("add", self._file, last, 0, code, lines[-1])

    def _title(self, location: Location, name: str, title: str) -> Iterator[Step]:
        """Yield the line of a title, by which the class of a nested object is called."""
        for index, action in enumerate(cast("list[Document]", self.corrections.overlay["actions"])):
            for path, value in nodes(action.get("update"), ("actions", index, "update")):
                if path[3:] == location[2:] and isinstance(value, dict):
                    first, _, _ = self.lines_of((*path, next(iter(cast("Document", value)))))
                    _, last, lines = self.lines_of(path)
                    indent = self.corrections.content.decode().splitlines()[first - 1]
                    indent = indent[: len(indent) - len(indent.lstrip())]
                    yield Step("add", self._file, last, 0, f"{indent}{name}: {{title: {title}}}", lines[-1])
                    return

    def is_always(self, pointer: str, name: str) -> bool:
        """Return whether each example of the published document has an attribute."""
        location = tuple(split(pointer))
        shown = [item for item in _examples(self.contract) if self._is_of(item, location)]
        published = len(shown) - len(self._own_examples(location))
        return sum(name in item["attributes"] for item in shown) >= published > 0

    def _is_of(self, item: Document, location: Location) -> bool:
        """Return whether an example is a resource with these attributes."""
        kinds = find(self.contract, (*location[:-3], "properties", "type", "enum"))
        return kinds is not ABSENT and item.get("type") in as_list(kinds)

    def example(self, pointer: str, name: str) -> object:
        """Return a value of an attribute that the examples have; None if none has one."""
        location = tuple(split(pointer))
        shown = (item["attributes"].get(name) for item in _examples(self.contract) if self._is_of(item, location))
        return next((value for value in shown if value is not None), None)

    def _filter(self, pointer: str, name: str) -> Iterator[Step]:
        for index, action in enumerate(cast("list[Document]", self.corrections.overlay["actions"])):
            if action.get("x-names") != pointer:
                continue
            first, _, lines = self.lines_of(("actions", index, "update"))
            for number, line in enumerate(lines):
                names = line.partition("^(")[2].partition(")")[0]
                if "pattern:" in line and names:
                    yield self._replace(first + number, line.replace(f"({names})", f"({names}|{name})"), line)

    def _own_examples(self, location: Location) -> list[tuple[str | int, ...]]:
        """Return the paths of the attributes in the examples of resources that the overlay itself writes."""
        found: list[tuple[str | int, ...]] = []
        for index, action in enumerate(cast("list[Document]", self.corrections.overlay["actions"])):
            for path, value in nodes(action.get("update"), ("actions", index, "update")):
                inside = is_in_example(tuple(map(str, path[3:])))
                if inside and _is_resource(value) and self._is_of(value, location):
                    found.append((*path, "attributes"))
        return found

    @property
    def _file(self) -> str:
        return f"{FOLDER}{self.corrections.file}"

    def removed_examples(self, pointer: str, name: str) -> Iterator[Step]:
        """Yield the lines of a removed attribute in the examples that the overlay writes."""
        for path in self._own_examples(tuple(split(pointer))):
            first, last, lines = self.lines_of((*path, name))
            if lines[0].strip().startswith(f"{name}:"):
                yield Step("delete", self._file, first, last, anchor=lines[0])

    def _replace(self, number: int, code: str, line: str) -> Step:
        return Step("replace", self._file, number, 0, code, line)


def _without(line: str, name: str) -> str | None:
    """Return a line without a name in a pattern or in a list; None if it has none there."""
    if "pattern:" in line:
        short = re.sub(rf"(?<=[(|]){name}\||\|{name}(?=[)|])", "", line)
    else:
        short = re.sub(rf"(?<=[\[,])'{name}',|,'{name}'(?=[\],])", "", line)
        if short == line and ": {" in line:
            short = re.sub(rf"(?<={{){name}: [^,{{}}\[\]]+, |, {name}: [^,{{}}\[\]]+(?=}})", "", line)
            short = re.sub(rf"(?<={{){name}: [^,{{}}\[\]]+(?=}}$)", "", short)
    return short if short != line else None


def _examples(document: Document) -> Iterator[Document]:
    """Yield the resources in all examples."""
    for path, value in nodes(document):
        if is_in_example(tuple(map(str, path))) and _is_resource(value):
            yield value


def _properties(value: Any) -> set[str | int]:
    """Return the names of all properties that the schemas in a value declare."""
    return {path[-1] for path, _ in nodes(value) if path[-2:-1] == ("properties",)}


def _is_resource(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(cast("Document", value).get("attributes"), dict)
