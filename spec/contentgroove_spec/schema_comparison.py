"""Compares a pair of schemas: what objects and arrays may contain, and the logic of conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list
from contentgroove._openapi.pointers import escape

from .reading import Part
from .texts import compare_texts
from .unions import compare_discriminators, compare_unions
from .uses import RECEIVED, SENT
from .values import compare_types, compare_values, default_changes, report_without_effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .pairs import Pair
    from .schemas import Parts, View, Views


def compare_pair(pair: Pair) -> None:
    """Compare a pair of schemas."""
    _Comparison(pair).compare()


_CONTENTS = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
    "array": ("items", "prefixItems", "contains"),
}


class _Comparison:
    """The comparison of one pair."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._old, self._new = pair.old, pair.new
        self._views = pair.comparer.old, pair.comparer.new
        self._add, self._inner = pair.add, pair.inner

    def compare(self) -> None:
        """Compare the two schemas."""
        old, new = self._old, self._new
        for side, view in (("old", old), ("new", new)):
            for pointer in view.unread:
                self._pair.comparer.unread.setdefault((side, pointer), []).append(self._pair.node)
        compare_texts(self._pair)
        if old.unread or new.unread:
            # What is missing on one side may be in the part that cannot be read.
            self._properties(only_common=True)
            return
        if self._openness() or not compare_types(self._pair) or compare_unions(self._pair):
            return
        compare_values(self._pair)
        compare_discriminators(self._pair)
        self._without_effect()
        if applies("object", old, new):
            self._properties()
            self._other_properties()
            self._pattern_properties()
            self._dependencies()
        if applies("array", old, new):
            self._array()
        self._logic()

    def _without_effect(self) -> None:
        """Report changes of what objects and arrays may contain where neither is valid, such as a text's properties."""
        for kind, keywords in _CONTENTS.items():
            if not applies(kind, self._old, self._new):
                report_without_effect(self._pair, *keywords)

    def _openness(self) -> bool:
        """Compare whether any or no value is valid; return whether nothing else is to be compared."""
        old, new = self._old, self._new
        if old.forbidden or new.forbidden:
            if not (old.forbidden and new.forbidden):
                self._add("schema-forbidden" if new.forbidden else "schema-permitted", _whole(old), _whole(new))
            return True
        if old.contradictory != new.contradictory:
            self._add("schema-forbidden" if new.contradictory else "schema-permitted", _whole(old), _whole(new))
        if old.is_open == new.is_open:
            return old.is_open
        if old.is_open:
            self._add("schema-specified", None, _whole(new))
        else:
            self._add("schema-unspecified", _whole(old), None)
        return True

    def _properties(self, *, only_common: bool = False) -> None:
        old, new = self._old.mapped("properties"), self._new.mapped("properties")
        had, has = self._old.required(), self._new.required()
        for name in dict.fromkeys([*old, *new, *had, *has]):
            before, after = old.get(name), new.get(name)
            readable = self._masks(before, after)
            field = f"/{escape(name)}"
            if before is not None and after is not None:
                self._access(name, before, after, *readable)
                views = self._views[0].view(before), self._views[1].view(after)
                for rule, was, now in default_changes(*views, required=name in had and name in has):
                    self._add(rule, was, now, field=field, mask=readable[0] & readable[1])
                self._inner(before, after, field, mask=readable[0] & readable[1])
            elif only_common:
                continue
            elif before is not None:
                self._add("property-removed", before[0], None, name=name, field=field, mask=readable[0])
                continue
            elif after is not None:
                rule = "required-property-added" if name in has and name not in had else "property-added"
                self._add(rule, None, after[0], name=name, field=field, mask=readable[1])
                continue
            if not only_common:
                self._required(name, had.get(name), has.get(name), readable)

    def _masks(self, before: Parts | None, after: Parts | None) -> tuple[int, int]:
        """Return the directions in which a property is used in both documents."""
        masks: list[int] = []
        for views, parts in ((self._views[0], before), (self._views[1], after)):
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
                self._add(lost, before[0], _flag(self._views[1].view(after), keyword, after), name=name, field=field)
            elif has & mask and not had & mask:
                self._add(gained, _flag(self._views[0].view(before), keyword, before), after[0], name=name, field=field)

    def _required(self, name: str, had: Part | None, has: Part | None, readable: tuple[int, int]) -> None:
        """Compare whether a property is required, for each direction in which it is used."""
        before, after = (readable[0] if had else 0), (readable[1] if has else 0)
        # Where the property is not used in one of the documents, a change of its use says it all.
        common = readable[0] & readable[1]
        field = f"/{escape(name)}"
        gained = after & ~before & (common | (SENT & readable[1]))
        lost = before & ~after & common
        if gained:
            self._add("property-became-required", None, has, name=name, field=field, mask=gained)
        if lost:
            self._add("property-no-longer-required", had, None, name=name, field=field, mask=lost)

    def _other_properties(self) -> None:
        rules = {
            ("open", "closed"): "additional-properties-forbidden",
            ("closed", "open"): "additional-properties-permitted",
            ("closed", "schema"): "additional-properties-permitted",
            ("open", "schema"): "additional-properties-specified",
            ("schema", "open"): "additional-properties-unspecified",
            ("schema", "closed"): "map-values-removed",
        }
        views = self._old, self._new
        keywords = ("additionalProperties", "unevaluatedProperties")
        had, has = ([keyword for keyword in keywords if view.schema(keyword)] for view in views)
        if len(had) == len(has) == 1 and had != has and not any(map(_is_conditional, views)):
            # Without a branch or condition that evaluates properties, both keywords mean the same.
            self._other(self._old.schema(had[0]), self._new.schema(has[0]), rules)
            return
        self._others("additionalProperties", rules)
        rules = {
            ("open", "closed"): "unevaluated-properties-forbidden",
            ("schema", "closed"): "unevaluated-properties-forbidden",
            ("closed", "open"): "unevaluated-properties-permitted",
            ("closed", "schema"): "unevaluated-properties-permitted",
        }
        self._others("unevaluatedProperties", rules)

    def _others(self, keyword: str, rules: Mapping[tuple[str, str], str]) -> None:
        """Compare what is valid apart from what the schema names."""
        self._other(self._old.schema(keyword), self._new.schema(keyword), rules)

    def _other(self, old: Parts, new: Parts, rules: Mapping[tuple[str, str], str]) -> None:
        before, after = _opening(self._views[0], old), _opening(self._views[1], new)
        rule = rules.get((before, after))
        if rule is not None:
            self._add(rule, *(parts[0] if parts else None for parts in (old, new)), field="/*")
        elif "closed" not in (before, after):
            self._inner(old, new, "/*")

    def _pattern_properties(self) -> None:
        old, new = self._old.mapped("patternProperties"), self._new.mapped("patternProperties")
        for pattern in dict.fromkeys([*old, *new]):
            before, after = old.get(pattern), new.get(pattern)
            name = f"`{pattern}`"
            if before is not None and after is not None:
                self._inner(before, after, "/*")
            elif after is not None:
                closed = _opening(self._views[0], self._old.schema("additionalProperties")) == "closed"
                rule = "pattern-property-permitted" if closed else "pattern-property-added"
                self._add(rule, None, after[0], name=name, field="/*")
            elif before is not None:
                closed = _opening(self._views[1], self._new.schema("additionalProperties")) == "closed"
                rule = "pattern-property-forbidden" if closed else "pattern-property-removed"
                self._add(rule, before[0], None, name=name, field="/*")

    def _dependencies(self) -> None:
        self._presence("propertyNames", "property-names-added", "property-names-removed")
        old, new = _dependent(self._old), _dependent(self._new)
        for needed in dict.fromkeys([*old, *new]):
            name = f"`{needed[1]}`"
            if needed not in old:
                self._add("dependent-required-added", None, Part(new[needed], needed[0]), name=name)
            elif needed not in new:
                self._add("dependent-required-removed", Part(old[needed], needed[0]), None, name=name)
        before, after = self._old.mapped("dependentSchemas"), self._new.mapped("dependentSchemas")
        for present in dict.fromkeys([*before, *after]):
            name = f"`{present}`"
            if present not in before:
                self._add("dependent-schema-added", None, after[present][0], name=name)
            elif present not in after:
                self._add("dependent-schema-removed", before[present][0], None, name=name)
            else:
                self._inner(before[present], after[present])

    def _presence(self, keyword: str, added: str, removed: str, *, turned: bool = False, field: str = "") -> None:
        """Compare a keyword that has a schema and restricts nothing if it is absent."""
        old, new = self._old.schema(keyword), self._new.schema(keyword)
        if old and new:
            self._inner(old, new, field, turned=turned)
        elif new:
            self._add(added, None, new[0], field=field)
        elif old:
            self._add(removed, old[0], None, field=field)

    def _array(self) -> None:
        old, new = (_prefix(view) for view in (self._old, self._new))
        rest = self._old.schema("items"), self._new.schema("items")
        was_closed = _opening(self._views[0], rest[0]) == "closed"
        for index in range(max(len(old), len(new))):
            before = (old[index],) if index < len(old) else rest[0]
            after = (new[index],) if index < len(new) else rest[1]
            if was_closed and index >= len(old):
                self._add("other-items-permitted", before[0], after[0], field="/*")
            else:
                self._inner(before, after, "/*")
        rules = {
            ("open", "closed"): "other-items-forbidden",
            ("schema", "closed"): "schema-forbidden",
            ("closed", "open"): "other-items-permitted",
            ("closed", "schema"): "other-items-permitted",
        }
        self._others("items", rules)
        had, has = self._old.schema("contains"), self._new.schema("contains")
        if bool(had) == bool(has) or _demands_items(self._old if had else self._new):
            self._presence("contains", "contains-added", "contains-removed", field="/*")
        rules = {
            ("open", "closed"): "unevaluated-items-forbidden",
            ("schema", "closed"): "unevaluated-items-forbidden",
            ("closed", "open"): "unevaluated-items-permitted",
            ("closed", "schema"): "unevaluated-items-permitted",
        }
        self._others("unevaluatedItems", rules)

    def _logic(self) -> None:
        self._presence("contentSchema", "content-schema-added", "content-schema-removed")
        self._presence("not", "not-added", "not-removed", turned=True)
        old, new = _condition(self._old), _condition(self._new)
        if not old and not new:
            return
        if not (old and new):
            rule = "condition-added" if new else "condition-removed"
            self._add(rule, *(parts[0] if parts else None for parts in (old, new)))
        elif self._pair.comparer.same(old, new):
            for keyword in ("then", "else"):
                before, after = self._old.schema(keyword), self._new.schema(keyword)
                if before or after:
                    self._inner(before, after)
        else:
            self._add("condition-changed", old[0], new[0])


