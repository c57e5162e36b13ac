"""Which locations of the API use a pair of schemas: a graph of pairs, so that shared schemas are compared once.

Each location of a body, parameter or header is a root, from which edges lead to the pairs of schemas in it. A pair's
uses are found by going back along the edges when a report reads them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar, cast, overload

from .changes import Direction, Location, Rating, Use

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .reading import Part
    from .rules import Rule, Verdict
    from .schemas import Parts

_Item = TypeVar("_Item")

SENT, RECEIVED = 1, 2
BOTH = SENT | RECEIVED
"""Masks of directions: a read-only property is only received."""

MAX_FIELDS = 4
"""The fields that are named if a body contains a schema several times."""

_MAX_KEPT = 200
"""The items of one sequence that are kept in memory."""

_BITS = {Direction.SENT: SENT, Direction.RECEIVED: RECEIVED}
_OPPOSITE = {Direction.SENT: Direction.RECEIVED, Direction.RECEIVED: Direction.SENT}
ORDER = {rating: number for number, rating in enumerate(Rating)}
"""The ratings' order, the gravest first."""

State: TypeAlias = tuple[Direction, bool]
"""A direction, and whether narrowing and widening are exchanged there, as below `not`."""


@dataclass(frozen=True, slots=True)
class Root:
    """A location of the API that contains a value.

    Attributes:
        number: Its position among all roots.
        location: The location.
        direction: Whether an app sends the value.
        holder: What has the schema in the old document, and perhaps examples of it.
    """

    number: int
    location: Location
    direction: Direction
    holder: Part | None = None


@dataclass(slots=True, eq=False)
class Node:
    """A pair of schemas.

    Attributes:
        old: The old schemas.
        new: The new ones.
        textual: Whether the values are written as text, as in URLs and headers.
        users: The edges that lead to it.
        parts: The edges that lead from it.
        states: The directions in which it is used.
    """

    old: Parts
    new: Parts
    textual: bool = False
    users: list[Edge] = field(default_factory=list["Edge"])
    parts: list[Edge] = field(default_factory=list["Edge"])
    states: set[State] = field(default_factory=set[State])


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """The use of a pair of schemas by another one, or by a root.

    Attributes:
        user: What uses it.
        node: What is used.
        field: The field in between, as JSON pointer.
        mask: The directions in which it is used there.
        turned: Whether narrowing and widening are exchanged.
    """

    user: Node | Root
    node: Node
    field: str
    mask: int = BOTH
    turned: bool = False


class FieldUse(NamedTuple):
    """A root that uses a node, with the field at which it does."""

    root: Root
    field: str
    turned: bool


