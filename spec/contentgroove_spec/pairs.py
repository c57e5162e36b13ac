"""The pairs of schemas that are compared, each once, however often it occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .changes import Direction, Location, Rating
from .findings import Findings
from .reading import has_same_name, same_value
from .schemas import Views
from .uses import BOTH, Edge, Graph, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from .reading import Part, Reader, Unchanged
    from .schemas import Parts
    from .uses import Node


class SchemaComparer:
    """Has the pairs of schemas of two documents compared, each once.

    Attributes:
        old: The views of the old document's schemas.
        new: The views of the new one's.
        unread: The pairs in which something could not be read, by the document's side and the JSON pointer.
    """

    def __init__(
        self,
        readers: tuple[Reader, Reader],
        unchanged: Unchanged,
        graph: Graph,
        findings: Findings,
        *,
        compare: Callable[[Pair], None],
    ) -> None:
        self.old, self.new = (Views(reader) for reader in readers)
        self.unchanged = unchanged
        self.findings = findings
        self.unread: dict[tuple[str, str], list[Node]] = {}
        self._graph = graph
        self._compare = compare
        self._changed_values: dict[tuple[str, str], list[str]] = {}

    def connect(self, old: Parts, new: Parts, *, textual: bool = False) -> Node | None:
        """Return the node of a pair of schemas; None if they have the same content."""
        annotated = not same_value(self.old.annotations(old), self.new.annotations(new))
        if not annotated and self.same(old, new):
            return None
        if old and new and not annotated:
            old, new = tuple(map(self.old.resolved, old)), tuple(map(self.new.resolved, new))
        # If there is only one schema, the change is where it is referred to.
        return self._graph.node(old, new, textual=textual)

    def same(self, old: Parts, new: Parts) -> bool:
        """Return whether two schemas have the same content, with everything that they refer to."""
        before, after = (tuple(map(views.resolved, parts)) for views, parts in ((self.old, old), (self.new, new)))
        return len(before) == len(after) and all(map(self.unchanged, before, after))

    def changed_values(self, old: Part, new: Part) -> list[str]:
        """Return the values of two discriminators that do not name schemas with the same name.

        Every schema that extends another has its discriminator, so it is looked at only once.
        """
        key = old.pointer, new.pointer
        if key not in self._changed_values:
            had, has = self.old.reader.mapped(old), self.new.reader.mapped(new)
            self._changed_values[key] = [
                value
                for value in dict.fromkeys([*had, *has])
                if not (value in had and value in has and has_same_name(had[value], has[value]))
            ]
        return self._changed_values[key]

    def accepts(self, old: Parts, new: Parts) -> bool:
        """Return whether everything that an app sends by one schema is accepted by another."""
        graph, findings = Graph(), Findings()
        comparer = SchemaComparer(
            (self.old.reader, self.new.reader), self.unchanged, graph, findings, compare=self._compare
        )
        node = comparer.connect(old, new)
        if node is None:
            return True
        graph.add_root(node, Location(), Direction.SENT, None)
        comparer.run()
        graph.propagate()
        verdicts = (
            verdict for finding in findings for source in finding.sources for verdict in source.verdicts(finding.rule)
        )
        return all(verdict.rating is not Rating.BREAKING for verdict in verdicts)

    def run(self) -> None:
        """Compare all pairs that are pending, and those that they contain."""
        while self._graph.pending:
            node = self._graph.pending.popleft()
            self._compare(Pair(self, self._graph, node))


class Pair:
    """The comparison of one pair of schemas.

    Attributes:
        node: The pair.
        old: The view of the old schemas.
        new: The view of the new ones.
        branches: The JSON pointers of the branches of unions that correspond.
    """

    def __init__(self, comparer: SchemaComparer, graph: Graph, node: Node) -> None:
        self.comparer = comparer
        self.node = node
        self.old, self.new = comparer.old.view(node.old), comparer.new.view(node.new)
        self.branches: set[tuple[str, str]] = set()
        self._graph = graph

    def add(
        self,
        rule_id: str,
        old: Part | None,
        new: Part | None,
        *,
        name: str = "",
        field: str = "",
        mask: int = BOTH,
    ) -> None:
        """Add a change of this pair."""
        source = Source(node=self.node, field=field, mask=mask)
        parents = self.old.pointer or None, self.new.pointer or None
        self.comparer.findings.add(rule_id, old, new, source, name=name, parents=parents)

    def inner(self, old: Parts, new: Parts, field: str = "", *, mask: int = BOTH, turned: bool = False) -> None:
        """Compare a pair of schemas inside this one."""
        node = self.comparer.connect(old, new, textual=self.node.textual)
        if node is not None and mask:
            self._graph.connect(Edge(self.node, node, field, mask, turned))
