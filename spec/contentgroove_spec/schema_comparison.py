"""Compares pairs of schemas, each pair once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.pointers import escape

from .reading import Part
from .schemas import Views, as_items
from .texts import compare_texts
from .unions import compare_discriminators, compare_unions
from .uses import BOTH, RECEIVED, SENT, Edge, Source
from .values import compare_types, compare_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .findings import Findings
    from .reading import Reader, Unchanged
    from .schemas import Parts, View
    from .uses import Graph, Node


class SchemaComparer:
    """Compares the schemas of two documents.

    Attributes:
        old: The views of the old document's schemas.
        new: The views of the new one's.
        unread: The pairs in which something could not be read, by the document's side and the JSON pointer.
    """

    def __init__(self, readers: tuple[Reader, Reader], unchanged: Unchanged, graph: Graph, findings: Findings) -> None:
        self.old, self.new = (Views(reader) for reader in readers)
        self.unchanged = unchanged
        self.findings = findings
        self.unread: dict[tuple[str, str], list[Node]] = {}
        self._graph = graph

    def connect(self, old: Parts, new: Parts) -> Node | None:
        """Return the node of a pair of schemas; None if they have the same content."""
        if self.same(old, new):
            return None
        if old and new:
            old, new = tuple(map(self.old.resolved, old)), tuple(map(self.new.resolved, new))
        # If there is only one schema, the change is where it is referred to.
        return self._graph.node(old, new)

    def same(self, old: Parts, new: Parts) -> bool:
        """Return whether two schemas have the same content, with everything that they refer to."""
        before, after = (tuple(map(views.resolved, parts)) for views, parts in ((self.old, old), (self.new, new)))
        return len(before) == len(after) and all(map(self.unchanged, before, after))

    def run(self) -> None:
        """Compare all pairs that are pending, and those that they contain."""
        while self._graph.pending:
            node = self._graph.pending.popleft()
            Pair(self, self._graph, node).compare()


class Pair:
    """The comparison of one pair of schemas.

    Attributes:
        node: The pair.
        old: The view of the old schemas.
        new: The view of the new ones.
    """

    def __init__(self, comparer: SchemaComparer, graph: Graph, node: Node) -> None:
        self.comparer = comparer
        self.node = node
        self.old, self.new = comparer.old.view(node.old), comparer.new.view(node.new)
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
        node = self.comparer.connect(old, new)
        if node is not None and mask:
            self._graph.connect(Edge(self.node, node, field, mask, turned))

    def compare(self) -> None:
        """Compare the two schemas."""
        old, new = self.old, self.new
        for side, view in (("old", old), ("new", new)):
            for pointer in view.unread:
                self.comparer.unread.setdefault((side, pointer), []).append(self.node)
        compare_texts(self)
        if old.unread or new.unread:
            # What is missing on one side may be in the part that cannot be read.
            self._properties(only_common=True)
            return
        if self._openness() or not compare_types(self) or compare_unions(self):
            return
        compare_values(self)
        compare_discriminators(self)
        if applies("object", old, new):
            self._properties()
            self._other_properties()
            self._pattern_properties()
            self._dependencies()
        if applies("array", old, new):
            self._array()
        self._logic()

    def _openness(self) -> bool:
        """Compare whether any or no value is valid; return whether nothing else is to be compared."""
        old, new = self.old, self.new
        if old.forbidden or new.forbidden:
            if not (old.forbidden and new.forbidden):
                self.add("schema-forbidden" if new.forbidden else "schema-permitted", _whole(old), _whole(new))
            return True
        if old.is_open == new.is_open:
            return old.is_open
        if old.is_open:
            self.add("schema-specified", None, _whole(new))
        else:
            self.add("schema-unspecified", _whole(old), None)
        return True

    def _properties(self, *, only_common: bool = False) -> None:
        old, new = self.old.mapped("properties"), self.new.mapped("properties")
        had, has = self.old.required(), self.new.required()
        for name in dict.fromkeys([*old, *new, *had, *has]):
            before, after = old.get(name), new.get(name)
            readable = self._masks(before, after)
            field = f"/{escape(name)}"
            if before is not None and after is not None:
                self._access(name, before, after, *readable)
                self.inner(before, after, field, mask=readable[0] & readable[1])
            elif only_common:
                continue
            elif before is not None:
                self.add("property-removed", before[0], None, name=name, field=field, mask=readable[0])
                continue
            elif after is not None:
                rule = "required-property-added" if name in has and name not in had else "property-added"
                self.add(rule, None, after[0], name=name, field=field, mask=readable[1])
                continue
            if not only_common:
                self._required(name, had.get(name), has.get(name), readable)

    def _masks(self, before: Parts | None, after: Parts | None) -> tuple[int, int]:
        """Return the directions in which a property is used in both documents."""
        masks: list[int] = []
        for views, parts in ((self.comparer.old, before), (self.comparer.new, after)):
            view = views.view(parts or ())
            sent, received = not view.flag("readOnly"), not view.flag("writeOnly")
            masks.append((SENT if sent else 0) | (RECEIVED if received else 0))
        return masks[0], masks[1]

    def _access(self, name: str, before: Parts, after: Parts, had: int, has: int) -> None:
        field = f"/{escape(name)}"
        for mask, keyword, lost, gained in (
            (SENT, "readOnly", "property-became-read-only", "property-no-longer-read-only"),
            (RECEIVED, "writeOnly", "property-became-write-only", "property-no-longer-write-only"),
        ):
            if had & mask and not has & mask:
                self.add(lost, before[0], _flag(self.comparer.new.view(after), keyword, after), name=name, field=field)
            elif has & mask and not had & mask:
                self.add(
                    gained, _flag(self.comparer.old.view(before), keyword, before), after[0], name=name, field=field
                )

    def _required(self, name: str, had: Part | None, has: Part | None, readable: tuple[int, int]) -> None:
        """Compare whether a property is required, for each direction in which it is used."""
        before, after = (readable[0] if had else 0), (readable[1] if has else 0)
        # Where the property is not used in one of the documents, a change of its use says it all.
        common = readable[0] & readable[1]
        field = f"/{escape(name)}"
        gained = after & ~before & (common | (SENT & readable[1]))
        lost = before & ~after & common
        if gained:
            self.add("property-became-required", None, has, name=name, field=field, mask=gained)
        if lost:
            self.add("property-no-longer-required", had, None, name=name, field=field, mask=lost)

    def _other_properties(self) -> None:
        rules = {
            ("open", "closed"): "additional-properties-forbidden",
            ("closed", "open"): "additional-properties-permitted",
            ("closed", "schema"): "additional-properties-permitted",
            ("open", "schema"): "additional-properties-specified",
            ("schema", "open"): "additional-properties-unspecified",
            ("schema", "closed"): "map-values-removed",
        }
        self._other("additionalProperties", "/*", rules)
        rules = {
            ("open", "closed"): "unevaluated-properties-forbidden",
            ("schema", "closed"): "unevaluated-properties-forbidden",
            ("closed", "open"): "unevaluated-properties-permitted",
            ("closed", "schema"): "unevaluated-properties-permitted",
        }
        self._other("unevaluatedProperties", "/*", rules)

    def _other(self, keyword: str, field: str, rules: Mapping[tuple[str, str], str]) -> None:
        """Compare what is valid apart from what the schema names."""
        old, new = self.old.schema(keyword), self.new.schema(keyword)
        before, after = _opening(self.comparer.old, old), _opening(self.comparer.new, new)
        rule = rules.get((before, after))
        if rule is not None:
            self.add(rule, *(parts[0] if parts else None for parts in (old, new)), field=field)
        elif "closed" not in (before, after):
            self.inner(old, new, field)

    def _pattern_properties(self) -> None:
        old, new = self.old.mapped("patternProperties"), self.new.mapped("patternProperties")
        for pattern in dict.fromkeys([*old, *new]):
            before, after = old.get(pattern), new.get(pattern)
            name = f"`{pattern}`"
            if before is not None and after is not None:
                self.inner(before, after, "/*")
            elif after is not None:
                closed = _opening(self.comparer.old, self.old.schema("additionalProperties")) == "closed"
                rule = "pattern-property-permitted" if closed else "pattern-property-added"
                self.add(rule, None, after[0], name=name, field="/*")
            elif before is not None:
                closed = _opening(self.comparer.new, self.new.schema("additionalProperties")) == "closed"
                rule = "pattern-property-forbidden" if closed else "pattern-property-removed"
                self.add(rule, before[0], None, name=name, field="/*")

    def _dependencies(self) -> None:
        self._presence("propertyNames", "property-names-added", "property-names-removed")
        old, new = _dependent(self.old), _dependent(self.new)
        for key in dict.fromkeys([*old, *new]):
            name = f"`{key[1]}`"
            if key not in old:
                self.add("dependent-required-added", None, Part(new[key], key[0]), name=name)
            elif key not in new:
                self.add("dependent-required-removed", Part(old[key], key[0]), None, name=name)
        before, after = self.old.mapped("dependentSchemas"), self.new.mapped("dependentSchemas")
        for key in dict.fromkeys([*before, *after]):
            name = f"`{key}`"
            if key not in before:
                self.add("dependent-schema-added", None, after[key][0], name=name)
            elif key not in after:
                self.add("dependent-schema-removed", before[key][0], None, name=name)
            else:
                self.inner(before[key], after[key])

    def _presence(self, keyword: str, added: str, removed: str, *, turned: bool = False, field: str = "") -> None:
        """Compare a keyword that has a schema and restricts nothing if it is absent."""
        old, new = self.old.schema(keyword), self.new.schema(keyword)
        if old and new:
            self.inner(old, new, field, turned=turned)
        elif new:
            self.add(added, None, new[0], field=field)
        elif old:
            self.add(removed, old[0], None, field=field)

    def _array(self) -> None:
        old, new = (_prefix(view) for view in (self.old, self.new))
        rest = self.old.schema("items"), self.new.schema("items")
        for index in range(max(len(old), len(new))):
            self.inner(
                (old[index],) if index < len(old) else rest[0], (new[index],) if index < len(new) else rest[1], "/*"
            )
        if any(rest):
            self.inner(*rest, "/*")
        self._presence("contains", "contains-added", "contains-removed", field="/*")
        rules = {
            ("open", "closed"): "unevaluated-items-forbidden",
            ("schema", "closed"): "unevaluated-items-forbidden",
            ("closed", "open"): "unevaluated-items-permitted",
            ("closed", "schema"): "unevaluated-items-permitted",
        }
        self._other("unevaluatedItems", "/*", rules)

    def _logic(self) -> None:
        self._presence("not", "not-added", "not-removed", turned=True)
        old, new = self.old.schema("if"), self.new.schema("if")
        if not old and not new:
            return
        if not (old and new):
            rule = "condition-added" if new else "condition-removed"
            self.add(rule, *(parts[0] if parts else None for parts in (old, new)))
        elif self.comparer.same(old, new):
            for keyword in ("then", "else"):
                before, after = self.old.schema(keyword), self.new.schema(keyword)
                if before or after:
                    self.inner(before, after)
        else:
            self.add("condition-changed", old[0], new[0])


def applies(kind: str, *views: View) -> bool:
    """Return whether a type is valid in all views."""
    return all(view.types is None or kind in view.types for view in views)


def _opening(views: Views, parts: Parts) -> str:
    if not parts:
        return "open"
    view = views.view(parts)
    return "closed" if view.forbidden else "open" if view.is_open else "schema"


def _whole(view: View) -> Part | None:
    return view.parts[0] if view.parts else None


def _flag(view: View, keyword: str, parts: Parts) -> Part:
    return view.keyword(keyword) or parts[0]


def _dependent(view: View) -> dict[tuple[str, str], str]:
    """Return each pair of `dependentRequired`, with the JSON pointer of its list."""
    return {
        (str(name), str(required)): f"{part.pointer}/{escape(str(name))}"
        for part in view.keywords("dependentRequired")
        if isinstance(part.value, dict)
        for name, names in cast("dict[str, Any]", part.value).items()
        for required in as_items(names)
    }


def _prefix(view: View) -> list[Part]:
    part = view.keyword("prefixItems")
    return [] if part is None else [part.item(index) for index in range(len(as_items(part.value)))]
