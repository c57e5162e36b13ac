"""Views of schemas: what all parts of one demand together, whether it is inline, referred to or split by `allOf`.

A view of several parts is their conjunction. The schemas of its properties and items are such tuples of parts, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from contentgroove._openapi.documents import as_list, as_object

from .reading import Part, comparable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .reading import Reader

Parts: TypeAlias = tuple[Part, ...]
"""Schemas that apply together; none of them means that any value is valid."""

ANNOTATIONS = frozenset(
    {"title", "description", "example", "examples", "externalDocs", "xml", "$comment", "$id", "$schema", "$anchor",
     "$dynamicAnchor", "$defs", "definitions", "deprecated", "default", "readOnly", "writeOnly", "nullable"}
)  # fmt: skip
"""Keywords that reject no value; `nullable` only adds one."""

SCALARS = frozenset({"string", "integer", "number", "boolean"})
_NUMBER = frozenset({"integer", "number"})
_MAX_PARTS = 500


@dataclass(frozen=True, slots=True)
class Union:
    """A `oneOf` or `anyOf` with more than one branch besides null.

    Attributes:
        keyword: Its keyword.
        part: Its list of branches.
        holder: The schema that has it.
        branches: The branches that are not null.
    """

    keyword: str
    part: Part
    holder: Part
    branches: Parts


@dataclass(slots=True, eq=False)
class View:
    """What a conjunction of schemas demands.

    Attributes:
        parts: The schemas.
        pointer: The JSON pointer of the first one, its references followed; empty without one.
        leaves: The objects that it consists of, without references and `allOf`.
        unions: Its unions.
        types: The valid types other than null, with `integer` next to `number`; None if any is. They are inferred from
            other keywords if there is none.
        forbidden: The `false` that it contains; None if there is none.
        null: Whether the types permit null; None if nothing is said about types.
        lists_null: Whether null is among the values of `enum` or `const`, or nothing lists the values.
        inferred: Whether the types are inferred.
        contradictory: Whether the types of its parts exclude each other, so that no value is valid.
        unread: The JSON pointers of what could not be read in it.
    """

    parts: Parts
    pointer: str = ""
    leaves: list[Part] = field(default_factory=list[Part])
    unions: list[Union] = field(default_factory=list[Union])
    types: frozenset[str] | None = None
    forbidden: Part | None = None
    null: bool | None = None
    lists_null: bool = True
    inferred: bool = False
    contradictory: bool = False
    unread: list[str] = field(default_factory=list[str])

    def keyword(self, name: str) -> Part | None:
        """Return the first occurrence of a keyword; None if there is none."""
        return next((leaf.member(name) for leaf in self.leaves if name in leaf.value), None)

    def keywords(self, name: str) -> list[Part]:
        """Return every occurrence of a keyword."""
        return [leaf.member(name) for leaf in self.leaves if name in leaf.value]

    def flag(self, name: str) -> bool:
        """Return whether a keyword is true in any of the schemas."""
        return any(leaf.value.get(name) is True for leaf in self.leaves)

    @property
    def is_open(self) -> bool:
        """Whether every value is valid."""
        return (
            not (self.unions or self.forbidden or self.unread)
            and self.types is None
            and not any(
                keyword not in ANNOTATIONS and not keyword.startswith("x-")
                for leaf in self.leaves
                for keyword in leaf.value
            )
        )

    @property
    def has_only_unions(self) -> bool:
        """Whether nothing but the unions and a type restricts the values."""
        return not self.forbidden and all(
            keyword in {*ANNOTATIONS, "oneOf", "anyOf", "discriminator", "type"} or keyword.startswith("x-")
            for leaf in self.leaves
            for keyword in leaf.value
        )

    def mapped(self, name: str) -> dict[str, Parts]:
        """Return the schemas in a keyword that has them by names."""
        found: dict[str, list[Part]] = {}
        for part in self.keywords(name):
            if part.is_object:
                for key in cast("dict[str, Any]", part.value):
                    found.setdefault(key, []).append(part.member(key))
        return {key: tuple(parts) for key, parts in found.items()}

    def schema(self, name: str) -> Parts:
        """Return the schemas of a keyword that has one."""
        return tuple(self.keywords(name))

    def required(self) -> dict[str, Part]:
        """Return the names that are required, each with the list that has it."""
        return {
            name: part
            for part in self.keywords("required")
            if part.is_list
            for name in cast("list[Any]", part.value)
            if isinstance(name, str)
        }

    def listed(self, value: Any) -> bool:
        """Return whether a value is in each `enum` and equal to each `const`."""
        lists = [as_list(part.value) for part in self.keywords("enum")]
        lists += [[part.value] for part in self.keywords("const")]
        return all(comparable(value) in map(comparable, values) for values in lists)

    def values(self) -> tuple[Part, dict[str, Any]] | None:
        """Return the values of `enum` and `const` without null, by a form that can be compared, and their origin."""
        found: tuple[Part, dict[str, Any]] | None = None
        for leaf in self.leaves:
            for name in ("enum", "const"):
                if name in leaf.value:
                    listed = leaf.value[name] if name == "enum" else [leaf.value[name]]
                    if isinstance(listed, list):
                        values = {comparable(value): value for value in cast("list[Any]", listed) if value is not None}
                        origin, known = found or (leaf.member(name), values)
                        found = origin, {key: value for key, value in known.items() if key in values}
        return found


class Views:
    """Makes the views of one document's schemas, each once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._known: dict[tuple[str, ...], View] = {}

    def view(self, parts: Parts) -> View:
        """Return the view of a conjunction of schemas."""
        key = tuple(part.pointer for part in parts)
        if key not in self._known:
            self._known[key] = _Collector(self.reader, parts).view
        return self._known[key]

    def resolved(self, part: Part) -> Part:
        """Return the schema that a schema refers to and nothing else; itself if it does more or the reference fails."""
        return list(self._chain(part))[-1]

    def annotations(self, parts: Parts) -> list[dict[str, Any]]:
        """Return what stands next to the references that lead to resolved schemas."""
        if self.reader.references_stand_alone:
            return []
        referring = (part.value for schema in parts for part in list(self._chain(schema))[:-1])
        found = ({name: value for name, value in schema.items() if name != "$ref"} for schema in referring)
        return [annotations for annotations in found if annotations]

    def _chain(self, part: Part) -> Iterator[Part]:
        """Yield a schema and those that it refers to one after the other, as far as it does nothing else."""
        yield part
        seen: set[str] = set()
        while part.is_object and "$ref" in part.value and part.pointer not in seen:
            seen.add(part.pointer)
            found = self.reader.find(part.value["$ref"])
            if not isinstance(found, Part) or not (self.reader.references_stand_alone or _only_refers(part.value)):
                break
            part = found
            yield part


