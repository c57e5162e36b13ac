"""Compares which single values are valid: types, enums, formats, bounds, patterns, defaults."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from .reading import Part, comparable, each
from .schemas import SCALARS, bounds, is_number, type_text
from .texts import SUNSET, lifecycle_changes, paired_leaves

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .pairs import Pair
    from .schemas import Bound, View, Views

_WIDER_FORMATS = {
    ("int8", "int16"), ("int8", "int32"), ("int8", "int64"), ("int16", "int32"), ("int16", "int64"), ("int32", "int64"),
    ("uint8", "uint16"), ("uint8", "uint32"), ("uint8", "uint64"), ("uint16", "uint32"), ("uint16", "uint64"),
    ("uint32", "uint64"), ("float", "double"), ("int32", "double"),
    ("uri", "uri-reference"), ("uri", "iri"), ("iri", "iri-reference"), ("email", "idn-email"),
    ("hostname", "idn-hostname"),
}  # fmt: skip
_NUMBER_FORMATS = frozenset(
    {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "double", "double-int",
     "decimal", "decimal128", "single", "unixtime"}
)  # fmt: skip
_TEXT_FORMATS = frozenset(
    {"date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri",
     "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer", "relative-json-pointer", "regex",
     "base64url", "binary", "byte", "char", "commonmark", "html", "date-time-local", "time-local", "http-date",
     "media-range", "sf-binary", "sf-boolean", "sf-decimal", "sf-integer", "sf-string", "sf-token", "decimal",
     "decimal128", "int64", "uint64"}
)  # fmt: skip
"""The formats that JSON Schema and OpenAPI's registry define; `password` restricts nothing."""

_KNOWN_FORMATS = _NUMBER_FORMATS | _TEXT_FORMATS
_REWRITTEN = {"contentEncoding": ("byte", "base64"), "contentMediaType": ("binary", "application/octet-stream")}
"""What OpenAPI 3.1 writes in these keywords instead of a format (OpenAPI 3.1, 4.8.24, and its guide to upgrading)."""

_TEXT = frozenset({"string"})
_TRUTH_VALUES = frozenset({"boolean"})
_WHOLE_NUMBERS = frozenset({"integer"})
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
    _compare_null(pair)
    before, after = (old.types, new.types) if not (old.unions or new.unions) else _types_beside_unions(pair)
    if before == after:
        return True
    had, has = Part(_pointer(old), type_text(before)), Part(_pointer(new), type_text(after))
    rule = _type_rule(pair, before, after)
    # Two enums say more than the types of their values.
    listed = old.values() is not None and new.values() is not None
    if rule == "type-changed" or not listed:
        pair.add(rule, had, has, name="" if rule.startswith("type-") else "type")
    return before is None or after is None or bool(before & after) or (listed and rule != "type-changed")


def _types_beside_unions(pair: Pair) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """Return the types that are valid next to unions whose branches have the same types in both documents."""
    old, new = _types_of_branches(pair.comparer.old, pair.old), _types_of_branches(pair.comparer.new, pair.new)
    if old is None or old != new:
        return None, None
    before, after = (old if view.types is None else old & view.types for view in (pair.old, pair.new))
    return before, after


def _types_of_branches(views: Views, view: View) -> frozenset[str] | None:
    """Return the types that the unions of a schema permit; None if they have none or do not say."""
    found: list[frozenset[str]] = []
    for union in view.unions:
        branches = [views.view((branch,)) for branch in union.branches]
        known = [branch.types for branch in branches if branch.types is not None and not branch.unions]
        if len(known) < len(branches):
            return None
        found.append(frozenset[str]().union(*known))
    return found[0].intersection(*found) if found else None


def _compare_null(pair: Pair) -> None:
    old, new = pair.old, pair.new
    if old.null is None or new.null is None:
        return
    if old.null != new.null:
        implied = _null_was_implied(old, new)
        rule = "null-implied" if implied else "null-permitted" if new.null else "null-forbidden"
        pair.add(rule, _type_part(old), _type_part(new))
    elif old.null and old.lists_null != new.lists_null:
        # The types permit null in both documents, but only one `enum` has it.
        rule = "null-permitted" if new.lists_null else "null-forbidden"
        pair.add(rule, *(view.keyword("enum") or view.keyword("const") or _type_part(view) for view in (old, new)))


