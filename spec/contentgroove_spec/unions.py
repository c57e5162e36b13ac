"""Compares `oneOf`, `anyOf` and discriminators: which branches of two unions correspond, and what the others mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from contentgroove._openapi.documents import as_list
from contentgroove._openapi.pointers import escape, split

from .reading import Part, encoded, has_same_name, same_value
from .schemas import ANNOTATIONS, SCALARS, type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from .pairs import Pair
    from .schemas import Parts, Union, View, Views

_OF_UNIONS = ANNOTATIONS | {"oneOf", "anyOf", "discriminator"}
_MAX_TRIED = 20
"""The branches of a new `oneOf` that an old schema is tried with."""


def compare_unions(pair: Pair) -> bool:
    """Compare the unions; return whether that was all that there is to compare.

    A schema that becomes one of several is treated as a union of one to which others are added.
    """
    old, new = pair.old, pair.new
    if not old.unions and len(new.unions) == 1 and new.has_only_unions:
        union = new.unions[0]
        before = _single(pair.comparer.old, old)
        _compare_branches(pair, [before], _branches(union), union, before="")
        if union.keyword == "oneOf":
            _report_ambiguity(pair, before, union)
        compare_discriminators(pair)
        return True
    if not new.unions and len(old.unions) == 1 and old.has_only_unions:
        after = _single(pair.comparer.new, new)
        _compare_branches(pair, _branches(old.unions[0]), [after], old.unions[0], before="")
        compare_discriminators(pair)
        return True
    for had, has in zip(old.unions, new.unions, strict=False):
        if had.keyword != has.keyword:
            rule = "any-of-became-one-of" if has.keyword == "oneOf" else "one-of-became-any-of"
            pair.add(rule, Part(had.part.pointer, had.keyword), Part(has.part.pointer, has.keyword))
        _compare_branches(pair, _branches(had), _branches(has), has, before=had.keyword)
    common = min(len(old.unions), len(new.unions))
    for union in new.unions[common:]:
        pair.add("union-added", None, union.part, name=union.keyword)
    for union in old.unions[common:]:
        pair.add("union-removed", union.part, None, name=union.keyword)
    return False


def _single(views: Views, view: View) -> Parts:
    """Return the only branch of a schema that is nothing but a union of one, else the schema."""
    parts = view.parts
    while len(parts) == 1:
        part = views.resolved(parts[0])
        if not part.is_object or any(name not in _OF_UNIONS and not name.startswith("x-") for name in part.value):
            break
        branches = [branch for name in ("oneOf", "anyOf") for branch in as_list(part.value.get(name))]
        if len(branches) != 1:
            break
        keyword = "oneOf" if "oneOf" in part.value else "anyOf"
        parts = (part.member(keyword).item(0),)
    return parts


def _branches(union: Union) -> list[Parts]:
    return [(branch,) for branch in union.branches]


def _compare_branches(pair: Pair, old: list[Parts], new: list[Parts], union: Union, *, before: str) -> None:
    comparer = pair.comparer
    pairs, removed, added = _Matcher(comparer.old, comparer.new).match(old, new)
    for was, now in pairs:
        pair.inner(was, now)
        pair.branches.add((comparer.old.resolved(was[0]).pointer, comparer.new.resolved(now[0]).pointer))
    for branch in removed:
        pair.add("branch-removed", branch[0], None, name=_branch_name(comparer.old, branch, union.keyword))
    for branch in added:
        name = _branch_name(comparer.new, branch, union.keyword)
        pair.add("branch-added", None, branch[0], name=name)
        others = [now for _, now in pairs]
        if before == union.keyword == "oneOf" and any(_overlap(comparer.new, branch, other) for other in others):
            pair.add("one-of-became-ambiguous", None, branch[0], name=name)


def _overlap(views: Views, branch: Parts, other: Parts) -> bool:
    """Return whether two branches have nothing but types, and one in common."""
    types = [view.types for view in map(views.view, (branch, other)) if view.has_only_unions and not view.unions]
    known = [names for names in types if names is not None]
    return len(known) > 1 and bool(known[0] & known[1])


def _report_ambiguity(pair: Pair, old: Parts, union: Union) -> None:
    """Report if what the old schema accepts matches several branches of a new `oneOf`."""
    branches = _branches(union)
    if len(branches) <= _MAX_TRIED:
        accepting = [branch for branch in branches if pair.comparer.accepts(old, branch)]
        if len(accepting) > 1:
            name = _branch_name(pair.comparer.new, accepting[1], union.keyword)
            pair.add("one-of-became-ambiguous", None, accepting[1][0], name=name)


def _branch_name(views: Views, branch: Parts, keyword: str) -> str:
    view = views.view(branch)
    title = view.keyword("title")
    name = _component(views, branch) or (title.value if title is not None else type_text(view.types))
    return f"`{name}` of `{keyword}`"


def _component(views: Views, branch: Parts) -> str:
    """Return the name of the schema that a branch refers to; empty if it is inline."""
    part = branch[0]
    if len(branch) > 1 or not part.is_object or "$ref" not in part.value:
        steps = split(part.pointer)
        return steps[-1] if len(branch) == 1 and steps[:2] == ["components", "schemas"] and len(steps) == 3 else ""  # noqa: PLR2004 - section, kind, name
    return split(views.resolved(part).pointer)[-1]


class _Matcher:
    """Pairs branches by what identifies them, the surest first, and never by comparing all with all."""

    def __init__(self, old: Views, new: Views) -> None:
        self._views = old, new

    def match(self, old: list[Parts], new: list[Parts]) -> tuple[list[tuple[Parts, Parts]], list[Parts], list[Parts]]:
        """Return the pairs, and the branches of either union that have no partner."""
        pairs: list[tuple[Parts, Parts]] = []
        keys: tuple[Callable[[Views, Parts], Hashable], ...] = (_name_key, _content_key, _tag_key, _shape_key)
        for key in keys:
            old, new = self._pair_by(key, old, new, pairs)
        # Schemas with names are different things unless one of the keys says otherwise.
        unnamed = [
            [branch for branch in branches if not _component(views, branch)]
            for views, branches in zip(self._views, (old, new), strict=True)
        ]
        if len(unnamed[0]) < len(old) and len(unnamed[1]) < len(new):
            ordered = list(zip(*unnamed, strict=False))
        else:
            ordered = list(zip(old, new, strict=False))
        ordered = [(before, after) for before, after in ordered if self._may_be_same(before, after)]
        pairs += ordered
        taken = {id(branch) for couple in ordered for branch in couple}
        remaining = ([branch for branch in branches if id(branch) not in taken] for branches in (old, new))
        removed, added = remaining
        return pairs, removed, added

    def _pair_by(
        self,
        key: Callable[[Views, Parts], Hashable],
        old: list[Parts],
        new: list[Parts],
        pairs: list[tuple[Parts, Parts]],
    ) -> tuple[list[Parts], list[Parts]]:
        waiting: dict[Hashable, list[Parts]] = {}
        for branch in old:
            waiting.setdefault(key(self._views[0], branch), []).append(branch)
        remaining: list[Parts] = []
        for branch in new:
            found = key(self._views[1], branch)
            if found is not None and waiting.get(found):
                pairs.append((waiting[found].pop(0), branch))
            else:
                remaining.append(branch)
        left = {id(branch) for branches in waiting.values() for branch in branches}
        return [branch for branch in old if id(branch) in left], remaining

    def _may_be_same(self, before: Parts, after: Parts) -> bool:
        old, new = self._views[0].view(before), self._views[1].view(after)
        return old.types is None or new.types is None or bool(old.types & new.types)


def _name_key(views: Views, branch: Parts) -> Hashable:
    return _component(views, branch) or None


def _content_key(views: Views, branch: Parts) -> Hashable:
    return b"".join(
        encoded({name: value for name, value in leaf.value.items() if name not in ANNOTATIONS})
        for leaf in views.view(branch).leaves
    )


def _tag_key(views: Views, branch: Parts) -> Hashable:
    """Return the title, and the properties that have only one value."""
    view = views.view(branch)
    tags: list[tuple[str, str]] = []
    for name, parts in view.mapped("properties").items():
        values = views.view(parts).values()
        if values is not None and len(values[1]) == 1:
            tags.append((name, next(iter(values[1]))))
    if tags:
        return tuple(sorted(tags))
    title = view.keyword("title")
    return title.value if title is not None and isinstance(title.value, str) else None


def _shape_key(views: Views, branch: Parts) -> Hashable:
    """Return the types and the names of the properties; None if there is too little of them."""
    view = views.view(branch)
    names = frozenset(view.mapped("properties"))
    if names or (view.types is not None and view.types <= SCALARS):
        return view.types, names
    return None


def compare_discriminators(pair: Pair) -> None:
    """Compare the discriminators, and the schemas that only a discriminator's mapping names."""
    old, new = pair.old.keyword("discriminator"), pair.new.keyword("discriminator")
    if not _is_object(old):
        old = None
    if not _is_object(new):
        new = None
    if old is None or new is None:
        if old is not new:
            pair.add("discriminator-removed" if new is None else "discriminator-added", _name(old), _name(new))
        return
    before, after = _name(old), _name(new)
    if before is not None and after is not None and before.value != after.value:
        pair.add("discriminator-property-changed", before, after)
    _compare_mappings(pair, old, new)


