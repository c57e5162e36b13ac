"""Locations in a document that stay the same when lists are reordered, and the lines of a YAML file.

An item of a list is named by what it is: a parameter is `sort in query`, a string is itself, a requirement of
security is the name of its scheme. Only items without a name are numbered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

import yaml
from contentgroove._openapi.pointers import join

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Location: TypeAlias = tuple[str, ...]
"""The steps from the root of a document, with the names of items of lists."""

Lines: TypeAlias = tuple[int, int]
"""The first and the last line, from 1."""

ABSENT = object()
"""What `find` returns if there is nothing at a location."""

MAPS = frozenset({
    "callbacks", "content", "encoding", "examples", "headers", "links", "mapping", "parameters", "paths",
    "patternProperties", "properties", "requestBodies", "responses", "schemas", "securitySchemes", "variables",
})  # fmt: skip
"""Objects whose keys are names that the document's author chose."""


def item_name(item: Any, index: int) -> str:
    """Return the step that names an item of a list."""
    if isinstance(item, str):
        return item
    if isinstance(item, dict):
        members = cast("dict[str, Any]", item)
        name, where = members.get("name"), members.get("in")
        if isinstance(name, str):
            return f"{name} in {where}" if isinstance(where, str) else name
        if len(members) == 1 and isinstance(next(iter(members.values())), list) and "items" not in members:
            return next(iter(members))
    return str(index)


def find(document: Any, location: Iterable[str]) -> Any:
    """Return what is at a location, or ABSENT."""
    found: Any = document
    for step in location:
        found = _member(found, step)
        if found is ABSENT:
            return ABSENT
    return found


def _member(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).get(step, ABSENT)
    if isinstance(value, list):
        return next(
            (item for index, item in enumerate(cast("list[Any]", value)) if item_name(item, index) == step), ABSENT
        )
    return ABSENT


def locate(document: Any, path: Iterable[str | int]) -> Location:
    """Return the location of what keys and indexes lead to."""
    steps: list[str] = []
    found: Any = document
    for key in path:
        found = found[key]
        steps.append(item_name(found, key) if isinstance(key, int) else str(key))
    return tuple(steps)


def pointer_to(document: Any, location: Location) -> str:
    """Return the JSON pointer of a location; from the first step that the document lacks, with the location's own."""
    steps: list[str] = []
    found: Any = document
    for step in location:
        name = step
        if isinstance(found, list):
            items = enumerate(cast("list[Any]", found))
            name = next((str(index) for index, item in items if item_name(item, index) == step), step)
        steps.append(name)
        found = _member(found, step)
    return join(steps)


def nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield a value and all values in it, each with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, member in cast("dict[str, Any]", value).items():
            yield from nodes(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from nodes(item, (*path, index))


def is_map(location: Location) -> bool:
    """Return whether the keys of the object at a location are names, such as those of properties."""
    names = False
    for step in location:
        names = not names and step in MAPS
    return names


def is_in_example(location: Location) -> bool:
    """Return whether a location is an example or a part of one."""
    return any(step in {"example", "examples"} and not is_map(location[:index]) for index, step in enumerate(location))


class LineFinder:
    """Finds the lines of the values in a YAML or JSON text."""

    def __init__(self, content: bytes) -> None:
        """Read the text, which was already found to be YAML or JSON."""
        self._root: Any = cast("Any", yaml).compose(content, Loader=yaml.CSafeLoader)

    def text(self, file: str, path: Iterable[str | int]) -> str:
        """Return the lines of a value as `file:first-last`."""
        first, last = self.lines(path)
        return f"{file}:{first}" + (f"-{last}" if last != first else "")

    def lines(self, path: Iterable[str | int]) -> Lines:
        """Return the lines of a value with its key, or of the nearest value around it that the text has."""
        node, first = self._root, self._root
        for step in path:
            children = dict(self._children(node))
            if step not in children:
                break
            first, node = children[step]
        return first.start_mark.line + 1, _last_line(node)

    def _children(self, node: Any) -> Iterator[tuple[str | int, tuple[Any, Any]]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in cast("list[tuple[Any, Any]]", node.value):
                yield str(key.value), (key, value)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(cast("list[Any]", node.value)):
                yield index, (value, value)


def _last_line(node: Any) -> int:
    """Return the last line of a value; a collection in block style ends with its last value."""
    if isinstance(node, yaml.ScalarNode):
        folded = node.style in {"|", ">"} and node.end_mark.column == 0
        return int(node.end_mark.line) + (0 if folded else 1)
    if node.flow_style or not node.value:
        return int(node.end_mark.line) + 1
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)