def _null_was_implied(old: View, new: View) -> bool:
    """Return whether null only seems to be new because one document names no types, and so accepts null as well."""
    declared, inferred = (new, old) if old.inferred else (old, new)
    return old.inferred != new.inferred and inferred.values() is None and not declared.flag("nullable")


def _type_rule(pair: Pair, before: frozenset[str] | None, after: frozenset[str] | None) -> str:
    """Return the rule for a change of the types."""
    if pair.node.textual and before is not None and after is not None and before <= SCALARS and after <= SCALARS:
        if before & after >= _TEXT and not (_restricts_texts(pair.old) or _restricts_texts(pair.new)):
            return "keyword-without-effect"
        if after == _TEXT and not _restricts_texts(pair.new):
            return "type-generalized-in-text"
        if before == _TEXT and not _restricts_texts(pair.old):
            return "type-specialized-in-text"
    if after is not None and (before is None or after < before):
        return "type-narrowed"
    if before is not None and (after is None or before < after):
        return "type-widened"
    return "type-changed"


def _restricts_texts(view: View) -> bool:
    keywords = ("enum", "const", "pattern", "minLength", "maxLength", "format")
    return any(view.keyword(name) is not None for name in keywords)


def _pointer(view: View) -> str:
    part = view.keyword("type")
    return view.pointer if part is None else part.pointer


def _type_part(view: View) -> Part:
    part = view.keyword("nullable") or view.keyword("type")
    return part or Part(view.pointer, None)


def compare_values(pair: Pair) -> None:
    """Compare everything that restricts or describes single values."""
    rewritten = [keyword for keyword in _REWRITTEN if _is_rewritten(pair, keyword)]
    _enums(pair)
    if not rewritten:
        _formats(pair)
    _ranges(pair)
    _sizes(pair)
    _multiples(pair)
    if _applies(pair, "string"):
        _patterns(pair)
    else:
        report_without_effect(pair, "pattern")
    if _applies(pair, "array"):
        _unique_items(pair)
        _contained(pair)
    else:
        report_without_effect(pair, "uniqueItems")
    for keyword in ("contentEncoding", "contentMediaType"):
        old, new = pair.old.keyword(keyword), pair.new.keyword(keyword)
        if _value(old) != _value(new) and keyword not in rewritten:
            pair.add("content-encoding-changed", old, new, name=keyword)
    _deprecations(pair)


def _is_rewritten(pair: Pair, keyword: str) -> bool:
    """Return whether one document has a format, and the other the keyword that stands for it."""
    name, value = _REWRITTEN[keyword]
    found = [(_value(view.keyword("format")), _value(view.keyword(keyword))) for view in (pair.old, pair.new)]
    return sorted(found, key=str) == sorted([(name, None), (None, value)], key=str)


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
    if found is not None and view.types == _TRUTH_VALUES and {"true", "false"} <= found[1].keys():
        return None
    return found


def _listed(values: list[Any]) -> str:
    return ", ".join(f"`{value}`" if isinstance(value, str) else f"`{comparable(value)}`" for value in values)


def _formats(pair: Pair) -> None:
    old, new = pair.old.keyword("format"), pair.new.keyword("format")
    before, after = each(_value, old, new)
    if before == after:
        return
    types = pair.old.types, pair.new.types
    known = before in _KNOWN_FORMATS or after in _KNOWN_FORMATS
    found = False
    for kind in ("integer", "string"):
        if all(names is None or kind in names for names in types):
            had, has = _format(before, kind, types), _format(after, kind, types)
            found |= had != has
            if had == has:
                continue
            if had is None:
                pair.add("format-added", None, new)
            elif has is None:
                pair.add("format-removed", old, None)
            else:
                wider, narrower = (had, has) in _WIDER_FORMATS, (has, had) in _WIDER_FORMATS
                pair.add("format-widened" if wider else "format-narrowed" if narrower else "format-changed", old, new)
    if not found:
        name = "keyword-without-effect" if known else "format-hint-changed"
        pair.add(name, old, new, name="format")


def _format(name: str | None, kind: str, types: tuple[frozenset[str] | None, ...]) -> str | None:
    """Return a format if it restricts the values of a type."""
    if name in _NUMBER_FORMATS and kind == "integer":
        # That fractions are precise matters only where there are any.
        fractions = all(names is None or "number" in names for names in types)
        return name if fractions or name not in {"float", "double"} else None
    return name if kind == "string" and name in _TEXT_FORMATS else None


