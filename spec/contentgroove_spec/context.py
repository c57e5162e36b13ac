"""What all parts of a comparison share: the readers, the pairs of schemas, and what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .texts import TEXTS, lifecycle_changes, text_differences
from .uses import Source

if TYPE_CHECKING:
    from .changes import Direction, Location
    from .findings import Findings
    from .pairs import SchemaComparer
    from .reading import Part, Reader
    from .schemas import View
    from .uses import Graph


class Site(NamedTuple):
    """A location of the API, and whether an app sends what is there; None where that means nothing."""

    location: Location
    direction: Direction | None


class Context(NamedTuple):
    """What a comparison of two documents shares.

    Attributes:
        readers: The readers of the old and of the new document.
        schemas: The comparison of schemas.
        graph: The pairs of schemas.
        findings: What was found.
    """

    readers: tuple[Reader, Reader]
    schemas: SchemaComparer
    graph: Graph
    findings: Findings

    def follow(self, old: Part, new: Part) -> tuple[Part, Part] | None:
        """Return the objects that two parts are or refer to; None if one cannot be read or both are the same."""
        before, after = self.readers[0].follow(old), self.readers[1].follow(new)
        if before is None or after is None or self.schemas.unchanged(before, after):
            return None
        return before, after

    def compare_flag(
        self, name: str, old: Part, new: Part, site: Site, *, rules: tuple[str, str], subject: str = ""
    ) -> None:
        """Compare a truth value, with the rules for one that became true and for one that became false."""
        before, after = (part.value.get(name) is True for part in (old, new))
        if before != after:
            rule, parents = rules[0 if after else 1], (old.pointer, new.pointer)
            parts = old.optional(name), new.optional(name)
            self.findings.at(rule, *parts, site.location, site.direction, name=subject, parents=parents)

    def compare_descriptions(self, old: Part, new: Part, site: Site) -> None:
        """Compare the texts of two parts, and the announcements of an end."""
        parents = old.pointer, new.pointer
        for rule, had, has, name in text_differences(old, new, TEXTS):
            self.findings.at(rule, had, has, site.location, name=name, parents=parents)
        for rule, had, has in lifecycle_changes(old, new):
            self.findings.at(rule, had, has, site.location, site.direction, parents=parents)

    def views(self, old: Part, new: Part) -> tuple[View, View]:
        """Return the views of the schemas that two parts have."""
        schemas = old.optional("schema"), new.optional("schema")
        return (
            self.schemas.old.view(() if schemas[0] is None else (schemas[0],)),
            self.schemas.new.view(() if schemas[1] is None else (schemas[1],)),
        )

    def compare_schemas(
        self, old: Part | None, new: Part | None, site: Site, holder: Part, *, textual: bool = False
    ) -> None:
        """Compare the schemas at a location.

        Args:
            old: The old schema; None if any value is valid.
            new: The new schema.
            site: The location.
            holder: What has the schema in the old document.
            textual: Whether the values are written as text.
        """
        location, direction = site
        if old is not None and new is not None:
            node = self.schemas.connect((old,), (new,), textual=textual)
            if node is not None and direction is not None:
                self.graph.add_root(node, location, direction, holder)
        elif new is not None:
            if not self.schemas.new.view((new,)).is_open:
                source = Source(location, direction, holder=holder)
                self.findings.add("schema-specified", None, new, source, parents=(holder.pointer, None))
        elif old is not None and not self.schemas.old.view((old,)).is_open:
            self.findings.at("schema-unspecified", old, None, location, direction)

    def locate(self, location: Location | None) -> None:
        """Set the location for parts that cannot be read."""
        for reader in self.readers:
            reader.location = location