def applies(kind: str, *views: View) -> bool:
    """Return whether a type is valid in all views."""
    return all(view.types is None or kind in view.types for view in views)


def _opening(views: Views, parts: Parts) -> str:
    if not parts:
        return "open"
    view = views.view(parts)
    return "closed" if view.forbidden else "open" if view.is_open else "schema"


def _is_conditional(view: View) -> bool:
    """Return whether more than the schema itself can evaluate properties."""
    return bool(view.unions) or any(view.keyword(name) is not None for name in ("if", "dependentSchemas"))


def _demands_items(view: View) -> bool:
    """Return whether `contains` demands or limits anything."""
    least = view.keyword("minContains")
    return least is None or least.value != 0 or view.keyword("maxContains") is not None


def _condition(view: View) -> Parts:
    """Return the schemas of `if`; none if nothing follows from them."""
    return view.schema("if") if any(view.keyword(name) is not None for name in ("then", "else")) else ()


def _whole(view: View) -> Part | None:
    return view.parts[0] if view.parts else None


def _flag(view: View, keyword: str, parts: Parts) -> Part:
    return view.keyword(keyword) or parts[0]


def _dependent(view: View) -> dict[tuple[str, str], str]:
    """Return each pair of `dependentRequired`, with the JSON pointer of its list."""
    return {
        (str(name), str(required)): f"{part.pointer}/{escape(str(name))}"
        for part in view.keywords("dependentRequired")
        if part.is_object
        for name, names in cast("dict[str, Any]", part.value).items()
        for required in as_list(names)
    }


def _prefix(view: View) -> list[Part]:
    part = view.keyword("prefixItems")
    return [] if part is None else [part.item(index) for index in range(len(as_list(part.value)))]