class _Collector:
    """Collects the leaves of one conjunction."""

    def __init__(self, reader: Reader, parts: Parts) -> None:
        self.view = View(parts)
        self._reader = reader
        self._seen: set[str] = set()
        self._nullable = False
        self._null_branch = False
        self._types: list[frozenset[str]] = []
        for part in parts:
            self._collect(part, outermost=True)
        self._finish()

    def _collect(self, part: Part, *, outermost: bool) -> None:
        if part.pointer in self._seen or len(self._seen) > _MAX_PARTS:
            return
        self._seen.add(part.pointer)
        view = self.view
        if isinstance(part.value, bool):
            view.pointer = view.pointer or part.pointer
            view.forbidden = view.forbidden if part.value else part
        elif not self._reader.is_object(part):
            view.unread.append(part.pointer)
        elif not self._follow(part, outermost=outermost):
            view.pointer = view.pointer or part.pointer
            for inner in self._reader.items(part.optional("allOf")):
                self._collect(inner, outermost=False)
            self._nullable |= part.value.get("nullable") is True and outermost
            self._add(part)

    def _follow(self, part: Part, *, outermost: bool) -> bool:
        """Collect what a schema refers to; return whether nothing else in it counts."""
        for name in ("$ref", "$dynamicRef"):
            if name in part.value:
                target = self._reader.target(part.value[name], part.pointer)
                if target is None:
                    self.view.unread.append(part.pointer)
                else:
                    self._collect(target, outermost=outermost)
                if self._reader.references_stand_alone:
                    self.view.pointer = self.view.pointer or part.pointer
                    return True
        return False

    def _add(self, part: Part) -> None:
        """Add the keywords of a schema itself."""
        leaf = {name: value for name, value in part.value.items() if name not in {"$ref", "$dynamicRef", "allOf"}}
        for keyword in ("oneOf", "anyOf"):
            if keyword in leaf:
                self._union(part, keyword, leaf)
        if leaf or not part.value:
            self.view.leaves.append(Part(part.pointer, leaf))
            names = type_names(leaf)
            if names:
                self._types.append(names)

    def _union(self, part: Part, keyword: str, leaf: dict[str, Any]) -> None:
        alternatives = self._alternatives(part, keyword)
        branches = [branch for branch in alternatives if not self._is_null(branch)]
        self._null_branch |= len(branches) < len(alternatives)
        kinds = [self._pure_types(branch) for branch in branches]
        if len(branches) == 1:
            del leaf[keyword]
            self._collect(branches[0], outermost=False)
        elif branches and all(kinds):
            del leaf[keyword]
            self._types.append(frozenset[str]().union(*kinds))
        elif branches:
            self.view.unions.append(Union(keyword, part.member(keyword), part, tuple(branches)))

    def _alternatives(self, part: Part, keyword: str) -> list[Part]:
        """Return the branches of a union, those of an `anyOf` that is nothing but a branch of another among them."""
        return [
            inner
            for branch in self._reader.items(part.member(keyword))
            for inner in (
                self._alternatives(branch, keyword)
                if keyword == "anyOf" and branch.is_object and set(branch.value) == {"anyOf"}
                else [branch]
            )
        ]

    def _is_null(self, part: Part) -> bool:
        value = self._members(part)
        return value.get("type") in ("null", ["null"]) or value.get("enum") == [None] or value.get("const", 0) is None

    def _pure_types(self, part: Part) -> frozenset[str]:
        """Return the types of a schema that has only types."""
        value = self._members(part)
        if any(name not in {*ANNOTATIONS, "type"} for name in value):
            return frozenset()
        return type_names(value)

    def _members(self, part: Part) -> dict[str, Any]:
        """Return the members of a branch, or of the schema that it refers to."""
        reference = part.optional("$ref")
        found = part if reference is None else self._reader.find(reference.value)
        return as_object(found.value) if isinstance(found, Part) else {}

    def _finish(self) -> None:
        view, null = self.view, self._nullable or self._null_branch
        view.lists_null = view.listed(None)
        types = self._types[0].intersection(*self._types) if self._types else self._inferred()
        view.inferred = not self._types
        if self._types and not types:
            # They contradict each other; the document means the outermost.
            view.contradictory, types = True, self._types[-1]
        if types is None and self._null_branch and not view.unions:
            types, view.inferred = frozenset({"null"}), False
        if types is not None:
            view.null = null or "null" in types
            view.types = types - {"null"}
            if not self._types and view.values() is not None:
                # Where no type is named, the values decide.
                view.null = view.lists_null
        elif view.unions:
            view.null = null

    def _inferred(self) -> frozenset[str] | None:
        """Infer the types from the values of `enum`, and from keywords that only objects or arrays have."""
        values = self.view.values()
        if values is not None:
            return frozenset[str]().union(*(_types_of(value) for value in values[1].values()))
        if any(leaf.value.get("properties") for leaf in self.view.leaves):
            return frozenset({"object"})
        if any(name in leaf.value for leaf in self.view.leaves for name in ("items", "prefixItems")):
            return frozenset({"array"})
        return None