class Graph:
    """All pairs of schemas that are compared."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[tuple[str, ...], tuple[str, ...], bool], Node] = {}
        self.pending: deque[Node] = deque()
        self._roots = 0
        self._fields: dict[tuple[Node, int], list[FieldUse]] = {}

    def node(self, old: Parts, new: Parts, *, textual: bool = False) -> Node:
        """Return the node of a pair; a new one is pending until it is compared."""
        key = tuple(part.pointer for part in old), tuple(part.pointer for part in new), textual
        if key not in self.nodes:
            self.nodes[key] = Node(old, new, textual)
            self.pending.append(self.nodes[key])
        return self.nodes[key]

    def connect(self, edge: Edge) -> None:
        """Add an edge."""
        edge.node.users.append(edge)
        if isinstance(edge.user, Node):
            edge.user.parts.append(edge)

    def add_root(self, node: Node, location: Location, direction: Direction, holder: Part | None) -> None:
        """Note that a location contains a pair of schemas."""
        self._roots += 1
        self.connect(Edge(Root(self._roots, location, direction, holder), node, ""))

    def propagate(self) -> None:
        """Find the directions in which each node is used."""
        pending: list[tuple[Edge, State]] = [
            (edge, (edge.user.direction, False))
            for node in self.nodes.values()
            for edge in node.users
            if isinstance(edge.user, Root)
        ]
        while pending:
            edge, (direction, turned) = pending.pop()
            state = direction, turned != edge.turned
            if _BITS[direction] & edge.mask and state not in edge.node.states:
                edge.node.states.add(state)
                pending.extend((inner, state) for inner in edge.node.parts)

    def fields(self, node: Node, mask: int = BOTH) -> list[FieldUse]:
        """Return the roots that use a node, in their order, each with the shortest fields."""
        if (node, mask) not in self._fields:
            self._fields[node, mask] = sorted(
                _fields(node, mask), key=lambda use: (use.root.number, use.field.count("/"), use.field)
            )
        return self._fields[node, mask]


class _Step(NamedTuple):
    """A step back from a node to what uses it.

    Attributes:
        node: The node that was reached.
        field: The field that leads from it to the first node.
        mask: The directions in which it leads there.
        turned: Whether narrowing and widening are exchanged in between.
        later: The step before this one.
    """

    node: Node
    field: str
    mask: int
    turned: bool
    later: _Step | None

    def has_passed(self, node: Node) -> bool:
        """Return whether a node was passed, so that a recursive schema adds no fields."""
        step: _Step | None = self
        while step is not None:
            if step.node is node:
                return True
            step = step.later
        return False


def _fields(start: Node, mask: int) -> Iterator[FieldUse]:
    pending = deque([_Step(start, "", mask, turned=False, later=None)])
    visits: dict[tuple[int, int, bool], int] = {}
    found: dict[tuple[int, str], FieldUse] = {}
    while pending:
        step = pending.popleft()
        for edge in step.node.users:
            user, narrowed, turned = edge.user, step.mask & edge.mask, step.turned != edge.turned
            if isinstance(user, Root):
                if _BITS[user.direction] & narrowed:
                    name = edge.field + step.field
                    found.setdefault((user.number, name), FieldUse(user, name, turned))
                continue
            key = id(user), narrowed, turned
            known = visits.get(key, 0)
            if narrowed and known < MAX_FIELDS and not step.has_passed(user):
                visits[key] = known + 1
                pending.append(_Step(user, edge.field + step.field, narrowed, turned, step))
    return iter(found.values())


class Source(NamedTuple):
    """Where a finding was made: at a location of the API, or in a pair of schemas.

    Attributes:
        location: The location; None in a pair of schemas.
        direction: The direction there.
        node: The pair of schemas.
        field: The field in it.
        mask: The directions in which it counts.
        holder: At a location, what has the schema in the old document.
    """

    location: Location | None = None
    direction: Direction | None = None
    node: Node | None = None
    field: str = ""
    mask: int = BOTH
    holder: Part | None = None

    def verdicts(self, rule: Rule) -> Iterator[Verdict]:
        """Yield what a change means here, for each direction."""
        if self.node is None:
            yield rule.verdict(self.direction)
        else:
            # A set has another order in each process, and of equal verdicts the first is reported.
            for direction, turned in sorted(self.node.states):
                if _BITS[direction] & self.mask:
                    yield rule.verdict(_OPPOSITE[direction] if turned else direction)

    def uses(self, graph: Graph, rule: Rule) -> Iterator[Use]:
        """Yield the uses of a change that was found here."""
        if self.node is None:
            if self.location is not None:
                yield _use(self.location, self.direction, rule.verdict(self.direction))
            return
        for root, name, turned in graph.fields(self.node, self.mask):
            where = root.location
            location = Location(where.operation, where.webhook, where.part, where.name, name + self.field, where.detail)
            verdict = rule.verdict(_OPPOSITE[root.direction] if turned else root.direction)
            yield _use(location, root.direction, verdict)


def _use(location: Location, direction: Direction | None, verdict: Verdict) -> Use:
    return Use(location, direction, verdict.rating, verdict.reason)


class Lazy(Sequence[_Item]):
    """Items that are found when they are read, and kept unless there are many: most are read once, by the report."""

    def __init__(self, find: Callable[[], Iterable[_Item]]) -> None:
        self._find = find
        self._found: list[_Item] | None = None

    def _all(self) -> list[_Item]:
        if self._found is not None:
            return self._found
        found = list(dict.fromkeys(self._find()))
        if len(found) <= _MAX_KEPT:
            self._found = found
        return found

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[_Item]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> _Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[_Item]: ...
    def __getitem__(self, index: int | slice) -> _Item | Sequence[_Item]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == list(cast("Sequence[object]", other))

    def __hash__(self) -> int:
        return hash(tuple(self._all()))

    def __repr__(self) -> str:
        return repr(self._all())
