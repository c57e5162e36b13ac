"""Compares which single values are valid: types, enums, formats, bounds, patterns, defaults."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .reading import Part
from .schemas import bounds, comparable, is_number, type_text

if TYPE_CHECKING:
    from .schema_comparison import Pair
    from .schemas import View

_WIDER_FORMATS = {("int32", "int64"), ("float", "double"), ("int32", "float"), ("int32", "double")}
_HINTS = frozenset({"password", "", None})
"""Formats that restrict nothing."""

_ANY_PATTERNS = frozenset({"", ".*", "^.*$", "^.*", ".*$"})

_RANGES = (("minimum", "exclusiveMinimum", True, "minimum"), ("maximum", "exclusiveMaximum", False, "maximum"))
_SIZES = (
    ("minLength", True, "min-length", "string"),
    ("maxLength", False, "max-length", "string"),
    ("minItems", True, "min-items", "array"),
    ("maxItems", False, "max-items", "array"),
    ("minProperties", True, "min-properties", "object"),
    ("maxProperties", False, "max-properties", "object"),
)


def compare_types(pair: Pair) -> bool:
    """Compare the types; return whether both schemas have a type in common."""
    old, new = pair.old, pair.new
    parts = tuple(_type_part(view) for view in (old, new))
    if old.null is not None and new.null is not None and old.null != new.null:
        pair.add("null-permitted" if new.null else "null-forbidden", *parts)
    if old.unions or new.unions or old.types == new.types:
        return True
    before, after = old.types, new.types
    had, has = Part(_pointer(old), type_text(before)), Part(_pointer(new), type_text(after))
    if after is not None and (before is None or after < before):
        if old.values() is None or new.values() is None:
            pair.add("type-narrowed", had, has)
        return bool(after)
    if before is not None and (after is None or before < after):
        if old.values() is None or new.values() is None:
            pair.add("type-widened", had, has)
        return bool(before)
    pair.add("type-changed", had, has)
    return bool((before or frozenset()) & (after or frozenset()))


def _pointer(view: View) -> str:
    part = view.keyword("type")
    return view.pointer if part is None else part.pointer


def _type_part(view: View) -> Part:
    part = view.keyword("nullable") or view.keyword("type")
    return part or Part(view.pointer, None)


def compare_values(pair: Pair) -> None:
    """Compare everything that restricts or describes single values."""
    _enums(pair)
    _formats(pair)
    _ranges(pair)
    _sizes(pair)
    _multiples(pair)
    if _applies(pair, "string"):
        _patterns(pair)
    if _applies(pair, "array"):
        _unique_items(pair)
        _contained(pair)
    for keyword in ("contentEncoding", "contentMediaType"):
        old, new = pair.old.keyword(keyword), pair.new.keyword(keyword)
        if _value(old) != _value(new):
            pair.add("content-encoding-changed", old, new, name=keyword)
    _defaults(pair)
    _deprecations(pair)


def _applies(pair: Pair, kind: str) -> bool:
    return all(view.types is None or kind in view.types for view in (pair.old, pair.new))


def _enums(pair: Pair) -> None:
    old, new = (_restricting(view) for view in (pair.old, pair.new))
    if old is None and new is None:
        return
    if old is None or new is None:
        rule = "enum-added" if old is None else "enum-removed"
        pair.add(
            rule, *(None if found is None else Part(found[0].pointer, list(found[1].values())) for found in (old, new))
        )
        return
    removed = [value for key, value in old[1].items() if key not in new[1]]
    added = [value for key, value in new[1].items() if key not in old[1]]
    # The lists may be the same part of the documents, so that only the values are given.
    if added:
        pair.add("enum-values-added", None, Part(new[0].pointer, added), name=_listed(added))
    if removed:
        pair.add("enum-values-removed", Part(old[0].pointer, removed), None, name=_listed(removed))


def _restricting(view: View) -> tuple[Part, dict[str, Any]] | None:
    """Return the values of `enum`, unless they are all that the type has."""
    found = view.values()
    if found is not None and view.types == {"boolean"} and {"true", "false"} <= found[1].keys():
        return None
    return found


def _listed(values: list[Any]) -> str:
    return ", ".join(f"`{value}`" if isinstance(value, str) else f"`{comparable(value)}`" for value in values)


def _formats(pair: Pair) -> None:
    old, new = pair.old.keyword("format"), pair.new.keyword("format")
    had, has = (None if _value(part) in _HINTS else _value(part) for part in (old, new))
    if had == has or pair.old.types != pair.new.types:
        return
    if had is None:
        pair.add("format-added", None, new)
    elif has is None:
        pair.add("format-removed", old, None)
    else:
        wider, narrower = (had, has) in _WIDER_FORMATS, (has, had) in _WIDER_FORMATS
        pair.add("format-widened" if wider else "format-narrowed" if narrower else "format-changed", old, new)


def _ranges(pair: Pair) -> None:
    if not (_applies(pair, "integer") or _applies(pair, "number")):
        return
    for inclusive, exclusive, lower, name in _RANGES:
        found = [bounds(view, (inclusive, exclusive), lower=lower) for view in (pair.old, pair.new)]
        keys = [
            None if bound is None else _range_key(view, bound[1], lower=lower)
            for view, bound in zip((pair.old, pair.new), found, strict=True)
        ]
        if keys[0] != keys[1]:
            tightened = keys[0] is None or (keys[1] is not None and keys[1] > keys[0])
            parts = (None if bound is None else bound[0] for bound in found)
            pair.add(f"{name}-{'tightened' if tightened else 'relaxed'}", *parts)


def _range_key(view: View, bound: tuple[float, bool], *, lower: bool) -> tuple[float, bool]:
    """Return a bound as a value that is larger the fewer numbers are valid."""
    limit, excluded = bound
    if excluded and view.types == {"integer"} and float(limit).is_integer():
        # Without fractions, to exclude 0 is to begin with 1.
        limit, excluded = limit + (1 if lower else -1), False
    return (limit if lower else -limit), excluded


def _sizes(pair: Pair) -> None:
    for keyword, lower, name, kind in _SIZES:
        if _applies(pair, kind):
            _size(pair, keyword, name, lower=lower, default=0)


def _contained(pair: Pair) -> None:
    if pair.old.schema("contains") and pair.new.schema("contains"):
        _size(pair, "minContains", "min-contains", lower=True, default=1)
        _size(pair, "maxContains", "max-contains", lower=False, default=0)


def _size(pair: Pair, keyword: str, name: str, *, lower: bool, default: int) -> None:
    found = [bounds(view, (keyword, ""), lower=lower) for view in (pair.old, pair.new)]
    keys = [(default if lower else None) if bound is None else bound[1][0] for bound in found]
    if keys[0] == keys[1]:
        return
    if lower:
        tightened = (keys[1] or 0) > (keys[0] or 0)
    else:
        tightened = keys[0] is None or (keys[1] is not None and keys[1] < keys[0])
    parts = (None if bound is None else bound[0] for bound in found)
    pair.add(f"{name}-{'tightened' if tightened else 'relaxed'}", *parts)


def _multiples(pair: Pair) -> None:
    old, new = pair.old.keyword("multipleOf"), pair.new.keyword("multipleOf")
    had, has = (_factor(view, part) for view, part in ((pair.old, old), (pair.new, new)))
    if had == has:
        return
    if has is None or (had is not None and (had / has).denominator == 1):
        pair.add("multiple-of-relaxed", old, new)
    elif had is None or (has / had).denominator == 1:
        pair.add("multiple-of-tightened", old, new)
    else:
        pair.add("multiple-of-changed", old, new)


def _factor(view: View, part: Part | None) -> Fraction | None:
    if part is None or not is_number(part.value) or part.value <= 0:
        return None
    factor = Fraction(str(part.value))
    return None if view.types == {"integer"} and factor == 1 else factor


def _patterns(pair: Pair) -> None:
    old, new = (
        {part.value: part for part in view.keywords("pattern") if isinstance(part.value, str)}
        for view in (pair.old, pair.new)
    )
    lost = [part for pattern, part in old.items() if pattern not in new and pattern not in _ANY_PATTERNS]
    gained = [part for pattern, part in new.items() if pattern not in old and pattern not in _ANY_PATTERNS]
    if lost and gained:
        pair.add("pattern-changed", lost[0], gained[0])
    elif gained:
        pair.add("pattern-added", None, gained[0])
    elif lost:
        pair.add("pattern-removed", lost[0], None)


def _unique_items(pair: Pair) -> None:
    old, new = pair.old.flag("uniqueItems"), pair.new.flag("uniqueItems")
    if new and not old:
        pair.add("unique-items-added", None, pair.new.keyword("uniqueItems"))
    elif old and not new:
        pair.add("unique-items-removed", pair.old.keyword("uniqueItems"), None)


def _defaults(pair: Pair) -> None:
    old, new = pair.old.keyword("default"), pair.new.keyword("default")
    if old is None and new is not None:
        pair.add("default-added", None, new)
    elif old is not None and new is None:
        pair.add("default-removed", old, None)
    elif old is not None and new is not None and comparable(old.value) != comparable(new.value):
        pair.add("default-changed", old, new)


def _deprecations(pair: Pair) -> None:
    old, new = pair.old.flag("deprecated"), pair.new.flag("deprecated")
    if new and not old:
        pair.add("deprecation-added", None, pair.new.keyword("deprecated"))
    elif old and not new:
        pair.add("deprecation-removed", pair.old.keyword("deprecated"), None)


def _value(part: Part | None) -> Any:
    return None if part is None or not isinstance(part.value, str) else part.value