def type_names(schema: dict[str, Any]) -> frozenset[str]:
    """Return the types that a schema names, `null` for `nullable`; none if it names none."""
    kinds = schema.get("type")
    names = {kinds} if isinstance(kinds, str) else {name for name in as_list(kinds) if isinstance(name, str)}
    if names and schema.get("nullable") is True:
        names.add("null")
    if "number" in names:
        names.add("integer")
    return frozenset(names)


def type_text(types: frozenset[str] | None) -> str:
    """Write types for people, without null."""
    if types is None:
        return "any"
    return " or ".join(sorted(types - {"integer"} if "number" in types else types)) or "null"


def _types_of(value: Any) -> frozenset[str]:
    match value:
        case bool():
            return frozenset({"boolean"})
        case str():
            return frozenset({"string"})
        case int():
            return frozenset({"integer"})
        case float():
            return _NUMBER
        case list():
            return frozenset({"array"})
        case _:
            return frozenset({"object"})


def _only_refers(schema: dict[str, Any]) -> bool:
    return all(name == "$ref" or name in ANNOTATIONS or name.startswith("x-") for name in schema)


Bound: TypeAlias = tuple[Part, tuple[float, bool]]
"""Where a bound is, the bound, and whether it is excluded."""


def bounds(view: View, names: tuple[str, str], *, lower: bool) -> Bound | None:
    """Return the tightest of a view's bounds; None if there is none.

    Args:
        view: The view.
        names: The keywords of the inclusive and of the exclusive bound.
        lower: Whether it is a lower bound.
    """
    found = list(_bounds(view, names))
    if not found:
        return None
    sign = 1 if lower else -1
    return max(found, key=lambda bound: (sign * bound[1][0], bound[1][1]))


def _bounds(view: View, names: tuple[str, str]) -> Iterator[Bound]:
    inclusive, exclusive = names
    for leaf in view.leaves:
        limit, excluded = leaf.value.get(inclusive), leaf.value.get(exclusive)
        if is_number(limit):
            # OpenAPI 3.0 has a truth value next to the bound.
            yield leaf.member(inclusive), (limit, excluded is True)
        if is_number(excluded):
            yield leaf.member(exclusive), (excluded, True)


def is_number(value: Any) -> bool:
    """Return whether a value is a number of JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