def _ranges(pair: Pair) -> None:
    if not (_applies(pair, "integer") or _applies(pair, "number")):
        report_without_effect(pair, "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
        return
    for inclusive, exclusive, lower, name in _RANGES:
        old = bounds(pair.old, (inclusive, exclusive), lower=lower)
        new = bounds(pair.new, (inclusive, exclusive), lower=lower)
        before = None if old is None else _range_key(pair.old, old[1], lower=lower)
        after = None if new is None else _range_key(pair.new, new[1], lower=lower)
        if before != after:
            tightened = before is None or (after is not None and after > before)
            _report_bound(pair, name, old, new, tightened=tightened)
        elif before is None:
            # Without a bound, a truth value says nothing.
            report_without_effect(pair, exclusive)


def _report_bound(pair: Pair, name: str, old: Bound | None, new: Bound | None, *, tightened: bool) -> None:
    rule = f"{name}-{'tightened' if tightened else 'relaxed'}"
    pair.add(rule, None if old is None else old[0], None if new is None else new[0])


def report_without_effect(pair: Pair, *names: str) -> None:
    """Report changes of keywords that restrict no value of these types."""
    for name in names:
        old, new = pair.old.keyword(name), pair.new.keyword(name)
        if (old is None) != (new is None) or (old and new and comparable(old.value) != comparable(new.value)):
            pair.add("keyword-without-effect", old, new, name=name)


def _range_key(view: View, bound: tuple[float, bool], *, lower: bool) -> tuple[float, bool]:
    """Return a bound as a value that is larger the fewer numbers are valid."""
    limit, excluded = bound
    if excluded and view.types == _WHOLE_NUMBERS and float(limit).is_integer():
        # Without fractions, to exclude 0 is to begin with 1.
        limit, excluded = limit + (1 if lower else -1), False
    return (limit if lower else -limit), excluded


def _sizes(pair: Pair) -> None:
    for keyword, lower, name, kind in _SIZES:
        if _applies(pair, kind):
            _size(pair, keyword, name, lower=lower, default=0)
        else:
            report_without_effect(pair, keyword)


def _contained(pair: Pair) -> None:
    if pair.old.schema("contains") and pair.new.schema("contains"):
        _size(pair, "minContains", "min-contains", lower=True, default=1)
        _size(pair, "maxContains", "max-contains", lower=False, default=0)
    elif not pair.old.schema("contains") and not pair.new.schema("contains"):
        report_without_effect(pair, "minContains", "maxContains")


def _size(pair: Pair, keyword: str, name: str, *, lower: bool, default: int) -> None:
    old, new = bounds(pair.old, (keyword, ""), lower=lower), bounds(pair.new, (keyword, ""), lower=lower)
    unbounded = default if lower else None
    before, after = (unbounded if bound is None else bound[1][0] for bound in (old, new))
    if before == after:
        return
    lowered = before is None or (after is not None and after < before)
    _report_bound(pair, name, old, new, tightened=lowered != lower)


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
    return None if view.types == _WHOLE_NUMBERS and factor == 1 else factor


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


def default_changes(old: View, new: View, *, required: bool) -> Iterator[tuple[str, Part | None, Part | None]]:
    """Yield the change of a default: the rule's id and the two values.

    What contains the value calls this, because a value that is required is never omitted.
    """
    had, has = old.keyword("default"), new.keyword("default")
    if (had is None) == (has is None) and (
        had is None or has is None or comparable(had.value) == comparable(has.value)
    ):
        return
    kind = "without-effect" if required else "added" if had is None else "removed" if has is None else "changed"
    yield f"default-{kind}", had, has


def _deprecations(pair: Pair) -> None:
    couples = paired_leaves(pair.old, pair.new)
    if len(pair.old.leaves) != len(pair.new.leaves):
        couples = [(_announcing(pair.old), _announcing(pair.new))]
    for old, new in couples:
        for rule, had, has in lifecycle_changes(old, new):
            pair.add(rule, had, has)


def _announcing(view: View) -> Part:
    """Return the part of a schema that announces its end."""
    found = (leaf for leaf in view.leaves if leaf.value.get("deprecated") is True or SUNSET in leaf.value)
    return next(found, Part(view.pointer, {}))


def _value(part: Part | None) -> Any:
    return None if part is None or not isinstance(part.value, str) else part.value