def _is_object(part: Part | None) -> bool:
    return part is not None and part.is_object


def _name(part: Part | None) -> Part | None:
    return None if part is None else part.optional("propertyName") or part


def _compare_mappings(pair: Pair, old: Part, new: Part) -> None:
    had, has = pair.comparer.old.reader.mapped(old), pair.comparer.new.reader.mapped(new)
    values = pair.comparer.changed_values(old, new)
    # The mapping of a base schema also applies to the schemas that extend it, which are not of the other kinds.
    own = not pair.new.unions and new.pointer == f"{pair.new.pointer}/discriminator"
    if own:
        values = list(dict.fromkeys([*had, *has]))
    elif not values or (had.keys() == has.keys() and same_value(old.value, new.value)):
        return
    implied = [_implied(view) for view in (pair.old, pair.new)]
    for value in values:
        before, after = had.get(value), has.get(value)
        origins = [
            Part(f"{part.pointer}/mapping/{escape(value)}", split(target.pointer)[-1]) if target is not None else None
            for part, target in ((old, before), (new, after))
        ]
        if before is not None and after is not None:
            if _other(pair, before, after):
                pair.add("discriminator-value-changed", *origins, name=f"`{value}`")
            elif own:
                pair.inner((before,), (after,))
        elif after is not None and value not in implied[1] and _is_common(after, pair.old, implied[0]):
            pair.add("discriminator-value-added", None, origins[1], name=f"`{value}`")
        elif before is not None and value not in implied[0] and _is_common(before, pair.new, implied[1]):
            pair.add("discriminator-value-removed", origins[0], None, name=f"`{value}`")


def _implied(view: View) -> set[str]:
    """Return the values that mean a branch without a mapping: the names of the schemas."""
    return {name for union in view.unions for name in _names(union)}


def _names(union: Union) -> set[str]:
    references = (cast("dict[str, Any]", branch.value).get("$ref") for branch in union.branches if _is_object(branch))
    return {split(reference)[-1] for reference in references if isinstance(reference, str) and "/" in reference}


def _is_common(target: Part, other: View, implied: set[str]) -> bool:
    """Return whether a value is for a schema that the other document's union has too, or there is none."""
    return not other.unions or split(target.pointer)[-1] in implied


def _other(pair: Pair, before: Part, after: Part) -> bool:
    """Return whether a value stands for another schema than before."""
    if has_same_name(before, after) or (before.pointer, after.pointer) in pair.branches:
        return False
    return not pair.comparer.same((before,), (after,))
