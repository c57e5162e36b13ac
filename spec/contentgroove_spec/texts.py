"""Compares what is written for readers and generators: texts, examples, extensions, announcements of an end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from contentgroove._openapi.documents import as_object
from contentgroove._openapi.pointers import escape

from .documents import without_timestamps
from .reading import Part, comparable, encoded, same_value
from .schemas import ANNOTATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .changes import Location
    from .findings import Findings
    from .pairs import Pair
    from .schemas import View

_WIRE = frozenset({"deprecated", "default", "readOnly", "writeOnly", "nullable", "$defs", "definitions"})
SUNSET = "x-sunset"
"""The extension that has the date of the end of something deprecated."""

SCHEMA_TEXTS = ANNOTATIONS - _WIRE
"""The texts of a schema."""

TEXTS = frozenset(
    {"summary", "description", "tags", "links", "externalDocs", "example", "examples", "termsOfService", "contact",
     "license", "version", "title", "xml", "bearerFormat"}
)  # fmt: skip
"""The texts of everything else."""


def compare_texts(pair: Pair) -> None:
    """Compare the texts of a pair of schemas."""
    couples = paired_leaves(pair.old, pair.new)
    for before, after in couples:
        for rule, had, has, name in text_differences(before, after, SCHEMA_TEXTS):
            pair.add(rule, had, has, name=name)
    paired = {part.pointer for couple in couples for part in couple}
    for leaf in pair.old.leaves:
        if leaf.pointer not in paired and _has_only_texts(leaf):
            for rule, had, _, name in text_differences(leaf, Part(leaf.pointer, {}), SCHEMA_TEXTS):
                pair.add(rule, had, None, name=name)
    for leaf in pair.new.leaves:
        if leaf.pointer not in paired and _has_only_texts(leaf):
            for rule, _, has, name in text_differences(Part(leaf.pointer, {}), leaf, SCHEMA_TEXTS):
                pair.add(rule, None, has, name=name)


def paired_leaves(old: View, new: View) -> list[tuple[Part, Part]]:
    """Return the objects of two schemas that correspond: by order, or by pointer if their number changed."""
    if len(old.leaves) == len(new.leaves):
        return list(zip(old.leaves, new.leaves, strict=True))
    by_pointer = {leaf.pointer: leaf for leaf in old.leaves}
    return [(by_pointer[leaf.pointer], leaf) for leaf in new.leaves if leaf.pointer in by_pointer]


def _has_only_texts(leaf: Part) -> bool:
    return all(name in ANNOTATIONS or str(name).startswith("x-") for name in leaf.value)


def report_texts(
    findings: Findings, old: Part, new: Part, location: Location, *, fields: frozenset[str] = TEXTS
) -> None:
    """Compare the texts of two parts at a location of the API."""
    for rule, had, has, name in text_differences(old, new, fields):
        findings.at(rule, had, has, location, name=name, parents=(old.pointer, new.pointer))


def report_text(findings: Findings, old: Part | None, new: Part | None, location: Location, *, name: str) -> None:
    """Compare one text at a location of the API."""
    if old is None or new is None or not same_value(old.value, new.value):
        findings.at(_rule(name, old, new), old, new, location, name=name)


def text_differences(
    old: Part, new: Part, fields: frozenset[str]
) -> Iterator[tuple[str, Part | None, Part | None, str]]:
    """Yield each difference of texts of two objects: the rule's id, the parts and the name."""
    if not old.is_object or not new.is_object:
        return
    for name in dict.fromkeys([*as_object(new.value), *as_object(old.value)]):
        if (name in fields or str(name).startswith("x-")) and name != SUNSET:
            had, has = (
                Part(f"{part.pointer}/{escape(str(name))}", part.value[name]) if name in part.value else None
                for part in (old, new)
            )
            if had is None or has is None or not same_value(had.value, has.value):
                yield _rule(str(name), had, has), had, has, str(name)


def _rule(name: str, had: Part | None, has: Part | None) -> str:
    subject = "example" if name in {"example", "examples"} else "text"
    if had is None or has is None:
        return f"{subject}-added" if had is None else f"{subject}-removed"
    if subject == "example" and _stable(had.value) == _stable(has.value):
        return "example-timestamps-changed"
    return f"{subject}-changed"


def _stable(example: Any) -> bytes:
    return encoded(without_timestamps(example, in_example=True))


def lifecycle_changes(old: Part, new: Part) -> Iterator[tuple[str, Part | None, Part | None]]:
    """Yield what changed between two operations, parameters, headers or schemas: the rule's id and the two values."""
    was, now = (part.value.get("deprecated") is True for part in (old, new))
    had, has = old.optional("deprecated"), new.optional("deprecated")
    if was != now:
        yield ("deprecation-added" if now else "deprecation-removed"), had, has
    had, has = old.optional(SUNSET), new.optional(SUNSET)
    if has is None:
        if had is not None:
            yield "sunset-removed", had, None
    elif had is None or comparable(had.value) != comparable(has.value):
        earlier = had is not None and _date(has.value) < _date(had.value)
        yield ("sunset-earlier" if earlier else "sunset-set"), had, has


def _date(value: Any) -> str:
    """Return the digits of a date, which can be compared as text."""
    return "".join(re.findall(r"\d", str(value))[:8])
