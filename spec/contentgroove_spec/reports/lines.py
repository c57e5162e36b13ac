"""The line of a part of a document, by its JSON pointer, for reports that point at files."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import yaml
from contentgroove._openapi.pointers import split

if TYPE_CHECKING:
    from contentgroove_spec.changes import Change, NotCompared


@dataclass(frozen=True)
class SourceText:
    """The text of one of the two documents.

    Attributes:
        name: The path or URL that was given for it.
        content: Its bytes.
        is_file: Whether it is a local file.
    """

    name: str
    content: bytes
    is_file: bool

    @cached_property
    def _root(self) -> yaml.Node | None:
        if b"\n" not in self.content.strip():
            return None
        try:
            # JSON is YAML, too, except for a few files, which have no lines then.
            return yaml.compose(self.content, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            return None

    def line(self, pointer: str) -> int:
        """Return the number of the line, from 1, of the key or item at a pointer, or of the nearest part above it."""
        node, line = self._root, 1
        for step in split(pointer):
            found = _member(node, step)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line + 1
        return line


def _member(node: yaml.Node | None, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """Return the node that begins a member, and the member."""
    if isinstance(node, yaml.MappingNode):
        for key, value in cast("list[tuple[Any, Any]]", node.value):
            if isinstance(key, yaml.ScalarNode) and key.value == step:
                return key, value
    elif isinstance(node, yaml.SequenceNode) and step.isdecimal():
        items = cast("list[yaml.Node]", node.value)
        if int(step) < len(items):
            return items[int(step)], items[int(step)]
    return None


@dataclass(frozen=True, slots=True)
class Sources:
    """The texts of both documents."""

    old: SourceText
    new: SourceText

    def position(self, change: Change) -> tuple[SourceText, int]:
        """Return the file and the line that a change is shown at.

        It is in the new document if that is a file, because its lines can be changed; otherwise in the old one.
        """
        if self.old.is_file and not self.new.is_file:
            return self.old, self.old.line(change.old_pointer or "")
        return self.new, self.new.line(change.new_pointer or "")

    def position_of_part(self, part: NotCompared) -> tuple[SourceText, int]:
        """Return the file and the line of a part that could not be compared."""
        source = self.old if part.document == "old" else self.new
        return source, source.line(part.pointer)
